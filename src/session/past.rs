//! Who could open what, from git: every commit that this clone knows, and on top of them the workspace as it
//! stands.

use super::git::{FileChange, Git, Step};
use super::vault::cores::on_all_cores;
use super::vault::{KeyFiles, Vault};
use crate::keys::Recipient;
use crate::name::ReaderName;
use crate::pillar::boxes::{BoxFile, BoxFolder};
use crate::pillar::document::Document;
use crate::pillar::readership::{BoxAt, Change, Readership, Secrets, State};
use crate::problem::{Problems, Result};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Its whole id.
    pub commit: String,
    /// When it was committed.
    pub time: jiff::Timestamp,
}

/// What git and the workspace tell.
pub struct Past {
    /// Who could open what.
    pub readership: Readership,
    /// What stands at the end.
    pub state: State,
    /// Commits are missing here: the clone is shallow, or files of it were not fetched.
    pub partial: bool,
    /// Why git was not asked.
    pub without_git: Option<Problems>,
    moments: Vec<Moment>,
}

impl Past {
    /// Every branch, remote branch and tag, and the workspace as it stands. Where git cannot be asked, that is
    /// all there is: who takes a reader out must not be kept from it.
    pub fn everything(vault: &Vault<'_>) -> Self {
        let (mut past, head) = match Self::committed(vault) {
            Ok(found) => found,
            Err(problems) => (Self { without_git: Some(problems), ..Self::nothing() }, None),
        };
        // On top of HEAD.
        let (now, head) = (standing(vault), head.unwrap_or_default());
        past.state = past.readership.step(past.moments.len(), &[&head], head.changes_to(&now));
        past
    }

    /// What led to one commit, and nothing after it.
    ///
    /// # Errors
    /// Where git cannot be asked, or fails.
    pub fn up_to(vault: &Vault<'_>, commit: &str) -> Result<Self> {
        let git = Git::around(vault.session(), vault.workspace().root())?;
        let mut past = Self::nothing();
        past.state = past.walk(&git, &[commit], commit)?.unwrap_or_default();
        past.partial |= git.is_shallow()?;
        Ok(past)
    }

    /// All commits, and what stood at `HEAD`.
    fn committed(vault: &Vault<'_>) -> Result<(Self, Option<State>)> {
        let git = Git::around(vault.session(), vault.workspace().root())?;
        let mut past = Self::nothing();
        if git.ask(["rev-parse", "--verify", "--quiet", "HEAD"], b"").is_err() {
            return Ok((past, None));
        }
        // What was put aside by `git stash` never left this machine; notes, of which git makes one for what
        // `show` printed, have no pillar.
        let revisions = ["HEAD", "--exclude=refs/stash", "--exclude=refs/notes/*", "--all"];
        let head = past.walk(&git, &revisions, "HEAD")?;
        past.partial |= git.is_shallow()?;
        Ok((past, head))
    }

    /// The commit of a moment; `None`: not committed yet.
    pub fn moment(&self, at: usize) -> Option<&Moment> {
        self.moments.get(at)
    }

    fn nothing() -> Self {
        Self {
            readership: Readership::default(),
            state: State::default(),
            partial: false,
            without_git: None,
            moments: Vec::new(),
        }
    }

    /// Goes through the commits; returns what stood at `last`.
    fn walk(&mut self, git: &Git, revisions: &[&str], last: &str) -> Result<Option<State>> {
        let steps = git.steps(revisions)?;
        let (texts, missing) =
            git.read_changes(&steps, |texts| on_all_cores(texts, |(path, text)| read(path, text)))?;
        self.partial |= missing > 0;
        // The last of the steps that lead there: what came after it changed nothing here.
        let tip = git.steps(&[last])?.pop().map(|step| step.id);
        let mut left: Vec<usize> = vec![0; steps.len()];
        steps.iter().flat_map(|step| &step.parents).for_each(|parent| left[*parent] += 1);
        let mut states: BTreeMap<usize, State> = BTreeMap::new();
        let mut found = None;
        for (at, step) in steps.iter().enumerate() {
            let parents: Vec<&State> = step.parents.iter().filter_map(|parent| states.get(parent)).collect();
            let state = self.readership.step(at, &parents, changes(step, &texts));
            for parent in &step.parents {
                left[*parent] -= 1;
                if left[*parent] == 0 {
                    states.remove(parent);
                }
            }
            if tip.as_ref() == Some(&step.id) {
                found = Some(state.clone());
            }
            if left[at] > 0 {
                states.insert(at, state);
            }
            let time = jiff::Timestamp::from_second(step.time).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
            self.moments.push(Moment { commit: step.id.clone(), time });
        }
        Ok(found)
    }
}

/// Boxes, secrets and keys of the workspace.
fn standing(vault: &Vault<'_>) -> State {
    let mut state = State::default();
    for (folder, file) in vault.boxes() {
        state.boxes.insert(folder.clone(), Rc::new(of_box(file)));
    }
    for document in vault.documents() {
        let secrets = of_document(document);
        if !secrets.is_empty() {
            state.files.insert(document.file().to_owned(), Rc::new(secrets));
        }
    }
    for (name, key) in vault.key_files().iter().flat_map(KeyFiles::iter) {
        if let Ok(key) = key {
            state.keys.insert(name.clone(), key.clone());
        }
    }
    state
}

fn of_box(file: &BoxFile) -> BoxAt {
    BoxAt { slot: file.slot.clone(), readers: file.readers.clone() }
}

fn of_document(document: &Document) -> Secrets {
    document.sealed().into_iter().map(|sealed| (sealed.origin.key.clone(), sealed.id.clone())).collect()
}

/// The folder of the box, if a path is that of a `box.toml`.
fn folder(path: &str) -> Option<BoxFolder> {
    let parent = path.strip_prefix("pillar/")?.strip_suffix("box.toml")?;
    (parent.is_empty() || parent.ends_with('/')).then(|| BoxFolder::parse(parent).ok()).flatten()
}

fn key_name(path: &str) -> Option<ReaderName> {
    ReaderName::parse(path.strip_prefix("keys/")?.strip_suffix(".pub")?).ok()
}

fn pillar_file(path: &str) -> Option<&str> {
    path.strip_prefix("pillar/").filter(|file| file.ends_with(".toml"))
}

/// What a text of the past says; nothing where it cannot be read, as on a branch with a conflict in it.
fn read(path: &str, text: &str) -> Seen {
    if folder(path).is_some() {
        return Seen::Box(BoxFile::parse(text, path).ok().map(|file| of_box(&file)));
    }
    if key_name(path).is_some() {
        return Seen::Key(Recipient::parse_file(text, path).ok());
    }
    let document = pillar_file(path).and_then(|file| Document::parse(file, text).ok());
    Seen::File(document.map(|document| of_document(&document)))
}

/// A file of the past, as far as it can be read.
enum Seen {
    Box(Option<BoxAt>),
    File(Option<Secrets>),
    Key(Option<Recipient>),
}

fn changes(step: &Step, texts: &BTreeMap<(String, String), Seen>) -> Vec<Change> {
    let one = |change: &FileChange| {
        let seen = change.blob.as_ref().and_then(|blob| texts.get(&(change.path.clone(), blob.clone())));
        if let Some(folder) = folder(&change.path) {
            let file = match seen {
                Some(Seen::Box(file)) => file.clone().map(Rc::new),
                _ => None,
            };
            return Some(Change::Box(folder, file));
        }
        if let Some(name) = key_name(&change.path) {
            let key = match seen {
                Some(Seen::Key(key)) => key.clone(),
                _ => None,
            };
            return Some(Change::Key(name, key));
        }
        let file = pillar_file(&change.path)?.to_owned();
        let secrets = match seen {
            Some(Seen::File(secrets)) => secrets.clone().filter(|secrets| !secrets.is_empty()).map(Rc::new),
            _ => None,
        };
        Some(Change::File(file, secrets))
    };
    step.changes.iter().filter_map(one).collect()
}
