//! A dotted TOML key: `registries."ghcr.io/acme".password`.

use crate::problem::{Problem, Result, escaped};
use std::fmt;

/// The path to a value in a TOML file; at least one part.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPath(Vec<String>);

impl KeyPath {
    /// Reads a dotted TOML key, quoted parts included.
    ///
    /// # Errors
    /// If it is not one.
    pub fn parse(text: &str) -> Result<Self> {
        let keys = toml_edit::Key::parse(text).map_err(|error| {
            Problem::usage(format!("`{}` is not a key", escaped(text)))
                .because(&error)
                .hint("a part with `.`, `/` or `:` in it needs quotes: 'registries.\"ghcr.io\".username'")
        })?;
        Ok(Self(keys.into_iter().map(|key| key.get().to_owned()).collect()))
    }

    /// From parts; `None` if there are none.
    pub fn from_parts(parts: Vec<String>) -> Option<Self> {
        (!parts.is_empty()).then_some(Self(parts))
    }

    /// Its parts, unquoted.
    pub fn parts(&self) -> &[String] {
        &self.0
    }

    /// The last part.
    pub fn last(&self) -> &str {
        self.0.last().map(String::as_str).unwrap_or_default()
    }

    /// This path with one more part.
    #[must_use]
    pub fn child(&self, part: impl Into<String>) -> Self {
        let mut parts = self.0.clone();
        parts.push(part.into());
        Self(parts)
    }

    /// The path without its last part; `None` at the top.
    pub fn parent(&self) -> Option<Self> {
        Self::from_parts(self.0[..self.0.len() - 1].to_vec())
    }

    /// Whether this path is `other` or is below it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            f.write_str(&toml_edit::Key::new(part.as_str()).display_repr())?;
        }
        Ok(())
    }
}

impl fmt::Debug for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_need_quotes_keep_them() {
        let key = KeyPath::parse(r#"registries."ghcr.io/acme".password"#).expect("a key");
        assert_eq!(key.parts(), ["registries", "ghcr.io/acme", "password"]);
        assert_eq!(key.to_string(), r#"registries."ghcr.io/acme".password"#);
    }
}
