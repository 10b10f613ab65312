//! A project: the services of its files that are on, and the names that the Engine knows them by.

use super::interpolate::Variables;
use super::merge::named;
use super::value::{text, truth, wants};
use super::yaml::{Map, Node};
use crate::problem::{Place, Problem, escaped};
use crate::state::Text;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Most files that a project may name.
const MOST_FILES: usize = 64;

/// The files at or below a path of the workspace.
pub type List<'a> = dyn Fn(&str) -> crate::problem::Result<Vec<(String, bool)>> + 'a;

/// The merged files of a project.
pub(super) struct Project<'a> {
    /// Its name: the first part of every name.
    pub(super) name: &'a str,
    /// Where `./` lies on the hosts.
    pub(super) dir: Option<&'a str>,
    /// The folder of the first file, in the workspace; empty at its top.
    folder: String,
    services: Map,
    networks: Map,
    volumes: Map,
    pub(super) secrets: Map,
    pub(super) configs: Map,
    on: BTreeSet<String>,
    /// Services that others await to their end: tasks.
    pub(super) ends: BTreeSet<String>,
}

/// What is found while the files are read.
pub(super) struct Reading<'a> {
    pub(super) problems: Vec<Problem>,
    pub(super) notes: Vec<String>,
    /// Keys of networks and volumes that services use.
    pub(super) used_networks: BTreeSet<String>,
    pub(super) used_volumes: BTreeSet<String>,
    pub(super) variables: &'a dyn Variables,
    /// Reads a file of the workspace.
    pub(super) read: &'a dyn Fn(&str) -> crate::problem::Result<Option<String>>,
    /// The files at or below a path of the workspace, relative to it, and whether they may be executed.
    pub(super) list: &'a List<'a>,
    /// Files that were read, each once.
    files: BTreeMap<String, Option<String>>,
    /// The folder that the paths of a file begin at, of files that are included or extended.
    folders: BTreeMap<String, String>,
    /// Paths beside the files that are mounted.
    pub(super) relative: BTreeSet<String>,
    /// Services of files that others extend.
    pub(super) extended: BTreeMap<String, Rc<Map>>,
    ignored: BTreeMap<String, ()>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        variables: &'a dyn Variables,
        read: &'a dyn Fn(&str) -> crate::problem::Result<Option<String>>,
        list: &'a List<'a>,
    ) -> Self {
        Self {
            problems: Vec::new(),
            notes: Vec::new(),
            used_networks: BTreeSet::new(),
            used_volumes: BTreeSet::new(),
            variables,
            read,
            list,
            files: BTreeMap::new(),
            folders: BTreeMap::new(),
            relative: BTreeSet::new(),
            extended: BTreeMap::new(),
            ignored: BTreeMap::new(),
        }
    }

    /// Files that were read.
    pub(super) fn read_files(&self) -> BTreeSet<String> {
        self.files.iter().filter(|(_, text)| text.is_some()).map(|(path, _)| path.clone()).collect()
    }

    /// Keeps the folder that the paths of a file begin at.
    pub(super) fn begins_at(&mut self, file: &str, folder: &str) {
        self.folders.entry(file.to_owned()).or_insert_with(|| folder.to_owned());
    }

    /// The folder that the paths of the file of a node begin at; `first` is that of the project.
    pub(super) fn folder_of<'f>(&'f self, node: &Node, first: &'f str) -> &'f str {
        self.folders.get(&*node.place.file).map_or(first, String::as_str)
    }

    /// Notes once in a file that a key means nothing here.
    pub(super) fn ignored(&mut self, key: &str, place: &Place, why: &str) {
        let once = format!("{}:{key}", place.file);
        if self.ignored.insert(once, ()).is_none() {
            self.notes.push(format!("{place}: `{}` is ignored: {why}", escaped(key)));
        }
    }

    pub(super) fn variable(&self, name: &str) -> Option<(Text, Vec<Place>)> {
        self.variables.value(name)
    }

    /// The path in the workspace that a path beside the files stands for.
    pub(super) fn beside(&self, folder: &str, path: &str, node: &Node) -> Result<String, Problem> {
        let outside = || {
            Problem::failed(format!("{} is not in the workspace", escaped(path)))
                .at(&node.place)
                .hint("only files of the workspace are read: move it there")
        };
        if path.starts_with(['/', '~']) || path.contains(['\\', '\0']) || path.contains("://") {
            return Err(outside());
        }
        let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop().ok_or_else(outside)?),
                part => parts.push(part),
            }
        }
        if parts.is_empty() { Err(outside()) } else { Ok(parts.join("/")) }
    }

    /// The text of a file; `None` if there is none.
    pub(super) fn file(&mut self, path: &str, node: &Node) -> Result<Option<String>, Problem> {
        if let Some(text) = self.files.get(path) {
            return Ok(text.clone());
        }
        if self.files.len() == MOST_FILES {
            let what = format!("the project names more than {MOST_FILES} files");
            return Err(Problem::failed(what).at(&node.place).hint("split it into several projects"));
        }
        let text = (self.read)(path).map_err(|found| {
            let why = found.into_vec().into_iter().next().map(|problem| problem.what);
            let problem = Problem::failed(format!("{} cannot be read", escaped(path))).at(&node.place);
            match why {
                Some(why) => problem.cause(why),
                None => problem,
            }
        })?;
        self.files.insert(path.to_owned(), text.clone());
        Ok(text)
    }
}

/// Keys of the top level.
const TOP: [&str; 8] =
    ["configs", "include", "name", "networks", "secrets", "services", "version", "volumes"];

impl<'a> Project<'a> {
    /// From the merged tree.
    pub(super) fn of(
        name: &'a str,
        dir: Option<&'a str>,
        folder: String,
        tree: &Node,
        profiles: &[String],
        reading: &mut Reading,
    ) -> Option<Self> {
        let Some(top) = tree.map() else {
            reading.problems.push(wants("the file", "a mapping", tree));
            return None;
        };
        for entry in top.iter().filter(|entry| !entry.key.starts_with("x-")) {
            match entry.key.as_str() {
                "version" => reading.ignored("version", &entry.place, "Compose reads none"),
                "models" => reading.problems.push(
                    Problem::failed("`models` cannot be done")
                        .at(&entry.place)
                        .cause("it wants a model runner"),
                ),
                key if TOP.contains(&key) => {}
                key => reading.problems.push(
                    Problem::failed(format!("a file of Compose has no key `{}`", escaped(key)))
                        .at(&entry.place)
                        .nearest(key, TOP),
                ),
            }
        }
        let mut part = |key: &str| match top.get(key) {
            None => Map::default(),
            Some(node) if node.is_null() => Map::default(),
            Some(node) => match node.map() {
                Some(map) => map.clone(),
                None => {
                    reading.problems.push(wants(key, "a mapping", node));
                    Map::default()
                }
            },
        };
        let (services, networks, volumes, secrets, configs) =
            (part("services"), part("networks"), part("volumes"), part("secrets"), part("configs"));
        let mut project = Self {
            name,
            dir,
            folder,
            services,
            networks,
            volumes,
            secrets,
            configs,
            on: BTreeSet::new(),
            ends: BTreeSet::new(),
        };
        project.choose(profiles, reading);
        Some(project)
    }

    /// Which services are on, and which are awaited to their end.
    fn choose(&mut self, profiles: &[String], reading: &mut Reading) {
        for entry in self.services.iter().filter(|entry| !entry.key.starts_with("x-")) {
            let own = entry.node.map().and_then(|map| map.get("profiles")).filter(|node| !node.is_null());
            let named = match own.map(|node| super::value::texts("profiles", node)) {
                None => None,
                Some(Ok(named)) => Some(named),
                Some(Err(problem)) => {
                    reading.problems.push(problem);
                    continue;
                }
            };
            let on = named.is_none_or(|named| {
                named.is_empty()
                    || named.iter().any(|(_, text)| {
                        profiles.iter().any(|profile| Some(profile.as_str()) == text.as_clear())
                    })
            });
            if on {
                self.on.insert(entry.key.clone());
            }
        }
        for entry in self.services.iter().filter(|entry| self.on.contains(&entry.key)) {
            let Some(node) = entry.node.map().and_then(|map| map.get("depends_on")) else { continue };
            for awaited in named(node).into_iter().flatten() {
                let condition = awaited.node.map().and_then(|map| map.get("condition"));
                let condition =
                    condition.and_then(|node| node.scalar()).and_then(|scalar| scalar.text.as_clear());
                if condition == Some("service_completed_successfully") {
                    self.ends.insert(awaited.key.clone());
                }
            }
        }
    }

    /// Services that are on, in the order of the files.
    pub(super) fn services_on(&self) -> impl Iterator<Item = &super::yaml::Entry> {
        self.services.iter().filter(|entry| self.on.contains(&entry.key))
    }

    pub(super) fn services(&self) -> impl Iterator<Item = &str> {
        self.services.iter().map(|entry| entry.key.as_str())
    }

    pub(super) fn declares(&self, service: &str) -> bool {
        self.services.get(service).is_some()
    }

    pub(super) fn is_on(&self, service: &str) -> bool {
        self.on.contains(service)
    }

    /// That a service is off although another one needs it.
    pub(super) fn off(&self, service: &str, place: &Place) -> Problem {
        let map = self.services.get(service).and_then(Node::map);
        let profiles =
            map.and_then(|map| map.get("profiles")).map(|node| super::value::texts("profiles", node));
        let profiles = profiles.and_then(Result::ok).unwrap_or_default();
        let names: Vec<String> = profiles.iter().map(|(_, text)| escaped(&text.to_string())).collect();
        let what = format!("the service {} is off, and is needed here", escaped(service));
        Problem::failed(what).at(place).cause(format!("its profiles are {}", names.join(", "))).hint(format!(
            "write profiles = [\"{}\"] in [compose.{}]",
            names.first().map_or("", String::as_str),
            self.name
        ))
    }

    pub(super) fn has_no_health(&self, service: &str) -> bool {
        self.services.get(service).and_then(Node::map).is_some_and(|map| map.get("healthcheck").is_none())
    }

    /// The folder of the files in the workspace.
    pub(super) fn folder(&self) -> &str {
        &self.folder
    }

    /// The id of a service, by which other states name it.
    pub(super) fn id(&self, service: &str) -> String {
        format!("{}.{service}", self.name)
    }

    /// The name of a service on the Engine.
    pub(super) fn name_of(&self, service: &str) -> String {
        format!("{}-{service}", self.name)
    }

    /// The name of a service's first container; `None` if there is no such service.
    pub(super) fn container_of(&self, service: &str) -> Option<String> {
        let own = self.services.get(service)?.map().and_then(|map| map.get("container_name"));
        let own = own.and_then(|node| node.scalar()).and_then(|scalar| scalar.text.as_clear());
        Some(own.map_or_else(|| format!("{}-1", self.name_of(service)), str::to_owned))
    }

    /// The name of a network on the Engine. `default` need not be declared.
    pub(super) fn network(&self, key: &str) -> Option<String> {
        match self.networks.get(key) {
            Some(node) => Some(self.named(node, key)),
            None => (key == "default").then(|| format!("{}_default", self.name)),
        }
    }

    /// The name of a volume on the Engine.
    pub(super) fn volume(&self, key: &str) -> Option<String> {
        Some(self.named(self.volumes.get(key)?, key))
    }

    fn named(&self, node: &Node, key: &str) -> String {
        let field = |map: &Map, name: &str| map.get(name)?.scalar()?.text.as_clear().map(str::to_owned);
        let own = node.map().and_then(|map| {
            let within = map.get("external").and_then(Node::map);
            field(map, "name").or_else(|| within.and_then(|within| field(within, "name")))
        });
        match own {
            Some(own) => own,
            None if is_external(node) => key.to_owned(),
            None => format!("{}_{key}", self.name),
        }
    }

    pub(super) fn network_keys(&self) -> impl Iterator<Item = &str> {
        self.networks.iter().map(|entry| entry.key.as_str()).chain(["default"])
    }

    pub(super) fn volume_keys(&self) -> impl Iterator<Item = &str> {
        self.volumes.iter().map(|entry| entry.key.as_str())
    }

    /// Networks and volumes that are declared, with the key that they stand below.
    pub(super) fn resources(&self) -> impl Iterator<Item = (&'static str, &super::yaml::Entry)> {
        let networks = self.networks.iter().map(|entry| ("networks", entry));
        networks.chain(self.volumes.iter().map(|entry| ("volumes", entry)))
    }

    pub(super) fn network_entry(&self, key: &str) -> Option<&super::yaml::Entry> {
        self.networks.entry(key)
    }

    pub(super) fn volume_entry(&self, key: &str) -> Option<&super::yaml::Entry> {
        self.volumes.entry(key)
    }

    /// A path relative to the file that it is written in, on the hosts.
    pub(super) fn relative(
        &self,
        written: &str,
        node: &Node,
        reading: &mut Reading,
    ) -> Result<String, Problem> {
        reading.relative.insert(written.to_owned());
        let Some(dir) = self.dir else {
            let what =
                format!("{} is a path of this machine, and the hosts do not have it", escaped(written));
            return Err(Problem::failed(what).at(&node.place).hint(format!(
                "write dir = \"/srv/{}\" in [compose.{}], if it is there on the hosts; or use a named volume, for data",
                self.name, self.name
            )).hint(format!("or bring it along, read-only: x-pillarbox: {{ ship: [\"{}\"] }} in the service", escaped(written))));
        };
        fn parts(path: &str) -> impl Iterator<Item = &str> {
            path.split('/').filter(|part| !part.is_empty())
        }
        let mut found: Vec<&str> = parts(dir).collect();
        // The folder of a file that is included or extended lies as far from `dir` as from the project's.
        let (own, first): (Vec<&str>, Vec<&str>) =
            (parts(reading.folder_of(node, &self.folder)).collect(), parts(&self.folder).collect());
        let shared = own.iter().zip(&first).take_while(|(one, other)| one == other).count();
        found.truncate(found.len().saturating_sub(first.len() - shared));
        for part in own[shared..].iter().copied().chain(written.split('/')) {
            match part {
                "" | "." => {}
                ".." => drop(found.pop()),
                part => found.push(part),
            }
        }
        Ok(format!("/{}", found.join("/")))
    }
}

/// Whether a network or volume is made by others.
pub(super) fn is_external(node: &Node) -> bool {
    let external = node.map().and_then(|map| map.get("external"));
    external.is_some_and(|node| node.map().is_some() || truth("external", node).unwrap_or(false))
}

/// The name of the project that a file gives, for its check.
pub(super) fn own_name(tree: &Node) -> Option<(String, Place)> {
    let node = tree.map()?.get("name")?;
    let name = text("name", node).ok()?;
    Some((name.to_string(), node.place.clone()))
}
