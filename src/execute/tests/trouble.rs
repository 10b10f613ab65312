//! What goes wrong during an apply: a fault of the Engine, or a Ctrl-C.

use super::stage::{Open, Stage};
use crate::engine::{EngineError, ErrorKind};
use crate::execute::Interrupt;
use crate::testing::fake::Fault;
use proptest::prelude::*;
use std::cell::Cell;
use std::ops::Range;
use std::time::Duration;

/// One trouble, at which call of the Engine or, for interrupts, at which event.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trouble {
    Nothing,
    Refused(usize),
    AnswerLost(usize),
    HangUpBefore(usize),
    HangUpAfter(usize),
    /// The Engine is restarted at this call, a read or a change.
    Restart(usize),
    Interrupt(usize),
    TwoInterrupts(usize),
}

/// Any trouble at one of these moments.
pub(super) fn trouble(at: Range<usize>) -> impl Strategy<Value = Trouble> {
    prop_oneof![
        Just(Trouble::Nothing),
        at.clone().prop_map(Trouble::Refused),
        at.clone().prop_map(Trouble::AnswerLost),
        at.clone().prop_map(Trouble::HangUpBefore),
        at.clone().prop_map(Trouble::HangUpAfter),
        at.clone().prop_map(|n| Trouble::Restart(n * 3)),
        at.clone().prop_map(Trouble::Interrupt),
        at.prop_map(Trouble::TwoInterrupts),
    ]
}

/// One apply with its trouble.
pub(super) async fn live_through(stage: &Stage, trouble: Trouble) {
    stage.fake.forget_calls();
    let (mut at, mut twice) = (usize::MAX, false);
    match trouble {
        Trouble::Refused(n) => {
            stage.fake.fail(n, Fault::Refused(EngineError::new(ErrorKind::Other, 500, "no")));
        }
        Trouble::AnswerLost(n) => stage.fake.fail(n, Fault::AnswerLost),
        Trouble::HangUpBefore(n) => stage.fake.fail(n, Fault::HangUpBefore),
        Trouble::HangUpAfter(n) => stage.fake.fail(n, Fault::HangUpAfter),
        Trouble::Nothing | Trouble::Restart(_) => {}
        Trouble::Interrupt(n) => at = n,
        Trouble::TwoInterrupts(n) => (at, twice) = (n, true),
    }
    let (seen, interrupt) = (Cell::new(0), Interrupt::new());
    let again = interrupt.clone();
    let when = |_: &crate::event::EventKind| {
        seen.set(seen.get() + 1);
        if twice && seen.get() == at + 1 {
            again.raise();
        }
        seen.get() == at
    };
    let plan = match stage.plan().await {
        Ok(plan) => plan,
        Err(problems) => panic!("{problems}"),
    };
    if let Trouble::Restart(n) = trouble {
        stage.fake.restart_after(n, Duration::from_secs(10));
    }
    stage.carry_out(plan, &Open, &interrupt, when).await;
    stage.fake.heal();
}
