//! What a registry said, through an Engine: the one place that decides whether a credential was
//! refused (exit 7), over the status, the words of an answer and the words within a pull's stream.
//!
//! Engines pass a registry's refusal on as 401, as 500, or inside a stream under 200; only the words
//! are reliable. The table in the tests has each Engine's own.

use crate::engine::{EngineError, ErrorKind};
use crate::name::{ImageRef, RegistryHost};

/// A failed pull; its error came as an answer or in the stream.
pub(super) fn of_pull(error: EngineError, image: &ImageRef, sent: bool) -> EngineError {
    if error.kind == ErrorKind::Unreachable {
        return error;
    }
    let kind = kind(&error, image, sent);
    EngineError { kind: kind.unwrap_or(error.kind), ..error }
}

/// A failed `/distribution`.
pub(super) fn of_resolve(error: EngineError, image: &ImageRef, sent: bool) -> EngineError {
    if error.kind == ErrorKind::Unreachable {
        return error;
    }
    if no_such_call(&error) {
        let message = "this Engine cannot ask a registry for a digest".to_owned();
        return EngineError { kind: ErrorKind::Unsupported, message, ..error };
    }
    let kind = kind(&error, image, sent);
    EngineError { kind: kind.unwrap_or(error.kind), ..error }
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
    let kind = judge(&error, &own_words(&error.message, registry), true);
    EngineError { kind: kind.unwrap_or(ErrorKind::Other), ..error }
}

/// The route itself is missing: these are all the words that Podman and Docker have for it.
fn no_such_call(error: &EngineError) -> bool {
    error.status == 404 && matches!(error.message.as_str(), "Not Found" | "page not found")
}

fn kind(error: &EngineError, image: &ImageRef, sent: bool) -> Option<ErrorKind> {
    let words = error.message.to_lowercase().replace(&image.name.full(), "");
    let words = own_words(&words, image.name.host());
    let words = if image.name.path().contains('/') { words.replace(image.name.path(), "") } else { words };
    judge(error, &words, sent)
}

fn judge(error: &EngineError, words: &str, sent: bool) -> Option<ErrorKind> {
    let says = |any: &[&str]| any.iter().any(|part| words.contains(part));
    if says(&["no basic auth credentials"]) {
        return Some(if sent { ErrorKind::CredentialDropped } else { ErrorKind::CredentialMissing });
    }
    if error.status == 429 || says(LIMITED) {
        return Some(ErrorKind::RateLimited);
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
    "502 bad gateway",
    "503 service unavailable",
];

const UNKNOWN: &[&str] =
    &["manifest unknown", "name unknown", "not found", "no such manifest", "repository does not exist"];

/// The words in lower case, without addresses and the registry's own name: a registry may well be
/// called `unauthorized`.
fn own_words(message: &str, registry: &RegistryHost) -> String {
    let words = message.to_lowercase().replace(&format!("{registry}/"), "");
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
mod tests {
    use super::*;
    use ErrorKind::*;

    fn image() -> ImageRef {
        ImageRef::parse("r.example.com/team/web:1").expect("a reference")
    }

    fn pulled(status: u16, words: &str, sent: bool) -> ErrorKind {
        of_pull(EngineError::new(Other, status, words), &image(), sent).kind
    }

    fn resolved(status: u16, words: &str, sent: bool) -> ErrorKind {
        of_resolve(EngineError::new(Other, status, words), &image(), sent).kind
    }

    /// Engine, status (200: in the stream), words; what it is if a credential was sent, and if not.
    const PULLS: &[(&str, u16, &str, ErrorKind, ErrorKind)] = &[
        ("20.10, htpasswd", 500, "unauthorized: authentication required", Refused, CredentialMissing),
        (
            "20.10, no header",
            500,
            r#"Head "https://r.example.com/v2/team/web/manifests/1": no basic auth credentials"#,
            CredentialDropped,
            CredentialMissing,
        ),
        (
            "20.10, token",
            500,
            r#"Get "https://r.example.com/v2/": unauthorized: incorrect username or password"#,
            Refused,
            CredentialMissing,
        ),
        (
            "20.10, Hub",
            404,
            "pull access denied for team/web, repository does not exist or may require 'docker login': \
             denied: requested access to the resource is denied",
            Refused,
            CredentialMissing,
        ),
        (
            "20.10",
            404,
            "manifest for r.example.com/team/web:1 not found: manifest unknown: manifest unknown",
            NoSuchImage,
            NoSuchImage,
        ),
        (
            "20.10",
            500,
            r#"Get "https://r.example.com/v2/": dial tcp 10.0.0.1:443: connect: connection refused"#,
            RegistryUnreachable,
            RegistryUnreachable,
        ),
        (
            "20.10",
            500,
            r#"Get "https://r.example.com/v2/": x509: certificate signed by unknown authority"#,
            RegistryUnreachable,
            RegistryUnreachable,
        ),
        (
            "20.10",
            500,
            r#"Get "https://r.example.com/v2/": http: server gave HTTP response to HTTPS client"#,
            RegistryUnreachable,
            RegistryUnreachable,
        ),
        ("28, graph driver", 401, "unauthorized: authentication required", Refused, CredentialMissing),
        (
            "28, containerd store",
            500,
            r#"failed to resolve reference "r.example.com/team/web:1": unexpected status from HEAD request to https://r.example.com/v2/team/web/manifests/1: 401 Unauthorized"#,
            Refused,
            CredentialMissing,
        ),
        (
            "28, containerd store",
            404,
            "pull access denied, repository does not exist or may require authorization: server message: \
             insufficient_scope: authorization failed",
            Refused,
            CredentialMissing,
        ),
        (
            "28, containerd store, dropped",
            500,
            r#"failed to resolve reference "r.example.com/team/web:1": pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials"#,
            CredentialDropped,
            CredentialMissing,
        ),
        (
            "28, containerd store",
            404,
            r#"failed to resolve reference "r.example.com/team/web:1": r.example.com/team/web:1: not found"#,
            NoSuchImage,
            NoSuchImage,
        ),
        (
            "Podman 4.3",
            200,
            "initializing source docker://r.example.com/team/web:1: unable to retrieve auth token: invalid \
             username/password: unauthorized: authentication required",
            Refused,
            CredentialMissing,
        ),
        (
            "Podman 4.3",
            200,
            "initializing source docker://r.example.com/team/web:1: reading manifest 1 in \
             r.example.com/team/web: manifest unknown: manifest unknown",
            NoSuchImage,
            NoSuchImage,
        ),
        (
            "all, Hub",
            500,
            "toomanyrequests: You have reached your pull rate limit.",
            RateLimited,
            RateLimited,
        ),
        (
            "all, GitHub",
            500,
            "toomanyrequests: retry-after: 1.5s, allowed: 44000/minute",
            RateLimited,
            RateLimited,
        ),
        (
            "all, ECR",
            500,
            "denied: Your authorization token has expired. Reauthenticate and try again.",
            Expired,
            CredentialMissing,
        ),
        ("all", 200, "write /var/lib/docker/tmp/x: no space left on device", Other, Other),
    ];

    #[test]
    fn every_engine_says_in_its_own_way_that_a_credential_was_refused() {
        for (engine, status, words, sent, not_sent) in PULLS {
            assert_eq!(pulled(*status, words, true), *sent, "{engine}: {words}");
            assert_eq!(pulled(*status, words, false), *not_sent, "{engine}: {words}");
        }
    }

    /// What Engine 20.10 says to a login.
    const LOGINS: &[(u16, &str, ErrorKind)] = &[
        (500, "login attempt to http://r.example.com/v2/ failed with status: 401 Unauthorized", Refused),
        (500, r#"Get "http://r.example.com/v2/": no basic auth credentials"#, CredentialDropped),
        (
            500,
            r#"Get "http://r.example.com/v2/": dial tcp 10.0.0.1:80: connect: connection refused"#,
            RegistryUnreachable,
        ),
        (
            500,
            r#"Get "https://r.example.com/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)"#,
            RegistryUnreachable,
        ),
        (
            500,
            r#"Get "https://expired.example.com/v2/": dial tcp: lookup r.example.com on 10.0.0.2:53: i/o timeout"#,
            RegistryUnreachable,
        ),
        (
            500,
            r#"Get "https://r.example.com/v2/": x509: certificate has expired or is not yet valid"#,
            RegistryUnreachable,
        ),
        (
            500,
            "login attempt to https://r.example.com/v2/ failed with status: 429 Too Many Requests",
            RateLimited,
        ),
        (500, "login attempt to https://r.example.com/v2/ failed with status: 400 Bad Request", Other),
        (401, r#"Get "https://r.example.com/v2/": unauthorized: the refresh token has expired"#, Expired),
    ];

    #[test]
    fn a_login_fails_for_its_own_reasons() {
        let registry = RegistryHost::parse("r.example.com").expect("a host");
        for (status, words, kind) in LOGINS {
            let error = of_login(EngineError::new(Other, *status, words), &registry);
            assert_eq!(error.kind, *kind, "{words}");
        }
    }

    #[test]
    fn resolving_tells_a_missing_tag_from_a_missing_call() {
        assert_eq!(resolved(404, "manifest unknown: manifest unknown", true), NoSuchImage);
        assert_eq!(resolved(401, "unauthorized: authentication required", true), Refused);
        assert_eq!(resolved(403, "requested access is denied", true), Refused);
        assert_eq!(resolved(404, "Not Found", true), Unsupported);
        assert_eq!(resolved(404, "page not found", false), Unsupported);
    }

    #[test]
    fn the_name_of_an_image_decides_nothing() {
        let image =
            ImageRef::parse("unauthorized.example.com/denied:/x".trim_end_matches(":/x")).expect("one");
        let words = r#"Head "https://unauthorized.example.com/v2/unauthorized/manifests/1": EOF"#;
        assert_eq!(of_pull(EngineError::new(Other, 500, words), &image, true).kind, Other);
    }

    #[test]
    fn a_lost_connection_is_no_refusal() {
        let lost = EngineError::new(Unreachable, 0, "unauthorized");
        assert_eq!(of_pull(lost, &image(), true).kind, Unreachable);
    }
}
