//! The names in a workspace, as its files have them.

use crate::cli::{Context, Global, Terminal, environment::environment};
use crate::compose;
use crate::name::KeyPath;
use crate::pillar::document::Document;
use crate::pillar::gate::TABLE as GATES;
use crate::pillar::{Node, Value};
use crate::registry::TABLE as REGISTRIES;
use crate::state::Function;
use crate::store::{Workspace, changed_by_others};
use clap_complete::engine::CompletionCandidate;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What a name can be of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    Boxes,
    BoxesAndHosts,
    ComposeProjects,
    Files,
    Gates,
    Hosts,
    Keys,
    KeysAndFiles,
    Readers,
    ReadersAndGroups,
    Registries,
    SealedKeys,
    Services,
}

/// Name and what it is.
type Found = BTreeMap<String, Option<String>>;

/// A workspace, if there is one that can be read and that only its owner and root can write.
pub(super) struct Values(Option<Workspace>);

impl Values {
    pub(super) fn of(workspace: Option<PathBuf>) -> Self {
        let global = Global { workspace, quiet: true, no_identity: true, ..Global::default() };
        let mut ctx = Context::new(global, environment(), Terminal::default());
        ctx.session.unattended = true;
        let of_others = |workspace: &Workspace| changed_by_others(workspace.root()).is_some();
        Self(ctx.session.workspace().ok().filter(|workspace| !of_others(workspace)))
    }

    pub(super) fn candidates(&self, names: Names) -> Vec<CompletionCandidate> {
        let found = self.0.as_ref().map(|workspace| named(workspace, names)).unwrap_or_default();
        let candidate = |(name, help): (String, Option<String>)| {
            CompletionCandidate::new(name).help(help.map(Into::into))
        };
        found.into_iter().map(candidate).collect()
    }
}

fn named(workspace: &Workspace, names: Names) -> Found {
    let inventory = workspace.inventory();
    match names {
        Names::Hosts => {
            let host = |host: &crate::inventory::Host| (host.name.to_string(), Some(host.engine.to_string()));
            inventory.hosts.values().map(host).collect()
        }
        Names::Boxes => {
            let files = workspace.box_files().unwrap_or_default();
            let folder =
                |file: &String| file.strip_suffix("box.toml").map(|folder| format!("pillar/{folder}"));
            plain(files.iter().filter_map(folder))
        }
        Names::BoxesAndHosts => both(workspace, Names::Boxes, Names::Hosts),
        Names::ComposeProjects => plain(inventory.compose.keys().cloned()),
        Names::Files => plain(workspace.pillar_files().unwrap_or_default()),
        Names::Readers => {
            let files = workspace.key_files().unwrap_or_default();
            let name = |file: &String| {
                let file = file.strip_prefix("keys/").unwrap_or(file);
                file.strip_suffix(".pub").map(str::to_owned)
            };
            plain(files.iter().filter_map(name))
        }
        Names::ReadersAndGroups => {
            let mut found = named(workspace, Names::Readers);
            found.extend(plain(inventory.readers.groups.keys().map(|group| format!("@{group}"))));
            found
        }
        Names::Gates => tables(workspace, GATES, |node| match node.at(["version"]).map(|node| &node.value) {
            Some(Value::String(version)) => Some(version.clone()),
            _ => None,
        }),
        Names::Registries => tables(workspace, REGISTRIES, |_| None),
        Names::Keys => plain(documents(workspace).iter().flat_map(values)),
        Names::SealedKeys => {
            let documents = documents(workspace);
            plain(documents.iter().flat_map(Document::sealed).map(|sealed| sealed.origin.key.to_string()))
        }
        Names::KeysAndFiles => both(workspace, Names::Keys, Names::Files),
        Names::Services => services(workspace),
    }
}

fn plain(names: impl IntoIterator<Item = String>) -> Found {
    names.into_iter().map(|name| (name, None)).collect()
}

fn both(workspace: &Workspace, one: Names, other: Names) -> Found {
    let mut found = named(workspace, one);
    found.extend(named(workspace, other));
    found
}

/// The keys of a document, without those of tables.
fn values(document: &Document) -> Vec<String> {
    let is_table = |key: &KeyPath| document.get(key).is_some_and(|node| node.as_table().is_some());
    document.keys().iter().filter(|key| !is_table(key)).map(ToString::to_string).collect()
}

/// Files that cannot be read have no names.
fn documents(workspace: &Workspace) -> Vec<Document> {
    let files = workspace.pillar_files().unwrap_or_default();
    files.iter().filter_map(|file| workspace.document(file).ok()).collect()
}

/// The names below a table of the pillar.
fn tables(workspace: &Workspace, table: &str, help: impl Fn(&Node) -> Option<String>) -> Found {
    let mut found = Found::new();
    for document in documents(workspace) {
        let Some(tree) = document.tree().ok() else { continue };
        for (name, node) in tree.at([table]).and_then(Node::as_table).into_iter().flatten() {
            let help = help(node);
            let known = found.entry(name.clone()).or_default();
            *known = help.or(known.take());
        }
    }
    found
}

/// Containers and services of states in TOML, by the names that they have on hosts. A name that is computed is
/// not known here, and no program is run for one.
fn services(workspace: &Workspace) -> Found {
    let mut found = Found::new();
    for file in workspace.state_files().unwrap_or_default() {
        let Ok(text) = workspace.read(&format!("states/{file}")) else { continue };
        let Ok(document) = Document::parse(&file, text) else { continue };
        let Some(table) = document.tree().ok().and_then(Node::as_table) else { continue };
        for (id, node) in table {
            for function in Function::names().filter(|name| is_kept(name)) {
                let Some(state) = node.at(function.split('.')) else { continue };
                let name = match state.at(["name"]).map(|node| &node.value) {
                    Some(Value::String(name)) => name,
                    _ => id,
                };
                if !name.contains("{{") {
                    found.insert(name.clone(), Some(function.to_owned()));
                }
            }
        }
    }
    found.extend(of_compose(workspace));
    found
}

/// Services of Compose projects, by the names that they have on hosts.
fn of_compose(workspace: &Workspace) -> Found {
    let mut found = Found::new();
    for project in workspace.inventory().compose.values() {
        let mut files: Vec<String> = project.files.iter().map(|entry| entry.text.clone()).collect();
        if files.is_empty() {
            files.extend(compose::usual_file(&|path| workspace.read_beside(path)).map(str::to_owned));
        }
        for file in files {
            let Ok(Some(text)) = workspace.read_beside(&file) else { continue };
            let services = compose::service_names(&file, &text).into_iter();
            let name = |service: String| (format!("{}-{service}", project.name), Some(file.clone()));
            found.extend(services.map(name));
        }
    }
    found
}

/// Whether there are generations of what a function declares.
fn is_kept(function: &str) -> bool {
    (function.starts_with("container.") || function.starts_with("service.")) && !function.ends_with(".absent")
}
