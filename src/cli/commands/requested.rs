//! What `stop`, `start`, `restart` and `down` have in common: a plan of what is asked for of a service, shown, answered
//! for, and carried out.

use super::apply;
use crate::cli::output::{plan as print, unreachable};
use crate::cli::{Context, LockWaitArgs, NewHostsArgs, ReachArgs, Selection, on_engines};
use crate::execute::{Command, Interrupt};
use crate::name::folded;
use crate::plan::Plan;
use crate::problem::{Problems, Result};
use crate::rollout::BatchSizes;
use crate::session::{Pace, Pipeline, Requested, Vault, declared};
use serde_json::json;

/// A request for one service, or for all.
pub(super) struct Request<'r> {
    pub(super) command: &'r str,
    /// What is typed to continue where it ended.
    pub(super) again: String,
    pub(super) service: Option<&'r str>,
    pub(super) selection: &'r Selection,
    pub(super) new_hosts: NewHostsArgs,
    pub(super) lock_wait: LockWaitArgs,
    pub(super) reach: ReachArgs,
    pub(super) yes: bool,
    pub(super) batch_size: Option<BatchSizes>,
    pub(super) pace: Pace,
    pub(super) asked: Requested,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carried {
    /// All is as asked for already.
    Nothing,
    /// It was done.
    Out,
}

/// Plans, shows, asks and carries out. `confirm` asks in its own way, given a folded list of hosts; it asks again
/// where hosts changed while their locks were waited for.
pub(super) fn carry_out(
    request: &Request<'_>,
    ctx: &Context,
    confirm: &impl AsyncFn(&str, &Interrupt) -> Result<()>,
) -> Result<Carried> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    let chosen = request.selection.chosen(ctx, &vault)?;
    // What was restarted is not restarted once more.
    let rest = match request.asked {
        Requested::Restart | Requested::Renew => " --failed",
        _ => "",
    };
    let again = format!("{}{}{rest}", request.again, request.selection.again(&chosen));
    let lock_wait = request.lock_wait.begin();
    request.reach.begin();
    on_engines(async |interrupt| {
        let pipeline = Pipeline::new(&vault, request.new_hosts.beside(request.yes), interrupt)
            .waiting(&lock_wait)
            .of_hosts(&chosen.terms);
        let mut answered = Answered::default();
        loop {
            let declared = declared(&vault, &chosen.terms)?;
            let (wanted, sizes) = (&request.asked, request.batch_size.as_ref());
            let mut asked = pipeline.plan_requested(declared, request.service, wanted, sizes).await?;
            let left_out = match request.reach.skip_unreachable {
                true => asked.planned.leave_out_unreachable(),
                false => Vec::new(),
            };
            asked.check()?;
            asked.planned.plan.paused.clone_from(&chosen.paused);
            let plan = &asked.planned.plan;
            let is_new = answered.is_new(ctx, plan);
            if plan.hosts.iter().all(|host| host.changes.is_empty()) {
                chosen.say_paused(ctx);
                ctx.out.say("nothing to do");
            } else if is_new && !ctx.out.json {
                ctx.out.data(print::text(plan, print::View::of(&ctx.out)));
            }
            if is_new && !left_out.is_empty() && !ctx.out.json {
                ctx.out.data(unreachable::text(&left_out));
            }
            let left_out = unreachable::problems(&left_out);
            if plan.is_empty() {
                say_json(ctx, &asked.service, plan, None, !left_out.is_empty());
                return Problems::check(left_out).map(|()| Carried::Nothing);
            }
            let busy = plan.hosts.iter().filter(|host| !host.steps.is_empty());
            let names: Vec<&str> = busy.map(|host| host.host.as_str()).collect();
            if is_new {
                confirm(&folded(&names), interrupt).await?;
            }
            let command =
                Command { name: request.command, again: &again, whole: true, pulls: Command::PULLS };
            let Some(outcome) = pipeline.apply(command, &asked.planned, request.pace, || Ok(())).await?
            else {
                answered.with(asked.planned.plan);
                continue;
            };
            let outcome = outcome.and(command, left_out);
            say_json(ctx, &asked.service, plan, Some(&outcome), outcome.failure.is_some());
            apply::end(ctx, outcome, &again)?;
            return Ok(Carried::Out);
        }
    })
}

/// The plan that was shown and answered for, before locks of other runs were waited for.
#[derive(Default)]
pub(super) struct Answered(Option<Plan>);

impl Answered {
    /// Whether a plan is another one, so that it is to be shown and asked for. Says so, where that is a surprise.
    pub(super) fn is_new(&self, ctx: &Context, plan: &Plan) -> bool {
        let is_new = self.0.as_ref() != Some(plan);
        if is_new && self.0.is_some() {
            ctx.out.say("planned again: hosts changed while their locks were waited for");
        }
        is_new
    }

    /// Keeps it.
    pub(super) fn with(&mut self, plan: Plan) {
        self.0 = Some(plan);
    }
}

/// The one object of `--json`; beside it the error, if there is one.
fn say_json(
    ctx: &Context,
    service: &Option<String>,
    plan: &Plan,
    outcome: Option<&crate::execute::Outcome>,
    fails: bool,
) {
    if !ctx.out.json {
        return;
    }
    let mut object = apply::object(plan, outcome);
    object["service"] = json!(service);
    object["notes"] = plan.hosts.iter().flat_map(|host| &host.notes).map(|note| json!(note)).collect();
    ctx.out.object_of(object, fails);
}
