//! Which version of the API is spoken.

use crate::desired::NEWEST_API;
use crate::engine::{EngineError, EngineResult, ErrorKind};
use std::fmt;

/// Engine 20.10, the oldest that every call here was tried on.
const OLDEST: Api = Api(1, 41);
/// Engine 28.5, the newest. Newer Engines speak it too; one that does not says so at the first call.
const NEWEST: Api = Api(NEWEST_API.0, NEWEST_API.1);

/// A version of the API, `1.41`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Api(u16, u16);

impl Api {
    /// The newest that both sides speak; `theirs` is the `Api-Version` header of any answer, which costs
    /// less than `/version` (that asks containerd and runc in turn).
    pub(super) fn agree(theirs: Option<&str>) -> EngineResult<Self> {
        let Some(theirs) = theirs.and_then(Self::parse) else {
            let words = "its answer names no version of the API: is it an Engine?";
            return Err(EngineError::new(ErrorKind::Other, 200, words));
        };
        if theirs < OLDEST {
            let words =
                format!("the Engine speaks API {theirs}, pillarbox needs at least {OLDEST} (Engine 20.10)");
            return Err(
                EngineError::new(ErrorKind::TooOld, 200, &words).hint("update the Engine on this host")
            );
        }
        Ok(theirs.min(NEWEST))
    }

    fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.trim().split_once('.')?;
        Some(Self(major.parse().ok()?, minor.parse().ok()?))
    }
}

/// Whether the Engine has `POST /containers/{id}/update`. `podman` is its version if it is one, from the
/// `Libpod-API-Version` header of its ping; there the call came with 5.1.
pub(super) fn can_update(podman: Option<&str>) -> bool {
    let Some(version) = podman else { return true };
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or_default());
    (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default()) >= (5, 1)
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_common_version_is_spoken() {
        for (theirs, spoken) in [("1.41", "1.41"), ("1.44", "1.44"), ("1.51", "1.51"), ("1.53", "1.51")] {
            assert_eq!(Api::agree(Some(theirs)).expect(theirs).to_string(), spoken);
        }
    }

    #[test]
    fn podman_can_update_from_5_1_on() {
        for (libpod, can) in [
            (None, true),
            (Some("4.3.1"), false),
            (Some("5.0.3"), false),
            (Some("5.1.0"), true),
            (Some("6.0.0-dev"), true),
        ] {
            assert_eq!(can_update(libpod), can, "{libpod:?}");
        }
    }

    #[test]
    fn too_old_says_both_numbers() {
        let old = Api::agree(Some("1.40")).expect_err("Engine 19.03");
        assert_eq!(old.kind, ErrorKind::TooOld);
        assert!(old.message.contains("1.40") && old.message.contains("1.41"), "{}", old.message);
    }

    #[test]
    fn what_is_no_engine_says_so() {
        for answer in [None, Some(""), Some("one")] {
            assert!(Api::agree(answer).expect_err("no engine").message.ends_with("is it an Engine?"));
        }
    }
}
