//! `docker-credential-pillarbox`: the logins of the personal overlay, and behind them those of the
//! workspace.

mod overlay;
mod pillar;

use super::context::Context;
use super::environment::environment;
use super::harden::harden;
use crate::credential::{self, Found, Login, Logins, PROGRAM, Server};
use crate::problem::{Problems, Result};
use overlay::Overlay;
use pillar::{Entries, Hit};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

/// Answers one call of a client.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    harden(1, say_defect);
    // Whatever it writes is for this user alone.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let arguments: Vec<String> =
        arguments.into_iter().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let logins = Machine { ctx: Context::unattended(environment()) };
    let (mut input, mut out, mut err) = (io::stdin().lock(), io::stdout().lock(), io::stderr().lock());
    match credential::serve(&arguments, &logins, &mut input, &mut out, &mut err) {
        Ok(code) => code.into(),
        Err(_) => ExitCode::FAILURE,
    }
}

/// Both streams, as for every other error.
fn say_defect(place: &str) {
    let text = format!("{PROGRAM}: it has a defect{place}; please report this line\n");
    let _ = io::stdout().write_all(text.as_bytes());
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Problems as a program says them that takes no options and runs in any folder: `whose` they are, and
/// what to do `instead` of giving an identity as an option.
fn told(problems: Problems, whose: &str, instead: &str) -> Problems {
    problems.map(|mut problem| {
        problem.causes.retain(|cause| !cause.starts_with("--"));
        for hint in problem.hints.iter_mut().filter(|hint| hint.contains("--identity")) {
            instead.clone_into(hint);
        }
        problem.cause(whose)
    })
}

/// The logins of this user on this machine.
struct Machine {
    ctx: Context,
}

impl Logins for Machine {
    fn get(&self, server: &Server) -> Result<Found> {
        if let Some(overlay) = Overlay::open(&self.ctx)?
            && let Some(login) = overlay.get(server)?
        {
            return Ok(Found::Login(login));
        }
        let Server::Registry(scope) = server else { return Ok(Found::Absent(None)) };
        let Some(workspace) = self.ctx.session.standing_workspace()? else { return Ok(Found::Absent(None)) };
        Entries::of(&self.ctx, &workspace).get(scope)
    }

    fn store(&self, server: &Server, login: &Login) -> Result<()> {
        Overlay::open_or_make(&self.ctx)?.store(server, login)
    }

    fn erase(&self, server: &Server) -> Result<Option<String>> {
        if let Some(overlay) = Overlay::open(&self.ctx)? {
            overlay.erase(server)?;
        }
        let Server::Registry(scope) = server else { return Ok(None) };
        let Some(workspace) = self.ctx.session.standing_workspace()? else { return Ok(None) };
        match Entries::of(&self.ctx, &workspace).find(scope)? {
            Hit::Entry { entry, .. } => Ok(Some(pillar::stays(&workspace, &entry))),
            Hit::Parts(_) | Hit::Nothing => Ok(None),
        }
    }

    fn list(&self) -> Result<Vec<(String, String)>> {
        let mut all = BTreeMap::new();
        if let Some(workspace) = self.ctx.session.standing_workspace()? {
            all.extend(Entries::of(&self.ctx, &workspace).list()?);
        }
        if let Some(overlay) = Overlay::open(&self.ctx)? {
            all.extend(overlay.list()?);
        }
        Ok(all.into_iter().collect())
    }
}
