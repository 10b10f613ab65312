//! Credentials that somebody else's helper knows: `docker-credential-NAME get`, asked each time and
//! never stored. Blocking, with threads and without an async runtime, so that both binaries use it.
//!
//! The helper is started with a registry's address on standard input, and killed when its time is over.

mod answer;
mod said;

pub use crate::process::Stopper;
pub use answer::Answer;

use crate::name::HelperName;
use crate::problem::{Problem, Result, escaped, quoted};
use crate::process::{self, Child, End, Inherited, Limits};
use answer::Wrong;
use said::Said;
use std::io;
use std::path::Path;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a helper may take: it may have to ask its cloud for a token first.
pub const LIMIT: Duration = Duration::from_secs(30);

/// What helpers say on standard output where they have nothing (docker-credential-helpers,
/// `credentials/error.go`).
const NOT_FOUND: &str = "credentials not found in native keychain";

/// A helper that was started.
pub struct Call {
    helper: HelperName,
    server: String,
    child: Child,
}

/// Asks a helper for the credential of a server: the bare host, for Docker Hub its old address
/// ([`crate::name::RegistryHost::server_address`]).
///
/// # Errors
/// As [`Call::start`] and [`Call::finish`].
pub fn get(helper: &HelperName, server: &str, limit: Duration) -> Result<Answer> {
    Call::start(helper, server)?.finish(limit)
}

/// Asks a helper which servers it has credentials for; no secret is in the answer.
///
/// # Errors
/// As [`Call::start`] and [`Call::finish`].
pub fn list(helper: &HelperName, limit: Duration) -> Result<Vec<String>> {
    // Clients send this word, which helpers do not read (docker-credential-helpers, `client/client.go`).
    let said = Call::begin(helper, "list", "unused")?.said(limit)?;
    answer::servers(said.out()).map_err(|Wrong(why)| {
        said.explain(Problem::failed(format!("the credential helper `{helper}` answers what is no list")))
            .cause(why)
            .into()
    })
}

impl Call {
    /// Starts a helper.
    ///
    /// # Errors
    /// Where there is no such program, or it cannot be started.
    pub fn start(helper: &HelperName, server: &str) -> Result<Self> {
        Self::begin(helper, "get", server)
    }

    fn begin(helper: &HelperName, action: &str, server: &str) -> Result<Self> {
        let program = helper.program();
        let child = process::find(&program).and_then(|found| start(&found, action, server));
        let child = child.map_err(|error| {
            let problem = Problem::failed(format!("the credential helper `{helper}` cannot be started"));
            match error.kind() {
                io::ErrorKind::NotFound => problem
                    .cause(format!("there is no program {program} in PATH"))
                    .hint(format!("install {program} on this machine: helpers run here, not on the hosts")),
                io::ErrorKind::PermissionDenied => problem
                    .cause(format!("{program} may not be run by this user"))
                    .hint(format!("chmod +x \"$(type -p {program})\"")),
                _ => problem.because(&error),
            }
        })?;
        Ok(Self { helper: helper.clone(), server: server.to_owned(), child })
    }

    /// Ends the helper when it is dropped, if it still runs then.
    pub fn stopper(&self) -> Stopper {
        self.child.stopper()
    }

    /// Waits for its answer, at most `limit`.
    ///
    /// # Errors
    /// Where it has no credential, fails, takes too long, or answers what is none: a helper that is
    /// asked is never taken for "anonymous". Its words on standard error are among the causes, without
    /// what stands in its answer.
    pub fn finish(self, limit: Duration) -> Result<Answer> {
        let (helper, server) = (self.helper.clone(), self.server.clone());
        let said = self.said(limit)?;
        answer::parse(said.out(), &server).map_err(|Wrong(why)| {
            let program = helper.program();
            said.explain(Problem::failed(format!(
                "the credential helper `{helper}` answers what is no credential"
            )))
            .cause(why)
            .hint(format!("is {program} a helper of this protocol? {program} version"))
            .into()
        })
    }

    /// Waits for what it says, where it ends well.
    fn said(self, limit: Duration) -> Result<Said> {
        let Self { helper, server, child } = self;
        let (end, output) = child.finish(limit);
        let said = Said(output);
        let wrong = |what: String| said.explain(Problem::failed(what));
        let program = helper.program();
        Err(match end {
            End::TookTooLong => {
                let seconds = limit.as_secs_f32();
                wrong(format!("the credential helper `{helper}` did not answer for {}", escaped(&server)))
                    .cause(format!("it was killed after {seconds} s"))
                    .hint(format!(
                        "does it wait for a question to be answered? {}",
                        by_hand(&program, &server)
                    ))
            }
            End::TooMuch => wrong(format!("the credential helper `{helper}` answers too much"))
                .cause(format!("it was killed after {} bytes of an answer", said::MOST)),
            End::Lost(error) => wrong(format!("the credential helper `{helper}` was lost")).because(&error),
            End::Signal(signal) => wrong(format!("the credential helper `{helper}` crashed"))
                .cause(format!("a signal ended it: {signal}"))
                .hint(format!("does it work by hand? {}", by_hand(&program, &server))),
            End::Exit(0) => return Ok(said),
            End::Exit(_) if said.line().as_deref() == Some(NOT_FOUND) => {
                wrong(format!("the credential helper `{helper}` has no credential for {}", escaped(&server)))
                    .hint(format!("log in with its own tool; what it has: {program} list"))
            }
            End::Exit(code) => {
                let problem =
                    wrong(format!("the credential helper `{helper}` failed for {}", escaped(&server)));
                let problem = match said.line() {
                    Some(line) => problem.cause(line),
                    None => problem,
                };
                problem
                    .cause(format!("it ended with {code}"))
                    .hint(format!("does it work by hand? {}", by_hand(&program, &server)))
            }
        }
        .into())
    }
}

fn start(program: &Path, action: &str, server: &str) -> io::Result<Child> {
    let mut command = process::command(program, Inherited::Tools);
    let input = Zeroizing::new(server.as_bytes().to_vec());
    Child::start(command.arg(action), input, Limits { out: said::MOST, err: said::KEPT })
}

/// A command that shows whether a helper works, and not its secret.
fn by_hand(program: &str, server: &str) -> String {
    format!("printf %s {} | {program} get > /dev/null; echo $?", quoted(server))
}

#[cfg(test)]
mod tests;
