//! Private keys: read from age identity files, kept in memory that is wiped, shown to nobody.

use super::Recipient;
use crate::problem::{Code, Place, Problem, Problems, Result};
use crate::secret::Secret;
use age::secrecy::ExposeSecret;
use std::fmt;

/// What every native private key begins with (age specification, "Native identity files").
const PREFIX: &str = "AGE-SECRET-KEY-1";

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

    pub(super) fn age(&self) -> &age::x25519::Identity {
        &self.key
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "private key of {}", self.recipient)
    }
}

/// The private keys at hand, in the order in which they are tried.
#[derive(Clone, Debug, Default)]
pub struct Identities(Vec<Identity>);

impl Identities {
    /// Reads an age identity file: one native key a line, `#` comments and blank lines. `source` is
    /// a path or the name of a variable, for errors.
    ///
    /// # Errors
    /// Where a line is anything else, or no key is there. Errors name the line, never what it says.
    pub fn parse(text: &Secret, source: &str) -> Result<Self> {
        let refused = |line: u32, what: &str| {
            Problem::failed(what)
                .at(&Place::new(source, line))
                .hint("an identity file holds `AGE-SECRET-KEY-1…` lines and `#` comments: 'pillarbox identity new' makes one")
        };
        if text.reveal().starts_with(b"age-encryption.org/")
            || text.reveal().starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----")
        {
            return Err(refused(
                0,
                "this identity file is protected by a passphrase, which is not supported",
            )
            .hint(format!("unlock it for one command: 'age -d {source} | pillarbox --identity - …'"))
            .into());
        }
        let Some(lines) = text.reveal_text() else {
            return Err(refused(0, "this is not an identity file").into());
        };
        let (mut keys, mut problems) = (Vec::new(), Vec::new());
        for (number, line) in (1..).zip(lines.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match Identity::parse_line(line) {
                Some(key) => keys.push(key),
                None => problems.push(refused(number, why_not(line))),
            }
        }
        Problems::check(problems)?;
        if keys.is_empty() {
            let mut none = refused(0, "no private key stands in this identity file");
            none.code = Code::NoIdentity;
            return Err(none.into());
        }
        Ok(Self(keys))
    }

    /// The keys.
    pub fn iter(&self) -> impl Iterator<Item = &Identity> {
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
}

impl From<Identity> for Identities {
    fn from(key: Identity) -> Self {
        Self(vec![key])
    }
}

/// What is wrong with a line, without repeating any of it.
fn why_not(line: &str) -> &'static str {
    if line.starts_with(PREFIX) {
        "this private key is damaged: it fails its checksum"
    } else if line.starts_with("AGE-PLUGIN-") {
        "identities of age plugins are not supported"
    } else if line.starts_with("AGE-SECRET-KEY-PQ-") {
        "post-quantum identities are not supported"
    } else if line.starts_with("-----BEGIN") {
        "ssh and PEM keys are not supported as identities"
    } else if line.starts_with("age1") {
        "a public key stands where a private key belongs"
    } else {
        "this line is no private key"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Identities> {
        Identities::parse(&Secret::from(text.to_owned()), "identity.txt")
    }

    #[test]
    fn a_new_identity_file_reads_back_and_names_its_public_key() {
        let key = Identity::generate();
        let text = key.file_text();
        let text = text.reveal_text().expect("text");
        assert_eq!(text.lines().next(), Some(format!("# public key: {}", key.recipient()).as_str()));
        let read = parse(text).expect("an identity file");
        assert!(read.hold(key.recipient()));
        assert_eq!(read.iter().count(), 1);
    }

    #[test]
    fn errors_name_the_line_and_never_what_it_says() {
        let mut damaged = Identity::generate().line().reveal_text().expect("text").to_owned();
        damaged.pop();
        let plugin = "AGE-PLUGIN-YUBIKEY-1QQQQQQ";
        let text = format!("# mine\n{damaged}\n\n{plugin}\n{}\n", damaged.to_ascii_lowercase());
        let problems = parse(&text).expect_err("three bad lines");
        let shown = format!("{problems:?}\n{problems}").to_ascii_uppercase();
        assert!(!shown.contains(&damaged[PREFIX.len()..]) && !shown.contains(plugin));
        let lines: Vec<u32> = problems.iter().filter_map(|p| p.place.as_ref()).map(|p| p.line).collect();
        assert_eq!(lines, [2, 4, 5]);
    }

    #[test]
    fn a_file_without_a_key_is_no_identity() {
        assert_eq!(parse("# nothing\n").expect_err("empty").code(), Code::NoIdentity);
        assert!(
            parse("age-encryption.org/v1\n-> scrypt").expect_err("locked").to_string().contains("passphrase")
        );
    }

    #[test]
    fn nothing_prints_a_private_key() {
        let key = Identity::generate();
        let line = key.line();
        let shown = format!("{key:?} {:?} {:?}", Identities::from(key.clone()), key.file_text());
        assert!(!shown.contains(line.reveal_text().expect("text")) && !shown.contains(PREFIX));
    }
}
