//! Files in containers that are there.

use crate::state::FileBytes;

/// What an Engine says of a path in a container, without what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStat {
    /// Whether it is a regular file.
    pub is_regular: bool,
    /// Bytes in it.
    pub size: u64,
    /// When it was changed last, seconds since 1970.
    pub time: i64,
}

/// A declared file, as a container has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeenFile {
    /// As it is declared.
    Same,
    /// It is not there.
    Missing,
    /// As an earlier declaration put it there, with no secret in it.
    Earlier(FileBytes),
    /// It was changed in the container, holds a secret, or is no file: what is in it is not looked at.
    Other,
}
