//! Which hosts a command is for, and which of them are accepted.

use super::Context;
use crate::inventory::Host;
use crate::name::{HostName, in_ranges};
use crate::plan::PausedHost;
use crate::problem::{Problem, Result, escaped, quoted};
use crate::session::{NewHosts, Vault, failed_hosts};
use crate::store;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Columns that the names of the chosen hosts may take.
const ROOM: usize = 70;

/// Which hosts.
#[derive(clap::Args, Clone, Debug, Default)]
pub(in crate::cli) struct Selection {
    /// Only these hosts: a name with * and ?, @GROUP, label:KEY=VALUE; !TERM takes hosts away, &TERM leaves only what is
    /// in it too; several with commas, or given several times
    #[arg(long, value_name = "TERMS", alias = "limit")]
    host: Vec<String>,
    /// Terms of --host from a file, one a line; `-`: from standard input
    #[arg(long, value_name = "FILE")]
    host_file: Option<PathBuf>,
    /// Only hosts that failed, were skipped or could not be reached in the last run from this machine
    #[arg(long)]
    failed: bool,
}

/// What a selection chooses.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Chosen {
    /// Its terms; none for all hosts.
    pub(in crate::cli) terms: Vec<String>,
    /// Those of the hosts that are paused.
    pub(in crate::cli) paused: Vec<PausedHost>,
}

impl Selection {
    /// Whether it names none: all hosts.
    pub(in crate::cli) fn is_all(&self) -> bool {
        self.host.is_empty() && self.host_file.is_none() && !self.failed
    }

    /// The options that choose the same hosts again, each with a blank before it; terms that were read from standard
    /// input stand among them.
    pub(in crate::cli) fn again(&self, chosen: &Chosen) -> String {
        let is_stdin = self.host_file.as_deref() == Some(Path::new("-"));
        let terms = if is_stdin && !self.failed { &chosen.terms } else { &self.host };
        let mut again: String = terms.iter().map(|term| format!(" --host {}", quoted(term))).collect();
        if let Some(file) = self.host_file.as_ref().filter(|_| !is_stdin) {
            again.push_str(&format!(" --host-file {}", quoted(&file.display().to_string())));
        }
        again.push_str(if self.failed { " --failed" } else { "" });
        again
    }

    /// Its terms, those of the file last.
    ///
    /// # Errors
    /// Where the file cannot be read, or has no terms: that would choose all hosts.
    fn terms(&self, ctx: &Context) -> Result<Vec<String>> {
        let mut terms = self.host.clone();
        if let Some(file) = &self.host_file {
            let text = read(ctx, file)?;
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
            let before = terms.len();
            terms.extend(lines.map(ToOwned::to_owned));
            if terms.len() == before {
                let name = escaped(&file.display().to_string());
                return Err(Problem::usage(format!("--host-file {name} names no host"))
                    .cause("a file with no terms would choose all hosts")
                    .hint("without --host-file all of them are chosen")
                    .into());
            }
        }
        Ok(terms)
    }

    /// What it chooses in a workspace; shown where the terms do not name each host themselves.
    ///
    /// # Errors
    /// As [`Self::terms`]; where the terms choose no host.
    pub(in crate::cli) fn chosen(&self, ctx: &Context, vault: &Vault<'_>) -> Result<Chosen> {
        let mut terms = self.terms(ctx)?;
        let mut hosts = vault.inventory().select(&terms)?;
        if self.failed {
            let failed = failed_hosts(vault)?;
            hosts.retain(|host| failed.iter().any(|name| name == host.name.as_str()));
            if hosts.is_empty() {
                return Err(Problem::usage("no host is chosen")
                    .cause("none of these hosts failed or was skipped in the last run")
                    .into());
            }
            terms = hosts.iter().map(|host| host.name.to_string()).collect();
        }
        let are_names = !self.failed && terms.iter().all(|term| term.bytes().all(is_of_name));
        if !are_names {
            let names: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
            let all = vault.inventory().hosts.len();
            let shown = in_ranges(&names, ROOM);
            ctx.out.say(format_args!("hosts: {} of {all}: {shown}", names.len()));
        }
        let paused =
            |host: &&Host| host.paused.clone().map(|reason| PausedHost { host: host.name.clone(), reason });
        Ok(Chosen { paused: hosts.iter().filter_map(paused).collect(), terms })
    }
}

impl Chosen {
    /// Says which hosts are left out because they are paused, for a command whose output does not.
    pub(in crate::cli) fn say_paused(&self, ctx: &Context) {
        for one in &self.paused {
            ctx.out.say(format_args!("{}: paused, {}", one.host, escaped(&one.reason)));
        }
    }
}

/// What may stand in the name of a host: a term of nothing else names one host.
fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

fn read(ctx: &Context, file: &Path) -> Result<String> {
    if file != Path::new("-") {
        return store::read_text(&ctx.session.absolute(file));
    }
    let mut text = String::new();
    let read = std::io::stdin().lock().read_to_string(&mut text);
    read.map_err(|error| Problem::failed("cannot read hosts from standard input").because(&error))?;
    Ok(text)
}

impl Selection {
    /// These hosts.
    pub(in crate::cli) fn of<'h>(hosts: impl IntoIterator<Item = &'h HostName>) -> Self {
        Self { host: hosts.into_iter().map(ToString::to_string).collect(), ..Self::default() }
    }
}

/// Whether hosts that are new on this machine are accepted as they are.
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
