//! The known file, read when a command begins and written when it learns something.

use crate::pillar::known::{BoxVerdict, Known, KnownWorkspace, Purpose, SeenBox};
use crate::problem::{Code, Problem, Problems, Result, escaped};
use crate::session::context::Session;
use crate::store;
use std::cell::RefCell;
use std::path::{Path, PathBuf};

/// What this machine knows of workspaces, and its file.
pub struct KnownFile {
    path: Option<PathBuf>,
    known: RefCell<Known>,
    /// There is no operator to be told what was learned, so nothing is.
    learns: bool,
}

impl KnownFile {
    /// Reads the known file; nothing is known where there is none.
    ///
    /// # Errors
    /// Where it cannot be read, or is not what pillarbox wrote.
    pub fn load(session: &Session) -> Result<Self> {
        let path = session.known_path();
        let known = match &path {
            Some(path) => parse(path, &store::read_trusted(path)?.unwrap_or_default())?,
            None => Known::default(),
        };
        Ok(Self { path, known: RefCell::new(known), learns: !session.unattended })
    }

    /// Knows nothing and learns nothing.
    pub fn none() -> Self {
        Self { path: None, known: RefCell::default(), learns: false }
    }

    /// Looks at what is known.
    pub fn look<T>(&self, look: impl FnOnce(&Known) -> T) -> T {
        look(&self.known.borrow())
    }

    /// Changes what is known and saves it: on top of what another process may have learned since.
    ///
    /// # Errors
    /// What `change` says, and where the file cannot be written.
    pub fn change<T>(&self, change: impl Fn(&mut Known) -> Result<T>) -> Result<T> {
        let mut tried = self.known.borrow().clone();
        let result = change(&mut tried)?;
        let is_changed = tried.is_changed();
        *self.known.borrow_mut() = tried;
        let (true, Some(path)) = (is_changed, &self.path) else { return Ok(result) };
        let mut result = Ok(result);
        store::update_private(path, |text| {
            let mut fresh = parse(path, text.unwrap_or_default())?;
            result = change(&mut fresh);
            if result.is_err() || !fresh.is_changed() {
                return Ok(None);
            }
            let text = fresh.to_string();
            *self.known.borrow_mut() = parse(path, &text)?;
            Ok(Some(text))
        })?;
        result
    }

    /// Judges a box, remembers what may be remembered, and says a first use on standard error.
    ///
    /// # Errors
    /// Where the box is not the known one, or a first use is refused by `strict`.
    pub(super) fn meet(
        &self,
        session: &Session,
        seen: &SeenBox<'_>,
        purpose: Purpose,
        strict: bool,
    ) -> Result<()> {
        self.meet_all(session, std::slice::from_ref(seen), purpose, strict).pop().unwrap_or(Ok(()))
    }

    /// As [`Self::meet`], of many boxes, for which the file is written once; in their order.
    pub(super) fn meet_all(
        &self,
        session: &Session,
        all: &[SeenBox<'_>],
        purpose: Purpose,
        strict: bool,
    ) -> Vec<Result<()>> {
        let mut known = self.look(Known::clone);
        let verdicts: Vec<Result<BoxVerdict>> =
            all.iter().map(|seen| known.meet_box(seen, purpose, strict)).collect();
        for (seen, verdict) in all.iter().zip(&verdicts) {
            if let Ok(BoxVerdict::Older(older)) = verdict {
                session.operator.warn(format_args!(
                    "{}: the box {} is older here than the one that this machine knows: {older} bring it up to \
                     date: git pull",
                    seen.workspace.name, seen.folder
                ));
            }
        }
        if !self.learns {
            return verdicts.into_iter().map(|verdict| verdict.map(drop)).collect();
        }
        let met: Vec<SeenBox<'_>> =
            all.iter().zip(&verdicts).filter(|(_, verdict)| verdict.is_ok()).map(|(seen, _)| *seen).collect();
        let remembered = self.remember(session, &met, |known| {
            met.iter().try_for_each(|seen| known.meet_box(seen, purpose, strict).map(drop))
        });
        let told = |(seen, verdict): (&SeenBox<'_>, Result<BoxVerdict>)| {
            verdict.and_then(|verdict| {
                remembered.clone()?;
                self.tell(session, seen, &verdict);
                Ok(())
            })
        };
        all.iter().zip(verdicts).map(told).collect()
    }

    fn tell(&self, session: &Session, seen: &SeenBox<'_>, verdict: &BoxVerdict) {
        match verdict {
            BoxVerdict::FirstUse => {
                session.operator.say(format_args!(
                    "{}: the box {} was not known on this machine; from now on its slot is {}",
                    seen.workspace.name, seen.folder, seen.slot
                ));
                self.look(|known| known.namesake(seen.workspace).map(|other| say_namesake(session, other)));
            }
            BoxVerdict::Followed { .. } => session.operator.say(format_args!(
                "{}: the slot of the box {} was changed by one of its readers; it is now {}",
                seen.workspace.name, seen.folder, seen.slot
            )),
            BoxVerdict::Same | BoxVerdict::Accepted | BoxVerdict::Older(_) => {}
        }
    }

    /// Takes a workspace that was just made, with its box.
    ///
    /// # Errors
    /// As `meet`.
    pub fn begin(&self, session: &Session, seen: &SeenBox<'_>) -> Result<()> {
        if !self.learns {
            return Ok(());
        }
        self.remember(session, std::slice::from_ref(seen), |known| {
            known.begin_workspace(seen.workspace);
            known.learn_box(seen);
            Ok(())
        })
    }

    /// Takes boxes as they stand.
    ///
    /// # Errors
    /// As `meet`.
    pub fn learn(&self, session: &Session, all: &[SeenBox<'_>]) -> Result<()> {
        if !self.learns {
            return Ok(());
        }
        self.remember(session, all, |known| {
            all.iter().for_each(|seen| known.learn_box(seen));
            Ok(())
        })
    }

    /// A home that cannot be written (a container, a sandbox) must not stop a command that only met
    /// something new: it will be met again.
    fn remember(
        &self,
        session: &Session,
        all: &[SeenBox<'_>],
        change: impl Fn(&mut Known) -> Result<()>,
    ) -> Result<()> {
        let [first, others @ ..] = all else { return Ok(()) };
        match self.change(change) {
            Err(problems) if problems.code() == Code::Failed => {
                let more = match others.len() {
                    0 => String::new(),
                    count => format!(" and {count} more"),
                };
                session.operator.warn(format_args!(
                    "could not remember the box {}{more}: {}",
                    first.folder,
                    causes(&problems)
                ));
                Ok(())
            }
            result => result,
        }
    }
}

/// Anyone who can write to a workspace can give it another id.
fn say_namesake(session: &Session, other: &KnownWorkspace) {
    let id = other.id.as_ref().map_or_else(|| "no id".to_owned(), |id| format!("the id {id}"));
    let folder = other.folders.last().map(|folder| format!(", in {}", escaped(folder))).unwrap_or_default();
    session.operator.say(format_args!(
        "it is not the workspace {} that this machine knows, with {id}{folder}",
        other.name
    ));
}

fn causes(problems: &Problems) -> String {
    let one = |problem: &Problem| {
        std::iter::once(&problem.what).chain(&problem.causes).cloned().collect::<Vec<_>>().join(": ")
    };
    problems.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn parse(path: &Path, text: &str) -> Result<Known> {
    Known::parse(text, &path.display().to_string())
}
