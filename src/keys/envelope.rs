//! A binary age file, base64 on one line: what a sealed value and the lock of a box are made of.
//!
//! The header is also read here, without a key, for what the `age` crate does not report: how many keys a file
//! is sealed to, and how long its plaintext is. Format: <https://c2sp.org/age>.

use super::Recipient;
use super::identities::Opens;
use super::recipient::SshTag;
use age::DecryptError;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use std::io::{Read, Write};
use zeroize::Zeroizing;

const NONCE: usize = 16;
const TAG: usize = 16;
const CHUNK: usize = 64 * 1024;

/// An age file whose header has been read.
pub(crate) struct Envelope {
    bytes: Vec<u8>,
    stanzas: Stanzas,
    plain_len: usize,
}

/// The recipients of an age file, as far as it reveals them without a key.
#[derive(Default)]
struct Stanzas {
    x25519: usize,
    ssh: Vec<SshTag>,
}

/// Why a text is no envelope, or cannot be opened: the end of a sentence "… cannot be opened: ".
pub(crate) type Reason = &'static str;

impl Envelope {
    /// Seals bytes to keys; base64 on one line.
    pub(crate) fn seal<'a>(plain: &[u8], to: impl Iterator<Item = &'a Recipient>) -> Result<String, Reason> {
        let failed = |_| "age could not write it";
        let to = to.map(Recipient::age);
        let encryptor = age::Encryptor::with_recipients(to).map_err(|_| "it has no readers")?;
        let mut bytes = Vec::with_capacity(plain.len() + 512);
        let mut writer = encryptor.wrap_output(&mut bytes).map_err(failed)?;
        writer.write_all(plain).map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(STANDARD.encode(bytes))
    }

    /// Reads base64 and header of a file of at most `max` bytes.
    pub(crate) fn read(text: &str, max: usize) -> Result<Self, Reason> {
        if text.len() / 4 * 3 > max.saturating_add(2) {
            return Err("it is too long");
        }
        let bytes = STANDARD.decode(text).map_err(|_| "it is not base64 on one line")?;
        let (stanzas, payload) = read_header(&bytes)?;
        let sealed = (bytes.len() - payload).checked_sub(NONCE).ok_or("it is cut short")?;
        // Every chunk of plaintext, the last one too, is followed by its tag.
        let chunks = sealed.div_ceil(CHUNK + TAG).max(1);
        let plain_len = sealed.checked_sub(chunks * TAG).ok_or("it is cut short")?;
        Ok(Self { bytes, stanzas, plain_len })
    }

    /// The number of keys it is sealed to.
    pub(crate) fn recipients(&self) -> usize {
        self.stanzas.x25519 + self.stanzas.ssh.len()
    }

    /// What names the ssh keys among them, in the order of the file.
    pub(crate) fn ssh_tags(&self) -> &[SshTag] {
        &self.stanzas.ssh
    }

    /// Whether this key may open it: for certain, an ssh key that it does not name cannot.
    pub(crate) fn may_be_for(&self, key: &Recipient) -> bool {
        match key.ssh_tag() {
            Some(tag) => self.stanzas.ssh.contains(&tag),
            None => self.stanzas.x25519 > 0,
        }
    }

    /// Length of the plaintext in bytes, as the length of the file tells it.
    pub(crate) fn plain_len(&self) -> usize {
        self.plain_len
    }

    /// Opens it; `None` if it is not sealed to this key.
    pub(crate) fn open(&self, key: &impl Opens) -> Result<Option<Zeroizing<Vec<u8>>>, Reason> {
        let decryptor = age::Decryptor::new_buffered(&self.bytes[..]).map_err(|error| reason(&error))?;
        let mut reader = match decryptor.decrypt(std::iter::once(key.age())) {
            Ok(reader) => reader,
            Err(DecryptError::NoMatchingKeys) => return Ok(None),
            Err(error) => return Err(reason(&error)),
        };
        // Of its final length from the start: growing would leave copies behind.
        let mut plain = Zeroizing::new(vec![0; self.plain_len]);
        reader.read_exact(&mut plain).map_err(|_| TAMPERED)?;
        match reader.read(&mut [0]) {
            Ok(0) => Ok(Some(plain)),
            _ => Err(TAMPERED),
        }
    }
}

const TAMPERED: Reason = "it was changed after it was sealed";

fn reason(error: &DecryptError) -> Reason {
    match error {
        DecryptError::InvalidHeader | DecryptError::UnknownFormat => NO_AGE,
        _ => TAMPERED,
    }
}

const NO_AGE: Reason = "it is not an age file";

/// The stanzas, and where the payload begins.
fn read_header(bytes: &[u8]) -> Result<(Stanzas, usize), Reason> {
    let mut at = 0;
    let mut next = || {
        let rest = &bytes[at..];
        let end = rest.iter().position(|byte| *byte == b'\n').ok_or(NO_AGE)?;
        at += end + 1;
        Ok::<_, Reason>((&rest[..end], at))
    };
    let base64 = |line: &[u8]| line.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'));
    if next()?.0 != b"age-encryption.org/v1" {
        return Err(NO_AGE);
    }
    let mut stanzas = Stanzas::default();
    loop {
        let (line, end) = next()?;
        if let Some(mac) = line.strip_prefix(b"--- ") {
            return if mac.len() == 43 && base64(mac) { Ok((stanzas, end)) } else { Err(NO_AGE) };
        }
        let words: Vec<&[u8]> = line.strip_prefix(b"-> ").ok_or(NO_AGE)?.split(|b| *b == b' ').collect();
        if words.iter().any(|word| word.is_empty() || word.iter().any(|b| !(33..=126).contains(b))) {
            return Err(NO_AGE);
        }
        // A body ends with a line shorter than 64, which may be empty.
        let mut body = 0;
        loop {
            let (line, _) = next()?;
            if line.len() > 64 || !base64(line) {
                return Err(NO_AGE);
            }
            body += line.len();
            if line.len() < 64 {
                break;
            }
        }
        match words[..] {
            [b"X25519", share] if share.len() == 43 && body == 43 => stanzas.x25519 += 1,
            [b"ssh-ed25519", tag, share] if share.len() == 43 && body == 43 => {
                let tag = STANDARD_NO_PAD.decode(tag).ok().and_then(|tag| tag.try_into().ok());
                stanzas.ssh.push(tag.ok_or(NO_AGE)?);
            }
            // `age` adds random stanzas ("grease"), so that implementations must skip unknown ones.
            [tag, ..] if tag.ends_with(b"-grease") => {}
            _ => return Err("it is sealed to a key of another kind than X25519 and ssh-ed25519"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Identity;

    #[test]
    fn keys_and_length_are_known_without_a_key() {
        let keys: Vec<Identity> = (0..3).map(|_| Identity::generate()).collect();
        for len in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1] {
            let plain = vec![7; len];
            let text = Envelope::seal(&plain, keys.iter().map(Identity::recipient)).expect("sealed");
            let envelope = Envelope::read(&text, usize::MAX).expect("an envelope");
            assert_eq!((envelope.recipients(), envelope.plain_len()), (3, len));
            let opened = envelope.open(&keys[2]).expect("whole").expect("for this key");
            assert!(*opened == plain);
            assert!(envelope.open(&Identity::generate()).expect("whole").is_none());
        }
    }

    #[test]
    fn what_is_no_age_file_is_refused() {
        let text = Envelope::seal(b"x", [Identity::generate().recipient()].into_iter()).expect("sealed");
        let bytes = STANDARD.decode(&text).expect("base64");
        assert!(Envelope::read(&text, bytes.len()).is_ok());
        assert!(Envelope::read(&text, bytes.len() - 3).is_err());
        assert!(Envelope::read(&format!("{text}\n"), 9999).is_err());
        assert!(Envelope::read(text.trim_end_matches('='), 9999).is_err() || !text.ends_with('='));
        for length in 0..bytes.len() {
            let cut = Envelope::read(&STANDARD.encode(&bytes[..length]), 9999);
            assert!(cut.is_err() || length > bytes.len() - 17, "{length}");
        }
        let scrypt = b"age-encryption.org/v1\n-> scrypt AAAA 18\nAAAA\n--- ";
        assert!(Envelope::read(&STANDARD.encode(scrypt), 9999).is_err());
    }
}
