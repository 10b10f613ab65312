//! Carrying a plan out: locks first, then execution, with its events shown.

use super::Surveyed;
use super::keychain::{Delegated, Keychain};
use crate::cli::Context;
use crate::cli::output::progress::Progress;
use crate::cli::vault::Vault;
use crate::engine::docker::Docker;
use crate::execute::{Guard, Host, Interrupt, Outcome, execute};
use crate::lock::{LEASE, Lock, Run};
use crate::plan::Plan;
use crate::problem::Result;
use std::pin::Pin;

/// A lock and the Engine it lies on.
struct Held<'a> {
    lock: Lock,
    engine: &'a Docker,
}

impl Guard for Held<'_> {
    async fn check(&self) -> Result<()> {
        self.lock.verify(self.engine).await
    }
}

/// Carries out the plans of all hosts that have something to do.
///
/// # Errors
/// Where a lock cannot be had: then nothing was changed anywhere. What happens after that is in the
/// outcome.
pub(in crate::cli) async fn carry_out(
    ctx: &Context,
    vault: &Vault<'_>,
    plan: &Plan,
    surveyed: &[Surveyed<'_>],
    interrupt: &Interrupt,
) -> Result<Outcome> {
    carry_out_after(ctx, vault, plan, surveyed, interrupt, || Ok(())).await
}

/// The same; `first` is done when all locks are held and nothing is changed yet.
///
/// # Errors
/// Those of `first` as well.
pub(in crate::cli) async fn carry_out_after(
    ctx: &Context,
    vault: &Vault<'_>,
    plan: &Plan,
    surveyed: &[Surveyed<'_>],
    interrupt: &Interrupt,
    first: impl FnOnce() -> Result<()>,
) -> Result<Outcome> {
    let busy: Vec<&Surveyed<'_>> = surveyed.iter().filter(|one| !one.plan.steps.is_empty()).collect();
    let held = lock_all(ctx, vault, &busy).await?;
    if let Err(problems) = first() {
        release_all(ctx, held).await;
        return Err(problems);
    }
    let hosts: Vec<Host<'_, Docker, Held<'_>>> = busy
        .iter()
        .zip(&held)
        .map(|(one, guard)| Host { plan: &one.plan, engine: &one.seen.engine, guard })
        .collect();
    let progress = Progress::new(plan, ctx.out.level, ctx.env.terminal.stderr);
    let outcome = {
        let keychain = Keychain { vault, hosts: surveyed, delegated: Delegated::default() };
        let show = |event| progress.show(&event);
        let mut work: Pin<Box<dyn Future<Output = Outcome> + '_>> =
            Box::pin(execute(&hosts, &keychain, &show, interrupt));
        for one in &held {
            work = Box::pin(one.lock.hold_while(one.engine, work));
        }
        work.await
    };
    progress.finish();
    release_all(ctx, held).await;
    Ok(outcome)
}

/// All locks, or none.
async fn lock_all<'a>(ctx: &Context, vault: &Vault<'_>, busy: &[&'a Surveyed<'a>]) -> Result<Vec<Held<'a>>> {
    let run = Run::new(&ctx.env.user, &ctx.env.machine, "pillarbox apply")?;
    let mut held = Vec::new();
    for one in busy {
        match Lock::acquire(&one.seen.engine, &one.plan.host, vault.owner(), &run, LEASE).await {
            Ok(lock) => {
                if let Some(run) = lock.left_by() {
                    ctx.out.say(format_args!(
                        "the lock of host {} was left by an apply that ended early ({run}): taken over",
                        one.plan.host
                    ));
                }
                held.push(Held { lock, engine: &one.seen.engine });
            }
            Err(problems) => {
                release_all(ctx, held).await;
                return Err(problems);
            }
        }
    }
    Ok(held)
}

/// Gives locks back; one that cannot be given back ends by itself.
async fn release_all(ctx: &Context, held: Vec<Held<'_>>) {
    for one in held {
        if let Err(problems) = one.lock.release(one.engine).await {
            ctx.out.warn(format_args!("{problems}; it ends by itself within {LEASE} seconds"));
        }
    }
}
