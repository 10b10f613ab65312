//! A value that must not be shown: wiped on drop, printed as fixed text, not serialisable.

use std::fmt;
use std::io::{self, Read};
use zeroize::{Zeroize, Zeroizing};

/// Bytes of a secret. `Debug` prints `[secret]`; there is no `Display`, no `Serialize`, no `Eq`.
#[derive(Clone, Default)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over; the caller's copy is the caller's to wipe.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// All that a reader gives, up to `limit` bytes; no copy of it is left behind in memory.
    ///
    /// # Errors
    /// If it cannot be read, or is longer.
    pub fn read(from: &mut dyn Read, limit: usize) -> io::Result<Self> {
        let mut all = Zeroizing::new(Vec::new());
        let mut chunk = Zeroizing::new([0_u8; 4096]);
        loop {
            match from.read(&mut *chunk) {
                Ok(0) => return Ok(Self(all)),
                Ok(read) if all.len() + read > limit => {
                    return Err(io::Error::other(format!("it is longer than {limit} bytes")));
                }
                Ok(read) => grow(&mut all, &chunk[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The bytes. Call it at the last moment and keep no copy.
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }

    /// The text, if it is UTF-8.
    pub fn reveal_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Less one final newline, `\n` or `\r\n`: `echo secret |` adds one.
    #[must_use]
    pub fn without_final_newline(mut self) -> Self {
        if self.0.last() == Some(&b'\n') {
            self.0.pop();
            if self.0.last() == Some(&b'\r') {
                self.0.pop();
            }
        }
        self
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Compares without ending early.
    pub fn same_as(&self, other: &[u8]) -> bool {
        self.0.len() == other.len() && self.0.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b)) == 0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Appends without leaving a copy behind in memory that a growing vector gives back.
fn grow(all: &mut Vec<u8>, more: &[u8]) {
    if all.capacity() - all.len() < more.len() {
        let mut larger = Vec::with_capacity((all.len() + more.len()) * 2);
        larger.extend_from_slice(all);
        all.zeroize();
        *all = larger;
    }
    all.extend_from_slice(more);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growing_keeps_every_byte() {
        let mut all = Vec::new();
        for part in [&b"abc"[..], b"", b"defghijk", &[b'x'; 9000]] {
            grow(&mut all, part);
        }
        assert_eq!(all.len(), 11 + 9000);
        assert!(all.starts_with(b"abcdefghijkx"));
    }

    #[test]
    fn what_is_longer_than_allowed_is_not_taken() {
        let read = |length: usize| Secret::read(&mut vec![7; length].as_slice(), 5000);
        assert_eq!(read(5000).expect("just fits").len(), 5000);
        assert!(read(5001).is_err());
    }
}
