//! With keys that `ssh-keygen` makes.

use super::*;
use crate::keys::{Envelope, Identities, IdentityFile};

/// A key as `ssh-keygen` makes it with these options: the private half, and the public one.
fn made(passphrase: &str, options: &[&str]) -> (String, String) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("key");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-C", "alice@laptop", "-N", passphrase, "-f"])
        .arg(&path)
        .args(options)
        .output()
        .expect("ssh-keygen (package openssh-client)");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let read = |path: &std::path::Path| std::fs::read_to_string(path).expect("readable");
    (read(&path), read(&path.with_extension("pub")).trim().to_owned())
}

fn ed25519() -> (String, String) {
    made("", &["-t", "ed25519"])
}

fn protected() -> (String, String) {
    made("pass phrase", &["-t", "ed25519"])
}

/// The bytes between the first and the last line.
fn bytes(text: &str) -> Vec<u8> {
    let body: String = text.lines().filter(|line| !line.starts_with("---")).collect();
    STANDARD.decode(body).expect("base64")
}

fn text(bytes: &[u8]) -> String {
    format!("{BEGIN}\n{}\n{END}\n", STANDARD.encode(bytes))
}

fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

fn file(text: &str) -> IdentityFile {
    IdentityFile::read(&secret(text), "id_ed25519").expect("an identity file")
}

fn opened(text: &str) -> Identities {
    match file(text) {
        IdentityFile::Open(keys) => keys,
        IdentityFile::Locked(_) => panic!("protected"),
    }
}

fn refusal(text: &str) -> String {
    let problems = IdentityFile::read(&secret(text), "id").expect_err("refused");
    assert!(problems.iter().all(|problem| !problem.hints.is_empty()));
    problems.to_string()
}

#[test]
fn a_key_opens_what_is_sealed_to_its_public_half() {
    let (open, public) = ed25519();
    let public = Recipient::parse(&public).expect("a public key");
    for text in [open.clone(), open.replace('\n', "\r\n"), format!("# mine\n\n{open}\n# end")] {
        let keys = opened(&text);
        let key = keys.iter().next().expect("one key");
        assert_eq!(key.recipient(), &public);
        let envelope = Envelope::read(&Envelope::seal(b"hello", [&public].into_iter()).expect("sealed"), 999);
        let envelope = envelope.expect("an envelope");
        assert_eq!(
            (envelope.recipients(), envelope.ssh_tags()),
            (1, &[public.ssh_tag().expect("a tag")][..])
        );
        assert_eq!(**envelope.open(key).expect("whole").expect("for this key"), *b"hello");
    }
}

#[test]
fn the_passphrase_opens_a_protected_key_and_no_other_does() {
    let (text, public) = protected();
    let IdentityFile::Locked(locked) = file(&text) else { panic!("not protected") };
    let public = Recipient::parse(&public).expect("a public key");
    assert_eq!(locked.recipient(), Some(&public));
    for wrong in ["", "pass", "pass phrase "] {
        assert!(matches!(locked.open(&secret(wrong)), Ok(crate::keys::Passphrase::Wrong)), "{wrong:?}");
    }
    let Ok(crate::keys::Passphrase::Opens(keys)) = locked.open(&secret("pass phrase")) else {
        panic!("wrong")
    };
    assert!(keys.hold(&public));
    // What a keyring keeps of it opens without a passphrase.
    let kept = keys.file_text();
    assert!(opened(kept.reveal_text().expect("text")).hold(&public));
    assert!(!format!("{locked:?} {keys:?}").contains("BEGIN"));
}

#[test]
fn other_kinds_and_damage_are_refused_with_a_way_on() {
    for kind in [["-t", "rsa", "-b", "2048"], ["-t", "ecdsa", "-b", "256"]] {
        assert!(refusal(&made("", &kind).0).contains("only ssh-ed25519"), "{kind:?}");
        assert!(refusal(&made("pass phrase", &kind).0).contains("only ssh-ed25519"), "{kind:?}");
    }
    assert!(refusal(&made("", &["-t", "rsa", "-b", "2048", "-m", "PEM"]).0).contains("OpenSSH's own format"));
    for cipher in ["aes256-gcm@openssh.com", "aes256-cbc", "chacha20-poly1305@openssh.com"] {
        let (text, _) = made("pass phrase", &["-t", "ed25519", "-Z", cipher]);
        assert!(refusal(&text).contains("another cipher than aes256-ctr"), "{cipher}");
    }
    let ((open, _), (protected, _)) = (ed25519(), protected());
    let lines: Vec<&str> = open.lines().collect();
    for index in 0..lines.len() {
        let mut less = lines.clone();
        less.remove(index);
        assert!(IdentityFile::read(&secret(&less.join("\n")), "id").is_err(), "line {index} is missing");
    }
    assert!(refusal(&format!("{protected}\n{open}")).contains("with other keys"));
}

#[test]
fn no_flip_in_a_key_gives_another_public_half() {
    let (open, public) = ed25519();
    let public = Recipient::parse(&public).expect("a public key");
    let mut taken = 0;
    for index in 0..bytes(&open).len() {
        let mut bytes = bytes(&open);
        bytes[index] ^= 1;
        if let Ok(IdentityFile::Open(keys)) = IdentityFile::read(&secret(&text(&bytes)), "id") {
            assert!(keys.hold(&public), "byte {index}");
            taken += 1;
        }
    }
    // The secret's 32 bytes and the comment's 12 can be anything, and so can how much of the padding
    // belongs to the comment.
    assert!((44..=46).contains(&taken), "{taken}");
}

#[test]
fn a_key_that_asks_for_too_much_work_is_refused_before_the_passphrase_is_asked_for() {
    let mut bytes = bytes(&protected().0);
    let at = bytes.windows(4).position(|part| part == 16_u32.to_be_bytes()).expect("length of the salt") + 20;
    assert_eq!(bytes[at..at + 4], 16_u32.to_be_bytes());
    bytes[at..at + 4].copy_from_slice(&u32::MAX.to_be_bytes());
    assert!(refusal(&text(&bytes)).contains("1,000 rounds"));
}

#[test]
fn a_private_key_is_told_from_its_first_line() {
    for text in [ed25519().0, protected().0, made("", &["-t", "rsa", "-b", "2048"]).0] {
        assert!(crate::keys::holds_private_key(text.as_bytes()));
    }
    assert!(!crate::keys::holds_private_key(BEGIN.as_bytes()));
    assert!(!crate::keys::holds_private_key(format!("{BEGIN}\n…\n{END}\n").as_bytes()));
}
