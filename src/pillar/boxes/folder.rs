//! The folder of a box, and which box governs a file.

use crate::problem::{Problem, Result, escaped};
use std::borrow::Borrow;
use std::fmt;

/// A folder below `pillar/`, with `/` between its parts; empty for `pillar/` itself. Prints as
/// `pillar/prod/`, which is also how the lock names it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BoxFolder(String);

impl BoxFolder {
    /// `pillar/` itself.
    pub fn top() -> Self {
        Self(String::new())
    }

    /// Reads a folder in each accepted spelling: `prod`, `prod/eu/`, `pillar/prod/`; `pillar/` or an empty
    /// text is the pillar itself.
    ///
    /// # Errors
    /// If a part is not letters, digits, `.`, `_` and `-`, beginning with a letter or digit: the
    /// name of a box is in its lock and in commands.
    pub fn parse(text: &str) -> Result<Self> {
        if matches!(text, "" | "pillar" | "pillar/") {
            return Ok(Self::top());
        }
        let inner = text.strip_prefix("pillar/").unwrap_or(text);
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        let fine = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        };
        if inner.split('/').all(fine) {
            return Ok(Self(inner.to_owned()));
        }
        Err(Problem::failed(format!("`{}` cannot be the folder of a box", escaped(text)))
            .hint("use letters, digits, `.`, `_` and `-`, each part beginning with a letter or digit: 'prod/eu'")
            .into())
    }

    /// Relative to `pillar/`; empty for the pillar itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path of its `box.toml`, relative to the workspace.
    pub fn file(&self) -> String {
        format!("{self}box.toml")
    }

    /// The box that governs a file: the nearest folder upwards that has one. `file` is relative to
    /// `pillar/`; `boxes` are the folders that have a `box.toml`, in any order.
    pub fn governing<B: Borrow<BoxFolder>>(file: &str, boxes: impl IntoIterator<Item = B>) -> Option<B> {
        let parent = file.rsplit_once('/').map_or("", |(parent, _)| parent);
        boxes
            .into_iter()
            .filter(|found| found.borrow().holds(parent))
            .max_by_key(|found| found.borrow().0.len())
    }

    /// Whether a file, relative to `pillar/`, is in it or below.
    pub fn is_above(&self, file: &str) -> bool {
        self.holds(file.rsplit_once('/').map_or("", |(parent, _)| parent))
    }

    fn holds(&self, folder: &str) -> bool {
        match folder.strip_prefix(self.0.as_str()) {
            Some(rest) => self.0.is_empty() || rest.is_empty() || rest.starts_with('/'),
            None => false,
        }
    }
}

impl fmt::Display for BoxFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.0.is_empty() { "" } else { "/" };
        write!(f, "pillar/{}{slash}", self.0)
    }
}

impl fmt::Debug for BoxFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_box_upwards_governs() {
        let boxes: Vec<BoxFolder> =
            ["", "prod", "prod/eu"].map(|text| BoxFolder::parse(text).expect("a folder")).into();
        let of = |file: &str| BoxFolder::governing(file, &boxes).map(ToString::to_string);
        assert_eq!(of("apps.toml").as_deref(), Some("pillar/"));
        assert_eq!(of("prod.toml").as_deref(), Some("pillar/"));
        assert_eq!(of("production/apps.toml").as_deref(), Some("pillar/"));
        assert_eq!(of("prod/apps.toml").as_deref(), Some("pillar/prod/"));
        assert_eq!(of("prod/us/apps.toml").as_deref(), Some("pillar/prod/"));
        assert_eq!(of("prod/eu/a/b.toml").as_deref(), Some("pillar/prod/eu/"));
        assert_eq!(BoxFolder::governing("apps.toml", &boxes[1..]), None);
    }

    #[test]
    fn a_folder_is_written_in_one_way() {
        for text in ["prod/eu", "prod/eu/", "pillar/prod/eu", "pillar/prod/eu/"] {
            let folder = BoxFolder::parse(text).expect(text);
            assert_eq!((folder.as_str(), folder.file().as_str()), ("prod/eu", "pillar/prod/eu/box.toml"));
        }
        for text in ["", "pillar", "pillar/"] {
            assert_eq!(BoxFolder::parse(text).expect(text), BoxFolder::top());
        }
        for text in ["../x", "/etc", "a//b", "a/./b", "a\nb", "-a", ".git", "pillar//"] {
            assert!(BoxFolder::parse(text).is_err(), "{text}");
        }
    }
}
