//! The sealed values of one workspace, as every command deals with them: boxes and pillar files are
//! read once, every box is met against what this machine knows of it, identities are looked for only
//! when something has to be opened, and changes are collected and written as one.

mod change;
pub(super) mod cores;
mod governing;
mod known;
mod merged;
mod narrow;
mod opening;
mod posting;
mod readers;

pub use known::KnownFile;
pub use merged::merged;
pub use readers::KeyFiles;

use super::context::Session;
use crate::compile::Budget;
use crate::inventory::Inventory;
use crate::name::{Owner, WorkspaceName};
use crate::pillar::boxes::{BoxFile, BoxFolder, OpenBox};
use crate::pillar::document::Document;
use crate::pillar::known::SeenWorkspace;
use crate::problem::{Problem, Problems, Result};
use crate::state::FileBytes;
use crate::store::{Change, Repository, Workspace, Writer};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A workspace with its boxes and pillar files, and the changes that a command makes.
pub struct Vault<'c> {
    session: &'c Session,
    workspace: &'c Workspace,
    writer: Option<Writer<'c>>,
    boxes: BTreeMap<BoxFolder, BoxFile>,
    documents: BTreeMap<String, Document>,
    unread: BTreeMap<String, String>,
    faults: Vec<Problem>,
    known: KnownFile,
    /// The personal overlay: anyone who can write to it can write to the known file as well, so there is
    /// nothing to hold it against.
    own: bool,
    seen: SeenWorkspace,
    unlocked: RefCell<BTreeMap<BoxFolder, Result<Rc<OpenBox>>>>,
    met: RefCell<BTreeSet<BoxFolder>>,
    /// Those that were met to be posted to, as this run wants it.
    met_to_post: RefCell<BTreeSet<BoxFolder>>,
    made: BTreeSet<BoxFolder>,
    change: Change,
    budget: Budget,
    /// Files that containers are given, as they were when they were read first.
    sources: RefCell<BTreeMap<String, Option<FileBytes>>>,
}

/// What stands below `pillar/`.
#[derive(Default)]
struct Contents {
    boxes: BTreeMap<BoxFolder, BoxFile>,
    documents: BTreeMap<String, Document>,
    /// Texts of files that are no box and no TOML.
    unread: BTreeMap<String, String>,
    /// Why they are not.
    faults: Vec<Problem>,
}

impl Contents {
    fn of(files: Vec<(String, Result<String>)>) -> Self {
        let mut all = Self::default();
        for (file, text) in files {
            if let Err(found) = text.and_then(|text| all.add(file, text)) {
                all.faults.extend(found.into_vec());
            }
        }
        all
    }

    fn add(&mut self, file: String, text: String) -> Result<()> {
        let read = match folder_of_box(&file) {
            Some(folder) => BoxFolder::parse(folder)
                .and_then(|folder| Ok((folder, BoxFile::parse(&text, &format!("pillar/{file}"))?)))
                .map(|(folder, read)| drop(self.boxes.insert(folder, read))),
            None => Document::parse(&file, text.as_str())
                .map(|document| drop(self.documents.insert(file.clone(), document))),
        };
        if read.is_err() {
            self.unread.insert(file, text);
        }
        read
    }
}

/// What this machine knows a workspace by.
pub fn seen(workspace: &Workspace) -> SeenWorkspace {
    let Owner { name, id, .. } = workspace.inventory().owner.clone();
    let folder = workspace.root().canonicalize().unwrap_or_else(|_| workspace.root().to_owned());
    // A repository that cannot be followed has no branch; what needs it says why.
    let branch = Repository::around(&folder).ok().flatten().and_then(|repository| repository.branch());
    SeenWorkspace { name, id, folder: folder.to_str().map(str::to_owned), branch }
}

impl<'c> Vault<'c> {
    /// For commands that only read, or that ask a person before they change something: those call
    /// [`Self::lock`] afterwards.
    ///
    /// # Errors
    /// All that is wrong with the form of boxes and pillar files.
    pub fn load(session: &'c Session, workspace: &'c Workspace) -> Result<Self> {
        let mut vault = Self::load_with_faults(session, workspace)?;
        Problems::check(std::mem::take(&mut vault.faults))?;
        Ok(vault)
    }

    /// For commands that look at a workspace which may be broken: boxes and files that cannot be read
    /// are left out and said by [`Self::faults`].
    ///
    /// # Errors
    /// Where there are symbolic links in the workspace, or the known file cannot be read.
    pub fn load_with_faults(session: &'c Session, workspace: &'c Workspace) -> Result<Self> {
        let files = workspace.at_one_moment(|workspace| files(workspace, |path| workspace.read(path)))?;
        Self::of(session, workspace, None, files)
    }

    /// For commands that change the workspace without asking anything: no other command can write between
    /// this and [`Self::commit`].
    ///
    /// # Errors
    /// As [`Self::load`]; where the workspace cannot be written.
    pub fn for_change(session: &'c Session, workspace: &'c Workspace) -> Result<Self> {
        let mut vault = Self::for_repair(session, workspace)?;
        Problems::check(std::mem::take(&mut vault.faults))?;
        Ok(vault)
    }

    /// For commands that put a broken file right: as [`Self::for_change`], with what cannot be read left
    /// out and said by [`Self::faults`].
    ///
    /// # Errors
    /// As [`Self::load_with_faults`]; where the workspace cannot be written.
    pub fn for_repair(session: &'c Session, workspace: &'c Workspace) -> Result<Self> {
        let writer = writer(session, workspace)?;
        let files = files(workspace, |path| Ok(writer.read_if_there(path)?.unwrap_or_default()))?;
        Self::of(session, workspace, Some(writer), files)
    }

    /// Takes the right to write, where nothing changed since the files were read. To be called before any
    /// change of this vault.
    ///
    /// # Errors
    /// Where something did, or the workspace cannot be written.
    pub fn lock(&mut self) -> Result<()> {
        let writer = writer(self.session, self.workspace)?;
        let now =
            Contents::of(files(self.workspace, |path| Ok(writer.read_if_there(path)?.unwrap_or_default()))?);
        let texts = |documents: &BTreeMap<String, Document>| -> Vec<(String, String)> {
            let pair = |document: &Document| (document.file().to_owned(), document.text().to_owned());
            documents.values().map(pair).collect()
        };
        let same = self.boxes == now.boxes
            && self.unread == now.unread
            && texts(&self.documents) == texts(&now.documents);
        if !same {
            return Err(Problem::failed("the workspace was changed meanwhile")
                .hint("nothing was written: run the same command again")
                .into());
        }
        self.writer = Some(writer);
        Ok(())
    }

    fn of(
        session: &'c Session,
        workspace: &'c Workspace,
        writer: Option<Writer<'c>>,
        files: Vec<(String, Result<String>)>,
    ) -> Result<Self> {
        let Contents { boxes, documents, unread, faults } = Contents::of(files);
        let own = session.is_overlay(workspace.root());
        Ok(Self {
            session,
            workspace,
            writer,
            boxes,
            documents,
            unread,
            faults,
            known: if own { KnownFile::none() } else { KnownFile::load(session)? },
            own,
            seen: seen(workspace),
            unlocked: RefCell::default(),
            met: RefCell::default(),
            met_to_post: RefCell::default(),
            made: BTreeSet::new(),
            change: Change::new(),
            budget: Budget::of(workspace.inventory().hosts.len()),
            sources: RefCell::default(),
        })
    }

    /// A file of the workspace that is given to containers, read once in a run; `None` if it is not there.
    ///
    /// # Errors
    /// Where it is no regular file of the workspace, or too large.
    pub fn source(&self, path: &str) -> Result<Option<FileBytes>> {
        if let Some(known) = self.sources.borrow().get(path) {
            return Ok(known.clone());
        }
        let read = self.workspace.bytes_beside(path)?.map(|(bytes, _)| FileBytes::new(bytes));
        self.sources.borrow_mut().insert(path.to_owned(), read.clone());
        Ok(read)
    }

    /// Whether a first use is refused.
    pub fn is_strict(&self) -> bool {
        self.session.strict() && !self.own
    }

    /// What it was read with.
    pub fn session(&self) -> &'c Session {
        self.session
    }

    /// The workspace's files.
    pub fn workspace(&self) -> &'c Workspace {
        self.workspace
    }

    /// What is left for expressions in this run.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// `pillarbox.toml`.
    pub fn inventory(&self) -> &'c Inventory {
        self.workspace.inventory()
    }

    /// The name of the workspace.
    pub fn name(&self) -> &'c WorkspaceName {
        &self.inventory().owner.name
    }

    /// What this machine knows it by.
    pub fn seen(&self) -> &SeenWorkspace {
        &self.seen
    }

    /// Whose is what carries the labels of this workspace.
    pub fn owner(&self) -> &'c Owner {
        &self.inventory().owner
    }

    /// What this machine knows of workspaces.
    pub fn known_file(&self) -> &KnownFile {
        &self.known
    }

    /// What was left out by [`Self::load_with_faults`].
    pub fn faults(&self) -> &[Problem] {
        &self.faults
    }

    /// Pillar files, sorted by path, with the changes made so far.
    pub fn documents(&self) -> impl Iterator<Item = &Document> + Clone {
        self.documents.values()
    }

    /// One pillar file; `file` is relative to `pillar/`.
    pub fn document(&self, file: &str) -> Option<&Document> {
        self.documents.get(file)
    }

    /// The boxes by their folders, with the changes made so far.
    pub fn boxes(&self) -> &BTreeMap<BoxFolder, BoxFile> {
        &self.boxes
    }
}

fn writer<'c>(session: &Session, workspace: &'c Workspace) -> Result<Writer<'c>> {
    workspace.lock(&mut || {
        session.operator.say(format_args!("waiting for another command that changes this workspace"));
    })
}

/// Boxes and values, relative to `pillar/`, each with its text.
fn files(
    workspace: &Workspace,
    read: impl Fn(&str) -> Result<String>,
) -> Result<Vec<(String, Result<String>)>> {
    let all = workspace.box_files()?.into_iter().chain(workspace.pillar_files()?);
    Ok(all.map(|file| (read(&format!("pillar/{file}")), file)).map(|(text, file)| (file, text)).collect())
}

/// The folder of a `box.toml`, relative to `pillar/`; `None` for files of values.
fn folder_of_box(file: &str) -> Option<&str> {
    if file == "box.toml" { Some("") } else { file.strip_suffix("/box.toml") }
}
