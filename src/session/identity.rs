//! Where private keys are looked for, one place after the other, each read when those before it did
//! not do: `--identity`, `PILLARBOX_IDENTITY`, `PILLARBOX_AGE_KEY`, `~/.config/pillarbox/identity.txt`,
//! the kernel's keyring, the desktop's. What is protected by a passphrase is asked for last, on a
//! terminal. What was tried is shown when none opens.

mod passphrase;
pub(super) mod source;
#[cfg(test)]
mod tests;

pub use source::IdentitySource;

use super::context::Session;
use super::environment::AGE_KEY;
use crate::keyring::{Answer, desktop, kernel};
use crate::keys::{Identities, IdentityFile, Recipient};
use crate::problem::{Code, Problem, Problems, Result};
use crate::secret::Secret;
use crate::store;
use source::Kind;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Whether a passphrase may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// No: for what can be done without a private key.
    No,
    /// Yes, if there is a terminal to ask on.
    Allowed,
}

/// Reads one place.
type Place = fn(&Session) -> Result<IdentitySource>;

const PLACES: [Place; 6] = [option, variable, key_itself, own_file, kernel_keyring, desktop_keyring];

impl Session {
    /// Tries private keys until `open` makes something of those of one source: first what needs no
    /// passphrase, in order and the ssh key of this user last, then what does, if it may be asked for. `may` tells of a public key whether
    /// its private half would be of use, so that no passphrase is asked for in vain. Each source is read
    /// once, and no source after the one that opened. Nothing with `--no-identity`.
    ///
    /// # Errors
    /// Those of `open`; where a file cannot be read or may be read by others; where a passphrase was
    /// wrong three times.
    pub fn with_identities<T>(
        &self,
        asking: Asking,
        may: &dyn Fn(&Recipient) -> bool,
        mut open: impl FnMut(&Identities) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        let mut index = 0;
        while let Some(source) = self.identity_source(index)? {
            if let Some(keys) = source.keys()
                && let Some(opened) = open(keys)?
            {
                return Ok(Some(opened));
            }
            index += 1;
        }
        if let Some(ssh) = self.ssh_key_of(may)
            && let Some(keys) = ssh.keys()
            && let Some(opened) = open(keys)?
        {
            return Ok(Some(opened));
        }
        for source in self.sources_read() {
            if asking == Asking::Allowed
                && source.may_be_asked_for(may)
                && let Some(keys) = self.ask_for(&source)?
                && let Some(opened) = open(keys)?
            {
                return Ok(Some(opened));
            }
        }
        Ok(None)
    }

    /// The n-th place where private keys are looked for, read if need be; `None` after the last.
    ///
    /// # Errors
    /// Where a file cannot be read, may be read by others, or is no identity file.
    pub fn identity_source(&self, index: usize) -> Result<Option<Rc<IdentitySource>>> {
        if self.options.no_identity {
            return Ok(None);
        }
        let places = &self.search.places;
        while places.borrow().len() <= index {
            let Some(place) = PLACES.get(places.borrow().len()) else { return Ok(None) };
            let source = Rc::new(place(self)?);
            places.borrow_mut().push(source);
        }
        Ok(places.borrow().get(index).cloned())
    }

    /// `~/.ssh/id_ed25519`, if it is one that could be a reader's.
    pub fn ssh_key(&self) -> Option<Rc<IdentitySource>> {
        self.ssh_key_of(&|_| true)
    }

    /// `~/.ssh/id_ed25519` where a reader has it. It is no identity otherwise: `init` does not make it a reader,
    /// and what is wrong with it is only remarked.
    fn ssh_key_of(&self, may: &dyn Fn(&Recipient) -> bool) -> Option<Rc<IdentitySource>> {
        if self.options.no_identity {
            return None;
        }
        let source = self.search.ssh.get_or_init(|| Rc::new(own_ssh_key(self)));
        let is_reader = source.publics().any(may);
        source.is_tried.set(is_reader);
        is_reader.then(|| Rc::clone(source))
    }

    /// The public halves of all private keys at hand, each with where it lies, as far as they are told
    /// without a passphrase. Looks at every place.
    ///
    /// # Errors
    /// As [`Self::identity_source`].
    pub fn public_keys(&self) -> Result<Vec<(String, Recipient)>> {
        let (mut index, mut all) = (0, Vec::new());
        while let Some(source) = self.identity_source(index)? {
            all.extend(source.publics().map(|public| (source.from.clone(), public.clone())));
            index += 1;
        }
        Ok(all)
    }

    /// All private keys that were met so far.
    pub fn identities_met(&self) -> Identities {
        let mut all = Identities::default();
        for source in self.sources_read() {
            all.extend(source.keys().cloned().unwrap_or_default());
        }
        all
    }

    /// Adds to a problem every place where a private key was looked for, and what to do about those
    /// that could not be read.
    pub fn with_places_tried(&self, mut problem: Problem) -> Problem {
        if self.options.no_identity {
            return problem.cause("--no-identity was given");
        }
        let sources = self.sources_read();
        for remark in sources.iter().map(|source| source.remark()).filter(|remark| !remark.is_empty()) {
            problem = problem.cause(remark);
        }
        // What is locked here is likelier to be the key than one that would have to be made.
        let locked: Vec<String> = sources.iter().filter_map(|source| source.hint()).collect();
        if !locked.is_empty() {
            problem.hints = locked;
        }
        problem
    }

    /// What to say when there is no private key for something: code [`Code::NoIdentity`], with every
    /// place that was tried as a cause.
    pub fn no_identity(&self, what: impl Into<String>) -> Problem {
        let problem = self.with_places_tried(Problem::new(Code::NoIdentity, what));
        if problem.hints.is_empty() {
            return problem.hint("give one with --identity FILE, or make one: pillarbox identity new");
        }
        problem
    }

    /// Reads the identity file of a path, which a person named in some way.
    ///
    /// # Errors
    /// As [`Self::identity_source`].
    pub fn identity_file(&self, from: String, path: &Path) -> Result<IdentitySource> {
        let text = store::read_identity(path, self.root()).map_err(as_failure)?;
        read(from, Kind::File(path.to_owned()), &text)
    }

    /// The workspace's folder, once it is known.
    fn root(&self) -> Option<&Path> {
        self.root.get().map(PathBuf::as_path)
    }

    fn sources_read(&self) -> Vec<Rc<IdentitySource>> {
        self.search.places.borrow().iter().chain(self.search.ssh.get()).cloned().collect()
    }
}

fn read(from: String, kind: Kind, text: &Secret) -> Result<IdentitySource> {
    let file = IdentityFile::read(text, &from).map_err(as_failure)?;
    Ok(match file {
        IdentityFile::Open(keys) => IdentitySource::open(from, kind, keys),
        IdentityFile::Locked(locked) => IdentitySource::locked(from, kind, locked),
    })
}

/// A source that was named and cannot be read is a failure, and not one that opens nothing: commands
/// that go on without a private key must not pass over it.
fn as_failure(problems: Problems) -> Problems {
    problems.map(|problem| Problem { code: Code::Failed, ..problem })
}

fn named(session: &Session, by: &str, path: &Path) -> Result<IdentitySource> {
    let path = session.absolute(path);
    session.identity_file(format!("{by} ({})", path.display()), &path)
}

fn option(session: &Session) -> Result<IdentitySource> {
    match &session.options.identity {
        Some(path) if path.as_os_str() == "-" => {
            read("--identity -".to_owned(), Kind::Other, &session.operator.standard_input()?)
        }
        Some(path) => named(session, "--identity", path),
        None => Ok(IdentitySource::missing("--identity was not given")),
    }
}

fn variable(session: &Session) -> Result<IdentitySource> {
    match &session.env.identity {
        Some(path) => named(session, "PILLARBOX_IDENTITY", path),
        None => Ok(IdentitySource::missing("PILLARBOX_IDENTITY is not set")),
    }
}

fn key_itself(session: &Session) -> Result<IdentitySource> {
    match &session.env.age_key {
        Some(key) => read(AGE_KEY.to_owned(), Kind::Other, key),
        None => Ok(IdentitySource::missing(format!("{AGE_KEY} is not set"))),
    }
}

fn own_file(session: &Session) -> Result<IdentitySource> {
    match session.identity_path() {
        Some(path) => {
            let from = path.display().to_string();
            // Unlike a file that is named, it is never a pipe: no program would write into it.
            let text = store::read_identity_if_there(&path, session.root()).map_err(as_failure)?;
            match text {
                Some(text) => read(from, Kind::File(path), &text),
                None => Ok(IdentitySource::missing(format!("there is no {from}"))),
            }
        }
        None => Ok(IdentitySource::missing("there is no home folder")),
    }
}

fn own_ssh_key(session: &Session) -> IdentitySource {
    let Ok(paths) = session.paths() else { return IdentitySource::silent() };
    let path = paths.home.join(".ssh/id_ed25519");
    let from = path.display().to_string();
    let found = store::read_identity_if_there(&path, session.root());
    match found.and_then(|text| text.map(|text| read(from.clone(), Kind::File(path), &text)).transpose()) {
        Ok(Some(source)) => source,
        Ok(None) => IdentitySource::missing(format!("there is no {from}")),
        Err(problems) => {
            let why = problems.iter().next().map(|problem| problem.what.clone()).unwrap_or_default();
            IdentitySource::missing(format!("{from} was passed over: {why}"))
        }
    }
}

fn kernel_keyring(session: &Session) -> Result<IdentitySource> {
    if !session.env.keyrings {
        return Ok(IdentitySource::missing("no keyring was looked into: PILLARBOX_NO_KEYRING is set"));
    }
    Ok(kept("the kernel's keyring", Kind::KernelKeyring, kernel::read()))
}

fn desktop_keyring(session: &Session) -> Result<IdentitySource> {
    let name = desktop::NAME;
    Ok(match session.desktop {
        // Said of the kernel's already.
        _ if !session.env.keyrings => IdentitySource::silent(),
        None => IdentitySource::missing(format!("{name} was not asked: this program runs unattended")),
        Some(_) if !session.env.session_bus && cfg!(target_os = "linux") => {
            IdentitySource::missing(format!("there is no session bus, and so no {name}"))
        }
        Some(read) => kept(name, Kind::DesktopKeyring, read(desktop::Unlocking::No)),
    })
}

/// What a keyring gave. It is never an error: other keys may do.
fn kept(name: &str, kind: Kind, answer: Answer) -> IdentitySource {
    match answer {
        Answer::Holds(text) => read(name.to_owned(), kind, &text).unwrap_or_else(|_| {
            IdentitySource::missing(format!("{name} holds something that is no identity file"))
        }),
        Answer::Empty => IdentitySource::missing(format!("{name} holds none")),
        Answer::Locked => IdentitySource::locked_keyring(name),
        Answer::Unusable(why) => IdentitySource::missing(format!("{name} cannot be used: {why}")),
    }
}
