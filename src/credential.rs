//! Docker's credential helper protocol over any reader and writer
//! (docker/docker-credential-helpers, `credentials/credentials.go`): the action is the one argument, the
//! question comes on standard input, data and errors go to standard output, and the exit code is 0 or
//! 1. Clients compare some of the sentences word for word.
//!
//! Many clients swallow an error and go on without a credential, so each error is also written to standard
//! error, which is the terminal of the user who runs `docker`.

mod message;
mod server;

pub use server::Server;

use crate::problem::{Problem, Problems, Result};
use crate::secret::Secret;
use std::io::{self, Read, Write};

/// The name of the binary, as Docker looks it up in `PATH`.
pub const PROGRAM: &str = "docker-credential-pillarbox";

/// The user name of an identity token.
pub const TOKEN_USER: &str = "<token>";

/// The sentence that clients read as "there is none": everything else is a failure to them.
pub const NOT_FOUND: &str = "credentials not found in native keychain";
const NO_SERVER: &str = "no credentials server URL";
const NO_USER: &str = "no credentials username";

/// The longest question, in bytes: a secret of some size with room for JSON's escapes.
const LONGEST: usize = 16 << 20;

/// User name and secret.
#[derive(Clone, Debug)]
pub struct Login {
    /// In clear; [`TOKEN_USER`] where the secret is an identity token.
    pub username: String,
    /// Password or token; it may be empty.
    pub secret: Secret,
}

impl Login {
    fn is(&self, other: &Self) -> bool {
        self.username == other.username && self.secret.same_as(other.secret.reveal())
    }
}

/// The answer for a server.
#[derive(Clone, Debug)]
pub enum Found {
    /// This is sent to it.
    Login(Login),
    /// There is nothing for it; with a line for the user if that is unexpected.
    Absent(Option<String>),
}

/// Where logins are kept.
pub trait Logins {
    /// The one for a server.
    ///
    /// # Errors
    /// If there is one that cannot be opened, or if it is unknown whether there is one: never "absent".
    fn get(&self, server: &Server) -> Result<Found>;

    /// Stores one, in place of another one of the same server.
    ///
    /// # Errors
    /// If it cannot be kept.
    fn store(&self, server: &Server, login: &Login) -> Result<()>;

    /// Removes one, if there is one. Returns a line for the user if the server still has another.
    ///
    /// # Errors
    /// If it cannot be forgotten.
    fn erase(&self, server: &Server) -> Result<Option<String>>;

    /// Server addresses with user names, sorted; nothing is opened.
    ///
    /// # Errors
    /// If they cannot be read.
    fn list(&self) -> Result<Vec<(String, String)>>;
}

/// Why an action failed.
enum Failure {
    /// One of the protocol's own sentences.
    Sentence(&'static str),
    /// The protocol's "there is none", and a line for the user.
    Absent(Option<String>),
    /// Anything else.
    Problems(Problems),
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::Problems(problems)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problems(problem.into())
    }
}

/// Answers one call; returns the exit code.
///
/// # Errors
/// If an answer cannot be written.
pub fn serve(
    arguments: &[&str],
    logins: &dyn Logins,
    input: &mut dyn Read,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<u8> {
    let [action] = arguments else {
        writeln!(out, "{}", usage())?;
        return Ok(1);
    };
    let done = match *action {
        "version" | "-v" | "--version" => {
            writeln!(out, "{PROGRAM} (pillarbox) {}", env!("CARGO_PKG_VERSION"))?;
            return Ok(0);
        }
        "-h" | "--help" => {
            writeln!(out, "{}", usage())?;
            return Ok(0);
        }
        "get" => get(logins, input),
        "store" => store(logins, input),
        "erase" => erase(logins, input, err),
        // Its standard input holds the word `unused`, or nothing.
        "list" => list(logins),
        other => {
            writeln!(out, "{PROGRAM}: unknown action: {}", crate::problem::escaped(other))?;
            return Ok(1);
        }
    };
    match done {
        Ok(answer) => {
            out.write_all(answer.reveal())?;
            out.flush()?;
            Ok(0)
        }
        Err(failure) => {
            failure.tell(out, err)?;
            Ok(1)
        }
    }
}

fn get(logins: &dyn Logins, input: &mut dyn Read) -> Result<Secret, Failure> {
    let asked = asked(input)?;
    match logins.get(&Server::parse(&asked))? {
        Found::Login(login) => Ok(message::answer(&asked, &login)?),
        Found::Absent(note) => Err(Failure::Absent(note)),
    }
}

fn store(logins: &dyn Logins, input: &mut dyn Read) -> Result<Secret, Failure> {
    let request = message::store(&question(input)?)?;
    let address = request.server.trim();
    if address.is_empty() {
        return Err(Failure::Sentence(NO_SERVER));
    }
    if request.login.username.is_empty() {
        return Err(Failure::Sentence(NO_USER));
    }
    let server = Server::parse(address);
    server.check()?;
    // An old login that cannot be opened now is not a reason to refuse a new one.
    match logins.get(&server) {
        Ok(Found::Login(same)) if same.is(&request.login) => {}
        _ => logins.store(&server, &request.login)?,
    }
    Ok(Secret::default())
}

fn erase(logins: &dyn Logins, input: &mut dyn Read, err: &mut dyn Write) -> Result<Secret, Failure> {
    let asked = asked(input)?;
    if let Some(note) = logins.erase(&Server::parse(&asked))? {
        // A closed terminal must not make it a failure.
        let _ = writeln!(err, "{PROGRAM}: {note}");
    }
    Ok(Secret::default())
}

fn list(logins: &dyn Logins) -> Result<Secret, Failure> {
    Ok(message::names(logins.list()?)?)
}

/// All of standard input.
fn question(input: &mut dyn Read) -> Result<Secret> {
    Secret::read(input, LONGEST)
        .map_err(|error| Problem::failed("cannot read standard input").because(&error).into())
}

/// The server address on standard input.
fn asked(input: &mut dyn Read) -> Result<String, Failure> {
    let text = question(input)?;
    match text.reveal_text().map(str::trim) {
        None => Err(Problem::failed("the server address is not UTF-8").into()),
        Some("") => Err(Failure::Sentence(NO_SERVER)),
        Some(address) => Ok(address.to_owned()),
    }
}

impl Failure {
    fn tell(&self, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Sentence(sentence) => writeln!(out, "{sentence}"),
            Self::Absent(note) => {
                if let Some(note) = note {
                    let _ = writeln!(err, "{PROGRAM}: {note}");
                }
                writeln!(out, "{NOT_FOUND}")
            }
            Self::Problems(problems) => {
                let _ = writeln!(err, "{PROGRAM}: {}", message::for_people(problems));
                writeln!(out, "{PROGRAM}: {}", message::for_clients(problems))
            }
        }
    }
}

fn usage() -> String {
    format!("Usage: {PROGRAM} <store|get|erase|list|version>")
}

#[cfg(test)]
mod tests;
