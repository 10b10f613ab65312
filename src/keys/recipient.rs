//! A public key, as in `keys/NAME.pub` and as the slot of a box.

mod ssh;
mod x25519;

use crate::problem::{Place, Problem, Result, conflict};
use sha2::{Digest, Sha256};
use std::cmp::Ordering;
use std::fmt;

/// A public key, to which secrets can be sealed: X25519, `age1…` (age specification, "The X25519
/// recipient type"), or `ssh-ed25519 AAAA…` (RFC 8709). Two are equal if their texts are, which are
/// canonical: of an ssh key the two first words, without its comment.
#[derive(Clone)]
pub struct Recipient {
    text: String,
    key: Key,
}

#[derive(Clone)]
enum Key {
    X25519(age::x25519::Recipient),
    Ssh(Box<age::ssh::Recipient>, SshTag),
}

/// The first four bytes of the SHA-256 of an ssh key's bytes, by which a stanza of an age file names
/// the key that it is for.
pub(crate) type SshTag = [u8; 4];

impl Recipient {
    /// Reads `age1…`, or `ssh-ed25519 AAAA…` with or without a comment.
    ///
    /// # Errors
    /// If it is no such key. The text is not repeated: it may be a private key in the wrong place.
    pub fn parse(text: &str) -> Result<Self> {
        let kind = text.split_ascii_whitespace().next().unwrap_or_default();
        if text.to_ascii_uppercase().contains("AGE-SECRET-KEY-") || text.contains("-----BEGIN") {
            return refused(
                "this is a private key, and a public key is needed",
                "remove it, and use another key if it was visible to others; 'pillarbox identity public' prints the public half",
            );
        }
        if kind == ssh::KIND {
            return match ssh::parse(text) {
                Some((text, key, tag)) => Ok(Self { text, key: Key::Ssh(Box::new(key), tag) }),
                None => refused(
                    "this is not an ssh-ed25519 public key",
                    "it is `ssh-ed25519`, 68 letters and digits, and perhaps a comment, on one line, as in ~/.ssh/id_ed25519.pub",
                ),
            };
        }
        if let Some((what, hint)) = ssh::why_not(kind) {
            return refused(what, hint);
        }
        if let Some(name) = plugin(kind) {
            return refused(
                &match name {
                    "pq" | "tagpq" => {
                        format!("post-quantum keys (`age1{name}1…`) are not supported as readers")
                    }
                    name => format!(
                        "keys of age plugins (`age1{name}1…`, age-plugin-{name}) are not supported as readers"
                    ),
                },
                "use an X25519 key, `age1` and 58 letters and digits, which 'pillarbox identity new' makes (with --passphrase it \
                 is protected), or an ssh-ed25519 key",
            );
        }
        match x25519::parse(text) {
            Some(key) => Ok(Self { text: text.to_owned(), key: Key::X25519(key) }),
            None => refused(
                "this is not a public key",
                "a public key is `age1` and 58 lower-case letters and digits, of which a mistyped one fails its checksum, or a line of `ssh-ed25519`",
            ),
        }
    }

    /// Reads the slot of a box: only `age1…`.
    ///
    /// # Errors
    /// As [`Self::parse`], and if it is a key of another kind.
    pub fn parse_slot(text: &str) -> Result<Self> {
        match Self::parse(text)? {
            Self { key: Key::Ssh(..), .. } => refused(
                "an ssh key cannot be the slot of a box",
                "a slot is `age1` and 58 letters and digits, as 'pillarbox box list' shows it",
            ),
            slot => Ok(slot),
        }
    }

    /// Reads a `keys/NAME.pub` file: one key on a line of its own; blank lines and `#` comments may
    /// stand around it. `file` is its path, for errors.
    ///
    /// # Errors
    /// If there is no key, more than one, or one that [`Recipient::parse`] refuses.
    pub fn parse_file(text: &str, file: &str) -> Result<Self> {
        conflict::check(file, text)?;
        let mut found: Option<Self> = None;
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let place = Place::new(file, number);
            if found.is_some() {
                return Err(Problem::failed("the file of one reader contains a second key")
                    .at(&place)
                    .hint("give each key a file and name of its own, such as 'keys/alice-laptop.pub'")
                    .into());
            }
            found = Some(Self::parse(line).map_err(|problems| problems.map(|problem| problem.at(&place)))?);
        }
        found.ok_or_else(|| {
            Problem::failed("this file contains no public key")
                .at(&Place::new(file, 0))
                .hint("write the reader's `age1…` or `ssh-ed25519 …` key into it, as 'pillarbox identity public' prints it")
                .into()
        })
    }

    /// The whole key: `age1…`, or `ssh-ed25519 AAAA…` without a comment.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// 80 bits of a hash of the key, short enough to compare: `1f0c-77ab-90de-3c55-0d1e`.
    pub fn fingerprint(&self) -> String {
        fingerprint_of("pillarbox-key/1", [self.as_str()])
    }

    /// Of a private key, whose public half needs no checks.
    pub(super) fn of(key: &age::x25519::Identity) -> Self {
        let key = key.to_public();
        Self { text: key.to_string(), key: Key::X25519(key) }
    }

    /// Of the bytes of an ssh public key (RFC 4253, section 6.6); `None` if it is no sound
    /// ssh-ed25519 key.
    pub(super) fn of_ssh(bytes: &[u8]) -> Option<Self> {
        let (text, key, tag) = ssh::parse(&ssh::written(bytes))?;
        Some(Self { text, key: Key::Ssh(Box::new(key), tag) })
    }

    /// The tag of an ssh key in an age file; `None` for an X25519 key, which has none.
    pub(crate) fn ssh_tag(&self) -> Option<SshTag> {
        match &self.key {
            Key::X25519(_) => None,
            Key::Ssh(_, tag) => Some(*tag),
        }
    }

    pub(super) fn age(&self) -> &dyn age::Recipient {
        match &self.key {
            Key::X25519(key) => key,
            Key::Ssh(key, _) => key.as_ref(),
        }
    }
}

/// The name in a key of another kind, `age1NAME1…` (age plugin specification, "Recipients"): bech32 has its
/// separator at the last `1`.
fn plugin(kind: &str) -> Option<&str> {
    let (name, data) = kind.strip_prefix("age1")?.rsplit_once('1')?;
    let fine = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    (name.len() <= 32 && fine(name) && fine(data)).then_some(name)
}

fn refused<T>(what: &str, hint: &str) -> Result<T> {
    Err(Problem::failed(what).hint(hint).into())
}

/// 80 bits of the SHA-256 of a title and lines, in five groups of four hexadecimal digits.
pub fn fingerprint_of<'a>(title: &'a str, lines: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for line in std::iter::once(title).chain(lines) {
        hash.update(line);
        hash.update("\n");
    }
    let groups: Vec<String> =
        hash.finalize()[..10].chunks(2).map(|pair| format!("{:02x}{:02x}", pair[0], pair[1])).collect();
    groups.join("-")
}

impl PartialEq for Recipient {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Recipient {}

impl PartialOrd for Recipient {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Recipient {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Identity;

    #[test]
    fn other_kinds_of_keys_are_refused_with_a_way_on() {
        let own = Identity::generate().recipient().to_string();
        for (text, said) in [
            ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL alice", "not an ssh-ed25519 public key"),
            ("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAA alice", "RSA"),
            ("ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAA alice", "other kinds"),
            ("sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t a", "hardware"),
            ("ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAx a", "certificates"),
            ("age1yubikey1q2w7u3vpya839jxxuq8g0sedh3d740d4xvn639sqhr95ejj8vu3hyfumptt", "age-plugin-yubikey"),
            ("age1se1qfn44rsw0xvmez3pky46nghmnd5up0jpj97nd39zptlh83a0nja6skde3ak", "age-plugin-se"),
            ("age1pq1qqqqqqqq", "post-quantum"),
            ("age1tagpq1qqqqqqqq", "post-quantum"),
            ("AGE-SECRET-KEY-1QQQQ", "private key"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----", "private key"),
            (&own.to_ascii_uppercase(), "not a public key"),
            (&format!("{own} alice"), "not a public key"),
            (&own[..own.len() - 1], "not a public key"),
            ("", "not a public key"),
        ] {
            let problems = Recipient::parse(text).expect_err(text);
            let problem = problems.iter().next().expect("one");
            assert!(problem.what.contains(said), "{text}: {}", problem.what);
            assert!(!problem.hints.is_empty());
            assert!(text.is_empty() || !format!("{problem:?}").contains(text));
        }
    }

    #[test]
    fn a_public_key_file_holds_one_key_and_comments() {
        let key = Identity::generate().recipient().clone();
        let read = Recipient::parse_file(&format!("# Alice's laptop\n\n {key}\r\n# end\n"), "keys/alice.pub");
        assert_eq!(read.expect("a key"), key);
        let two = Recipient::parse_file(&format!("{key}\n{key}\n"), "keys/alice.pub").expect_err("two keys");
        assert_eq!(two.to_string(), "keys/alice.pub:2: the file of one reader contains a second key");
        assert!(Recipient::parse_file("# nothing\n", "keys/alice.pub").is_err());
    }
}
