//! Whether a host may be sent credentials and secrets: to those that this machine knows under their
//! address, to sockets of this machine, and to those that a person accepts in this run. Who can write to
//! the workspace can name a host of their own; this is what stands between it and every secret.

use super::vault::Vault;
use crate::execute::Interrupt;
use crate::inventory::{EngineAddress, Host};
use crate::pillar::known::HostVerdict;
use crate::problem::{Code, Problem, Result, escaped};

/// Refuses an address that is not the known one, before anything is asked there.
///
/// # Errors
/// [`Code::Seal`] with old and new.
pub(super) fn check_address(vault: &Vault<'_>, host: &Host) -> Result<()> {
    let address = host.engine.to_string();
    let check = |known: &crate::pillar::known::Known| {
        known.clone().meet_host(vault.name(), &host.name, &address, None, false).map(drop)
    };
    vault.known_file().look(check).map_err(|problems| problems.map(|problem| problem.at(&host.place)))
}

/// What is to be sent to a host, and who may accept it.
pub(super) struct Sending<'s> {
    /// The Engine's own id.
    pub engine_id: &'s str,
    /// A credential or secret will be sent.
    pub secrets: bool,
    /// The question is answered with yes.
    pub yes: bool,
    pub interrupt: &'s Interrupt,
}

/// Makes sure that a host may be sent what is meant for it, and remembers it.
///
/// # Errors
/// [`Code::Seal`] where it is not the known one, or new and `--strict`; [`Code::Declined`].
pub(super) async fn accept(vault: &Vault<'_>, host: &Host, sending: &Sending<'_>) -> Result<()> {
    let session = vault.session();
    let (name, address) = (vault.name(), host.engine.to_string());
    let local = matches!(host.engine, EngineAddress::Unix { .. });
    // Another Engine behind a socket of this machine is no stranger.
    let daemon = (!local).then_some(sending.engine_id);
    let strict = session.strict() && !local && sending.secrets;
    let verdict =
        vault.known_file().change(|known| known.meet_host(name, &host.name, &address, daemon, strict));
    let verdict = verdict.map_err(|problems| problems.map(|problem| problem.at(&host.place)))?;
    if verdict == HostVerdict::Same || !(sending.secrets || local) {
        return Ok(());
    }
    if !local {
        let id = escaped(sending.engine_id);
        let what = format!("host {} is not known on this machine: {address}, Engine {id}", host.name);
        if sending.yes {
            session.operator.say(format_args!("{what}; it is accepted with -y"));
        } else {
            let question = format!("{what}\nSend it the credentials and secrets that are meant for it?");
            let asked = session.operator.confirm(&question, sending.interrupt).await;
            asked.map_err(|problems| problems.map(|problem| unknown(problem, host)))?;
        }
    }
    vault.known_file().change(|known| {
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
