//! Interrupts, locks that are lost, several hosts.

use super::stage::{Open, Stage, running};
use crate::event::EventKind;
use crate::execute::{Command, GroupEnd, Guard, Host, Interrupt, Unguarded, execute};
use crate::name::HostName;
use crate::plan::{Action, Step, Target};
use crate::problem::{Code, Problem, Result};
use std::cell::Cell;

async fn on_one() -> Stage {
    let stage = Stage::new();
    stage.publish(1);
    stage.publish(2);
    let stage = stage.with(vec![running("nginx", "r.example.com/nginx:1")]);
    stage.settle().await;
    stage.fake.forget_calls();
    stage
}

#[tokio::test(start_paused = true)]
async fn interrupted_before_any_step_the_old_container_runs_and_the_next_apply_ends_it() {
    for step in 1.. {
        let stage = on_one().await.with(vec![running("nginx", "r.example.com/nginx:2")]);
        let applied = stage
            .apply_until(
                &Interrupt::new(),
                |what| matches!(what, EventKind::StepStarted { step: s } if *s == step),
            )
            .await;
        assert_eq!(stage.running("nginx"), 1, "interrupted at step {step}: {:?}", stage.statuses());
        let last = applied.plan.steps.len();
        let Some(failure) = applied.outcome.failure else {
            assert!(usize::try_from(step).expect("small") >= last, "step {step} of {last}");
            break;
        };
        let code = if applied.outcome.hosts[0].changed { Code::Partial } else { Code::Interrupted };
        assert_eq!(failure.code(), code, "{failure}");
        assert!(applied.events.iter().any(|event| event.kind == EventKind::Interrupted));
        stage.settle().await;
        assert_eq!(stage.statuses(), ["nginx running"]);
        assert_eq!(stage.image("nginx"), "r.example.com/nginx:2");
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_interrupt_stops_at_once_and_the_next_apply_goes_on() {
    let stage = on_one().await.with(vec![running("nginx", "r.example.com/nginx:2")]);
    let plan = stage.plan().await.expect("planned");
    let interrupt = Interrupt::new();
    let watch = |event: crate::event::Event| {
        if matches!(event.kind, EventKind::UndoStarted { .. }) {
            interrupt.raise();
        }
        if matches!(&event.kind, EventKind::StepStarted { step } if plan.steps[*step as usize - 1].action.to_string().starts_with("await"))
        {
            interrupt.raise();
        }
    };
    let hosts = [Host { plan: &plan, engine: &stage.fake, guard: &Unguarded }];
    let outcome = execute(Command::APPLY, &hosts, &Open, &watch, &interrupt).await;
    assert_eq!(outcome.hosts[0].groups, [("replace nginx".to_owned(), GroupEnd::Interrupted)]);
    assert_eq!(outcome.failure.expect("failed").code(), Code::Partial);
    stage.settle().await;
    assert_eq!(stage.statuses(), ["nginx running"]);
}

#[tokio::test(start_paused = true)]
async fn a_command_that_does_not_end_is_given_up_after_a_minute_and_by_an_interrupt_at_once() {
    for interrupted in [false, true] {
        let stage = on_one().await.with(vec![running("nginx", "r.example.com/nginx:2")]);
        let mut plan = stage.plan().await.expect("planned");
        let step = plan.steps.remove(0);
        let command = ["sleep", "infinity"].map(str::to_owned).to_vec();
        let action =
            Action::Exec { container: Target::Id("nginx".to_owned()), name: "nginx".to_owned(), command };
        plan.steps = vec![Step {
            group: "stop nginx".to_owned(),
            action,
            expects: Vec::new(),
            undo: Vec::new(),
            ..step
        }];
        let (interrupt, began) = (Interrupt::new(), tokio::time::Instant::now());
        let hosts = [Host { plan: &plan, engine: &stage.fake, guard: &Unguarded }];
        let ctrl_c = async {
            tokio::time::sleep(std::time::Duration::from_secs(5)).await;
            if interrupted {
                interrupt.raise();
            }
        };
        let (outcome, ()) = tokio::join!(execute(Command::APPLY, &hosts, &Open, &|_| {}, &interrupt), ctrl_c);
        assert_eq!(began.elapsed().as_secs(), if interrupted { 5 } else { 60 });
        let code = if interrupted { Code::Interrupted } else { Code::Failed };
        assert!(outcome.failure.expect("failed").iter().any(|problem| problem.code == code));
    }
}

/// A lock that is lost after some checks.
struct Lost(Cell<u32>);

impl Guard for Lost {
    async fn check(&self) -> Result<()> {
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        if left == 0 { Err(Problem::new(Code::Stale, "the lock is lost").into()) } else { Ok(()) }
    }
}

#[tokio::test(start_paused = true)]
async fn when_the_lock_is_lost_nothing_more_is_touched() {
    for left in 0..11 {
        let stage = on_one().await.with(vec![running("nginx", "r.example.com/nginx:2")]);
        let plan = stage.plan().await.expect("planned");
        let hosts = [Host { plan: &plan, engine: &stage.fake, guard: &Lost(Cell::new(left)) }];
        let outcome = execute(Command::APPLY, &hosts, &Open, &|_| {}, &Interrupt::new()).await;
        assert_eq!(stage.fake.changes().len(), left as usize, "{:?}", stage.fake.changes());
        let code = outcome.failure.as_ref().expect("lost").code();
        assert_eq!(code, if outcome.changed() { Code::Partial } else { Code::Stale });
        stage.settle().await;
    }
}

fn host(name: &str) -> HostName {
    HostName::parse(name).expect("a name")
}

#[tokio::test(start_paused = true)]
async fn a_failure_on_one_host_leaves_the_next_ones_alone_and_says_what_runs_where() {
    let stages = [on_one().await, on_one().await, on_one().await]
        .map(|stage| stage.with(vec![running("nginx", "r.example.com/nginx:2")]));
    let mut plans = Vec::new();
    for (index, stage) in stages.iter().enumerate() {
        let mut plan = stage.plan().await.expect("planned");
        plan.host = host(&format!("web{}", index + 1));
        plans.push(plan);
    }
    let refusal = crate::engine::EngineError::new(crate::engine::ErrorKind::Other, 500, "no");
    stages[1].fake.fail_calls("start nginx.g2", refusal);
    let hosts: Vec<_> = plans
        .iter()
        .zip(&stages)
        .map(|(plan, stage)| Host { plan, engine: &stage.fake, guard: &Unguarded })
        .collect();
    let outcome = execute(Command::APPLY, &hosts, &Open, &|_| {}, &Interrupt::new()).await;
    assert_eq!(
        stages
            .clone()
            .map(|stage| stage.image("nginx").split(':').next_back().map(str::to_owned))
            .map(|v| v.expect("a tag")),
        ["2", "1", "1"]
    );
    let partial = outcome.failure.as_ref().expect("failed").iter().next().expect("one").clone();
    assert_eq!(
        partial.causes,
        ["web1: 1 done", "web2: replace nginx: failed, rolled back", "web3: 1 skipped"]
    );
    // Every host has the image before any of them is changed.
    assert!(stages[2].fake.changes().iter().any(|call| call.starts_with("pull")));
}

#[tokio::test(start_paused = true)]
async fn a_pull_that_fails_on_the_last_host_changes_no_host_where_all_is_wanted_or_nothing() {
    let stages = [on_one().await, on_one().await]
        .map(|stage| stage.with(vec![running("nginx", "r.example.com/nginx:2")]));
    let plans = [stages[0].plan().await.expect("planned"), stages[1].plan().await.expect("planned")];
    let down = crate::name::RegistryHost::parse("r.example.com").expect("a host");
    stages[1].fake.guard(&down, None);
    let hosts = [
        Host { plan: &plans[0], engine: &stages[0].fake, guard: &Unguarded },
        Host { plan: &plans[1], engine: &stages[1].fake, guard: &Unguarded },
    ];
    let outcome =
        execute(Command { whole: true, ..Command::APPLY }, &hosts, &Open, &|_| {}, &Interrupt::new()).await;
    assert!(!outcome.changed());
    assert_eq!(outcome.failure.expect("failed").code(), Code::Failed);
    assert!(!stages[0].fake.changes().iter().any(|call| call.starts_with("create")));
}
