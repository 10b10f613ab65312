//! `docker-credential-pillarbox`: the logins of the personal overlay, and behind them those of the
//! workspace.

use super::context::Context;
use super::environment::environment;
use super::harden::harden;
use crate::credential::{self, PROGRAM};
use crate::session::DockerLogins;
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
    let context = Context::unattended(environment());
    let logins = DockerLogins::new(&context.session);
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
