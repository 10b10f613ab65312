//! One place where a private key was looked for, and what was there.

use crate::keys::{Identities, Locked, Recipient};
use crate::problem::quoted;
use std::cell::{Cell, OnceCell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The places that were read so far.
#[derive(Debug, Default)]
pub(in crate::session) struct Search {
    /// In the order in which they are looked at.
    pub(super) places: RefCell<Vec<Rc<IdentitySource>>>,
    /// The ssh key of this user, which is made for other things: it counts only where it is a reader.
    pub(super) ssh: OnceCell<Rc<IdentitySource>>,
}

/// A place that was read.
#[derive(Debug)]
pub struct IdentitySource {
    /// What it is called, for people: `PILLARBOX_IDENTITY (/run/key.txt)`.
    pub from: String,
    kind: Kind,
    what: What,
    /// Whether it was tried, and not passed over because no reader has it.
    pub(super) is_tried: Cell<bool>,
}

/// What kind of place it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file.
    File(PathBuf),
    /// What `identity unlock` keeps.
    KernelKeyring,
    /// What `identity store` keeps.
    DesktopKeyring,
    /// Standard input, a variable, or nothing at all.
    Other,
}

#[derive(Debug)]
enum What {
    Missing,
    Open(Identities),
    Locked { locked: Locked, opened: OnceCell<Identities>, why_not: RefCell<Option<&'static str>> },
}

impl IdentitySource {
    pub(super) fn open(from: String, kind: Kind, keys: Identities) -> Self {
        Self::new(from, kind, What::Open(keys))
    }

    pub(super) fn locked(from: String, kind: Kind, locked: Locked) -> Self {
        let what = What::Locked { locked, opened: OnceCell::new(), why_not: RefCell::default() };
        Self::new(from, kind, what)
    }

    fn new(from: String, kind: Kind, what: What) -> Self {
        Self { from, kind, what, is_tried: Cell::new(true) }
    }

    /// Nothing is there; what to say of it.
    pub(super) fn missing(remark: impl Into<String>) -> Self {
        Self::new(remark.into(), Kind::Other, What::Missing)
    }

    /// Nothing is there, and nothing is to be said of it.
    pub(super) fn silent() -> Self {
        Self::missing("")
    }

    /// The desktop's keyring is locked.
    pub(super) fn locked_keyring(name: &str) -> Self {
        let from = format!("{name} is locked, and was not asked");
        Self::new(from, Kind::DesktopKeyring, What::Missing)
    }

    /// The private keys, if no passphrase is missing.
    pub fn keys(&self) -> Option<&Identities> {
        match &self.what {
            What::Missing => None,
            What::Open(keys) => Some(keys),
            What::Locked { opened, .. } => opened.get(),
        }
    }

    /// What is protected by a passphrase and not opened yet.
    pub fn locked_keys(&self) -> Option<&Locked> {
        match &self.what {
            What::Locked { locked, opened, .. } if opened.get().is_none() => Some(locked),
            _ => None,
        }
    }

    /// The public keys that it tells without a passphrase.
    pub fn publics(&self) -> impl Iterator<Item = &Recipient> {
        let locked = self.locked_keys().and_then(Locked::recipient);
        self.keys().into_iter().flat_map(Identities::iter).map(|key| key.recipient()).chain(locked)
    }

    /// The file, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match &self.kind {
            Kind::File(path) => Some(path),
            _ => None,
        }
    }

    /// Whether its passphrase was not asked for yet and would be of use.
    pub(super) fn may_be_asked_for(&self, may: &dyn Fn(&Recipient) -> bool) -> bool {
        let What::Locked { locked, opened, why_not } = &self.what else { return false };
        opened.get().is_none() && why_not.borrow().is_none() && locked.recipient().is_none_or(may)
    }

    /// Remembers the opened keys.
    pub(super) fn set_opened(&self, keys: Identities) -> Option<&Identities> {
        match &self.what {
            What::Locked { opened, .. } => Some(opened.get_or_init(|| keys)),
            _ => None,
        }
    }

    /// Remembers why it could not be asked for.
    pub(super) fn set_why_not(&self, why: &'static str) {
        if let What::Locked { why_not, .. } = &self.what {
            *why_not.borrow_mut() = Some(why);
        }
    }

    /// What to say of it when nothing opened.
    pub(super) fn remark(&self) -> String {
        match &self.what {
            What::Missing => self.from.clone(),
            What::Open(_) if !self.is_tried.get() => format!("{} is no reader's", self.from),
            What::Open(_) => format!("{} was tried", self.from),
            What::Locked { opened, .. } if opened.get().is_some() => format!("{} was tried", self.from),
            What::Locked { locked, why_not, .. } => match (*why_not.borrow(), locked.recipient()) {
                (Some(why), _) => format!("{} is protected by a passphrase, and {why}", self.from),
                (None, Some(_)) => format!("{} is no reader's", self.from),
                (None, None) => format!("{} is protected by a passphrase, and was not asked for", self.from),
            },
        }
    }

    /// What to do about it when nothing opened.
    pub(super) fn hint(&self) -> Option<String> {
        match (&self.what, &self.kind) {
            (What::Missing, Kind::DesktopKeyring) => Some("unlock it: pillarbox identity unlock".to_owned()),
            (What::Locked { why_not, .. }, kind) if why_not.borrow().is_some() => Some(match kind {
                Kind::File(path) => format!(
                    "unlock it for some hours, on a terminal: pillarbox identity unlock {}",
                    quoted(&path.display().to_string())
                ),
                _ => "give it as a file, and unlock it on a terminal: pillarbox identity unlock FILE"
                    .to_owned(),
            }),
            _ => None,
        }
    }
}
