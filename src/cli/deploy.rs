//! Plan and apply as one pipeline, each stage in its file:
//!
//! `wish` (pillar files and states of each host) → `reach` (connect, ask for facts) → `trust` (may this
//! host be sent secrets) → `survey` (read once, decide once) → printed, stored or asked about by the
//! command → `carry` (lock, carry out). Whatever is wrong on several hosts is said at once.

mod address;
mod adopt;
mod ask;
mod back;
mod carry;
mod evaluate;
mod keychain;
mod probe;
mod reach;
mod stored;
mod survey;
mod tags;
mod trust;
mod wish;

pub(in crate::cli) use address::dialled;
pub(in crate::cli) use adopt::{compared, record};
#[cfg(test)]
pub(in crate::cli) use ask::EntryShown;
pub(in crate::cli) use ask::{Answers, Asked, Verdict, ask};
pub(in crate::cli) use back::{Differing, Goal, back};
pub(in crate::cli) use carry::{carry_out, carry_out_after};
pub(in crate::cli) use evaluate::own_program;
pub(in crate::cli) use probe::{Probed, probe};
pub(in crate::cli) use reach::compile;
pub(in crate::cli) use stored::{PlanOptions, StoredPlan, to_json};
pub(in crate::cli) use survey::{Seen, Survey, Surveyed, look, look_offline, parts, plan_of, survey};
pub(in crate::cli) use tags::{Tagged, tags};
pub(in crate::cli) use trust::is_own_socket;
pub(in crate::cli) use wish::{Wished, wishes};

use super::{Context, signal};
use crate::execute::Interrupt;
use crate::problem::{Code, Problem, Problems, Result};

/// Which hosts.
#[derive(clap::Args, Clone, Debug, Default)]
pub(in crate::cli) struct Selection {
    /// Only hosts whose name matches; may be given several times
    #[arg(long, value_name = "GLOB")]
    pub host: Vec<String>,
}

/// What is done about hosts that are new on this machine and would be sent credentials or secrets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) enum NewHosts {
    /// A person is asked.
    #[default]
    Ask,
    /// They are taken as they are (`--accept-new-hosts`).
    Accept,
    /// None is taken, and nobody is asked (`-y` alone).
    Refuse,
}

/// Whether hosts that are new on this machine are taken as they are.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub(in crate::cli) struct NewHostsArgs {
    /// Send credentials and secrets to hosts that were not known on this machine, and remember them
    #[arg(long)]
    accept_new_hosts: bool,
}

impl NewHostsArgs {
    /// For a command whose `-y` says yes to what it does.
    pub(in crate::cli) fn beside(self, yes: bool) -> NewHosts {
        match (self.accept_new_hosts, yes) {
            (true, _) => NewHosts::Accept,
            (false, true) => NewHosts::Refuse,
            (false, false) => NewHosts::Ask,
        }
    }
}

/// Runs what talks to Engines. Ctrl-C before `work` has taken the interrupt over cuts it off: nothing
/// was changed until then.
///
/// # Errors
/// Those of `work`.
pub(in crate::cli) fn run<T>(work: impl AsyncFnOnce(&Interrupt) -> Result<T>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Problem::failed("cannot wait for Engines").because(&error))?;
    let result = runtime.block_on(async {
        let interrupt = Interrupt::new();
        signal::listen(&interrupt)?;
        work(&interrupt).await
    });
    // A question that nobody answered would be waited for otherwise.
    runtime.shutdown_background();
    result
}

/// Does something that changes nothing, unless interrupted.
///
/// # Errors
/// Those of `work`; [`Code::Interrupted`].
pub(in crate::cli) async fn unless_interrupted<T>(
    interrupt: &Interrupt,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    tokio::select! {
        biased;
        () = interrupt.heard(1) => {
            Err(Problem::new(Code::Interrupted, "interrupted before anything was changed").into())
        }
        result = work => result,
    }
}

/// Asks a question without holding up signals.
///
/// # Errors
/// [`Code::Declined`]; [`Code::Interrupted`].
pub(in crate::cli) async fn confirm(ctx: &Context, interrupt: &Interrupt, question: &str) -> Result<()> {
    ctx.ask(question)?;
    let answer = async {
        let answer = tokio::task::spawn_blocking(Context::hear_answer).await;
        answer.unwrap_or_else(|_| Err(Problem::new(Code::Declined, "could not read an answer").into()))
    };
    let answer = unless_interrupted(interrupt, answer).await;
    if answer.as_ref().is_err_and(|problems| problems.code() == Code::Interrupted) {
        // The question has no end of line yet.
        ctx.out.stderr("\n");
    }
    answer
}

/// Splits what was found on several hosts into what is fine and all that is wrong, each said once.
fn sorted_out<T>(results: impl IntoIterator<Item = Result<T>>) -> (Vec<T>, Vec<Problem>) {
    let (mut fine, mut wrong) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(one) => fine.push(one),
            Err(problems) => {
                for problem in problems.into_vec() {
                    if !wrong.contains(&problem) {
                        wrong.push(problem);
                    }
                }
            }
        }
    }
    (fine, wrong)
}

/// All of them, or all that is wrong.
fn all_or_nothing<T>(results: impl IntoIterator<Item = Result<T>>) -> Result<Vec<T>> {
    let (fine, wrong) = sorted_out(results);
    Problems::check(wrong).map(|()| fine)
}
