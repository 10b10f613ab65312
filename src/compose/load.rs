//! The files of a project, read, filled and laid over each other: `include` and `extends` too.

use super::env_file::{self, Beside, Format};
use super::fill::fill;
use super::interpolate::{Filled, Variables};
use super::merge::{merge, without_resets};
use super::project::Reading;
use super::rules::MAY_BE_NULL;
use super::value::wants;
use super::yaml::{self, Entry, Map, MergeTag, Node, Value};
use crate::problem::{Place, Problem, escaped};
use crate::state::Text;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

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
    let first = files.first().map_or("", |(path, _)| folder(path)).to_owned();
    let variables = reading.variables;
    for (path, place) in files {
        let node = Node { value: Value::Map(Map::default()), place: place.clone(), tag: None };
        reading.begins_at(path, &first);
        let tree = file(path, &node, variables, reading, &mut included, &[])?;
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
    is_bounded(&whole, reading).then_some(whole)
}

/// One file with all its documents; what it includes goes to `included`.
fn file(
    path: &str,
    named_at: &Node,
    variables: &dyn Variables,
    reading: &mut Reading,
    included: &mut Vec<Node>,
    within: &[&str],
) -> Option<Node> {
    let tree = match documents(path, named_at, variables, Extends::Apply, reading) {
        Ok(tree) => tree,
        Err(found) => {
            reading.problems.extend(found.into_vec());
            return None;
        }
    };
    let Some(node) = tree.map().and_then(|map| map.get("include")).filter(|node| !node.is_null()).cloned()
    else {
        return Some(tree);
    };
    let mut within = within.to_vec();
    within.push(path);
    for item in node.list().unwrap_or(std::slice::from_ref(&node)) {
        match include(item, variables, reading, included, &within) {
            Ok(tree) => included.extend(tree),
            Err(problem) => reading.problems.push(problem),
        }
    }
    Some(tree)
}

/// An entry of `include`: a path, or `{ path, env_file, project_directory }`; files of one entry lie over each other.
fn include(
    item: &Node,
    variables: &dyn Variables,
    reading: &mut Reading,
    included: &mut Vec<Node>,
    within: &[&str],
) -> Result<Option<Node>, Problem> {
    let from = reading.folder_of(item, "").to_owned();
    let part = |key: &str| item.map().and_then(|map| map.get(key)).filter(|node| !node.is_null());
    if let Some(entry) = item.map().and_then(|map| {
        map.iter().find(|entry| !["path", "env_file", "project_directory"].contains(&entry.key.as_str()))
    }) {
        let what = format!("an entry of `include` has no key `{}`", escaped(&entry.key));
        return Err(Problem::failed(what).at(&entry.place));
    }
    let paths = match item.map() {
        None => Some(item),
        Some(_) => part("path"),
    };
    let paths =
        paths.ok_or_else(|| Problem::failed("an entry of `include` has no `path`").at(&item.place))?;
    let named = |node: &Node, reading: &Reading| {
        let text = node.scalar().and_then(|scalar| scalar.text.as_clear()).unwrap_or_default();
        reading.beside(&from, text, node)
    };
    let mut own = BTreeMap::new();
    for node in
        part("env_file").into_iter().flat_map(|node| node.list().unwrap_or(std::slice::from_ref(node)))
    {
        let path = named(node, reading)?;
        let text = reading
            .file(&path, node)?
            .ok_or_else(|| Problem::failed(format!("there is no file {}", escaped(&path))).at(&node.place))?;
        match env_file::read(&path, &text, Format::Compose, variables, &Beside::default()) {
            Ok(found) => own.extend(found.into_iter().map(|(name, (filled, _))| (name, filled))),
            Err(found) => reading.problems.extend(found.into_vec()),
        }
    }
    let variables = Included { own: &own, variables };
    let directory =
        part("project_directory").map(|node| match node.scalar().and_then(|it| it.text.as_clear()) {
            Some("." | "./") => Ok(from.clone()),
            _ => named(node, reading),
        });
    let mut directory = directory.transpose()?;
    let mut whole: Option<Node> = None;
    for item in paths.list().unwrap_or(std::slice::from_ref(paths)) {
        let path = named(item, reading)?;
        if within.contains(&path.as_str()) || within.len() > DEEPEST {
            let what = format!("{} includes itself", escaped(&path));
            return Err(Problem::failed(what).at(&item.place));
        }
        let at = directory.get_or_insert_with(|| folder(&path).to_owned());
        reading.begins_at(&path, at);
        let Some(tree) = file(&path, item, &variables, reading, included, within) else { continue };
        match &mut whole {
            None => whole = Some(tree),
            Some(whole) => merge(whole, tree, &mut reading.problems),
        }
    }
    Ok(whole)
}

/// The folder of a file.
fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Variables of the project over those of the files that an entry of `include` names.
struct Included<'a> {
    own: &'a BTreeMap<String, Filled>,
    variables: &'a dyn Variables,
}

impl Variables for Included<'_> {
    fn value(&self, name: &str) -> Option<(Text, Vec<Place>)> {
        let own = || self.own.get(name).map(|filled| (filled.text.clone(), filled.read.clone()));
        self.variables.value(name).or_else(own)
    }

    fn hint(&self, name: &str) -> String {
        self.variables.hint(name)
    }

    fn pillar(&self, key: &str) -> Option<(Text, Vec<Place>)> {
        self.variables.pillar(key)
    }
}

/// A service that says nothing where Compose wants a value.
fn without_value(tree: &Node, problems: &mut Vec<Problem>) {
    let services = tree.map().and_then(|map| map.get("services")).and_then(Node::map);
    for service in services.into_iter().flat_map(Map::iter) {
        for entry in service.node.map().into_iter().flat_map(Map::iter) {
            let key = entry.key.as_str();
            let may = key.starts_with("x-") || MAY_BE_NULL.contains(&key) || entry.node.tag.is_some();
            if entry.node.is_null() && !may {
                let what = format!("`{}` has no value", escaped(key));
                problems.push(Problem::failed(what).at(&entry.place).hint("take the key out"));
            }
        }
    }
}

/// Whether services of a file get what they extend: in Compose each file has that before it is laid over another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extends {
    Apply,
    /// Only one of its services is wanted.
    Leave,
}

fn documents(
    path: &str,
    named_at: &Node,
    variables: &dyn Variables,
    extends: Extends,
    reading: &mut Reading,
) -> crate::problem::Result<Node> {
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
        without_value(&tree, &mut reading.problems);
        fill(&mut tree, variables, &mut reading.problems);
        if extends == Extends::Apply {
            extend_all(&mut tree, reading);
        }
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

/// Whether there are no more services than are read.
fn is_bounded(whole: &Node, reading: &mut Reading) -> bool {
    let services = whole.map().and_then(|map| map.get("services")).and_then(Node::map);
    let count = services.map_or(0, |services| services.iter().count());
    if count > MOST_SERVICES {
        let what = format!("the project has {count} services, and {MOST_SERVICES} are read at most");
        let problem = Problem::failed(what).at(&whole.place);
        reading.problems.push(problem.hint("split it into several projects"));
    }
    count <= MOST_SERVICES
}

/// Puts what each service extends below it.
fn extend_all(whole: &mut Node, reading: &mut Reading) {
    let Some(services) = whole.map().and_then(|map| map.get("services")).and_then(Node::map).cloned() else {
        return;
    };
    let extends = |entry: &Entry| entry.node.map().is_some_and(|map| map.get("extends").is_some());
    if !is_bounded(whole, reading) || !services.iter().any(extends) {
        return;
    }
    let (services, mut done) = (Rc::new(services), Map::default());
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
    services: &Rc<Map>,
    node: &Node,
    reading: &mut Reading,
    within: &mut BTreeSet<String>,
) -> Node {
    let file_of = |node: &Node| node.place.file.to_string();
    let says = |node: &&Node| !node.is_null() && node.tag != Some(MergeTag::Reset);
    let Some(wanted) = node.map().and_then(|map| map.get("extends")).filter(says) else {
        return node.clone();
    };
    if !within.insert(format!("{} {name}", file_of(node))) || within.len() > DEEPEST {
        let what = format!("the service {} extends itself", escaped(name));
        reading.problems.push(Problem::failed(what).at(&wanted.place));
        return node.clone();
    }
    let base = match base_of(wanted, services, reading) {
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

/// The services of a file that others extend, read once.
fn services_of(path: &str, named_at: &Node, reading: &mut Reading) -> Result<Rc<Map>, Problem> {
    if let Some(services) = reading.extended.get(path) {
        return Ok(Rc::clone(services));
    }
    let variables = reading.variables;
    let tree = documents(path, named_at, variables, Extends::Leave, reading).map_err(|found| {
        let mut found = found.into_vec();
        let first = (!found.is_empty()).then(|| found.remove(0));
        reading.problems.extend(found);
        first.unwrap_or_else(|| Problem::failed("the file cannot be read").at(&named_at.place))
    })?;
    let own = tree.map().and_then(|map| map.get("services")).and_then(Node::map).cloned();
    let services = Rc::new(own.unwrap_or_default());
    reading.extended.insert(path.to_owned(), Rc::clone(&services));
    Ok(services)
}

/// The service that another one extends, with the services beside it.
fn base_of(
    wanted: &Node,
    services: &Rc<Map>,
    reading: &mut Reading,
) -> Result<(String, Rc<Map>, Node), Problem> {
    let text = |node: Option<&Node>| node?.scalar()?.text.as_clear().map(str::to_owned);
    let (service, file) = match wanted.map() {
        Some(map) => (text(map.get("service")), map.get("file").cloned()),
        None => (text(Some(wanted)), None),
    };
    let service = service.ok_or_else(|| wants("extends", "the name of a service", wanted))?;
    let services = match &file {
        None => Rc::clone(services),
        Some(node) => {
            let path = text(Some(node)).unwrap_or_default();
            let from = reading.folder_of(node, "").to_owned();
            let path = reading.beside(&from, &path, node)?;
            reading.begins_at(&path, folder(&path));
            services_of(&path, node, reading)?
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
