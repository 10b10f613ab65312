//! What a helper answers: one JSON object, read strictly. Nothing of it ever stands in an error.

use crate::name::RegistryHost;
use crate::registry::TOKEN_USER;
use crate::secret::Secret;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// A credential as a helper gave it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// In clear.
    pub username: String,
    /// The password, or the identity token.
    pub secret: Secret,
}

impl Answer {
    /// Whether the secret is an identity token.
    pub fn is_identity_token(&self) -> bool {
        self.username == TOKEN_USER
    }
}

/// Why it is no answer.
pub(super) struct Wrong(pub(super) String);

#[derive(Deserialize)]
struct Raw {
    /// Not all helpers repeat it.
    #[serde(rename = "ServerURL", default)]
    server: Option<String>,
    #[serde(rename = "Username")]
    username: String,
    #[serde(rename = "Secret", deserialize_with = "secret")]
    secret: Secret,
}

fn secret<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
    String::deserialize(from).map(Secret::from)
}

/// Reads an answer for a server.
pub(super) fn parse(bytes: &[u8], server: &str) -> Result<Answer, Wrong> {
    let wrong = |why: &str| Wrong(why.to_owned());
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(wrong("it answered nothing"));
    }
    // serde_json quotes what it did not expect, which may be the secret: only the place is told.
    let raw: Raw = serde_json::from_slice(bytes).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        Wrong(match error.classify() {
            serde_json::error::Category::Data => {
                format!("it is no object with the texts `Username` and `Secret`, each once ({place})")
            }
            _ => format!("it is not JSON ({place})"),
        })
    })?;
    let host = |text: &str| RegistryHost::parse(text).ok();
    match raw.server.as_deref() {
        None | Some("") => {}
        Some(named) if named == server => {}
        Some(named) if host(named).is_some() && host(named) == host(server) => {}
        Some(_) => return Err(wrong("it is for another server than the one that was asked for")),
    }
    if raw.username.is_empty() || raw.username.chars().any(|c| c == ':' || c.is_control()) {
        return Err(wrong("its user name is empty, or has a `:` (RFC 7617) or control character"));
    }
    if raw.secret.is_empty() {
        return Err(wrong("its secret is empty"));
    }
    Ok(Answer { username: raw.username, secret: raw.secret })
}

/// Reads which servers a helper has: an object of server to user name.
pub(super) fn servers(bytes: &[u8]) -> Result<Vec<String>, Wrong> {
    let all: Option<BTreeMap<String, IgnoredAny>> = serde_json::from_slice(bytes).map_err(|error| {
        Wrong(format!("it is no object (line {}, column {})", error.line(), error.column()))
    })?;
    Ok(all.unwrap_or_default().into_keys().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(String, bool), String> {
        let answer = parse(text.as_bytes(), "r.example.com").map_err(|Wrong(why)| why)?;
        assert_eq!(answer.secret.reveal_text(), Some("s~?>"));
        Ok((answer.username.clone(), answer.is_identity_token()))
    }

    #[test]
    fn answers_of_real_helpers_are_read() {
        for (text, user, token) in [
            (r#"{"ServerURL":"r.example.com","Username":"AWS","Secret":"s~?>"}"#, "AWS", false),
            (r#"{"ServerURL":"https://r.example.com","Username":"u","Secret":"s~?>"}"#, "u", false),
            // Google's helper does not repeat the server; Go writes `<` as an escape.
            (
                "{\n  \"Secret\": \"s~?>\",\n  \"Username\": \"_dcgcloud_token\"\n}\n",
                "_dcgcloud_token",
                false,
            ),
            (
                r#"{"ServerURL":"","Username":"\u003ctoken\u003e","Secret":"s~?\u003e","X":1}"#,
                "<token>",
                true,
            ),
        ] {
            assert_eq!(read(text), Ok((user.to_owned(), token)), "{text}");
        }
    }

    #[test]
    fn the_servers_of_a_list_are_read() {
        let read = |text: &str| servers(text.as_bytes()).map_err(|Wrong(why)| why);
        assert_eq!(read("{\"b.io\":\"u\",\"a.io\":\"v\"}\n"), Ok(vec!["a.io".to_owned(), "b.io".to_owned()]));
        assert_eq!(read("{}"), Ok(Vec::new()));
        assert_eq!(read("null"), Ok(Vec::new()));
        assert!(read("[]").is_err() && read("").is_err() && read("no\n").is_err());
    }

    #[test]
    fn everything_else_is_refused_and_not_repeated() {
        for text in [
            "",
            " \n",
            "CANARY",
            "\"CANARY\"",
            "[]",
            "{}",
            r#"{"Username":"u"}"#,
            r#"{"Username":"u","Secret":null}"#,
            r#"{"Username":"u","Secret":["CANARY"]}"#,
            r#"{"Username":"CANARY","Secret":7}"#,
            r#"{"Username":{"CANARY":1},"Secret":"s"}"#,
            r#"{"Username":"u","Secret":"CANARY","Secret":"s"}"#,
            r#"{"Username":"u","Secret":"CANARY"} {"more":1}"#,
            r#"{"Username":"u","Secret":"CANARY""#,
            r#"{"Username":"","Secret":"CANARY"}"#,
            r#"{"Username":"a:b","Secret":"CANARY"}"#,
            r#"{"Username":"a\nb","Secret":"CANARY"}"#,
            r#"{"Username":"u","Secret":""}"#,
            r#"{"username":"u","secret":"CANARY"}"#,
            r#"{"ServerURL":"evil.example.com","Username":"u","Secret":"CANARY"}"#,
            r#"{"ServerURL":"r.example.com:5000","Username":"u","Secret":"CANARY"}"#,
            "{\"Username\":\"u\",\"Secret\":\"\u{0}CANARY\"}",
        ] {
            let why = read(text).expect_err(text);
            assert!(!why.contains("CANARY"), "{text}: {why}");
        }
        assert!(parse(b"{\"Username\":\"u\",\"Secret\":\"\xff\"}", "r").is_err());
    }
}
