//! Whether a host may be sent credentials and secrets: to those that this machine knows under their
//! address, to sockets of this machine, and to those that a person accepts in this run. Who can write to
//! the workspace can name a host of their own; this is what stands between it and every secret.

use super::vault::Vault;
use crate::execute::Interrupt;
use crate::inventory::{EngineAddress, Host};
use crate::name::HostName;
use crate::pillar::known::{HostVerdict, Known, KnownHost};
use crate::problem::{Code, Problem, Result, escaped};

/// What is done about hosts that are new on this machine and would be sent credentials or secrets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NewHosts {
    /// The operator is asked.
    #[default]
    Ask,
    /// They are accepted as they are (`--accept-new-hosts`).
    Accept,
    /// They are accepted: there was one question for all of them.
    AcceptAsked,
    /// None is accepted, and nothing is asked (`-y` alone).
    Refuse,
}

/// Whether a host is a socket of this machine that only root and this user control.
pub fn is_own_socket(host: &Host, seen: &KnownHost) -> bool {
    matches!(host.engine, EngineAddress::Unix { .. }) && seen.stranger.is_none()
}

/// Refuses a host that is not the known one, before anything is asked there.
///
/// # Errors
/// [`Code::Seal`] with old and new.
pub(super) fn check(vault: &Vault<'_>, host: &Host, seen: &KnownHost) -> Result<()> {
    let check = |known: &Known| known.judge_host(vault.seen(), &host.name, seen, false).map(drop);
    vault.known_file().look(check).map_err(|problems| problems.map(|problem| problem.at(&host.place)))
}

/// What is to be sent to a host, and who may accept it.
pub(super) struct Sending<'s> {
    /// What decides who answers there.
    pub seen: &'s KnownHost,
    /// A credential or secret will be sent.
    pub secrets: bool,
    /// What is done if the host is new.
    pub new_hosts: NewHosts,
    pub interrupt: &'s Interrupt,
}

/// Of up to so many new hosts each is a question of its own.
const ASKED_EACH: usize = 5;

/// Asks once for many hosts that are new on this machine and would be sent credentials or secrets; up to five are
/// left to be asked for one by one.
///
/// # Errors
/// [`Code::Declined`]; [`Code::Interrupted`].
pub(super) async fn ask_for_many(
    vault: &Vault<'_>,
    hosts: &[(&Host, &KnownHost)],
    interrupt: &Interrupt,
) -> Result<NewHosts> {
    let is_new = |host: &Host, seen: &KnownHost| {
        let judge =
            |known: &Known| known.judge_host(vault.seen(), &host.name, seen, vault.session().strict());
        !is_own_socket(host, seen) && matches!(vault.known_file().look(judge), Ok(HostVerdict::FirstUse))
    };
    let new: Vec<_> = hosts.iter().filter(|(host, seen)| is_new(host, seen)).collect();
    if new.len() <= ASKED_EACH {
        return Ok(NewHosts::Ask);
    }
    let operator = &vault.session().operator;
    for (host, seen) in &new {
        let details: String =
            seen.details().map(|(what, text)| format!(", {what} {}", escaped(text))).collect();
        operator.say(format_args!("{}  {}{details}", host.name, escaped(&seen.address)));
    }
    let question = format!(
        "These {} hosts are not known on this machine\nSend them the credentials and secrets that are meant for them?",
        new.len()
    );
    operator.confirm(&question, interrupt).await?;
    Ok(NewHosts::AcceptAsked)
}

/// What was learned of hosts and is not in the known file yet: it is written once for many.
#[derive(Default)]
pub(super) struct Learned {
    /// Of hosts that were known.
    more: Vec<(HostName, KnownHost, bool)>,
    /// Hosts that are known from now on.
    hosts: Vec<(HostName, KnownHost)>,
    /// The answer to the one question for many hosts, if it was not yes.
    pub declined: Option<Problem>,
}

impl Learned {
    /// Makes sure that a host may be sent what is meant for it.
    ///
    /// # Errors
    /// [`Code::Seal`] where it is not the known one, or new and `--strict`; [`Code::Declined`].
    pub(super) async fn accept(
        &mut self,
        vault: &Vault<'_>,
        host: &Host,
        sending: &Sending<'_>,
    ) -> Result<()> {
        let (session, seen) = (vault.session(), sending.seen);
        let own = is_own_socket(host, seen);
        let strict = session.strict() && !own && sending.secrets;
        let judge = |known: &Known| {
            let verdict = known.judge_host(vault.seen(), &host.name, seen, strict)?;
            Ok((verdict, known.is_news(vault.seen(), &host.name, seen)))
        };
        let judged: Result<_> = vault.known_file().look(judge);
        let (verdict, is_news) =
            judged.map_err(|problems| problems.map(|problem| problem.at(&host.place)))?;
        if verdict == HostVerdict::Same {
            if is_news {
                self.more.push((host.name.clone(), seen.clone(), strict));
            }
            return Ok(());
        }
        if !(sending.secrets || own) {
            return Ok(());
        }
        if !own {
            let details: String =
                seen.details().map(|(what, text)| format!(", {what} {}", escaped(text))).collect();
            let address = escaped(&seen.address);
            let what = format!("host {} is not known on this machine: {address}{details}", host.name);
            match sending.new_hosts {
                NewHosts::Accept => {
                    session.operator.say(format_args!("{what}; it is accepted with --accept-new-hosts"));
                }
                NewHosts::AcceptAsked => {}
                NewHosts::Refuse => {
                    return Err(unknown(host, seen, "-y answers for the plan, not for hosts").into());
                }
                NewHosts::Ask => {
                    if let Some(problem) = &self.declined {
                        return Err(declined(problem.clone(), host, seen).into());
                    }
                    // A question can be the end of the run, and no answer is asked for twice.
                    self.write(vault)?;
                    let question =
                        format!("{what}\nSend it the credentials and secrets that are meant for it?");
                    let asked = session.operator.confirm(&question, sending.interrupt).await;
                    asked.map_err(|problems| problems.map(|problem| declined(problem, host, seen)))?;
                }
            }
        }
        self.hosts.push((host.name.clone(), seen.clone()));
        Ok(())
    }

    /// Writes it into the known file.
    ///
    /// # Errors
    /// [`Code::Seal`] where another process learned otherwise meanwhile; where the file cannot be written.
    pub(super) fn write(&mut self, vault: &Vault<'_>) -> Result<()> {
        if self.more.is_empty() && self.hosts.is_empty() {
            return Ok(());
        }
        vault.known_file().change(|known| {
            for (host, seen, strict) in &self.more {
                known.meet_host(vault.seen(), host, seen, *strict)?;
            }
            for (host, seen) in &self.hosts {
                known.learn_host(vault.seen(), host, seen);
            }
            Ok(())
        })?;
        (self.more, self.hosts) = (Vec::new(), Vec::new());
        Ok(())
    }
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
        .hint("or accept every new host in this run: the same command with --accept-new-hosts")
}
