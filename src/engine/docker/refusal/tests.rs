//! Each Engine's own words.

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
        "20.10, token without a right",
        500,
        "errors:\ndenied: requested access to the resource is denied\nunauthorized: authentication required",
        Refused,
        CredentialMissing,
    ),
    (
        "20.10, refresh token that is over",
        500,
        r#"Head "https://r.example.com/v2/team/web/manifests/1": error parsing HTTP 400 response body: no error details found in HTTP response body: "{\"error\":\"invalid_grant\"}""#,
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
    ("all, Hub", 500, "toomanyrequests: You have reached your pull rate limit.", RateLimited, RateLimited),
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

/// What Engine 20.10, and the last two Podman 4.3, say to a login.
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
    (
        500,
        r#"login attempt to r.example.com failed with status: pinging container registry r.example.com: Get "https://r.example.com/v2/": http: server gave HTTP response to HTTPS client"#,
        RegistryUnreachable,
    ),
    (
        500,
        r#"login attempt to r.example.com failed with status: pinging container registry r.example.com: Get "https://r.example.com/v2/": dial tcp 10.0.0.1:443: connect: connection refused"#,
        RegistryUnreachable,
    ),
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
    let image = ImageRef::parse("unauthorized.example.com/denied:/x".trim_end_matches(":/x")).expect("one");
    let words = r#"Head "https://unauthorized.example.com/v2/unauthorized/manifests/1": EOF"#;
    assert_eq!(of_pull(EngineError::new(Other, 500, words), &image, true).kind, Other);
}

/// A password in the ways in which an Engine may repeat it.
const ECHOES: [&str; 8] = [
    "kT7#v<Q2>",
    r#"kT7#v<Q2>"#,
    r#"\"kT7#v\\u003cQ2\\u003e\""#,
    "kT7%23v%3CQ2%3E",
    "a1Q3I3Y8UTI+",
    "6b54372376 3c51323e",
    "eyJ1c2VybmFtZSI6InVzZXIiLCJwYXNzd29yZCI6ImtUNyN2PFEyPiJ9",
    "dXNlcjprVDcjdjxRMj4=",
];

#[test]
fn of_an_answer_to_a_secret_known_words_are_shown_alone_and_they_mean_what_they_meant() {
    for (engine, status, words, sent, _) in PULLS {
        for echo in ECHOES {
            let words = format!("{echo}: {words}: X-Registry-Auth: {echo}");
            let error = without_secrets(EngineError::new(Other, *status, &words), &names(&image()));
            assert_eq!(of_pull(error.clone(), &image(), true).kind, *sent, "{engine}: {words}");
            for part in ["kT7", "%23", "a1Q3", "6b54", "eyJ1", "dXNl", "u003c", "r.example.com"] {
                assert!(!error.message.contains(part), "{engine}: {}", error.message);
            }
        }
    }
    let asked = EngineError::new(Other, 500, "toomanyrequests: retry-after: 90s, allowed: 44000/minute kT7");
    let limited = of_pull(without_secrets(asked, &names(&image())), &image(), true);
    assert_eq!(limited.retry_after(), Some(std::time::Duration::from_secs(90)));
    assert_eq!(limited.message, "toomanyrequests, retry after 90 s");
}

#[test]
fn unknown_words_about_a_secret_leave_the_status_and_a_way_on() {
    let error = without_secrets(EngineError::new(Other, 500, "kT7"), &Vec::new());
    assert_eq!(error.message, "it answers with status 500; its words could hold the secret that was sent");
    assert!(error.hints[0].contains("journalctl"), "{:?}", error.hints);
    let words =
        r#"Conflict. The container name "/web" is already in use by container "kT7". You have to remove it"#;
    let error = without_secrets(EngineError::new(Conflict, 409, words), &Vec::new());
    assert_eq!((error.kind, error.message.as_str()), (Conflict, "conflict, is already in use by container"));
    assert!(!warning_without_secrets("kT7").contains("kT7"));
    let warning = "Your kernel does not support swap limit capabilities. Memory limited without swap. kT7";
    assert_eq!(warning_without_secrets(warning), "your kernel does not support, memory limited without swap");
}

#[test]
fn a_lost_connection_is_no_refusal() {
    let lost = EngineError::new(Unreachable, 0, "unauthorized");
    assert_eq!(of_pull(lost, &image(), true).kind, Unreachable);
}
