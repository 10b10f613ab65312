//! What a plan says of a file that changes.

use super::diff;
use crate::state::FileBytes;
use serde::Serialize;

/// A file of a container that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileChange {
    /// Its path in the container.
    pub path: String,
    /// What it is, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<FileForm>,
    /// What it will be; `None` where a secret is in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<FileForm>,
    /// The difference as `diff -u` prints it, if both are texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A file without its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileForm {
    /// Bytes.
    pub size: usize,
    /// SHA-256 of them, hexadecimal.
    pub sha256: String,
}

impl FileChange {
    /// Of two contents that may be seen.
    pub fn of(path: &str, before: &FileBytes, after: &FileBytes) -> Self {
        let texts = diff::text(before.bytes()).zip(diff::text(after.bytes()));
        let diff = texts.map(|(old, new)| diff::unified(old, new));
        let note = match &diff {
            None => Some("no text".to_owned()),
            Some(diff) if diff.is_empty() => Some("the same content, another owner or mode".to_owned()),
            Some(_) => None,
        };
        Self {
            path: path.to_owned(),
            before: Some(FileForm::of(before)),
            after: Some(FileForm::of(after)),
            diff: diff.filter(|diff| !diff.is_empty()),
            note,
        }
    }

    /// Of a content that is not shown, and why.
    pub fn unseen(path: &str, after: Option<&FileBytes>, why: &str) -> Self {
        let after = after.map(FileForm::of);
        Self { path: path.to_owned(), before: None, after, diff: None, note: Some(why.to_owned()) }
    }
}

impl FileForm {
    fn of(bytes: &FileBytes) -> Self {
        Self { size: bytes.len(), sha256: bytes.digest().to_owned() }
    }
}
