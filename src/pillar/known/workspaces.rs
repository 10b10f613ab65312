//! Which entry is that of a workspace. Its name alone says nothing: anyone who can write to a workspace can give
//! it another one, and an id as well. The folder on this machine they cannot change.

use super::{Known, KnownWorkspace};
use crate::name::{WorkspaceId, WorkspaceName};
use crate::problem::{Code, Problem, Result, escaped};
use std::collections::BTreeMap;

/// Folders that are remembered of one workspace.
const FOLDERS: usize = 32;

/// A workspace as it stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenWorkspace {
    /// Its name.
    pub name: WorkspaceName,
    /// Its id, if it has one.
    pub id: Option<WorkspaceId>,
    /// Its folder on this machine: absolute, without symbolic links.
    pub folder: Option<String>,
    /// The git branch that is checked out there. Only ever a reason to trust less.
    pub branch: Option<String>,
}

impl Known {
    /// What is known of a workspace, also where its name or id is another now.
    pub fn workspace(&self, seen: &SeenWorkspace) -> Option<&KnownWorkspace> {
        self.position(seen).and_then(|at| self.workspaces.get(at))
    }

    pub(super) fn workspace_mut(&mut self, seen: &SeenWorkspace) -> Option<&mut KnownWorkspace> {
        self.position(seen).and_then(|at| self.workspaces.get_mut(at))
    }

    /// Another workspace of the same name that is known here: two that are mixed up easily.
    pub fn namesake(&self, seen: &SeenWorkspace) -> Option<&KnownWorkspace> {
        let own = self.position(seen);
        let mut others = self.workspaces.iter().enumerate().filter(|(at, _)| Some(*at) != own);
        others.find(|(_, known)| known.name == seen.name).map(|(_, known)| known)
    }

    /// Refuses a workspace that is known under another name or id.
    ///
    /// # Errors
    /// [`Code::Seal`] with old and new, and how the change is accepted.
    pub fn check_workspace(&self, seen: &SeenWorkspace) -> Result<()> {
        let Some(known) = self.workspace(seen) else { return Ok(()) };
        let id =
            |id: &Option<WorkspaceId>| id.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
        let other_id = known.id.is_some() && seen.id.is_some() && known.id != seen.id;
        let (what, old, new) = if known.name != seen.name {
            ("name", known.name.to_string(), seen.name.to_string())
        } else if other_id {
            ("id", id(&known.id), id(&seen.id))
        } else {
            return Ok(());
        };
        let place = match &seen.folder {
            Some(folder) if known.folders.contains(folder) => format!("the workspace in {}", escaped(folder)),
            _ => format!("the workspace with the id {}", id(&seen.id)),
        };
        Err(Problem::new(Code::Seal, format!("{place} has another {what} than this machine knows"))
            .cause(format!("its {what} was {old}"))
            .cause(format!("its {what} is {new}"))
            .cause("what is known of its boxes and hosts counts on, whatever it is called")
            .hint("ask who changed it; if it is right, keep what is known under the new one:")
            .hint(format!("pillarbox known rename {old} {}", seen.name))
            .hint("if another workspace took the place of that one, forget the old one:")
            .hint(format!("pillarbox known forget --workspace {old}"))
            .into())
    }

    /// Takes a workspace that was just made: nothing is known of it, whatever lay in its folder before.
    pub fn begin_workspace(&mut self, seen: &SeenWorkspace) {
        for known in &mut self.workspaces {
            known.folders.retain(|folder| Some(folder) != seen.folder.as_ref());
        }
        self.workspaces.push(KnownWorkspace::new(seen));
        self.changed = true;
    }

    /// Keeps what is known of `old`, a name or an id, for a workspace under its present name and id.
    ///
    /// # Errors
    /// Where nothing of that name or id is known, or of the new one is already.
    pub fn rename(&mut self, old: &str, seen: &SeenWorkspace) -> Result<()> {
        let is = |known: &KnownWorkspace| {
            known.name.as_str() == old || known.id.as_ref().is_some_and(|id| id.as_str() == old)
        };
        let own = self.position(seen).filter(|at| self.workspaces.get(*at).is_some_and(is));
        let Some(at) = own.or_else(|| self.only(is)) else {
            let names: Vec<&str> = self.workspaces.iter().map(|known| known.name.as_str()).collect();
            return Err(Problem::usage(format!("no one workspace `{}` is known", escaped(old)))
                .cause(format!("known are: {}", names.join(", ")))
                .nearest(old, names)
                .into());
        };
        let is_new = |known: &KnownWorkspace| known.name == seen.name && known.id == seen.id;
        if self.workspaces.iter().enumerate().any(|(other, known)| other != at && is_new(known)) {
            return Err(Problem::failed(format!("another workspace {} is known already", seen.name))
                .hint(format!("if it is gone: pillarbox known forget --workspace {}", seen.name))
                .into());
        }
        if let Some(known) = self.workspaces.get_mut(at) {
            known.name = seen.name.clone();
            known.id = seen.id.clone().or(known.id.take());
        }
        self.changed = true;
        self.touch(at, seen);
        Ok(())
    }

    /// Forgets whole workspaces by their name, or one by its id; says whether anything was known.
    pub fn forget_workspace(&mut self, name: &str) -> bool {
        let before = self.workspaces.len();
        self.workspaces.retain(|known| {
            known.name.as_str() != name && known.id.as_ref().is_none_or(|id| id.as_str() != name)
        });
        let gone = before != self.workspaces.len();
        self.changed |= gone;
        gone
    }

    /// The entry of a workspace, made where there is none.
    pub(super) fn of(&mut self, seen: &SeenWorkspace) -> &mut KnownWorkspace {
        self.changed = true;
        let at = self.position(seen).unwrap_or(self.workspaces.len());
        if at == self.workspaces.len() {
            self.workspaces.push(KnownWorkspace::new(seen));
        }
        self.touch(at, seen);
        &mut self.workspaces[at]
    }

    /// Judges a workspace, and remembers where it was seen and an id that it got since; nothing where it is
    /// not known.
    ///
    /// # Errors
    /// As [`Self::check_workspace`].
    pub fn meet_workspace(&mut self, seen: &SeenWorkspace) -> Result<()> {
        self.check_workspace(seen)?;
        self.touch_workspace(seen);
        Ok(())
    }

    pub(super) fn touch_workspace(&mut self, seen: &SeenWorkspace) {
        if let Some(at) = self.position(seen) {
            self.touch(at, seen);
        }
    }

    fn touch(&mut self, at: usize, seen: &SeenWorkspace) {
        let Some(known) = self.workspaces.get_mut(at) else { return };
        if known.id.is_none() && seen.id.is_some() {
            known.id.clone_from(&seen.id);
            self.changed = true;
        }
        if let Some(folder) = seen.folder.as_ref().filter(|folder| !known.folders.contains(folder)) {
            known.folders.push(folder.clone());
            let excess = known.folders.len().saturating_sub(FOLDERS);
            known.folders.drain(..excess);
            self.changed = true;
        }
    }

    /// By the folder; else by the id; else by the name, where one of the two has no id.
    fn position(&self, seen: &SeenWorkspace) -> Option<usize> {
        let by = |is: &dyn Fn(&KnownWorkspace) -> bool| self.workspaces.iter().position(is);
        let folder = |folder: &String| by(&|known| known.folders.contains(folder));
        let id = |id: &WorkspaceId| by(&|known| known.id.as_ref() == Some(id));
        seen.folder
            .as_ref()
            .and_then(folder)
            .or_else(|| seen.id.as_ref().and_then(id))
            .or_else(|| by(&|known| known.name == seen.name && known.id.is_none()))
            .or_else(|| self.only(|known| known.name == seen.name).filter(|_| seen.id.is_none()))
    }

    fn only(&self, is: impl Fn(&KnownWorkspace) -> bool) -> Option<usize> {
        let mut found = self.workspaces.iter().enumerate().filter(|(_, known)| is(known));
        found.next().filter(|_| found.next().is_none()).map(|(at, _)| at)
    }
}

impl KnownWorkspace {
    fn new(seen: &SeenWorkspace) -> Self {
        Self {
            name: seen.name.clone(),
            id: seen.id.clone(),
            folders: seen.folder.iter().cloned().collect(),
            boxes: BTreeMap::new(),
            hosts: BTreeMap::new(),
        }
    }
}

/// A workspace without id in no folder.
#[cfg(test)]
impl From<WorkspaceName> for SeenWorkspace {
    fn from(name: WorkspaceName) -> Self {
        Self { name, id: None, folder: None, branch: None }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{HostVerdict, KnownHost};
    use super::*;
    use crate::name::HostName;

    const A: &str = "9f2c41d70b6e83aa";
    const B: &str = "0000000000000001";

    fn seen(name: &str, id: Option<&str>, folder: &str) -> SeenWorkspace {
        SeenWorkspace {
            name: WorkspaceName::parse(name).expect("a name"),
            id: id.map(|id| WorkspaceId::parse(id).expect("an id")),
            folder: Some(folder.to_owned()),
            branch: None,
        }
    }

    fn host() -> (HostName, KnownHost) {
        let address = "ssh://web1".to_owned();
        (HostName::parse("web1").expect("a name"), KnownHost { address, ..KnownHost::default() })
    }

    /// Knows a host of a workspace.
    fn knowing(workspace: &SeenWorkspace) -> Known {
        let (name, host) = host();
        let mut known = Known::default();
        known.learn_host(workspace, &name, &host);
        known
    }

    /// Whether the host is known there; `Err` where the workspace is not the known one.
    fn knows(known: &Known, workspace: &SeenWorkspace) -> Result<bool> {
        let (name, host) = host();
        let met = known.clone().meet_host(workspace, &name, &host, false);
        met.map(|verdict| verdict == HostVerdict::Same)
    }

    #[test]
    fn another_name_or_id_in_a_known_folder_is_refused_and_forgets_nothing() {
        let known = knowing(&seen("shop", Some(A), "/srv/shop"));
        for changed in [
            seen("shop2", Some(A), "/srv/shop"),
            seen("shop2", Some(B), "/srv/shop"),
            seen("shop2", None, "/srv/shop"),
            seen("shop", Some(B), "/srv/shop"),
            seen("shop2", Some(A), "/elsewhere"),
        ] {
            let problems = knows(&known, &changed).expect_err("refused");
            assert_eq!(problems.code(), Code::Seal);
            let hints = problems.iter().flat_map(|problem| problem.hints.clone()).collect::<Vec<_>>();
            assert!(hints.iter().any(|hint| hint.starts_with("pillarbox known rename ")), "{hints:?}");
        }
        // In another folder it is the same by its id; so is an older checkout without one.
        for same in [
            seen("shop", Some(A), "/home/alice/shop"),
            seen("shop", None, "/srv/shop"),
            seen("shop", None, "/x"),
        ] {
            assert_eq!(knows(&known, &same), Ok(true), "{same:?}");
        }
        // Another of the same name is another one.
        assert_eq!(knows(&known, &seen("shop", Some(B), "/home/bob/shop")), Ok(false));
        assert!(known.namesake(&seen("shop", Some(B), "/home/bob/shop")).is_some());
    }

    #[test]
    fn an_id_that_is_added_later_keeps_what_is_known() {
        let mut known = Known::parse(
            "format = 1\n[workspaces.shop.hosts.web1]\naddress = \"ssh://web1\"\n",
            "known.toml",
        )
        .expect("the older form");
        let (name, host) = host();
        let old = seen("shop", None, "/srv/shop");
        assert_eq!(known.meet_host(&old, &name, &host, true), Ok(HostVerdict::Same));
        assert!(known.is_changed(), "the folder is remembered");
        let new = seen("shop", Some(A), "/srv/shop");
        assert_eq!(known.meet_host(&new, &name, &host, true), Ok(HostVerdict::Same));
        let known = Known::parse(&known.to_string(), "known.toml").expect("reads back");
        assert_eq!(known.workspace(&new).and_then(|known| known.id.clone()), new.id);
        assert!(knows(&known, &seen("shop", Some(B), "/srv/shop")).is_err());
    }

    #[test]
    fn a_rename_that_is_meant_keeps_what_is_known() {
        let new = seen("shop2", Some(A), "/srv/shop");
        let mut known = knowing(&seen("shop", Some(A), "/srv/shop"));
        assert!(known.rename("shp", &new).is_err());
        known.rename("shop", &new).expect("renamed");
        assert_eq!(knows(&known, &new), Ok(true));
        let other = seen("shop2", Some(B), "/srv/shop");
        assert!(knows(&known, &other).is_err());
        known.rename(A, &other).expect("its id is another");
        assert_eq!(knows(&known, &other), Ok(true));
        assert!(known.forget_workspace(B) && knows(&known, &other) == Ok(false));
    }

    #[test]
    fn a_workspace_that_was_just_made_belongs_to_no_other() {
        let mut known = knowing(&seen("shop", Some(A), "/srv/shop"));
        let new = seen("other", Some(B), "/srv/shop");
        known.begin_workspace(&new);
        assert_eq!(knows(&known, &new), Ok(false));
        assert_eq!(knows(&known, &seen("shop", Some(A), "/srv/moved")), Ok(true));
    }
}
