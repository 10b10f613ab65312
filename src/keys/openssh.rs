//! ssh-ed25519 private keys as OpenSSH keeps them: `openssh-key-v1` (OpenSSH, PROTOCOL.key), with or
//! without a passphrase.

mod wire;

use super::Recipient;
use crate::problem::{Place, Problem};
use crate::secret::Secret;
use aes::cipher::{KeyIvInit as _, StreamCipher as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use wire::{WireReader, text_of};
use zeroize::Zeroizing;

pub(super) const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
pub(super) const END: &str = "-----END OPENSSH PRIVATE KEY-----";

const MAGIC: &[u8] = b"openssh-key-v1\0";

/// The cipher of every protected key since OpenSSH 7.6; `ssh-keygen -p` changes an older one to it.
const CIPHER: &[u8] = b"aes256-ctr";

/// Rounds of bcrypt_pbkdf that are done for a file, each about a hundredth of a second: hostile files
/// ask for four thousand million. `ssh-keygen` asks for 16 or 24, and `-a 100` is what guides advise.
const ROUNDS: u32 = 1000;

/// An opened ssh-ed25519 private key.
#[derive(Clone)]
pub struct SshKey {
    key: age::ssh::Identity,
    recipient: Recipient,
    text: Secret,
}

impl SshKey {
    /// The public half.
    pub(super) fn recipient(&self) -> &Recipient {
        &self.recipient
    }

    /// The key as a file without a passphrase.
    pub(super) fn file_text(&self) -> &Secret {
        &self.text
    }

    pub(super) fn key(&self) -> &age::ssh::Identity {
        &self.key
    }
}

/// A private key as it was found.
pub(super) enum OpenSsh {
    Open(SshKey),
    Locked(LockedSshKey),
}

/// A private key that is protected by a passphrase. Its public half is in clear.
#[derive(Clone)]
pub(super) struct LockedSshKey {
    recipient: Recipient,
    public: Vec<u8>,
    salt: Vec<u8>,
    rounds: u32,
    sealed: Vec<u8>,
}

/// Why a key is refused.
#[derive(Debug)]
pub(super) struct Why {
    what: &'static str,
    hint: &'static str,
}

impl Why {
    pub(super) fn problem(&self, place: &Place) -> Problem {
        Problem::failed(self.what).at(place).hint(self.hint)
    }
}

const DAMAGED: Why = Why {
    what: "this ssh private key is damaged",
    hint: "restore it from a copy; 'ssh-keygen -y -f FILE' checks whether a copy is complete",
};

const ANOTHER_CIPHER: Why = Why {
    what: "this ssh private key is protected by another cipher than aes256-ctr",
    hint: "set its passphrase again, which changes the cipher: ssh-keygen -p -f FILE",
};

const TOO_MUCH_WORK: Why = Why {
    what: "this ssh private key asks for more than 1,000 rounds of work to open",
    hint: "if it is your own, set its passphrase again with fewer: ssh-keygen -p -a 100 -f FILE",
};

const HARDWARE: Why = Why {
    what: "an ssh key on hardware (sk-…) cannot be an identity: it signs and cannot decrypt",
    hint: "use an ssh-ed25519 key, which 'ssh-keygen -t ed25519' makes, or 'pillarbox identity new'",
};

const ANOTHER_KIND: Why = Why {
    what: "of ssh keys only ssh-ed25519 is supported as an identity",
    hint: "make one with 'ssh-keygen -t ed25519', or an age key with 'pillarbox identity new'",
};

/// Reads the text between the first and the last line of a key's file.
pub(super) fn read(base64: &str) -> Result<OpenSsh, Why> {
    let bytes = decode(base64).ok_or(DAMAGED)?;
    let mut reader = WireReader(bytes.strip_prefix(MAGIC).ok_or(DAMAGED)?);
    let outer = (|| {
        let (cipher, kdf, options) = (reader.text()?, reader.text()?, reader.text()?);
        // One key in a file, as OpenSSH has it.
        (reader.number()? == 1).then_some(())?;
        let (public, sealed) = (reader.text()?, reader.text()?);
        reader.0.is_empty().then_some((cipher, kdf, options, public, sealed))
    })();
    // An AEAD's tag follows the end.
    let Some((cipher, kdf, options, public, sealed)) = outer else {
        return Err(if bytes.windows(6).any(|part| part == b"bcrypt") { ANOTHER_CIPHER } else { DAMAGED });
    };
    let recipient = match WireReader(public).text() {
        Some(b"ssh-ed25519") => Recipient::of_ssh(public).ok_or(DAMAGED)?,
        Some(kind) if kind.starts_with(b"sk-") => return Err(HARDWARE),
        Some(_) => return Err(ANOTHER_KIND),
        None => return Err(DAMAGED),
    };
    if (cipher, kdf) == (b"none", b"none") {
        return open(recipient, public, sealed).map(OpenSsh::Open).ok_or(DAMAGED);
    }
    if (cipher, kdf) != (CIPHER, b"bcrypt") {
        return Err(ANOTHER_CIPHER);
    }
    let mut options = WireReader(options);
    let (salt, rounds) = options.text().zip(options.number()).ok_or(DAMAGED)?;
    match rounds {
        0 => Err(DAMAGED),
        1..=ROUNDS => Ok(OpenSsh::Locked(LockedSshKey {
            recipient,
            public: public.to_vec(),
            salt: salt.to_vec(),
            rounds,
            sealed: sealed.to_vec(),
        })),
        _ => Err(TOO_MUCH_WORK),
    }
}

/// Whether text after [`BEGIN`] is a private key of any kind.
pub(super) fn is_private_key(after: &[u8]) -> bool {
    let Some(end) = after.windows(END.len()).position(|part| part == END.as_bytes()) else { return false };
    let text = std::str::from_utf8(&after[..end]).ok();
    text.and_then(decode).is_some_and(|bytes| bytes.starts_with(MAGIC))
}

impl LockedSshKey {
    /// The public half.
    pub(super) fn recipient(&self) -> &Recipient {
        &self.recipient
    }

    /// The opened key; `None` for a wrong passphrase.
    pub(super) fn open(&self, passphrase: &Secret) -> Option<SshKey> {
        let mut key = Zeroizing::new([0; 48]);
        bcrypt_pbkdf::bcrypt_pbkdf(passphrase.reveal(), &self.salt, self.rounds, key.as_mut()).ok()?;
        let mut plain = Zeroizing::new(self.sealed.clone());
        let mut cipher = ctr::Ctr128BE::<aes::Aes256>::new_from_slices(&key[..32], &key[32..]).ok()?;
        cipher.apply_keystream(&mut plain);
        open(self.recipient.clone(), &self.public, &plain)
    }
}

/// Makes a key of the private part of a file, which must be of this public half.
fn open(recipient: Recipient, public: &[u8], private: &[u8]) -> Option<SshKey> {
    let mut reader = WireReader(private);
    // Twice the same number: otherwise the passphrase is wrong.
    (reader.number()? == reader.number()?).then_some(())?;
    let same = reader.text()? == b"ssh-ed25519" && Some(reader.text()?) == public.get(19..);
    same.then_some(())?;
    let text = file_of(public, private);
    let key = age::ssh::Identity::from_buffer(text.reveal(), None).ok()?;
    let opened = matches!(key, age::ssh::Identity::Unencrypted(_));
    opened.then_some(SshKey { key, recipient, text })
}

/// A file without a passphrase.
fn file_of(public: &[u8], private: &[u8]) -> Secret {
    // Of its full size from the start: growing would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAGIC.len() + 64 + public.len() + private.len()));
    bytes.extend_from_slice(MAGIC);
    for word in [b"none".as_slice(), b"none", b""] {
        text_of(&mut bytes, word);
    }
    bytes.extend_from_slice(&1_u32.to_be_bytes());
    text_of(&mut bytes, public);
    text_of(&mut bytes, private);
    let base64 = Zeroizing::new(STANDARD.encode(&*bytes));
    let mut text = Vec::with_capacity(base64.len() + base64.len() / 70 + BEGIN.len() + END.len() + 4);
    for line in [BEGIN.as_bytes()].into_iter().chain(base64.as_bytes().chunks(70)).chain([END.as_bytes()]) {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    Secret::new(text)
}

fn decode(base64: &str) -> Option<Zeroizing<Vec<u8>>> {
    let joined: Zeroizing<Vec<u8>> =
        Zeroizing::new(base64.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect());
    let mut bytes = Zeroizing::new(vec![0; joined.len() / 4 * 3 + 3]);
    let length = STANDARD.decode_slice(&*joined, &mut bytes).ok()?;
    bytes.truncate(length);
    Some(bytes)
}

#[cfg(test)]
mod tests;
