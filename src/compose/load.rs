//! The files of a project, read, filled and laid over each other: `include` and `extends` too.

use super::fill::fill;
use super::merge::{merge, without_resets};
use super::project::Reading;
use super::value::wants;
use super::yaml::{self, Entry, Map, Node, Value};
use crate::problem::{Place, Problem, escaped};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// How deep `include` and `extends` may go.
const DEEPEST: usize = 16;

/// Most services of a project.
const MOST_SERVICES: usize = 1000;

/// The usual names of a file, the first that is there.
pub(super) const USUAL: [&str; 4] =
    ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/// Reads these files over each other.
pub(super) fn load(files: &[(String, Place)], reading: &mut Reading) -> Option<Node> {
    let mut whole = None;
    let mut included = Vec::new();
    for (path, place) in files {
        let node = Node { value: Value::Map(Map::default()), place: place.clone(), tag: None };
        let tree = file(path, &node, reading, &mut included, &[])?;
        match &mut whole {
            None => whole = Some(tree),
            Some(whole) => merge(whole, tree, &mut reading.problems),
        }
    }
    let mut whole = whole?;
    without_resets(&mut whole);
    for tree in included {
        include_into(&mut whole, tree, &mut reading.problems);
    }
    extend_all(&mut whole, reading);
    Some(whole)
}

/// One file with all its documents; what it includes goes to `included`.
fn file(
    path: &str,
    named_at: &Node,
    reading: &mut Reading,
    included: &mut Vec<Node>,
    within: &[&str],
) -> Option<Node> {
    let tree = match documents(path, named_at, reading) {
        Ok(tree) => tree,
        Err(found) => {
            reading.problems.extend(found.into_vec());
            return None;
        }
    };
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let Some(node) = tree.map().and_then(|map| map.get("include")).filter(|node| !node.is_null()).cloned()
    else {
        return Some(tree);
    };
    let mut within = within.to_vec();
    within.push(path);
    for item in node.list().unwrap_or(std::slice::from_ref(&node)) {
        let paths = match item.map() {
            None => Some(item),
            Some(map) => map.get("path"),
        };
        let Some(paths) = paths else {
            reading.problems.push(Problem::failed("an entry of `include` has no `path`").at(&item.place));
            continue;
        };
        let mut whole: Option<Node> = None;
        for item in paths.list().unwrap_or(std::slice::from_ref(paths)) {
            let other = item.scalar().and_then(|scalar| scalar.text.as_clear()).unwrap_or_default();
            let other = match reading.beside(&folder, other, item) {
                Ok(other) => other,
                Err(problem) => {
                    reading.problems.push(problem);
                    continue;
                }
            };
            if within.contains(&other.as_str()) || within.len() > DEEPEST {
                let what = format!("{} includes itself", escaped(&other));
                reading.problems.push(Problem::failed(what).at(&item.place));
                continue;
            }
            let Some(tree) = file(&other, item, reading, included, &within) else { continue };
            match &mut whole {
                None => whole = Some(tree),
                Some(whole) => merge(whole, tree, &mut reading.problems),
            }
        }
        included.extend(whole);
    }
    Some(tree)
}

fn documents(path: &str, named_at: &Node, reading: &mut Reading) -> crate::problem::Result<Node> {
    let Some(text) = reading.file(path, named_at)? else {
        return Err(Problem::failed(format!("there is no file {}", escaped(path)))
            .at(&named_at.place)
            .into());
    };
    let mut whole: Option<Node> = None;
    for mut tree in yaml::read(path, &text)? {
        if tree.is_null() {
            continue;
        }
        fill(&mut tree, reading.variables, &mut reading.problems);
        match &mut whole {
            None => whole = Some(tree),
            Some(whole) => merge(whole, tree, &mut reading.problems),
        }
    }
    whole.ok_or_else(|| Problem::failed("the file is empty").at(&Place::new(path, 0)).into())
}

/// What is included must not be there already.
fn include_into(whole: &mut Node, other: Node, problems: &mut Vec<Problem>) {
    let (Value::Map(top), Value::Map(other)) = (&mut whole.value, other.value) else { return };
    for entry in other {
        if !["services", "networks", "volumes", "secrets", "configs"].contains(&entry.key.as_str()) {
            continue;
        }
        let Value::Map(more) = entry.node.value else { continue };
        if top.get(&entry.key).is_none_or(Node::is_null) {
            let empty = Node { value: Value::Map(Map::default()), place: entry.place.clone(), tag: None };
            top.put(Entry { key: entry.key.clone(), place: entry.place.clone(), node: empty });
        }
        let part = top.iter_mut().find(|part| part.key == entry.key);
        let Some(Value::Map(part)) = part.map(|part| &mut part.node.value) else { continue };
        for item in more {
            match part.entry(&item.key) {
                Some(before) if before.node != item.node => {
                    let what = format!("{} `{}` is included and declared too", entry.key, escaped(&item.key));
                    let problem = Problem::failed(what).at(&item.place);
                    problems.push(problem.cause(format!("the other one is in {}", before.place)));
                }
                Some(_) => {}
                None => part.put(item),
            }
        }
    }
}

/// Puts what each service extends below it.
fn extend_all(whole: &mut Node, reading: &mut Reading) {
    let Some(services) = whole.map().and_then(|map| map.get("services")).and_then(Node::map).cloned() else {
        return;
    };
    let count = services.iter().count();
    if count > MOST_SERVICES {
        let what = format!("the project has {count} services, and {MOST_SERVICES} are read at most");
        let problem = Problem::failed(what).at(&whole.place);
        reading.problems.push(problem.hint("split it into several projects"));
        return;
    }
    let mut done = Map::default();
    for entry in services.iter() {
        let node = extended(&entry.key, &services, &entry.node, reading, &mut BTreeSet::new());
        done.put(Entry { node, ..entry.clone() });
    }
    let Value::Map(top) = &mut whole.value else { return };
    if let Some(entry) = top.iter_mut().find(|entry| entry.key == "services") {
        entry.node.value = Value::Map(done);
    }
}

fn extended(
    name: &str,
    services: &Map,
    node: &Node,
    reading: &mut Reading,
    within: &mut BTreeSet<String>,
) -> Node {
    let file_of = |node: &Node| node.place.file.to_string();
    let Some(wanted) = node.map().and_then(|map| map.get("extends")).filter(|node| !node.is_null()) else {
        return node.clone();
    };
    if !within.insert(format!("{} {name}", file_of(node))) || within.len() > DEEPEST {
        let what = format!("the service {} extends itself", escaped(name));
        reading.problems.push(Problem::failed(what).at(&wanted.place));
        return node.clone();
    }
    let base = match base_of(wanted, services, &file_of(node), reading) {
        Ok((base_name, services, base)) => extended(&base_name, &services, &base, reading, within),
        Err(problem) => {
            reading.problems.push(problem);
            return node.clone();
        }
    };
    // Both are merged as two files would be, by the rules of a service.
    let wrapped = |node: Node| {
        let place = node.place.clone();
        let at = |key: &str, node: Node| {
            let mut map = Map::default();
            map.put(Entry { key: key.to_owned(), place: place.clone(), node });
            Node { value: Value::Map(map), place: place.clone(), tag: None }
        };
        at("services", at(name, node))
    };
    let mut own = node.clone();
    if let Value::Map(map) = &mut own.value {
        map.remove("extends");
    }
    let mut whole = wrapped(base);
    merge(&mut whole, wrapped(own), &mut reading.problems);
    let merged =
        whole.map().and_then(|map| map.get("services")).and_then(Node::map).and_then(|map| map.get(name));
    merged.cloned().unwrap_or_else(|| node.clone())
}

/// The service that another one extends, with the services beside it.
fn base_of<'s>(
    wanted: &Node,
    services: &'s Map,
    own_file: &str,
    reading: &mut Reading,
) -> Result<(String, Cow<'s, Map>, Node), Problem> {
    let text = |node: Option<&Node>| node?.scalar()?.text.as_clear().map(str::to_owned);
    let (service, file) = match wanted.map() {
        Some(map) => (text(map.get("service")), map.get("file").cloned()),
        None => (text(Some(wanted)), None),
    };
    let service = service.ok_or_else(|| wants("extends", "the name of a service", wanted))?;
    let services = match &file {
        None => Cow::Borrowed(services),
        Some(node) => {
            let path = text(Some(node)).unwrap_or_default();
            let folder = own_file.rsplit_once('/').map_or("", |(folder, _)| folder);
            let path = reading.beside(folder, &path, node)?;
            let tree = documents(&path, node, reading).map_err(|found| {
                let mut found = found.into_vec();
                let first = (!found.is_empty()).then(|| found.remove(0));
                reading.problems.extend(found);
                first.unwrap_or_else(|| Problem::failed("the file cannot be read").at(&node.place))
            })?;
            let own = tree.map().and_then(|map| map.get("services")).and_then(Node::map).cloned();
            Cow::Owned(own.unwrap_or_default())
        }
    };
    let base = services.get(&service).cloned().ok_or_else(|| {
        let known: Vec<&str> = services.iter().map(|entry| entry.key.as_str()).collect();
        Problem::failed(format!("there is no service {} to extend", escaped(&service)))
            .at(&wanted.place)
            .nearest(&service, known.iter().copied())
    })?;
    Ok((service, services, base))
}
