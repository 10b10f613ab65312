//! Identity files: age's own, keys of OpenSSH, and both of them protected by a passphrase.

use super::identity::PREFIX;
use super::openssh::{self, OpenSsh};
use super::protected::{self, Locked};
use super::{Identities, Identity};
use crate::problem::{Code, Place, Problem, Problems, Result};
use crate::secret::Secret;

/// What an identity file holds.
#[derive(Debug)]
pub enum IdentityFile {
    /// Private keys.
    Open(Identities),
    /// Private keys behind a passphrase.
    Locked(Locked),
}

impl IdentityFile {
    /// Reads one: `AGE-SECRET-KEY-1…` lines, ssh-ed25519 keys as OpenSSH writes them, `#` comments
    /// and blank lines; or an age file with such a text that is protected by a passphrase, binary or
    /// armoured; or one ssh key that is. `source` is a path or the name of a variable, for errors.
    ///
    /// # Errors
    /// If anything else is in it, or no key. Errors name the line, never what it says.
    pub fn read(text: &Secret, source: &str) -> Result<Self> {
        if protected::is_age(text.reveal()) {
            return Locked::read_age(text.reveal(), source).map(Self::Locked);
        }
        let Some(lines) = text.reveal_text() else {
            return Err(refused(source, 0, "this is not an identity file").into());
        };
        read_lines(lines, source)
    }

    /// As [`Self::read`], of a text that must not be protected.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(super) fn read_open(text: &Secret, source: &str) -> Result<Identities> {
        match Self::read(text, source)? {
            Self::Open(keys) => Ok(keys),
            Self::Locked(_) => {
                Err(refused(source, 0, "this identity file is protected by a second passphrase").into())
            }
        }
    }
}

fn read_lines(text: &str, source: &str) -> Result<IdentityFile> {
    let (mut keys, mut locked, mut problems) = (Identities::default(), None, Vec::new());
    let mut rest = text;
    let mut number = 0;
    while !rest.is_empty() {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        number += 1;
        let line = line.trim();
        if line == openssh::BEGIN {
            let (key, lines) = match after.find(openssh::END) {
                Some(end) => (&after[..end], after[..end].lines().count()),
                None => ("", 0),
            };
            match openssh::read(key) {
                Ok(OpenSsh::Open(key)) => keys.extend(key.into()),
                Ok(OpenSsh::Locked(key)) => locked = Some(Locked::of_ssh(key, source)),
                Err(why) => problems.push(why.problem(&Place::new(source, number))),
            }
            number += u32::try_from(lines).unwrap_or_default();
            rest = &after[key.len()..];
            // The line with the end.
            if !key.is_empty() {
                number += 1;
                rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
            }
            continue;
        }
        rest = after;
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match Identity::parse_line(line) {
            Some(key) => keys.extend(key.into()),
            None => problems.push(refused(source, number, why_not(line))),
        }
    }
    Problems::check(problems)?;
    match locked {
        Some(_) if !keys.is_empty() => {
            Err(Problem::failed("an ssh key that is protected by a passphrase is in a file with other keys")
                .at(&Place::new(source, 0))
                .hint("give it a file of its own")
                .into())
        }
        Some(locked) => Ok(IdentityFile::Locked(locked)),
        None if keys.is_empty() => {
            let mut none = refused(source, 0, "this identity file contains no private key");
            none.code = Code::NoIdentity;
            Err(none.into())
        }
        None => Ok(IdentityFile::Open(keys)),
    }
}

fn refused(source: &str, line: u32, what: &str) -> Problem {
    Problem::failed(what).at(&Place::new(source, line)).hint(
        "an identity file holds `AGE-SECRET-KEY-1…` lines and `#` comments, or an ssh-ed25519 private key: 'pillarbox identity new' makes one",
    )
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
        "of ssh and PEM keys only ssh-ed25519 in OpenSSH's own format is supported, as 'ssh-keygen -t ed25519' makes it"
    } else if line.starts_with("ssh-") {
        "this is a public key, and a private key is needed; ssh-agent cannot help, it signs and does not decrypt, so the private key's file is needed"
    } else if line.starts_with("age1") {
        "this is a public key, and a private key is needed"
    } else {
        "this line is not a private key"
    }
}

/// Whether a real private key begins in a line of a file, as opposed to text that only mentions one.
/// The argument is the line and everything after it: an ssh key has several lines.
pub fn holds_private_key(line_and_rest: &[u8]) -> bool {
    let end = line_and_rest.iter().position(|byte| *byte == b'\n').unwrap_or(line_and_rest.len());
    let line = &line_and_rest[..end];
    let starts = line.windows(PREFIX.len()).enumerate().filter(|(_, part)| *part == PREFIX.as_bytes());
    let native = starts.map(|(at, _)| at).any(|at| {
        let key: Vec<u8> =
            line[at..].iter().copied().take_while(|b| b.is_ascii_alphanumeric() || *b == b'-').collect();
        Secret::new(key).reveal_text().is_some_and(|key| Identity::parse_line(key).is_some())
    });
    native || line.trim_ascii() == openssh::BEGIN.as_bytes() && openssh::is_private_key(&line_and_rest[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Identities> {
        IdentityFile::read_open(&Secret::from(text.to_owned()), "identity.txt")
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
        assert_eq!(parse("").expect_err("empty").code(), Code::NoIdentity);
        for (text, said) in [
            ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL alice", "ssh-agent"),
            ("age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa", "a public key"),
            ("-----BEGIN RSA PRIVATE KEY-----", "only ssh-ed25519"),
            ("-----BEGIN PRIVATE KEY-----", "only ssh-ed25519"),
        ] {
            assert!(parse(text).expect_err(text).to_string().contains(said), "{text}");
        }
    }

    #[test]
    fn nothing_prints_a_private_key() {
        let key = Identity::generate();
        let line = key.line();
        let shown = format!("{key:?} {:?} {:?}", Identities::from(key.clone()), key.file_text());
        assert!(!shown.contains(line.reveal_text().expect("text")) && !shown.contains(PREFIX));
    }

    #[test]
    fn a_real_private_key_is_told_from_one_that_is_talked_about() {
        let text = Identity::generate().file_text();
        let key = text.reveal_text().expect("text").lines().nth(1).expect("a key").to_owned();
        assert!(holds_private_key(key.as_bytes()));
        assert!(holds_private_key(format!("export K=\"{key}\"\r\nmore").as_bytes()));
        assert!(!holds_private_key(format!("no key here\n{key}").as_bytes()));
        assert!(!holds_private_key(b"AGE-SECRET-KEY-1QQQQ"));
        assert!(!holds_private_key(&key.as_bytes()[..key.len() - 1]));
        assert!(!holds_private_key(b"AGE-SECRET-KEY-1"));
    }
}
