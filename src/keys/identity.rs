//! A private X25519 key: of a person or machine, or of a box.

use super::Recipient;
use crate::secret::Secret;
use age::secrecy::ExposeSecret;
use std::fmt;

/// What every native private key begins with (age specification, "Native identity files").
pub(super) const PREFIX: &str = "AGE-SECRET-KEY-1";

/// A private X25519 key. `Debug` shows the public half.
#[derive(Clone)]
pub struct Identity {
    key: age::x25519::Identity,
    recipient: Recipient,
}

impl Identity {
    /// A new one, from the operating system's randomness.
    pub fn generate() -> Self {
        Self::of(age::x25519::Identity::generate())
    }

    fn of(key: age::x25519::Identity) -> Self {
        let recipient = Recipient::of(&key);
        Self { key, recipient }
    }

    /// Reads an `AGE-SECRET-KEY-1…` line.
    pub(crate) fn parse_line(line: &str) -> Option<Self> {
        line.strip_prefix(PREFIX)?;
        line.parse().ok().map(Self::of)
    }

    /// The `AGE-SECRET-KEY-1…` line, without a newline.
    pub(crate) fn line(&self) -> Secret {
        Secret::new(self.key.to_string().expose_secret().as_bytes().to_vec())
    }

    /// The public half.
    pub fn recipient(&self) -> &Recipient {
        &self.recipient
    }

    /// The text of an identity file that holds this key, as `age-keygen` writes it but for the date.
    pub fn file_text(&self) -> Secret {
        let comment = format!("# public key: {}\n", self.recipient);
        let line = self.line();
        let mut text = Vec::with_capacity(comment.len() + line.len() + 1);
        text.extend_from_slice(comment.as_bytes());
        text.extend_from_slice(line.reveal());
        text.push(b'\n');
        Secret::new(text)
    }

    pub(super) fn key(&self) -> &age::x25519::Identity {
        &self.key
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "private key of {}", self.recipient)
    }
}
