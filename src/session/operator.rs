//! The one way from a session to the person who started it.

use crate::event::Event;
use crate::execute::Interrupt;
use crate::plan::Plan;
use crate::problem::Result;
use crate::secret::Secret;
use futures_util::future::LocalBoxFuture;
use std::fmt;

/// Who started a session: is told what happens and asked what only a person decides.
pub trait Operator: fmt::Debug {
    /// Tells something worth knowing.
    fn say(&self, text: fmt::Arguments<'_>);

    /// Tells something to worry about.
    fn warn(&self, text: fmt::Arguments<'_>);

    /// Asks a question that only yes answers with yes, without holding up signals.
    ///
    /// # Errors
    /// [`Code::Declined`](crate::problem::Code::Declined) for any other answer and where there is nothing to
    /// ask on; [`Code::Interrupted`](crate::problem::Code::Interrupted).
    fn confirm<'a>(&'a self, question: &'a str, interrupt: &'a Interrupt) -> LocalBoxFuture<'a, Result<()>>;

    /// Whether a secret can be asked for.
    ///
    /// # Errors
    /// Why not: "there is no terminal to ask for it on".
    fn can_answer(&self) -> Result<(), &'static str>;

    /// Asks for a secret, without showing it.
    ///
    /// # Errors
    /// [`Code::Declined`](crate::problem::Code::Declined) where it cannot be asked for.
    fn secret(&self, prompt: &str) -> Result<Secret>;

    /// All that stands on standard input, less one final newline.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn standard_input(&self) -> Result<Secret>;

    /// Begins to show how a plan is applied.
    fn progress<'p>(&self, plan: &'p Plan) -> Box<dyn Progress + 'p>;

    /// Begins to show how many of `total` things are done: "values sealed again".
    fn tally(&self, what: &'static str, total: usize) -> Box<dyn Tally>;
}

/// Counts what is done, from any thread, until it is dropped.
pub trait Tally: Sync {
    /// One more is done.
    fn one_done(&self);
}

/// Shows how a plan is applied, until it is dropped.
pub trait Progress {
    /// Shows one event.
    fn show(&self, event: &Event);

    /// Shows a line that is of no single host: a batch begins.
    fn line(&self, text: &str);

    /// Takes away what moves, so that a question can be asked.
    fn pause(&self);
}

/// Hears nothing and answers nothing.
#[cfg(test)]
#[derive(Debug)]
pub(super) struct NoOperator;

#[cfg(test)]
impl Operator for NoOperator {
    fn say(&self, _: fmt::Arguments<'_>) {}

    fn warn(&self, _: fmt::Arguments<'_>) {}

    fn confirm<'a>(&'a self, _: &'a str, _: &'a Interrupt) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(async { declined() })
    }

    fn can_answer(&self) -> Result<(), &'static str> {
        Err("there is no terminal to ask for it on")
    }

    fn secret(&self, _: &str) -> Result<Secret> {
        declined()
    }

    fn standard_input(&self) -> Result<Secret> {
        declined()
    }

    fn progress<'p>(&self, _: &'p Plan) -> Box<dyn Progress + 'p> {
        Box::new(Self)
    }

    fn tally(&self, _: &'static str, _: usize) -> Box<dyn Tally> {
        Box::new(Self)
    }
}

#[cfg(test)]
impl Progress for NoOperator {
    fn show(&self, _: &Event) {}

    fn line(&self, _: &str) {}

    fn pause(&self) {}
}

#[cfg(test)]
impl Tally for NoOperator {
    fn one_done(&self) {}
}

#[cfg(test)]
fn declined<T>() -> Result<T> {
    Err(crate::problem::Problem::new(crate::problem::Code::Declined, "there is no terminal to ask on").into())
}
