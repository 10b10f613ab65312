//! Boxes and values handled with the library: what an attacker with write access, or an older commit,
//! puts into a workspace.

use crate::env::TestEnv;
use pillarbox::keys::{Identities, IdentityFile, Recipient};
use pillarbox::name::{KeyPath, ReaderName, WorkspaceName};
use pillarbox::pillar::boxes::{self, BoxFile, BoxFolder, Readers};
use pillarbox::pillar::document::Document;
use pillarbox::pillar::seal::{self, Kind};
use pillarbox::pillar::{Origin, Sealed, Value};
use pillarbox::secret::Secret;
use std::path::{Path, PathBuf};

/// The folder of a box; an empty text is `pillar/`.
pub(crate) fn folder(name: &str) -> BoxFolder {
    BoxFolder::parse(name).expect("the folder of a box")
}

/// The `box.toml` of a folder as it stands.
pub(crate) fn box_file(env: &TestEnv, name: &str) -> BoxFile {
    let path = folder(name).file();
    BoxFile::parse(&env.read(&path), &path).expect("a box")
}

/// Writes a `box.toml`.
pub(crate) fn put_box(env: &TestEnv, name: &str, file: &BoxFile) {
    env.write(&folder(name).file(), file.to_string());
}

/// A place in the pillar.
pub(crate) fn place(file: &str, key: &str) -> Origin {
    Origin { file: file.to_owned(), key: KeyPath::parse(key).expect("a key") }
}

/// Posts a secret as anybody can: with the public slot alone.
pub(crate) fn post(env: &TestEnv, file: &str, key: &str, secret: &str) -> Sealed {
    let holder = file.rsplit_once('/').map_or("", |(parent, _)| parent);
    let holder =
        if env.workspace().join("pillar").join(holder).join("box.toml").is_file() { holder } else { "" };
    post_to(env, &box_file(env, holder).slot, file, key, secret)
}

/// Posts a secret to any slot.
pub(crate) fn post_to(env: &TestEnv, slot: &Recipient, file: &str, key: &str, secret: &str) -> Sealed {
    let secret = Secret::from(secret.to_owned());
    let id = seal::new_id().expect("random bits");
    let sealed = seal::seal(&secret, Kind::Text, &place(file, key), id, slot).expect("sealed");
    put(env, &sealed);
    sealed
}

/// Puts a sealed value at its place.
pub(crate) fn put(env: &TestEnv, sealed: &Sealed) {
    let file = &sealed.origin.file;
    let mut document = document(env, file);
    document.set_sealed(sealed).expect("a place for it");
    env.write(&format!("pillar/{file}"), document.text());
}

/// Puts the text of a sealed value at another place: what a copy in an editor does.
pub(crate) fn copy(env: &TestEnv, sealed: &Sealed, file: &str, key: &str) {
    put(env, &Sealed { origin: place(file, key), ..sealed.clone() });
}

/// The sealed value at a place.
pub(crate) fn sealed(env: &TestEnv, file: &str, key: &str) -> Sealed {
    match &document(env, file).get(&place(file, key).key).expect("a value").value {
        Value::Sealed(sealed) => Sealed::clone(sealed),
        other => panic!("{key} in {file} is a {}", other.kind()),
    }
}

fn document(env: &TestEnv, file: &str) -> Document {
    let path = env.workspace().join("pillar").join(file);
    let text = if path.is_file() { env.read(&format!("pillar/{file}")) } else { String::new() };
    Document::parse(file, text).expect("TOML")
}

/// The keys of an identity file.
pub(crate) fn identities(file: &Path) -> Identities {
    let text = std::fs::read(file).expect("an identity file");
    match IdentityFile::read(&Secret::new(text), "identity").expect("an identity") {
        IdentityFile::Open(keys) => keys,
        IdentityFile::Locked(_) => panic!("{} is protected", file.display()),
    }
}

/// What a value of the box `name` opens to, with keys of an identity file.
pub(crate) fn opens(env: &TestEnv, identity: &Path, name: &str, file: &str, key: &str) -> String {
    let workspace = WorkspaceName::parse("shop").expect("a name");
    let open = box_file(env, name).open(&workspace, &folder(name), &identities(identity)).expect("a reader");
    let opened = seal::open(&sealed(env, file, key), open.keys()).expect("opens");
    opened.secret.reveal_text().expect("text").to_owned()
}

/// Another person with an identity file outside of the workspace, and their public key.
pub(crate) fn person(env: &TestEnv, name: &str) -> (PathBuf, String) {
    let file = env.home().join(format!("{name}.txt"));
    let public =
        env.run(&["-q", "identity", "new", file.to_str().expect("a path")]).ok().stdout().trim().to_owned();
    (file, public)
}

/// A box with slot and lock minted by somebody who has no key of the old one.
pub(crate) fn minted(workspace: &str, name: &str, readers: &[(&str, &str)]) -> BoxFile {
    let readers: Readers = readers
        .iter()
        .map(|(name, key)| (ReaderName::parse(name).expect("a name"), Recipient::parse(key).expect("a key")))
        .collect();
    let workspace = WorkspaceName::parse(workspace).expect("a name");
    boxes::make(&workspace, &folder(name), &readers).expect("a box").file
}

/// The public key of the one who ran `init`.
pub(crate) fn own_key(env: &TestEnv) -> String {
    env.run(&["identity", "public"]).ok().stdout().trim().to_owned()
}
