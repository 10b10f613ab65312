//! The private keys of one source, in memory that is wiped; they are never shown.

use super::openssh::SshKey;
use super::{Identity, Recipient};
use crate::secret::Secret;
use std::fmt;

/// A private key of a reader. `Debug` shows the public half.
#[derive(Clone)]
pub enum PrivateKey {
    /// X25519, `AGE-SECRET-KEY-1…`.
    Native(Identity),
    /// ssh-ed25519, opened.
    Ssh(SshKey),
}

/// What can open an age file.
pub(crate) trait Opens {
    fn age(&self) -> &dyn age::Identity;
}

impl Opens for Identity {
    fn age(&self) -> &dyn age::Identity {
        self.key()
    }
}

impl Opens for PrivateKey {
    fn age(&self) -> &dyn age::Identity {
        match self {
            Self::Native(key) => key.key(),
            Self::Ssh(key) => key.key(),
        }
    }
}

impl PrivateKey {
    /// The public half.
    pub fn recipient(&self) -> &Recipient {
        match self {
            Self::Native(key) => key.recipient(),
            Self::Ssh(key) => key.recipient(),
        }
    }

    /// The text of an identity file that holds this key, without a passphrase.
    fn file_text(&self) -> Secret {
        match self {
            Self::Native(key) => key.file_text(),
            Self::Ssh(key) => key.file_text().clone(),
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "private key of {}", self.recipient())
    }
}

/// The available private keys, in the order in which they are tried.
#[derive(Clone, Debug, Default)]
pub struct Identities(Vec<PrivateKey>);

impl Identities {
    /// The keys.
    pub fn iter(&self) -> impl Iterator<Item = &PrivateKey> {
        self.0.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds keys that are tried after these; those already here are not added again.
    pub fn extend(&mut self, more: Self) {
        for key in more.0 {
            if !self.hold(key.recipient()) {
                self.0.push(key);
            }
        }
    }

    /// Whether the private half of a public key is here.
    pub fn hold(&self, recipient: &Recipient) -> bool {
        self.0.iter().any(|key| key.recipient() == recipient)
    }

    /// The text of an identity file that holds all of them, without a passphrase.
    pub fn file_text(&self) -> Secret {
        let texts: Vec<Secret> = self.0.iter().map(PrivateKey::file_text).collect();
        // Of its full size from the start: growing would leave copies behind.
        let mut all = Vec::with_capacity(texts.iter().map(Secret::len).sum());
        for text in &texts {
            all.extend_from_slice(text.reveal());
        }
        Secret::new(all)
    }
}

impl From<Identity> for Identities {
    fn from(key: Identity) -> Self {
        Self(vec![PrivateKey::Native(key)])
    }
}

impl From<SshKey> for Identities {
    fn from(key: SshKey) -> Self {
        Self(vec![PrivateKey::Ssh(key)])
    }
}
