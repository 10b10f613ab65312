//! What a registry said, through an Engine: the one place that decides whether a credential was
//! refused (exit 7), over the status, the words of an answer and the words within a pull's stream.
//!
//! Engines pass a registry's refusal on as 401, as 500, or inside a stream under 200; only the words
//! are reliable. The table in the tests has each Engine's own.

use super::call::Names;
use crate::engine::{EngineError, ErrorKind};
use crate::name::{ImageRef, RegistryHost};

mod known;

/// A failed pull; its error came as an answer or in the stream.
pub(super) fn of_pull(error: EngineError, image: &ImageRef, sent: bool) -> EngineError {
    if error.kind == ErrorKind::Unreachable {
        return error;
    }
    let kind = judge(&error, &own_words(&error.message, &names(image)), sent);
    EngineError { kind: kind.unwrap_or(error.kind), ..error }
}

/// Whether a pull failed because a layer that it has in common with another image went with that image
/// meanwhile (Podman 4.3.1: one in ten while six images of one base are pulled and removed at once). Nothing is
/// wrong with the image: it can be pulled once more.
pub(super) fn layer_is_going(error: &EngineError) -> bool {
    let words = error.message.to_lowercase();
    GOING.iter().any(|going| words.contains(going))
}

/// A failed `/distribution`.
pub(super) fn of_resolve(error: EngineError, image: &ImageRef, sent: bool) -> EngineError {
    if no_such_call(&error) {
        let message = "this Engine cannot ask a registry for a digest".to_owned();
        return EngineError { kind: ErrorKind::Unsupported, message, ..error };
    }
    of_pull(error, image, sent)
}

/// A failed `/auth`. A credential was sent, or there would be nothing to try.
pub(super) fn of_login(error: EngineError, registry: &RegistryHost) -> EngineError {
    if error.kind == ErrorKind::Unreachable {
        return error;
    }
    if no_such_call(&error) {
        let message = "this Engine cannot show a credential to a registry".to_owned();
        return EngineError { kind: ErrorKind::Unsupported, message, ..error };
    }
    let kind = judge(&error, &own_words(&error.message, &names_of(registry)), true);
    EngineError { kind: kind.unwrap_or(ErrorKind::Other), ..error }
}

/// The error without any word of the answer that is not known: what carried a secret may come back in any
/// form, and no search finds all of them.
pub(super) fn without_secrets(error: EngineError, names: &Names) -> EngineError {
    if no_such_call(&error) {
        return error;
    }
    let words = own_words(&error.message, names);
    let mut found = known::phrases(&words);
    if let Some(wait) = crate::engine::registry::retry_after(&words) {
        found.push(format!("retry after {} s", wait.as_secs()));
    }
    if !found.is_empty() {
        return EngineError { message: found.join(", "), ..error };
    }
    let message = match error.status {
        200..=299 => "it reports an error".to_owned(),
        status => format!("it answers with status {status}"),
    };
    EngineError { message: format!("{message}; its words could hold the secret that was sent"), ..error }
        .hint("they may be in the Engine's own log on the host: journalctl -u docker")
}

/// A warning about what carried a secret, in known words alone.
pub(super) fn warning_without_secrets(warning: &str) -> String {
    match known::phrases(&warning.to_lowercase()) {
        found if found.is_empty() => {
            "the Engine warns, in words that could hold a secret: journalctl -u docker".to_owned()
        }
        found => found.join(", "),
    }
}

/// The route itself is missing: these are all the words that Podman and Docker have for it.
fn no_such_call(error: &EngineError) -> bool {
    error.status == 404 && matches!(error.message.as_str(), "Not Found" | "page not found")
}

/// What words about an image may name without meaning anything by it: a registry may well be called
/// `unauthorized`.
pub(super) fn names(image: &ImageRef) -> Names {
    let mut names = vec![image.name.full().to_lowercase()];
    names.extend(names_of(image.name.host()));
    if image.name.path().contains('/') {
        names.push(image.name.path().to_lowercase());
    }
    names
}

/// The same of words about a registry.
pub(super) fn names_of(registry: &RegistryHost) -> Names {
    vec![format!("{registry}/").to_lowercase()]
}

fn judge(error: &EngineError, words: &str, sent: bool) -> Option<ErrorKind> {
    let says = |any: &[&str]| any.iter().any(|part| words.contains(part));
    if says(&["no basic auth credentials"]) {
        return Some(if sent { ErrorKind::CredentialDropped } else { ErrorKind::CredentialMissing });
    }
    if error.status == 429 || says(LIMITED) {
        return Some(ErrorKind::RateLimited);
    }
    if says(UNAVAILABLE) {
        return Some(ErrorKind::RegistryUnavailable);
    }
    // Before refusals: an Engine that cannot reach a registry never got as far.
    if says(UNREACHABLE) {
        return Some(ErrorKind::RegistryUnreachable);
    }
    if matches!(error.status, 401 | 403) || says(REFUSED) {
        return Some(match (sent, says(EXPIRED)) {
            (false, _) => ErrorKind::CredentialMissing,
            (true, true) => ErrorKind::Expired,
            (true, false) => ErrorKind::Refused,
        });
    }
    says(UNKNOWN).then_some(ErrorKind::NoSuchImage)
}

/// Podman's words for a layer that is gone, and Docker's.
const GOING: &[&str] = &["layer not known", "layer does not exist"];

const LIMITED: &[&str] =
    &["toomanyrequests", "too many requests", "rate limit", "http 429", "status 429", "status: 429"];

/// In a refusal: the registry says that the credential was right once.
const EXPIRED: &[&str] = &["expired", "no longer valid"];

const REFUSED: &[&str] = &[
    "unauthorized",
    "authentication required",
    "incorrect username or password",
    "invalid username/password",
    "access denied",
    "access to the resource is denied",
    "insufficient_scope",
    // A token server's words for a refresh token (RFC 6749, 5.2), which Engines quote.
    "invalid_grant",
    "http 401",
    "http 403",
    "403 forbidden",
    "401 unauthorized",
    "status 403",
    "status: 403",
    "denied:",
];

const UNREACHABLE: &[&str] = &[
    "connection refused",
    "connection reset",
    "no such host",
    "no route to host",
    "network is unreachable",
    "i/o timeout",
    "tls handshake timeout",
    "request canceled",
    "context deadline exceeded",
    "client.timeout exceeded",
    "x509:",
    "tls:",
    "server gave http response to https client",
    "server misbehaving",
];

const UNAVAILABLE: &[&str] = &[
    "502 bad gateway",
    "503 service unavailable",
    "504 gateway",
    "status: 502",
    "status: 503",
    "status: 504",
    "status 502",
    "status 503",
    "status 504",
];

const UNKNOWN: &[&str] =
    &["manifest unknown", "name unknown", "not found", "no such manifest", "repository does not exist"];

/// The words in lower case, without addresses and these names.
fn own_words(message: &str, names: &Names) -> String {
    let words = names.iter().fold(message.to_lowercase(), |words, name| words.replace(name.as_str(), ""));
    let mut out = String::with_capacity(words.len());
    let mut rest = words.as_str();
    while let Some(at) = [rest.find("http://"), rest.find("https://")].into_iter().flatten().min() {
        out.push_str(&rest[..at]);
        let address = &rest[at..];
        let end = address.find(|c: char| c.is_whitespace() || c == '"' || c == '\\').unwrap_or(address.len());
        rest = &address[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests;
