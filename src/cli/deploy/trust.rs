//! Whether a host may be sent credentials and secrets: to those that this machine knows under their
//! address, to sockets of this machine, and to those that a person accepts in this run. Who can write to
//! the workspace can name a host of their own; this is what stands between it and every secret.

use super::reach::Reached;
use super::{NewHosts, confirm};
use crate::cli::Context;
use crate::cli::vault::Vault;
use crate::desired::{PullPolicy, Wish};
use crate::execute::Interrupt;
use crate::inventory::{EngineAddress, Host};
use crate::name::ImageRef;
use crate::pillar::known::{HostVerdict, Known, KnownHost};
use crate::problem::{Code, Problem, Result, escaped};
use crate::registry::Lookup;

/// Whether a host is a socket of this machine on which nobody but root and this user has a hold.
pub(in crate::cli) fn is_own_socket(host: &Host, seen: &KnownHost) -> bool {
    matches!(host.engine, EngineAddress::Unix { .. }) && seen.stranger.is_none()
}

/// Refuses a host that is not the known one, before anything is asked there.
///
/// # Errors
/// [`Code::Seal`] with old and new.
pub(super) fn check(vault: &Vault<'_>, host: &Host, seen: &KnownHost) -> Result<()> {
    let check = |known: &Known| known.clone().meet_host(vault.seen(), &host.name, seen, false).map(drop);
    vault.anchor().look(check).map_err(|problems| problems.map(|problem| problem.at(&host.place)))
}

/// Makes sure that a host may be sent what is meant for it, and remembers it. `sends`: it will be sent
/// a credential or secret; `accept` is the answer to the question whether it may.
///
/// # Errors
/// [`Code::Seal`] where it is not the known one, or new and `--strict`; [`Code::Declined`].
pub(super) async fn settle(
    ctx: &Context,
    vault: &Vault<'_>,
    reached: &Reached<'_>,
    sends: bool,
    accept: NewHosts,
    interrupt: &Interrupt,
) -> Result<()> {
    let (host, seen) = (reached.wished.host, &reached.seen);
    let own = is_own_socket(host, seen);
    let strict = ctx.strict() && !own && sends;
    let verdict = vault.anchor().change(|known| known.meet_host(vault.seen(), &host.name, seen, strict));
    let verdict = verdict.map_err(|problems| problems.map(|problem| problem.at(&host.place)))?;
    if verdict == HostVerdict::Same || !(sends || own) {
        return Ok(());
    }
    if !own {
        let details: String =
            seen.details().map(|(what, text)| format!(", {what} {}", escaped(text))).collect();
        let address = escaped(&seen.address);
        let what = format!("host {} is not known on this machine: {address}{details}", host.name);
        match accept {
            NewHosts::Accept => ctx.out.say(format_args!("{what}; it is accepted with --accept-new-hosts")),
            NewHosts::Refuse => return Err(unknown(host, seen, "-y says yes to the plan alone").into()),
            NewHosts::Ask => {
                let question = format!("{what}\nSend it the credentials and secrets that are meant for it?");
                let asked = confirm(ctx, interrupt, &question).await;
                asked.map_err(|problems| problems.map(|problem| declined(problem, host, seen)))?;
            }
        }
    }
    vault.anchor().change(|known| {
        known.learn_host(vault.seen(), &host.name, seen);
        Ok(())
    })
}

fn declined(problem: Problem, host: &Host, seen: &KnownHost) -> Problem {
    if problem.code != Code::Declined {
        return problem;
    }
    unknown(host, seen, &problem.what)
}

fn unknown(host: &Host, seen: &KnownHost, why: &str) -> Problem {
    let what = format!("host {} is not known on this machine", host.name);
    let problem = Problem::new(Code::Declined, what)
        .cause(format!("its Engine is {}; it would be sent credentials or secrets", escaped(&seen.address)));
    let problem = seen
        .details()
        .fold(problem, |problem, (what, text)| problem.cause(format!("its {what} is {}", escaped(text))));
    problem
        .cause(why)
        .at(&host.place)
        .hint(format!("if it is right, accept it: pillarbox known accept {}", host.name))
        .hint("or all that are new, in this run: the same command with --accept-new-hosts")
}

/// Whether planning or applying sends this host any secret.
pub(super) fn is_sent_secrets(reached: &Reached<'_>) -> bool {
    let credential =
        |image: &ImageRef| matches!(reached.wished.credentials.lookup(&image.name), Lookup::Entry(_));
    reached.desired.items.iter().any(|item| match &item.wish {
        Wish::Container(_) | Wish::Task(_) => item.wish.container().is_some_and(|wish| {
            wish.spec.texts().any(|(_, text)| text.secrets().next().is_some())
                || (wish.pull == PullPolicy::Missing && credential(&wish.image))
        }),
        Wish::ImagePulled { image, .. } => credential(image),
        Wish::ImageAbsent { .. }
        | Wish::ContainerAbsent { .. }
        | Wish::Surplus { .. }
        | Wish::Network(_)
        | Wish::NetworkAbsent { .. }
        | Wish::Volume(_)
        | Wish::VolumeAbsent { .. }
        | Wish::LeftOut { .. } => false,
    })
}
