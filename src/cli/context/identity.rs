//! Where private keys are looked for, one place after the other, each read when those before it did
//! not do: `--identity`, `PILLARBOX_IDENTITY`, `PILLARBOX_AGE_KEY`, `~/.config/pillarbox/identity.txt`,
//! the kernel's keyring, the desktop's. What is protected by a passphrase is asked for last, on a
//! terminal. What was tried is shown when none opens.

mod ask;
mod source;
#[cfg(test)]
mod tests;

pub(in crate::cli) use source::IdentitySource;

use super::{AGE_KEY, Context};
use crate::keyring::{Answer, desktop, kernel};
use crate::keys::{Identities, IdentityFile, Recipient};
use crate::problem::{Code, Problem, Problems, Result};
use crate::secret::Secret;
use crate::store;
use source::Kind;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The sources that were read so far, in the order of [`PLACES`].
#[derive(Debug, Default)]
pub(super) struct Search(RefCell<Vec<Rc<IdentitySource>>>);

/// Whether a passphrase may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Asking {
    /// No: for what can be done without a private key.
    No,
    /// Yes, if there is a terminal with somebody at it.
    Allowed,
}

/// Reads one place.
type Place = fn(&Context) -> Result<IdentitySource>;

const PLACES: [Place; 6] = [option, variable, key_itself, own_file, kernel_keyring, desktop_keyring];

impl Context {
    /// Tries private keys until `open` makes something of those of one source: first what needs no
    /// passphrase, in order, then what does, if it may be asked for. `may` tells of a public key whether
    /// its private half would be of use, so that no passphrase is asked for in vain. Each source is read
    /// once, and no source after the one that opened. Nothing with `--no-identity`.
    ///
    /// # Errors
    /// Those of `open`; where a file cannot be read or may be read by others; where a passphrase was
    /// wrong three times.
    pub(in crate::cli) fn with_identities<T>(
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
    pub(in crate::cli) fn identity_source(&self, index: usize) -> Result<Option<Rc<IdentitySource>>> {
        if self.global.no_identity {
            return Ok(None);
        }
        while self.search.0.borrow().len() <= index {
            let Some(place) = PLACES.get(self.search.0.borrow().len()) else { return Ok(None) };
            let source = Rc::new(place(self)?);
            self.search.0.borrow_mut().push(source);
        }
        Ok(self.search.0.borrow().get(index).cloned())
    }

    /// The public halves of all private keys at hand, each with where it lies, as far as they are told
    /// without a passphrase. Looks at every place.
    ///
    /// # Errors
    /// As [`Self::identity_source`].
    pub(in crate::cli) fn public_keys(&self) -> Result<Vec<(String, Recipient)>> {
        let (mut index, mut all) = (0, Vec::new());
        while let Some(source) = self.identity_source(index)? {
            all.extend(source.publics().map(|public| (source.from.clone(), public.clone())));
            index += 1;
        }
        Ok(all)
    }

    /// All private keys that were met so far.
    pub(in crate::cli) fn identities_met(&self) -> Identities {
        let mut all = Identities::default();
        for source in self.sources_read() {
            all.extend(source.keys().cloned().unwrap_or_default());
        }
        all
    }

    /// Adds to a problem every place where a private key was looked for, and what to do about those
    /// that could not be read.
    pub(in crate::cli) fn with_places_tried(&self, mut problem: Problem) -> Problem {
        if self.global.no_identity {
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
    pub(in crate::cli) fn no_identity(&self, what: impl Into<String>) -> Problem {
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
    pub(in crate::cli) fn identity_file(&self, from: String, path: &Path) -> Result<IdentitySource> {
        let text = store::read_identity(path, self.root.get().map(PathBuf::as_path)).map_err(as_failure)?;
        read(from, Kind::File(path.to_owned()), &text)
    }

    fn sources_read(&self) -> Vec<Rc<IdentitySource>> {
        self.search.0.borrow().clone()
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

fn named(ctx: &Context, by: &str, path: &Path) -> Result<IdentitySource> {
    let path = ctx.absolute(path);
    ctx.identity_file(format!("{by} ({})", path.display()), &path)
}

fn option(ctx: &Context) -> Result<IdentitySource> {
    match &ctx.global.identity {
        Some(path) if path.as_os_str() == "-" => {
            read("--identity -".to_owned(), Kind::Other, &ctx.stdin_secret()?)
        }
        Some(path) => named(ctx, "--identity", path),
        None => Ok(IdentitySource::missing("--identity was not given")),
    }
}

fn variable(ctx: &Context) -> Result<IdentitySource> {
    match &ctx.env.identity {
        Some(path) => named(ctx, "PILLARBOX_IDENTITY", path),
        None => Ok(IdentitySource::missing("PILLARBOX_IDENTITY is not set")),
    }
}

fn key_itself(ctx: &Context) -> Result<IdentitySource> {
    match &ctx.env.age_key {
        Some(key) => read(AGE_KEY.to_owned(), Kind::Other, key),
        None => Ok(IdentitySource::missing(format!("{AGE_KEY} is not set"))),
    }
}

fn own_file(ctx: &Context) -> Result<IdentitySource> {
    match ctx.identity_path() {
        Some(path) if path.exists() => ctx.identity_file(path.display().to_string(), &path),
        Some(path) => Ok(IdentitySource::missing(format!("there is no {}", path.display()))),
        None => Ok(IdentitySource::missing("there is no home folder")),
    }
}

fn kernel_keyring(ctx: &Context) -> Result<IdentitySource> {
    if !ctx.env.keyrings {
        return Ok(IdentitySource::missing("no keyring was looked into: PILLARBOX_NO_KEYRING is set"));
    }
    Ok(kept("the kernel's keyring", Kind::KernelKeyring, kernel::read()))
}

fn desktop_keyring(ctx: &Context) -> Result<IdentitySource> {
    let name = desktop::NAME;
    Ok(match ctx.desktop {
        // Said of the kernel's already.
        _ if !ctx.env.keyrings => IdentitySource::silent(),
        None => IdentitySource::missing(format!("{name} was not asked: nobody is here to answer it")),
        Some(_) if !ctx.env.session_bus && cfg!(target_os = "linux") => {
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
