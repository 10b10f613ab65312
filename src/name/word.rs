//! Words that name a workspace, host, reader or container. None begins with `-`, so that none can be
//! taken for an option of a program it is handed to.

use crate::problem::{Problem, Result, escaped};
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! word {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $max:literal, $inner:expr, $hint:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Reads the name.
            ///
            /// # Errors
            /// If it has other characters than such a name may have.
            pub fn parse(text: &str) -> Result<Self> {
                let inner: fn(u8) -> bool = $inner;
                let first = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
                if first && text.len() <= $max && text.bytes().all(inner) {
                    return Ok(Self(text.to_owned()));
                }
                Err(Problem::failed(format!(concat!("`{}` is not a ", $kind, " name"), escaped(text)))
                    .hint($hint)
                    .into())
            }

            /// The name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = crate::problem::Problems;
            fn try_from(text: String) -> Result<Self> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

word!(
    /// A workspace: it is part of labels and volume names, so lower case only.
    WorkspaceName,
    "workspace",
    64,
    |b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-'),
    "use up to 64 lower-case letters, digits, `.`, `_` and `-`, beginning with a letter or digit"
);

word!(
    /// A host of the inventory.
    HostName,
    "host",
    128,
    |b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'),
    "use up to 128 letters, digits, `.`, `_` and `-`, beginning with a letter or digit"
);

word!(
    /// A reader: the stem of a file in `keys/`.
    ReaderName,
    "reader",
    64,
    |b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'),
    "use up to 64 letters, digits, `.`, `_` and `-`, beginning with a letter or digit"
);

word!(
    /// A container or service, by the Engine's grammar `[a-zA-Z0-9][a-zA-Z0-9_.-]*`; short enough
    /// that the suffix of a generation still fits.
    ContainerName,
    "container",
    200,
    |b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'),
    "use up to 200 letters, digits, `.`, `_` and `-`, beginning with a letter or digit"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_can_be_taken_for_an_option() {
        assert!(HostName::parse("-oProxyCommand=x").is_err());
        assert!(ContainerName::parse("--rm").is_err());
        assert!(WorkspaceName::parse("Shop").is_err());
        assert_eq!(HostName::parse("web1.example.com").expect("a name").as_str(), "web1.example.com");
    }
}
