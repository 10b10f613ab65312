//! The lock: this box's private keys in an ordinary age identity file, sealed to its readers. The
//! comments of that file bind it.
//!
//! ```text
//! # pillarbox-lock/1
//! # workspace shop
//! # box pillar/
//! # turn 2
//! # reader alice age1…
//! # reader ci age1…
//! AGE-SECRET-KEY-1…
//! # retired
//! AGE-SECRET-KEY-1…
//! ```
//! First the current key, then up to eight retired ones, newest first. `turn` is the revision of the slot,
//! counted from 1.

use super::{BoxFile, BoxFolder, Readers};
use crate::keys::{Envelope, Identities, Identity, Recipient};
use crate::name::{ReaderName, WorkspaceName};
use crate::problem::{Code, Problem, Result, quoted};
use std::fmt;
use zeroize::Zeroizing;

/// Retired keys that a lock keeps.
pub const RETIRED: usize = 8;

/// Longest lock in bytes, sealed and opened; room for some 300 readers.
const MAX: usize = 64 * 1024;

const TITLE: &str = "# pillarbox-lock/1";

/// The private keys of a box: the current one and the retired ones. `Debug` shows the public slot.
#[derive(Clone)]
pub struct BoxKeys {
    pub(super) current: Identity,
    pub(super) retired: Vec<Identity>,
}

impl BoxKeys {
    /// The public key that belongs to the current one: the slot.
    pub fn slot(&self) -> &Recipient {
        self.current.recipient()
    }

    /// The slots this box had before, newest first; at most eight.
    pub fn retired_slots(&self) -> impl Iterator<Item = &Recipient> {
        self.retired.iter().map(Identity::recipient)
    }

    /// All keys, the current one first.
    pub(in crate::pillar) fn newest_first(&self) -> impl Iterator<Item = &Identity> {
        std::iter::once(&self.current).chain(&self.retired)
    }
}

impl fmt::Debug for BoxKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keys of slot {} and {} before it", self.slot(), self.retired.len())
    }
}

/// A box whose lock was opened here, or made here: the content of its lock, checked.
#[derive(Clone, Debug)]
pub struct OpenBox {
    pub(super) workspace: WorkspaceName,
    pub(super) folder: BoxFolder,
    pub(super) turn: u32,
    pub(super) readers: Readers,
    pub(super) keys: BoxKeys,
}

impl OpenBox {
    /// The workspace it belongs to.
    pub fn workspace(&self) -> &WorkspaceName {
        &self.workspace
    }

    /// Its folder.
    pub fn folder(&self) -> &BoxFolder {
        &self.folder
    }

    /// The revision of the slot, counted from 1; `turn` in files.
    pub fn turn(&self) -> u32 {
        self.turn
    }

    /// The readers that can open it, with their public keys.
    pub fn readers(&self) -> &Readers {
        &self.readers
    }

    /// The private keys that open its values.
    pub fn keys(&self) -> &BoxKeys {
        &self.keys
    }

    /// The lock's plaintext.
    pub(super) fn text(&self) -> Zeroizing<Vec<u8>> {
        let mut head =
            format!("{TITLE}\n# workspace {}\n# box {}\n# turn {}\n", self.workspace, self.folder, self.turn);
        for (name, key) in &self.readers {
            head.push_str(&format!("# reader {name} {key}\n"));
        }
        // Of its full size from the start: growing would leave copies behind.
        let mut text = Zeroizing::new(Vec::with_capacity(head.len() + 100 * (1 + self.keys.retired.len())));
        text.extend_from_slice(head.as_bytes());
        for (age, key) in self.keys.newest_first().enumerate() {
            text.extend_from_slice(if age == 0 { b"" } else { b"# retired\n" });
            text.extend_from_slice(key.line().reveal());
            text.push(b'\n');
        }
        text
    }

    fn read(text: &[u8]) -> Result<Self, &'static str> {
        let text = std::str::from_utf8(text).map_err(|_| "it is not text")?;
        let body = text.strip_suffix('\n').ok_or("its last line is cut short")?;
        let mut lines = body.split('\n').peekable();
        if lines.next() != Some(TITLE) {
            return Err("it does not begin with `# pillarbox-lock/1`");
        }
        let mut named = |name: &str| lines.next().and_then(|line| line.strip_prefix(name));
        let workspace = named("# workspace ").and_then(|text| WorkspaceName::parse(text).ok());
        let folder = named("# box ").and_then(|text| BoxFolder::parse(text).ok());
        let turn = named("# turn ").and_then(|text| text.parse().ok());
        let mut readers = Readers::new();
        while let Some(line) = lines.next_if(|line| line.starts_with("# reader ")) {
            let (name, key) = line["# reader ".len()..].split_once(' ').ok_or("a reader in it has no key")?;
            let name = ReaderName::parse(name).map_err(|_| "the name of a reader in it is not valid")?;
            let key = Recipient::parse(key).map_err(|_| "the key of a reader in it is not valid")?;
            if readers.insert(name, key).is_some() {
                return Err("it lists a reader twice");
            }
        }
        let mut key =
            || lines.next().and_then(Identity::parse_line).ok_or("a key in it is not an X25519 key");
        let current = key()?;
        let mut retired = Vec::new();
        while lines.next_if(|line| *line == "# retired").is_some() {
            retired
                .push(lines.next().and_then(Identity::parse_line).ok_or("a key in it is not an X25519 key")?);
        }
        let (Some(workspace), Some(folder), Some(turn)) = (workspace, folder, turn) else {
            return Err("its workspace, box or revision is missing or wrong");
        };
        let read = Self { workspace, folder, turn, readers, keys: BoxKeys { current, retired } };
        // Written again it must give the same bytes: there is only one way to write it, and nothing is left over.
        if read.text().as_slice() == text.as_bytes() { Ok(read) } else { Err("its lines are out of order") }
    }
}

/// Seals a lock to its readers.
pub(super) fn seal(open: &OpenBox) -> Result<String> {
    let plain = open.text();
    let failed =
        |why: &str| Problem::failed(format!("the lock of {} cannot be made", open.folder)).cause(why).into();
    if plain.len() > MAX {
        return Err(failed("it has more readers than a lock can list, some 300"));
    }
    let lock = Envelope::seal(&plain, open.readers.values()).map_err(failed)?;
    Envelope::read(&lock, MAX).map(|_| lock).map_err(failed)
}

impl BoxFile {
    /// Opens the lock with the first of `identities` that can, and checks everything that binds it:
    /// workspace and folder, the revision against the number of retired keys, the readers' names
    /// against the clear list, their number against the recipients it is sealed to, that the key
    /// which opened it is among them, and the slot against its first key.
    ///
    /// # Errors
    /// [`Code::NoIdentity`] if no identity opens it, [`Code::Seal`] if a check fails.
    pub fn open(
        &self,
        workspace: &WorkspaceName,
        folder: &BoxFolder,
        identities: &Identities,
    ) -> Result<OpenBox> {
        let envelope = self.envelope(folder)?;
        for identity in identities.iter() {
            let plain = envelope.open(identity).map_err(|why| broken(folder, why))?;
            let Some(plain) = plain else { continue };
            let open = OpenBox::read(&plain).map_err(|why| broken(folder, why))?;
            self.check(&open, &envelope, workspace, folder, identity.recipient())?;
            return Ok(open);
        }
        Err(self.no_identity(folder, identities).into())
    }

    /// Whether a private key may open the lock: an ssh key that the lock does not name cannot, so its
    /// passphrase need not be asked for.
    pub fn may_open_with(&self, key: &Recipient) -> bool {
        Envelope::read(&self.lock, MAX).is_ok_and(|envelope| envelope.may_be_for(key))
    }

    /// What can be checked without a key: base64 on one line, an age file, sealed to as many keys as
    /// readers are listed.
    ///
    /// # Errors
    /// [`Code::Seal`] if a check fails.
    pub fn check_shape(&self, folder: &BoxFolder) -> Result<()> {
        self.envelope(folder).map(drop)
    }

    fn envelope(&self, folder: &BoxFolder) -> Result<Envelope> {
        let envelope = Envelope::read(&self.lock, MAX).map_err(|why| broken(folder, why))?;
        let (sealed, listed) = (envelope.recipients(), self.readers.len());
        if sealed != listed {
            let why = format!("it is sealed to {sealed} keys, and the box lists {listed} readers");
            return Err(broken(folder, &why).into());
        }
        Ok(envelope)
    }

    fn check(
        &self,
        open: &OpenBox,
        envelope: &Envelope,
        workspace: &WorkspaceName,
        folder: &BoxFolder,
        opened_by: &Recipient,
    ) -> Result<()> {
        let mut wrong = Vec::new();
        if open.workspace != *workspace {
            wrong.push(format!("it was made for the workspace {}, not {workspace}", open.workspace));
        }
        if open.folder != *folder {
            wrong.push(format!("it was made for the box {}, not {folder}", open.folder));
        }
        if usize::try_from(open.turn)
            .ok()
            .and_then(|turn| turn.checked_sub(1))
            .map(|turns| turns.min(RETIRED))
            != Some(open.keys.retired.len())
        {
            let retired = open.keys.retired.len();
            wrong.push(format!("it says revision {} and contains {retired} retired keys", open.turn));
        }
        if !open.readers.keys().eq(self.readers.iter()) {
            wrong.push(format!(
                "its readers are {}, and the clear list says {}",
                listed(open.readers.keys()),
                listed(&self.readers)
            ));
        }
        if !open.readers.values().any(|key| key == opened_by) {
            wrong.push(format!("it is sealed to {opened_by}, which is not among the keys it lists"));
        }
        let mut named: Vec<_> = envelope.ssh_tags().to_vec();
        let mut listed_tags: Vec<_> = open.readers.values().filter_map(Recipient::ssh_tag).collect();
        named.sort_unstable();
        listed_tags.sort_unstable();
        if named != listed_tags {
            wrong.push("the ssh keys that it is sealed to are not those that it lists".to_owned());
        }
        if open.keys.slot() != &self.slot {
            wrong.push(format!("its key belongs to the slot {}, not {}", open.keys.slot(), self.slot));
        }
        if wrong.is_empty() {
            return Ok(());
        }
        let mut problem = broken(folder, &wrong[0]);
        problem.causes.extend(wrong.drain(1..));
        if open.workspace != *workspace {
            problem.hints.insert(
                0,
                format!(
                    "a workspace keeps its name, which its containers bear as well: put `workspace = \"{}\"` back \
                     in pillarbox.toml",
                    open.workspace
                ),
            );
        }
        Err(problem.into())
    }

    /// The problem that none of these private keys opens the lock.
    pub fn no_identity(&self, folder: &BoxFolder, identities: &Identities) -> Problem {
        let problem = Problem::new(Code::NoIdentity, format!("no identity here opens the box {folder}"))
            .cause(format!("its readers are {}", listed(&self.readers)));
        match identities.iter().next() {
            None => problem.cause("no identity was found").hint(
                "give one with '--identity FILE', or make one with 'pillarbox identity new' and ask a reader to add it",
            ),
            Some(own) => problem
                .cause("it is not sealed to any identity found here, or its lock was damaged")
                .hint(format!("a reader can add you: pillarbox reader add NAME {}", quoted(own.recipient().as_str()))),
        }
    }
}

fn listed<'a>(names: impl IntoIterator<Item = &'a ReaderName>) -> String {
    let names: Vec<&str> = names.into_iter().map(ReaderName::as_str).collect();
    names.join(", ")
}

fn broken(folder: &BoxFolder, why: &str) -> Problem {
    Problem::new(Code::Seal, format!("the lock of the box {folder} is not valid"))
        .cause(why)
        .hint(format!("restore {} from a commit that you trust", folder.file()))
}
