//! The sealed values of one workspace, as every command deals with them: boxes and pillar files are
//! read once, every box is met against what this machine knows of it, identities are looked for only
//! when something has to be opened, and changes are collected and written as one.

mod anchor;
mod change;
mod cores;
mod opening;
mod posting;
mod readers;

pub(in crate::cli) use anchor::Anchor;
pub(in crate::cli) use cores::on_all_cores;
pub(in crate::cli) use readers::KeyFiles;

use super::Context;
use crate::inventory::Inventory;
use crate::keys::Identities;
use crate::name::WorkspaceName;
use crate::pillar::boxes::{BoxFile, BoxFolder, OpenBox};
use crate::pillar::document::Document;
use crate::problem::{Problem, Problems, Result};
use crate::store::{Lock, Workspace};
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A workspace with its boxes and pillar files, and the changes that a command makes.
pub(in crate::cli) struct Vault<'c> {
    ctx: &'c Context,
    workspace: Workspace,
    inventory: Inventory,
    boxes: BTreeMap<BoxFolder, BoxFile>,
    documents: BTreeMap<String, Document>,
    faults: Vec<Problem>,
    anchor: Anchor,
    identities: OnceCell<Identities>,
    unlocked: RefCell<BTreeMap<BoxFolder, Result<Rc<OpenBox>>>>,
    met: RefCell<BTreeSet<BoxFolder>>,
    made: BTreeSet<BoxFolder>,
    changes: BTreeMap<String, Option<String>>,
    lock: Option<Lock>,
}

impl<'c> Vault<'c> {
    /// For commands that only read.
    ///
    /// # Errors
    /// Where there is no workspace, and all that is wrong with the form of its inventory, boxes and
    /// pillar files.
    pub(in crate::cli) fn load(ctx: &'c Context) -> Result<Self> {
        Self::sound(Self::read(ctx, false)?)
    }

    /// For commands that change the workspace: takes its lock first, so that nothing changes between
    /// reading and [`Self::commit`].
    ///
    /// # Errors
    /// As [`Self::load`]; where the workspace cannot be written.
    pub(in crate::cli) fn for_change(ctx: &'c Context) -> Result<Self> {
        Self::sound(Self::read(ctx, true)?)
    }

    /// For commands that look at a workspace which may be broken: boxes and files that cannot be read
    /// are left out and said by [`Self::faults`].
    ///
    /// # Errors
    /// Where there is no workspace, or its inventory cannot be read.
    pub(in crate::cli) fn load_with_faults(ctx: &'c Context) -> Result<Self> {
        Self::read(ctx, false)
    }

    fn sound(mut vault: Self) -> Result<Self> {
        Problems::check(std::mem::take(&mut vault.faults))?;
        Ok(vault)
    }

    fn read(ctx: &'c Context, to_change: bool) -> Result<Self> {
        let workspace = Workspace::open(&ctx.workspace_dir()?)?;
        let lock = if to_change { Some(workspace.lock()?) } else { None };
        let inventory = workspace.inventory()?;
        let (mut boxes, mut documents, mut faults) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for (file, text) in workspace.pillar()? {
            let parent = match file.as_str() {
                "box.toml" => Some(""),
                nested => nested.strip_suffix("/box.toml"),
            };
            let read = match parent {
                Some(parent) => BoxFolder::parse(parent).and_then(|folder| {
                    boxes.insert(folder, BoxFile::parse(&text, &format!("pillar/{file}"))?);
                    Ok(())
                }),
                None => Document::parse(&file, text).map(|document| {
                    documents.insert(file, document);
                }),
            };
            if let Err(found) = read {
                faults.extend(found.into_vec());
            }
        }
        Ok(Self {
            ctx,
            workspace,
            inventory,
            boxes,
            documents,
            faults,
            anchor: Anchor::load(ctx)?,
            identities: OnceCell::new(),
            unlocked: RefCell::default(),
            met: RefCell::default(),
            made: BTreeSet::new(),
            changes: BTreeMap::new(),
            lock,
        })
    }

    /// The workspace's files.
    pub(in crate::cli) fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// `pillarbox.toml`.
    pub(in crate::cli) fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// The name of the workspace.
    pub(in crate::cli) fn name(&self) -> &WorkspaceName {
        &self.inventory.workspace
    }

    /// What this machine knows of workspaces.
    pub(in crate::cli) fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// What was left out by [`Self::load_with_faults`].
    pub(in crate::cli) fn faults(&self) -> &[Problem] {
        &self.faults
    }

    /// Pillar files, sorted by path, with the changes made so far.
    pub(in crate::cli) fn documents(&self) -> impl Iterator<Item = &Document> + Clone {
        self.documents.values()
    }

    /// One pillar file; `file` is relative to `pillar/`.
    pub(in crate::cli) fn document(&self, file: &str) -> Option<&Document> {
        self.documents.get(file)
    }

    /// The boxes by their folders, with the changes made so far.
    pub(in crate::cli) fn boxes(&self) -> &BTreeMap<BoxFolder, BoxFile> {
        &self.boxes
    }

    /// The box that governs a pillar file.
    ///
    /// # Errors
    /// Where none does.
    pub(in crate::cli) fn governing(&self, file: &str) -> Result<&BoxFolder> {
        BoxFolder::governing(file, self.boxes.keys()).ok_or_else(|| {
            Problem::failed(format!("no box holds pillar/{}", crate::problem::escaped(file)))
                .cause("there is no box.toml in its folder or above")
                .hint("make one for the whole pillar: pillarbox box new pillar --readers NAME")
                .into()
        })
    }

    /// The pillar files that a box governs.
    pub(in crate::cli) fn documents_in<'v>(
        &'v self,
        folder: &'v BoxFolder,
    ) -> impl Iterator<Item = &'v Document> + 'v {
        self.documents()
            .filter(move |document| BoxFolder::governing(document.file(), self.boxes.keys()) == Some(folder))
    }
}
