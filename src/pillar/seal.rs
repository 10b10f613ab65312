//! Sealed values: one secret, sealed to the slot of a box and bound to its place.
//!
//! Sealing needs only the public slot. Opening compares the place and id inside with those outside
//! before anything else is done with the secret, so a value that was copied, swapped or renamed
//! opens only where it was posted.

mod plain;
#[cfg(test)]
mod refused;

use crate::keys::{Envelope, Recipient};
use crate::pillar::boxes::BoxKeys;
use crate::pillar::{Origin, SealId, Sealed};
use crate::problem::{Code, Problem, Result, escaped};
use crate::secret::Secret;
use plain::Header;

/// Longest header of an age file with one recipient and a grease stanza, and the header of the
/// plaintext with its place, in bytes; generous.
const OVERHEAD: usize = 1 << 20;

/// Whether a secret is text or arbitrary bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text: a password, a token.
    Text,
    /// Any bytes: a key file.
    Data,
}

impl Kind {
    /// [`Kind::Text`] if the bytes are UTF-8.
    pub fn of(secret: &Secret) -> Self {
        if secret.reveal_text().is_some() { Self::Text } else { Self::Data }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Data => "data",
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        [Self::Text, Self::Data].into_iter().find(|kind| kind.word() == word)
    }
}

/// An opened value.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The secret.
    pub secret: Secret,
    /// Whether it is text.
    pub kind: Kind,
    /// The retired slot that it was sealed to, if it was not the current one: a removed reader of
    /// the box can read it, and `reader rekey` seals it again.
    pub retired: Option<Recipient>,
}

/// A new id, for a secret that is new or changed.
///
/// # Errors
/// If the operating system has no randomness.
pub fn new_id() -> Result<SealId> {
    let mut bits = [0; 8];
    getrandom::fill(&mut bits).map_err(|error| {
        Problem::failed("the operating system gives no random bytes").cause(error.to_string())
    })?;
    Ok(SealId::from_bits(bits))
}

/// Seals a secret for a place. `slot` is the public key of the box that governs the place.
///
/// # Errors
/// If a secret of kind text is not UTF-8, or a secret has 100 MB or more.
pub fn seal(secret: &Secret, kind: Kind, origin: &Origin, id: SealId, slot: &Recipient) -> Result<Sealed> {
    if kind == Kind::Text && secret.reveal_text().is_none() {
        return Err(Problem::failed(format!("the secret for {} is not UTF-8 text", shown(origin))).into());
    }
    if secret.len() > plain::MAX_LEN {
        return Err(Problem::failed(format!(
            "the secret for {} is longer than 99,999,999 bytes",
            shown(origin)
        ))
        .into());
    }
    let header = Header { origin: origin.clone(), id: id.clone(), kind, len: secret.len() };
    let sealed = Envelope::seal(&header.with(secret.reveal()), std::iter::once(slot))
        .map_err(|why| Problem::failed(format!("{} cannot be sealed: {why}", shown(origin))))?;
    Ok(Sealed { sealed, id, origin: origin.clone() })
}

/// Opens a value with the keys of the box that governs its place. Costs one X25519 agreement if it
/// was sealed to the current slot; may be called from several threads with the same keys.
///
/// # Errors
/// [`Code::Seal`] if it was not sealed for this box, this place and this id, or was changed.
pub fn open(sealed: &Sealed, keys: &BoxKeys) -> Result<Opened> {
    let at = shown(&sealed.origin);
    let envelope = envelope(sealed)?;
    for (age, key) in keys.newest_first().enumerate() {
        let Some(plain) = envelope.open(key).map_err(|why| broken(&at, why))? else { continue };
        let (header, secret) =
            Header::read(&plain).ok_or_else(|| broken(&at, "its header is not one that pillarbox writes"))?;
        if header.origin != sealed.origin {
            return Err(moved(&at, &header.origin).into());
        }
        if header.id != sealed.id {
            return Err(Problem::new(
                Code::Seal,
                format!("the id of {at} was changed or belongs to another value"),
            )
            .cause(format!("it was sealed with the id {}, and the file says {}", header.id, sealed.id))
            .hint("restore the value from git, or post the secret again with 'pillarbox seal'")
            .into());
        }
        if header.kind == Kind::Text && std::str::from_utf8(secret).is_err() {
            return Err(broken(&at, "its header says text, and it is not text").into());
        }
        return Ok(Opened {
            secret: Secret::new(secret.to_vec()),
            kind: header.kind,
            retired: (age > 0).then(|| key.recipient().clone()),
        });
    }
    Err(Problem::new(Code::Seal, format!("{at} was not sealed for this box's slot"))
        .cause("it was copied from another box, posted to a slot that this box never had, or damaged")
        .hint("restore the value from git, or post the secret again with 'pillarbox seal'")
        .into())
}

/// The same secret sealed to another slot, with its place and id: what a rekey does to every value.
///
/// # Errors
/// As [`open`].
pub fn reseal(sealed: &Sealed, keys: &BoxKeys, slot: &Recipient) -> Result<Sealed> {
    move_to(sealed, keys, &sealed.origin, slot)
}

/// The same secret sealed for another place, with its id; `slot` is that of the box there.
///
/// # Errors
/// As [`open`].
pub fn move_to(sealed: &Sealed, keys: &BoxKeys, origin: &Origin, slot: &Recipient) -> Result<Sealed> {
    let opened = open(sealed, keys)?;
    seal(&opened.secret, opened.kind, origin, sealed.id.clone(), slot)
}

/// The place that a value was sealed for, if these keys open it: finds the box from which a value that does
/// not open in its place was copied.
pub fn place_inside(sealed: &Sealed, keys: &BoxKeys) -> Option<Origin> {
    let envelope = envelope(sealed).ok()?;
    let plain = keys.newest_first().find_map(|key| envelope.open(key).ok().flatten())?;
    Some(Header::read(&plain)?.0.origin)
}

/// What can be checked without a key: base64 on one line, an age file sealed to one X25519 key,
/// and a length that a value at this place can have.
///
/// # Errors
/// [`Code::Seal`] if a check fails.
pub fn check_shape(sealed: &Sealed) -> Result<()> {
    let length = envelope(sealed)?.plain_len();
    if plain::is_length_of(length, &sealed.origin, &sealed.id) {
        return Ok(());
    }
    let why =
        "its length is not one that a value at this place can have: it was changed, or sealed for another";
    Err(broken(&shown(&sealed.origin), why).into())
}

fn envelope(sealed: &Sealed) -> Result<Envelope> {
    let at = shown(&sealed.origin);
    let envelope =
        Envelope::read(&sealed.sealed, plain::MAX_LEN + OVERHEAD).map_err(|why| broken(&at, why))?;
    match envelope.recipients() {
        1 if envelope.ssh_tags().is_empty() => Ok(envelope),
        1 => Err(broken(&at, "it is sealed to an ssh key, and a value is sealed only to its slot").into()),
        count => {
            Err(broken(&at, &format!("it is sealed to {count} keys, and a value is sealed only to its slot"))
                .into())
        }
    }
}

fn moved(at: &str, inside: &Origin) -> Problem {
    let inside = shown(inside);
    Problem::new(Code::Seal, format!("the sealed value at {at} was sealed for another place: {inside}"))
        .cause("a sealed value opens only where it was posted, so that it cannot be used elsewhere")
        .hint("to move it on purpose, put it back in its place and use 'pillarbox move'")
}

fn broken(at: &str, why: &str) -> Problem {
    Problem::new(Code::Seal, format!("the sealed value at {at} is not valid"))
        .cause(why)
        .hint("restore the value from git, or post the secret again with 'pillarbox seal'")
}

fn shown(origin: &Origin) -> String {
    escaped(&origin.to_string())
}
