//! Identities behind a passphrase: age files sealed with scrypt, as `age -p` writes them, and ssh keys.

use super::openssh::LockedSshKey;
use super::{Identities, IdentityFile, Recipient};
use crate::problem::{Place, Problem, Result};
use crate::secret::Secret;
use age::DecryptError;
use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::secrecy::SecretString;
use std::fmt;
use std::io::{Read, Write};
use zeroize::Zeroizing;

/// The binary logarithm of scrypt's cost: 256 MiB and about a second. The `age` program's own.
const WORK: u8 = 18;

/// The highest cost that a file may ask for, 1 GiB: a hostile one asks for terabytes.
const MOST_WORK: u8 = 20;

const TITLE: &[u8] = b"age-encryption.org/v1\n";
const ARMOUR: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";

/// Private keys that need a passphrase.
#[derive(Clone)]
pub struct Locked {
    source: String,
    what: Encrypted,
}

#[derive(Clone)]
enum Encrypted {
    Age(Vec<u8>),
    Ssh(LockedSshKey),
}

/// The result of trying a passphrase.
#[derive(Debug)]
pub enum Passphrase {
    /// It opened the keys.
    Opens(Identities),
    /// It is wrong.
    Wrong,
}

/// Whether these are the bytes of an age file.
pub(super) fn is_age(bytes: &[u8]) -> bool {
    bytes.starts_with(b"age-encryption.org/") || bytes.trim_ascii_start().starts_with(ARMOUR)
}

impl Locked {
    /// Reads an age file, binary or armoured, as far as it goes without the passphrase.
    pub(super) fn read_age(bytes: &[u8], source: &str) -> Result<Self> {
        let refused =
            |what: &str, hint: &str| Err(Problem::failed(what).at(&Place::new(source, 0)).hint(hint).into());
        let mut binary = Vec::new();
        let whole = ArmoredReader::new(bytes).read_to_end(&mut binary).is_ok();
        let stanza = binary.strip_prefix(TITLE).filter(|_| whole).and_then(|rest| {
            let end = rest.iter().position(|byte| *byte == b'\n')?;
            std::str::from_utf8(&rest[..end]).ok()?.strip_prefix("-> ")
        });
        let Some(stanza) = stanza else {
            return refused("this identity file is damaged", "restore it from a copy");
        };
        match stanza.split(' ').collect::<Vec<_>>()[..] {
            ["scrypt", _, work] => match work.parse::<u8>() {
                Ok(work) if work <= MOST_WORK => {
                    Ok(Self { source: source.to_owned(), what: Encrypted::Age(binary) })
                }
                Ok(_) => refused(
                    "this identity file asks for more than 1 GiB of memory to open",
                    "if it is your own, protect it again with less: 'age -d' it, then 'age -p'",
                ),
                Err(_) => refused("this identity file is damaged", "restore it from a copy"),
            },
            _ => refused(
                "this is a file sealed to keys, and not an identity file",
                "open it first: 'age -d -i KEYFILE FILE'",
            ),
        }
    }

    pub(super) fn of_ssh(key: LockedSshKey, source: &str) -> Self {
        Self { source: source.to_owned(), what: Encrypted::Ssh(key) }
    }

    /// The public key, if it can be read without the passphrase: of ssh keys.
    pub fn recipient(&self) -> Option<&Recipient> {
        match &self.what {
            Encrypted::Age(_) => None,
            Encrypted::Ssh(key) => Some(key.recipient()),
        }
    }

    /// Tries a passphrase; takes about a second.
    ///
    /// # Errors
    /// If it is the right one and what it opens is damaged, or no identity file.
    pub fn open(&self, passphrase: &Secret) -> Result<Passphrase> {
        let file = match &self.what {
            Encrypted::Ssh(key) => {
                return Ok(match key.open(passphrase) {
                    Some(key) => Passphrase::Opens(key.into()),
                    None => Passphrase::Wrong,
                });
            }
            Encrypted::Age(file) => file,
        };
        let damaged = || Problem::failed("this identity file is damaged").at(&Place::new(&*self.source, 0));
        let Some(text) = passphrase.reveal_text() else { return Ok(Passphrase::Wrong) };
        let mut key = age::scrypt::Identity::new(SecretString::from(text.to_owned()));
        key.set_max_work_factor(MOST_WORK);
        let decryptor = age::Decryptor::new_buffered(&file[..]).map_err(|_| damaged())?;
        let mut reader = match decryptor.decrypt(std::iter::once(&key as &dyn age::Identity)) {
            Ok(reader) => reader,
            Err(DecryptError::DecryptionFailed) => return Ok(Passphrase::Wrong),
            Err(_) => return Err(damaged().into()),
        };
        // Longer than what comes out: growing would leave copies behind.
        let mut plain = Zeroizing::new(Vec::with_capacity(file.len()));
        reader.read_to_end(&mut plain).map_err(|_| damaged())?;
        let plain = Secret::new(std::mem::take(&mut *plain));
        IdentityFile::read_open(&plain, &self.source).map(Passphrase::Opens)
    }
}

impl fmt::Debug for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "protected identity {}", self.source)
    }
}

/// Protects the text of an identity file with a passphrase: an armoured age file, as `age -p -a` writes
/// it. Takes about a second.
///
/// # Errors
/// If the passphrase is not text.
pub fn protect(text: &Secret, passphrase: &Secret) -> Result<Vec<u8>> {
    protect_with(text, passphrase, WORK)
}

fn protect_with(text: &Secret, passphrase: &Secret, work: u8) -> Result<Vec<u8>> {
    let failed = |why: &str| Problem::failed("the private key cannot be protected").cause(why);
    let passphrase = passphrase.reveal_text().ok_or_else(|| failed("the passphrase is not text"))?;
    let mut to = age::scrypt::Recipient::new(SecretString::from(passphrase.to_owned()));
    to.set_work_factor(work);
    let seal = || -> std::io::Result<Vec<u8>> {
        let encryptor = age::Encryptor::with_recipients(std::iter::once(&to as &dyn age::Recipient))
            .map_err(std::io::Error::other)?;
        let armour = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
        let mut writer = encryptor.wrap_output(armour)?;
        writer.write_all(text.reveal())?;
        writer.finish()?.finish()
    };
    seal().map_err(|error| failed(&error.to_string()).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Identity;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    fn secret(text: &str) -> Secret {
        Secret::from(text.to_owned())
    }

    fn locked(bytes: &[u8]) -> Result<Locked> {
        match IdentityFile::read(&Secret::new(bytes.to_vec()), "identity.txt")? {
            IdentityFile::Locked(locked) => Ok(locked),
            IdentityFile::Open(_) => panic!("not protected"),
        }
    }

    fn binary(armoured: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        ArmoredReader::new(armoured).read_to_end(&mut bytes).expect("armour");
        bytes
    }

    #[test]
    fn the_passphrase_opens_binary_and_armoured_files_and_no_other_does() {
        let key = Identity::generate();
        let armoured = protect_with(&key.file_text(), &secret("right"), 2).expect("protected");
        assert!(armoured.starts_with(ARMOUR));
        for bytes in [binary(&armoured), armoured] {
            let locked = locked(&bytes).expect("an identity file");
            assert!(locked.recipient().is_none());
            let Passphrase::Opens(keys) = locked.open(&secret("right")).expect("whole") else { panic!() };
            assert!(keys.hold(key.recipient()));
            for wrong in ["wrong", ""] {
                assert!(matches!(locked.open(&secret(wrong)), Ok(Passphrase::Wrong)));
            }
            assert!(!format!("{locked:?}").contains("AGE-SECRET"));
        }
    }

    #[test]
    fn a_file_that_asks_for_too_much_work_is_refused_before_the_passphrase_is_asked_for() {
        for (work, said) in
            [("21", "1 GiB"), ("63", "1 GiB"), ("255", "1 GiB"), ("999", "damaged"), ("x", "damaged")]
        {
            let body = STANDARD.encode([0; 32]);
            let text = format!(
                "age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA {work}\n{}\n--- x\n",
                body.trim_end_matches('=')
            );
            assert!(locked(text.as_bytes()).expect_err(work).to_string().contains(said), "{work}");
        }
    }

    #[test]
    fn a_damaged_file_is_told_from_a_wrong_passphrase() {
        let key = Identity::generate();
        let bytes = binary(&protect_with(&key.file_text(), &secret("right"), 2).expect("protected"));
        for length in [22, 30, 90, bytes.len() - 1] {
            let cut = locked(&bytes[..length]).and_then(|locked| locked.open(&secret("right")));
            assert!(cut.expect_err("cut").to_string().contains("damaged"), "{length}");
        }
        let to_a_key = b"age-encryption.org/v1\n-> X25519 AAAA\nAAAA\n--- ";
        assert!(locked(to_a_key).expect_err("sealed to a key").to_string().contains("sealed to keys"));
        let nothing = protect_with(&secret("hello"), &secret("right"), 2).expect("protected");
        assert!(locked(&nothing).expect("locked").open(&secret("right")).is_err());
    }
}
