//! The JSON of the protocol, and problems on one line.

use super::{Login, NOT_FOUND};
use crate::problem::{Problem, Problems, Result, escaped};
use crate::secret::Secret;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroizing;

/// What `store` is given.
pub(super) struct Request {
    pub(super) server: String,
    pub(super) login: Login,
}

/// Reads it as Go's decoder does, which the other helpers use: the case of keys does not matter, the
/// last of two equal ones counts, unknown ones are ignored, and so is everything after the object.
///
/// # Errors
/// If it is no object of texts.
pub(super) fn store(text: &Secret) -> Result<Request> {
    let mut reader = serde_json::Deserializer::from_slice(text.reveal());
    // The parser's own words could quote the secret.
    Request::deserialize(&mut reader).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        Problem::failed("standard input is not the JSON of a credential").cause(place).into()
    })
}

impl<'de> Deserialize<'de> for Request {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(RequestVisitor)
    }
}

struct RequestVisitor;

impl<'de> Visitor<'de> for RequestVisitor {
    type Value = Request;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a credential")
    }

    fn visit_unit<E>(self) -> Result<Request, E> {
        Ok(Request {
            server: String::new(),
            login: Login { username: String::new(), secret: Secret::default() },
        })
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Request, M::Error> {
        let mut read: Request = self.visit_unit()?;
        while let Some(key) = map.next_key::<String>()? {
            match key.to_ascii_lowercase().as_str() {
                "serverurl" => read.server = map.next_value::<Option<String>>()?.unwrap_or(read.server),
                "username" => {
                    read.login.username = map.next_value::<Option<String>>()?.unwrap_or(read.login.username);
                }
                "secret" => {
                    if let Some(secret) = map.next_value::<Option<String>>()? {
                        read.login.secret = secret.into();
                    }
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(read)
    }
}

/// What `get` answers. `server` is the address as it was asked for.
///
/// # Errors
/// If the secret is not text.
pub(super) fn answer(server: &str, login: &Login) -> Result<Secret> {
    let Some(secret) = login.secret.reveal_text() else {
        return Err(Problem::failed("the secret is not text, and clients accept only text").into());
    };
    let fields = [("ServerURL", server), ("Username", login.username.as_str()), ("Secret", secret)];
    // Of its full size from the start: growing would leave copies behind. A character takes up to six
    // bytes in JSON.
    let room = fields.iter().map(|(name, value)| name.len() + 6 * value.len() + 8).sum();
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    for (at, (name, value)) in fields.iter().enumerate() {
        text.extend_from_slice(if at == 0 { b"{" } else { b"," });
        for part in [*name, *value] {
            serde_json::to_writer(&mut *text, part)
                .map_err(|error| Problem::failed("cannot write an answer").because(&error))?;
            text.push(b':');
        }
        text.pop();
    }
    text.extend_from_slice(b"}\n");
    Ok(Secret::new(std::mem::take(&mut *text)))
}

/// What `list` answers.
///
/// # Errors
/// Never with the texts there are.
pub(super) fn names(all: Vec<(String, String)>) -> Result<Secret> {
    let all: BTreeMap<String, String> = all.into_iter().collect();
    let mut text = serde_json::to_vec(&all)
        .map_err(|error| Problem::failed("cannot write an answer").because(&error))?;
    text.push(b'\n');
    Ok(Secret::new(text))
}

/// The errors on one line, for a client that shows or logs it; never the sentence that means "there
/// is none".
pub(super) fn for_clients(problems: &Problems) -> String {
    let all: Vec<String> = problems.iter().map(|problem| line(&problem.to_string())).collect();
    all.join("; ").replace(NOT_FOUND, "")
}

/// The same for the terminal: with its causes and what to do.
pub(super) fn for_people(problems: &Problems) -> String {
    let one = |problem: &Problem| {
        let mut text = line(&problem.to_string());
        if !problem.causes.is_empty() {
            text.push_str(&format!(" ({})", line(&problem.causes.join("; "))));
        }
        text
    };
    let mut text = problems.iter().map(one).collect::<Vec<_>>().join("; ");
    let mut hints = problems.iter().flat_map(|problem| &problem.hints).map(|hint| line(hint));
    if let Some(first) = hints.next() {
        text.push_str(&format!(". Hint: {first}"));
        // A hint may introduce the command that follows.
        hints.for_each(|hint| {
            text.push_str(if text.ends_with(':') { " " } else { "; " });
            text.push_str(&hint);
        });
    }
    text
}

fn line(text: &str) -> String {
    let words: Vec<&str> =
        text.split(['\n', '\r', '\t']).map(str::trim).filter(|part| !part.is_empty()).collect();
    escaped(&words.join(", "))
}
