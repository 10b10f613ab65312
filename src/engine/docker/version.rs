//! Which version of the API is spoken.

use crate::engine::{EngineError, EngineResult, ErrorKind};
use serde_json::Value;
use std::fmt;

/// Engine 20.10, the oldest that every call here was tried on.
const OLDEST: Api = Api(1, 41);
/// Engine 28.5, the newest. Newer Engines speak it too; what they changed since is not seen.
const NEWEST: Api = Api(1, 51);

/// A version of the API, `1.41`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Api(u16, u16);

impl Api {
    fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        Some(Self(major.parse().ok()?, minor.parse().ok()?))
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// What `GET /version` says.
#[derive(Clone, Debug)]
pub(super) struct Version {
    /// The version that both sides speak.
    pub(super) api: Api,
    /// The Engine's own version.
    pub(super) engine: String,
    /// `linux`.
    pub(super) os: String,
    /// As images name it, `amd64`.
    pub(super) arch: String,
}

impl Version {
    /// The newest version that both sides speak.
    pub(super) fn agree(answer: &Value) -> EngineResult<Self> {
        let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
        let engine = text("Version");
        let Some(theirs) = Api::parse(&text("ApiVersion")) else {
            return Err(EngineError::new(
                ErrorKind::Other,
                200,
                "it names no version of the API: is it an Engine?",
            ));
        };
        if theirs < OLDEST {
            let words = format!(
                "Engine {engine} speaks API {theirs}, pillarbox needs at least {OLDEST} (Engine 20.10)"
            );
            return Err(
                EngineError::new(ErrorKind::TooOld, 200, &words).hint("update the Engine on this host")
            );
        }
        let needs = Api::parse(&text("MinAPIVersion")).unwrap_or(OLDEST);
        if needs > NEWEST {
            let words = format!(
                "Engine {engine} wants API {needs} or newer, this pillarbox speaks {OLDEST} to {NEWEST}"
            );
            return Err(EngineError::new(ErrorKind::TooOld, 200, &words).hint("update pillarbox"));
        }
        Ok(Self { api: theirs.min(NEWEST), engine, os: text("Os"), arch: text("Arch") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn agree(newest: &str, oldest: &str) -> EngineResult<String> {
        let answer = json!({ "Version": "x", "ApiVersion": newest, "MinAPIVersion": oldest });
        Version::agree(&answer).map(|version| version.api.to_string())
    }

    #[test]
    fn the_newest_common_version_is_spoken() {
        assert_eq!(agree("1.41", "1.12").expect("20.10"), "1.41");
        assert_eq!(agree("1.51", "1.24").expect("28"), "1.51");
        assert_eq!(agree("1.53", "1.44").expect("29"), "1.51");
    }

    #[test]
    fn too_old_and_too_new_say_both_numbers() {
        let old = agree("1.40", "1.12").expect_err("19.03");
        assert_eq!(old.kind, ErrorKind::TooOld);
        assert!(old.message.contains("1.40") && old.message.contains("1.41"), "{}", old.message);
        let new = agree("2.1", "1.99").expect_err("one day");
        assert!(new.message.contains("1.99") && new.message.contains("1.51"), "{}", new.message);
    }

    #[test]
    fn what_is_no_engine_says_so() {
        assert_eq!(Version::agree(&json!({ "hello": 1 })).expect_err("no engine").kind, ErrorKind::Other);
    }
}
