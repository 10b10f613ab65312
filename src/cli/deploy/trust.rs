//! Whether a host may be sent credentials and secrets: to those that this machine knows under their
//! address, to sockets of this machine, and to those that a person accepts in this run. Who can write to
//! the workspace can name a host of their own; this is what stands between it and every secret.

use super::confirm;
use super::reach::Reached;
use crate::cli::Context;
use crate::cli::vault::Vault;
use crate::desired::{PullPolicy, Wish};
use crate::execute::Interrupt;
use crate::inventory::{EngineAddress, Host};
use crate::name::ImageRef;
use crate::pillar::known::HostVerdict;
use crate::problem::{Code, Problem, Result, escaped};
use crate::registry::Lookup;

/// Refuses an address that is not the known one, before anything is asked there.
///
/// # Errors
/// [`Code::Seal`] with old and new.
pub(super) fn check_address(vault: &Vault<'_>, host: &Host) -> Result<()> {
    let address = host.engine.to_string();
    let check = |known: &crate::pillar::known::Known| {
        known.clone().meet_host(vault.name(), &host.name, &address, None, false).map(drop)
    };
    vault.anchor().look(check).map_err(|problems| problems.map(|problem| problem.at(&host.place)))
}

/// Makes sure that a host may be sent what is meant for it, and remembers it. `sends`: it will be sent
/// a credential or secret; `yes` is the answer to the question whether it may.
///
/// # Errors
/// [`Code::Seal`] where it is not the known one, or new and `--strict`; [`Code::Declined`].
pub(super) async fn settle(
    ctx: &Context,
    vault: &Vault<'_>,
    reached: &Reached<'_>,
    sends: bool,
    yes: bool,
    interrupt: &Interrupt,
) -> Result<()> {
    let host = reached.wished.host;
    let (name, address) = (vault.name(), host.engine.to_string());
    let local = matches!(host.engine, EngineAddress::Unix { .. });
    // Another Engine behind a socket of this machine is no stranger.
    let daemon = (!local).then_some(reached.facts.engine_id.as_str());
    let strict = ctx.strict() && !local && sends;
    let verdict = vault.anchor().change(|known| known.meet_host(name, &host.name, &address, daemon, strict));
    let verdict = verdict.map_err(|problems| problems.map(|problem| problem.at(&host.place)))?;
    if verdict == HostVerdict::Same || !(sends || local) {
        return Ok(());
    }
    if !local {
        let id = escaped(&reached.facts.engine_id);
        let what = format!("host {} is not known on this machine: {address}, Engine {id}", host.name);
        if yes {
            ctx.out.say(format_args!("{what}; it is accepted with -y"));
        } else {
            let question = format!("{what}\nSend it the credentials and secrets that are meant for it?");
            let asked = confirm(ctx, interrupt, &question).await;
            asked.map_err(|problems| problems.map(|problem| unknown(problem, host)))?;
        }
    }
    vault.anchor().change(|known| {
        known.learn_host(name, &host.name, &address, daemon);
        Ok(())
    })
}

fn unknown(problem: Problem, host: &Host) -> Problem {
    if problem.code != Code::Declined {
        return problem;
    }
    Problem::new(Code::Declined, format!("host {} is not known on this machine", host.name))
        .cause(format!("its Engine is {}; it would be sent credentials or secrets", host.engine))
        .cause(problem.what)
        .at(&host.place)
        .hint(format!("if it is right, accept it: pillarbox known accept {}", host.name))
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
