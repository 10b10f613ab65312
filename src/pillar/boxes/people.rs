//! People with keys and a box, for the tests of the pillar.

use super::{BoxFile, BoxFolder, Made, OpenBox, Readers, make};
use crate::keys::{Identities, Identity, Recipient};
use crate::name::{KeyPath, ReaderName, WorkspaceName};
use crate::pillar::seal::{Kind, Opened, new_id, open, seal};
use crate::pillar::{Origin, Sealed};
use crate::problem::{Code, Problems, Result};
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A person or machine with a key.
pub(in crate::pillar) struct Person {
    pub(in crate::pillar) name: ReaderName,
    pub(in crate::pillar) keys: Identities,
    pub(in crate::pillar) public: Recipient,
}

pub(in crate::pillar) fn person(name: &str) -> Person {
    let identity = Identity::generate();
    let public = identity.recipient().clone();
    Person { name: ReaderName::parse(name).expect("a name"), keys: identity.into(), public }
}

/// Two public keys of OpenSSH.
pub(in crate::pillar) const SSH: [&str; 2] = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJlGc6NlwqS2c1T0dlrqQipgAcOePUph3jI/jAA7KWPl",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL9ZtXgT6koAqVJcpQfOlusy15nGBPAdRz+gXdAtq7c5",
];

pub(in crate::pillar) fn readers(people: &[&Person]) -> Readers {
    people.iter().map(|person| (person.name.clone(), person.public.clone())).collect()
}

pub(in crate::pillar) fn workspace(name: &str) -> WorkspaceName {
    WorkspaceName::parse(name).expect("a name")
}

pub(in crate::pillar) fn folder(name: &str) -> BoxFolder {
    BoxFolder::parse(name).expect("a folder")
}

pub(in crate::pillar) fn place(file: &str, key: &str) -> Origin {
    Origin { file: file.into(), key: KeyPath::parse(key).expect("a key") }
}

pub(in crate::pillar) fn top(people: &[&Person]) -> Made {
    make(&workspace("shop"), &BoxFolder::top(), &readers(people)).expect("a box")
}

pub(in crate::pillar) fn opened_by(file: &BoxFile, person: &Person) -> Result<OpenBox> {
    file.open(&workspace("shop"), &BoxFolder::top(), &person.keys)
}

pub(in crate::pillar) fn post(text: &str, origin: &Origin, slot: &Recipient) -> Sealed {
    let secret = Secret::from(text.to_owned());
    seal(&secret, Kind::Text, origin, new_id().expect("random"), slot).expect("sealed")
}

pub(in crate::pillar) fn refusal<T: std::fmt::Debug>(result: Result<T>) -> String {
    let problems: Problems = result.expect_err("refused");
    assert_eq!(problems.code(), Code::Seal, "{problems}");
    problems.iter().map(|p| format!("{} {} {}", p.what, p.causes.join(" "), p.hints.join(" "))).collect()
}

pub(in crate::pillar) fn open_value(sealed: &Sealed, box_: &OpenBox) -> Opened {
    open(sealed, box_.keys()).expect("opens")
}

/// Every text that differs from a base64 text in one character or in one bit of what it encodes.
pub(in crate::pillar) fn flips(text: &str) -> impl Iterator<Item = String> {
    let bytes = STANDARD.decode(text).expect("base64");
    let coded = (0..bytes.len()).map(move |index| {
        let mut bytes = bytes.clone();
        bytes[index] ^= 1 << (index % 8);
        STANDARD.encode(bytes)
    });
    let written = (0..text.len()).flat_map(move |index| {
        [b'A', b'/', b'=', b'\n', b' '].map(|other| {
            let mut bytes = text.as_bytes().to_vec();
            bytes[index] = if bytes[index] == other { b'B' } else { other };
            String::from_utf8(bytes).expect("ascii")
        })
    });
    coded.chain(written.collect::<Vec<_>>())
}
