//! `allow = ">=1.4, <2"`: which versions a gate may name.
//!
//! Tags are not semantic versions, so they are read as users mean them: `v1.4` is 1.4.0, `1.10` is
//! 1.10.0, `2024.05.01` is 2024.5.1. What follows a `-` is a pre-release if it says so (`-rc.1`,
//! `-beta2`); anything else names a variant or a build (`-alpine`, `-debian-12`, `-r3`) and is not
//! compared. A pre-release is allowed only if the constraint names one of the same version, as in
//! Cargo and npm. A tag without such a number (`latest`, `2024-05-01`, a commit) cannot be compared:
//! that is an error.

use crate::problem::{Problem, Result, escaped};
use semver::{Prerelease, Version, VersionReq};
use std::fmt;

/// Words that begin a pre-release.
const PRE: [&str; 12] =
    ["alpha", "beta", "canary", "dev", "ea", "m", "nightly", "next", "pre", "preview", "rc", "snapshot"];

/// Which versions are allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    written: String,
    request: VersionReq,
}

impl Constraint {
    /// Reads `>=1.4, <2`; a number without an operator means compatible ones, `1.4` is `>=1.4, <2`.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Problem::failed(format!("`{}` does not say which versions are allowed", escaped(text)))
                .cause(escaped(why))
                .hint("write it like \">=1.4, <2\", \"1.4\" (the same), \"~1.4.2\" or \"=1.4.2\"")
        };
        if text.trim().is_empty() {
            return Err(wrong("it is empty").into());
        }
        let request = VersionReq::parse(text).map_err(|error| wrong(&error.to_string()))?;
        Ok(Self { written: text.to_owned(), request })
    }

    /// Whether a version is allowed.
    ///
    /// # Errors
    /// If it has no number that could be compared.
    pub fn allows(&self, version: &str) -> Result<bool> {
        Ok(self.request.matches(&number(version)?))
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escaped(&self.written))
    }
}

/// The number in a tag.
fn number(tag: &str) -> Result<Version> {
    let text = tag.strip_prefix(['v', 'V']).unwrap_or(tag);
    let (core, rest) =
        text.split_once(['-', '_', '+']).map_or((text, None), |(core, rest)| (core, Some(rest)));
    let parts: Option<Vec<u64>> = core
        .split('.')
        .map(|part| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok()).flatten())
        .collect();
    let is_date = rest.is_some_and(|rest| {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        core.len() == 4 && rest.split('-').count() >= 2 && rest.split('-').take(2).all(digits)
    });
    let (major, minor, patch) = match parts.as_deref() {
        _ if is_date => return Err(incomparable(tag)),
        Some([major]) => (*major, 0, 0),
        Some([major, minor]) => (*major, *minor, 0),
        Some([major, minor, patch]) => (*major, *minor, *patch),
        _ => return Err(incomparable(tag)),
    };
    Ok(Version { pre: pre_release(rest), ..Version::new(major, minor, patch) })
}

/// `-rc.1` as a pre-release; empty if the rest names a variant.
fn pre_release(rest: Option<&str>) -> Prerelease {
    let Some(rest) = rest else { return Prerelease::EMPTY };
    let lower = rest.to_ascii_lowercase();
    let word: String = lower.chars().take_while(char::is_ascii_alphabetic).collect();
    if !PRE.contains(&word.as_str()) {
        return Prerelease::EMPTY;
    }
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let text: String = lower.chars().map(plain).collect();
    Prerelease::new(&text).or_else(|_| Prerelease::new(&word)).unwrap_or(Prerelease::EMPTY)
}

fn incomparable(tag: &str) -> crate::problem::Problems {
    Problem::failed(format!("version `{}` has no number to compare with `allow`", escaped(tag)))
        .cause("it compares up to three numbers with dots between them: 1, 1.10, v1.4.2, 1.4.2-alpine, 2024.05.01")
        .hint("use such a version, or leave `allow` out of the gate")
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn allows(constraint: &str, version: &str) -> bool {
        Constraint::parse(constraint).expect("a constraint").allows(version).expect("a number")
    }

    #[test]
    fn versions_are_compared_as_people_mean_them() {
        for version in ["1.4.0", "1.4", "v1.10", "1.25.3-alpine", "1.4.2-debian-12-r3", "1.9_2", "1.4.2-1"] {
            assert!(allows(">=1.4, <2", version), "{version}");
        }
        for version in ["1.3.9", "2", "2.0.0", "v2.1", "0.9", "2.0.0-rc.1", "1.4.0-rc1", "1.5.0-beta.2"] {
            assert!(!allows(">=1.4, <2", version), "{version}");
        }
        assert!(allows(">=1.4.0-rc.1, <2", "1.4.0-rc.2"));
        assert!(allows(">=2024.5", "2024.05.01") && !allows(">=2024.6", "2024.05.01"));
        assert!(allows("1.4", "1.10.0") && allows("~1.4.2", "1.4.9") && !allows("~1.4.2", "1.5"));
        assert!(allows("=1.10", "1.10.7") && allows("*", "7"));
    }

    #[test]
    fn a_version_without_a_number_says_so() {
        let any = Constraint::parse("*").expect("a constraint");
        for version in
            ["latest", "2024-05-01", "2024-05-01-3", "9f2c41d", "1.2.3.4", "", "stable-1", "1..2", "v"]
        {
            let said = any.allows(version).expect_err(version).to_string();
            assert!(said.contains("has no number"), "{said}");
        }
    }

    #[test]
    fn what_is_no_constraint_says_how_one_is_written() {
        for text in ["", " ", ">=", "1.4 <2", "abc", ">=1.4,, <2", "1.2.3.4"] {
            let said = Constraint::parse(text).expect_err(text);
            assert!(said.to_string().contains("which versions are allowed"), "{said}");
        }
    }

    proptest! {
        #[test]
        fn no_tag_panics(tag in "[-A-Za-z0-9._+]{0,40}") {
            let _ = Constraint::parse("*").expect("a constraint").allows(&tag);
        }

        #[test]
        fn numbers_with_leading_zeros_and_prefixes_are_the_same_version(a in 0_u64..99, b in 0_u64..99) {
            let exactly = format!("={a}.{b}.0");
            for version in [format!("{a}.{b}"), format!("v{a}.{b}.0"), format!("{a:03}.{b:02}-alpine")] {
                prop_assert!(allows(&exactly, &version), "{} {}", exactly, version);
            }
        }
    }
}
