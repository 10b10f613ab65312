//! From the tree of `pillarbox.toml` to an [`Inventory`].

use super::address::TlsKey;
use super::{FILE, Group, Host, Inventory, ListEntry, Readers};
use crate::inventory::EngineAddress;
use crate::name::{HostName, Owner, ReaderName, WorkspaceId, WorkspaceName};
use crate::pillar::fields::{Fields, wrong_type};
use crate::pillar::{Node, Value};
use crate::problem::{Place, Problem, Problems, Result, escaped};
use std::collections::BTreeMap;

const TOP: [&str; 7] = ["workspace", "id", "owns_without_id", "readers", "groups", "hosts", "compose"];

pub(super) fn inventory(root: &Node) -> Result<Inventory> {
    let mut problems = Vec::new();
    let owner = owner(root, &mut problems);
    let readers = root.at(["readers"]).map(|node| readers(node, &mut problems)).unwrap_or_default();
    let mut groups = BTreeMap::new();
    let mut hosts = BTreeMap::new();
    let mut compose = BTreeMap::new();
    if let Some(mut top) = Fields::of(root, FILE, &TOP, &mut Vec::new()) {
        let tables = (top.table("groups"), top.table("hosts"));
        for (name, node) in top.table("compose") {
            if let Some(project) = super::compose::project(name, node, &mut problems) {
                compose.insert(name.to_owned(), project);
            }
        }
        let projects = names(root, "compose");
        // A group whose own table is wrong exists all the same: one fault, one problem.
        let known = names(root, "groups");
        for (name, node) in tables.0 {
            if let Some(group) = group(name, node, &known, &projects, &mut problems) {
                groups.insert(name.to_owned(), group);
            }
        }
        problems.extend(super::order::waves(&mut groups));
        for (name, node) in tables.1 {
            if let Some(host) = host(name, node, &known, &projects, &mut problems) {
                hosts.insert(host.name.clone(), host);
            }
        }
    }
    super::order::strangers(&groups, &hosts, &mut problems);
    problems.sort_by(|a, b| a.place.cmp(&b.place));
    match (Problems::check(problems), owner) {
        (Ok(()), Some(owner)) => Ok(Inventory { owner, readers, groups, hosts, compose }),
        (Err(problems), _) => Err(problems),
        (Ok(()), None) => Err(Problem::failed(format!("{FILE} does not name its workspace")).into()),
    }
}

/// The names of the tables below a key, right or wrong.
fn names<'n>(root: &'n Node, key: &str) -> Vec<&'n str> {
    let table = root.at([key]).and_then(Node::as_table);
    table.into_iter().flatten().map(|(name, _)| name.as_str()).collect()
}

fn owner(root: &Node, problems: &mut Vec<Problem>) -> Option<Owner> {
    let mut top = Fields::of(root, FILE, &TOP, problems)?;
    for table in ["groups", "hosts", "compose"] {
        top.table(table);
    }
    let id = top.text("id");
    let owns_without_id = match top.get("owns_without_id").map(|node| (&node.value, node)) {
        None | Some((Value::Boolean(false), _)) => false,
        Some((Value::Boolean(true), node)) => {
            if top.get("id").is_none() {
                top.problem(
                    Problem::failed("`owns_without_id` is for a workspace that has an `id`")
                        .at(&node.place)
                        .hint("take it out"),
                );
            }
            true
        }
        Some((_, node)) => {
            top.problem(wrong_type("`owns_without_id`", "true or false", node));
            false
        }
    };
    let Some((text, place)) = top.text("workspace") else {
        if top.get("workspace").is_none() {
            top.missing("workspace", "give the workspace a name, for example: workspace = \"shop\"");
        }
        return None;
    };
    let name = taken(WorkspaceName::parse(text), place, problems);
    let id = match id {
        Some((text, place)) => Some(taken(WorkspaceId::parse(text), place, problems)?),
        None => None,
    };
    Some(Owner { name: name?, id, owns_without_id })
}

/// A name that was read, or its problem with the line.
fn taken<T>(read: Result<T>, place: &Place, problems: &mut Vec<Problem>) -> Option<T> {
    match read {
        Ok(value) => Some(value),
        Err(found) => {
            problems.extend(found.into_vec().into_iter().map(|problem| problem.at(place)));
            None
        }
    }
}

fn readers(node: &Node, problems: &mut Vec<Problem>) -> Readers {
    let mut readers = Readers::default();
    let Some(mut fields) = Fields::of(node, "[readers]", &["default", "groups"], problems) else {
        return readers;
    };
    let (default, groups) = (fields.list("default"), fields.table("groups"));
    for (name, node) in groups {
        let Value::Array(values) = &node.value else {
            problems.push(wrong_type(&format!("`{name}` in [readers.groups]"), "a list of readers", node));
            continue;
        };
        let mut members: Vec<ReaderName> = Vec::new();
        for value in values {
            match value.as_str() {
                Some(text) if text.starts_with('@') => problems.push(
                    Problem::failed(format!("the group of readers `@{}` holds another group", escaped(name)))
                        .at(&value.place)
                        .cause(format!("a group holds readers, and `{}` is not a reader", escaped(text)))
                        .hint("name both groups where they are used: --readers @ONE,@OTHER"),
                ),
                Some(text) => {
                    members.extend(
                        taken(ReaderName::parse(text), &value.place, problems)
                            .filter(|reader| !members.contains(reader)),
                    );
                }
                None => problems.push(wrong_type("a reader", "a string", value)),
            }
        }
        readers.groups.insert(name.to_owned(), members);
    }
    for (word, place) in default {
        for reader in taken(readers.expand(word), place, problems).into_iter().flatten() {
            if !readers.default.contains(&reader) {
                readers.default.push(reader);
            }
        }
    }
    readers
}

pub(super) fn entries(read: Vec<(&str, &Place)>, problems: &mut Vec<Problem>) -> Vec<ListEntry> {
    let mut entries: Vec<ListEntry> = Vec::new();
    for (text, place) in read {
        let escapes =
            text.split('/').any(|part| part.is_empty() || part.starts_with('.')) || text.contains('\\');
        if escapes || text.chars().any(char::is_control) {
            problems.push(
                Problem::failed(format!("`{}` is not a path within its folder", escaped(text)))
                    .at(place)
                    .hint("name files without `..`, for example \"apps\" or \"registries/*\""),
            );
        } else if entries.iter().any(|entry| entry.text == text) {
            problems.push(Problem::failed(format!("`{}` is listed twice", escaped(text))).at(place));
        } else {
            entries.push(ListEntry { text: text.to_owned(), place: place.clone() });
        }
    }
    entries
}

fn group(
    name: &str,
    node: &Node,
    groups: &[&str],
    projects: &[&str],
    problems: &mut Vec<Problem>,
) -> Option<Group> {
    let known = ["pillar", "states", "compose", "after", "canary", "batch"];
    let mut fields = Fields::of(node, &format!("[groups.{}]", escaped(name)), &known, problems)?;
    let after = fields.list("after");
    let canary = fields.text("canary").map(|(glob, _)| glob.to_owned());
    let batch = fields.get("batch").cloned();
    let (pillar, states, compose) = (fields.list("pillar"), fields.list("states"), fields.list("compose"));
    let (pillar, states) = (entries(pillar, problems), entries(states, problems));
    let compose = super::compose::named(compose, projects, problems);
    let after = super::order::after(name, after, groups, problems);
    let batch = batch.and_then(|node| super::order::batch(name, &node, problems));
    Some(Group { pillar, states, compose, after, wave: 0, canary, batch, place: node.place.clone() })
}

fn host(
    name: &str,
    node: &Node,
    groups: &[&str],
    projects: &[&str],
    problems: &mut Vec<Problem>,
) -> Option<Host> {
    let what = format!("[hosts.{}]", escaped(name));
    let known = ["engine", "groups", "pillar", "states", "compose", "tls", "labels", "canary", "paused"];
    let mut fields = Fields::of(node, &what, &known, problems)?;
    let tls = match fields.get("tls").map(|node| (&node.value, node)) {
        None => None,
        Some((Value::Boolean(false), _)) => Some(TlsKey::Off),
        Some((Value::String(folder), _)) if !folder.is_empty() => Some(TlsKey::Folder(folder.clone())),
        Some((_, node)) => {
            fields.problem(
                Problem::failed(format!("`tls` in {what} must be the folder of the certificates, or false"))
                    .at(&node.place),
            );
            None
        }
    };
    let canary = match fields.get("canary").map(|node| (&node.value, node)) {
        None | Some((Value::Boolean(false), _)) => false,
        Some((Value::Boolean(true), _)) => true,
        Some((_, node)) => {
            fields.problem(wrong_type(&format!("`canary` in {what}"), "true or false", node));
            false
        }
    };
    let engine = fields.text("engine");
    if engine.is_none() && fields.get("engine").is_none() {
        fields.missing("engine", "name its Engine, for example: engine = \"ssh://deploy@web1.example.com\"");
    }
    let (wanted, pillar, states) = (fields.list("groups"), fields.list("pillar"), fields.list("states"));
    let compose = fields.list("compose");
    let paused = paused(&mut fields, &what);
    let labels = fields.table("labels");
    let labels: BTreeMap<String, String> = labels
        .into_iter()
        .filter_map(|(key, node)| match node.as_str() {
            Some(text) => Some((key.to_owned(), text.to_owned())),
            None => {
                problems.push(wrong_type(
                    &format!("the label `{}` in {what}", escaped(key)),
                    "a string",
                    node,
                ));
                None
            }
        })
        .collect();
    let engine =
        engine.and_then(|(text, place)| taken(EngineAddress::with_tls(text, tls.as_ref()), place, problems));
    let mut own: Vec<String> = Vec::new();
    for (group, place) in wanted {
        if !groups.contains(&group) {
            problems.push(
                Problem::failed(format!("there is no group `{}`", escaped(group)))
                    .at(place)
                    .nearest(group, groups.iter().copied())
                    .hint(known_groups(groups)),
            );
        } else if own.iter().any(|other| other == group) {
            problems.push(Problem::failed(format!("the group `{group}` is listed twice")).at(place));
        } else {
            own.push(group.to_owned());
        }
    }
    let (pillar, states) = (entries(pillar, problems), entries(states, problems));
    let compose = super::compose::named(compose, projects, problems);
    let name = taken(HostName::parse(name), &node.place, problems)?;
    let (engine, place) = (engine?, node.place.clone());
    Some(Host { name, engine, groups: own, pillar, states, compose, labels, canary, paused, place })
}

/// Why a host is paused: one line, which every plan shows.
fn paused(fields: &mut Fields<'_, '_>, what: &str) -> Option<String> {
    let (text, place) = fields.text("paused")?;
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        let problem = Problem::failed(format!("`paused` in {what} must be one line that says why"));
        fields.problem(problem.at(place).hint("for example: paused = \"disk is being replaced\""));
        return None;
    }
    Some(text.trim().to_owned())
}

/// The groups that there are, or how one is made.
fn known_groups(groups: &[&str]) -> String {
    match groups {
        [] => "there is none yet: [groups.NAME] makes one".to_owned(),
        _ => format!(
            "there are {}; [groups.NAME] makes another",
            groups.iter().map(|name| escaped(name)).collect::<Vec<_>>().join(", ")
        ),
    }
}
