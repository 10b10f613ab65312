//! The name of a credential helper: the part after `docker-credential-` in a program's name.

use crate::problem::{Problem, Result, escaped};
use std::fmt;

/// `ecr-login`. It becomes the name of a program that is started, so it is no path and no option, and
/// never pillarbox itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HelperName(String);

/// What every helper's program begins with (docker-credential-helpers, `client`).
const PREFIX: &str = "docker-credential-";
const LONGEST: usize = 64;

impl HelperName {
    /// Reads the name: `[a-z0-9][a-z0-9._-]*`.
    ///
    /// # Errors
    /// If it has other characters, or is pillarbox, which would ask itself.
    pub fn parse(text: &str) -> Result<Self> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let first = text.bytes().next().is_some_and(plain);
        if !first || text.len() > LONGEST || !text.bytes().all(|b| plain(b) || b"._-".contains(&b)) {
            return Err(Problem::failed(format!("`{}` is not the name of a helper", escaped(text)))
                .hint("`helper = \"ecr-login\"` asks the program docker-credential-ecr-login")
                .into());
        }
        if text == "pillarbox" {
            return Err(Problem::failed("`pillarbox` cannot be a helper of its own pillar")
                .cause("it would ask itself")
                .hint("give the entry a `username` and a sealed `password`")
                .into());
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The program, as it is looked up in `PATH`.
    pub fn program(&self) -> String {
        format!("{PREFIX}{}", self.0)
    }
}

impl fmt::Display for HelperName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_no_option_and_not_pillarbox_itself() {
        for fine in ["ecr-login", "gcloud", "osxkeychain", "a", "0_x.y"] {
            assert_eq!(HelperName::parse(fine).expect(fine).program(), format!("docker-credential-{fine}"));
        }
        let long = "x".repeat(65);
        for text in ["", "-x", "../evil", "/bin/sh", "Ecr", "a b", "a\n", ".x", "pillarbox", long.as_str()] {
            assert!(HelperName::parse(text).is_err(), "{text:?}");
        }
    }
}
