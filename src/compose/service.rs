//! A service of a project as a declaration.

mod binds;
mod command;
mod configs;
mod depends;
mod deploy;
mod environment;
mod granted;
mod mounts;
mod networks;
mod references;
mod secrets;

use super::merge::hosts;
use super::project::{Project, Reading};
use super::rules::{self, Rule};
use super::value::{arg, clear, of, table, text, text_at, time_with_unit, truth, wants};
use super::yaml::{Entry, Map, Node};
use crate::problem::{Place, Problem, escaped};
use crate::state::{Arg, ArgValue, Declaration, Function, Text};
use std::collections::{BTreeMap, BTreeSet};

/// A service while it is read.
struct Service<'a> {
    name: &'a str,
    map: &'a Map,
    place: &'a Place,
    project: &'a Project<'a>,
    args: BTreeMap<String, Arg>,
}

/// The declaration of a service.
pub(super) fn declaration(entry: &Entry, project: &Project, reading: &mut Reading) -> Option<Declaration> {
    let Some(map) = entry.node.map() else {
        reading.problems.push(wants(&entry.key, "a mapping", &entry.node));
        return None;
    };
    let service = Service { name: &entry.key, map, place: &entry.place, project, args: BTreeMap::new() };
    service.read(reading)
}

/// Reads what has a meaning of its own.
type Step<'a> = fn(&mut Service<'a>, &mut Reading) -> Result<(), Problem>;

impl<'a> Service<'a> {
    const STEPS: [Step<'a>; 16] = [
        Self::image,
        Self::names,
        Self::restart,
        Self::stop,
        Self::hosts,
        Self::networks,
        Self::environment,
        Self::commands,
        Self::health,
        Self::ports,
        Self::volumes,
        Self::references,
        Self::depends,
        Self::deploy,
        Self::secrets,
        Self::configs,
    ];

    fn read(mut self, reading: &mut Reading) -> Option<Declaration> {
        let before = reading.problems.len();
        for entry in self.map.iter().filter(|entry| !entry.key.starts_with("x-")) {
            if let Err(problem) = self.key(entry, reading) {
                reading.problems.push(problem);
            }
        }
        for step in Self::STEPS {
            if let Err(problem) = step(&mut self, reading) {
                reading.problems.push(problem);
            }
        }
        if reading.problems.len() > before {
            return None;
        }
        // One of no containers is not run, and is not waited for.
        let task = self.project.ends.contains(self.name) && !self.has_no_replicas();
        let function = if task { Function::TaskRan } else { Function::ServiceDeployed };
        if task {
            for key in ["restart", "replicas", "update"] {
                self.args.remove(key);
            }
        }
        Some(Declaration {
            id: self.project.id(self.name),
            function,
            args: self.args,
            place: self.place.clone(),
            unread: BTreeSet::new(),
        })
    }

    fn has_no_replicas(&self) -> bool {
        match self.args.get("replicas").map(|arg| &arg.value) {
            Some(ArgValue::Integer(count)) => *count == 0,
            Some(ArgValue::Text(text)) => text.as_clear() == Some("0"),
            _ => false,
        }
    }

    fn key(&mut self, entry: &Entry, reading: &mut Reading) -> Result<(), Problem> {
        let (key, node) = (entry.key.as_str(), &entry.node);
        let Some(rule) = rules::of_service(key) else {
            let what = format!("the service {} has no key `{}` in Compose", escaped(self.name), escaped(key));
            let known = rules::SERVICE.iter().map(|(name, _)| *name);
            return Err(Problem::failed(what).at(&entry.place).nearest(key, known));
        };
        if let Rule::Refused(why, hint) = rule {
            let what = format!("`{key}` of the service {} cannot be done", escaped(self.name));
            return Err(Problem::failed(what).at(&entry.place).cause(why).hint(hint));
        }
        // Where that is no error, it says nothing (`load`).
        if node.is_null() {
            return Ok(());
        }
        let value = match rule {
            // Compose takes 0 for: not said.
            Rule::Same if key == "pids_limit" && arg(node).value == ArgValue::Integer(0) => return Ok(()),
            Rule::Same => arg(node),
            Rule::Text => of(node, ArgValue::Text(text(key, node)?)),
            Rule::Truth => of(node, ArgValue::Boolean(truth(key, node)?)),
            Rule::Pairs => of(node, ArgValue::Table(table(key, node, '=', &mut reading.notes)?)),
            Rule::Ignored(why) => {
                reading.ignored(key, &entry.place, why);
                return Ok(());
            }
            Rule::Own | Rule::Refused(..) => return Ok(()),
        };
        self.args.insert(key.to_owned(), value);
        Ok(())
    }

    fn put(&mut self, key: &str, value: Arg) {
        self.args.insert(key.to_owned(), value);
    }

    /// The value of a key, unless it is null.
    fn get(&self, key: &str) -> Option<&'a Node> {
        self.map.get(key).filter(|node| !node.is_null())
    }

    /// A key of `x-pillarbox`.
    fn ours(&self, key: &str) -> Option<&'a Node> {
        self.map.get("x-pillarbox")?.map()?.get(key).filter(|node| !node.is_null())
    }

    fn image(&mut self, reading: &mut Reading) -> Result<(), Problem> {
        let image = self.get("image").map(|node| Ok((node.clone(), text("image", node)?))).transpose()?;
        if let Some(gate) = self.ours("gate") {
            let gate = of(gate, ArgValue::Text(text("x-pillarbox.gate", gate)?));
            self.put("gate", gate);
        } else if let Some((node, text)) = image {
            self.put("image", of(&node, ArgValue::Text(text)));
        } else if let Some(entry) = self.map.entry("build") {
            let what = format!("{} is built, not pulled: it has no image", escaped(self.name));
            return Err(Problem::failed(what)
                .at(&entry.place)
                .hint("write image: registry.example.com/NAME:TAG beside it; build and push it in CI"));
        } else {
            let what = format!("the service {} has no image", escaped(self.name));
            return Err(Problem::failed(what)
                .at(self.place)
                .hint("write image: registry.example.com/NAME:TAG"));
        }
        if let Some(entry) = self.map.entry("build") {
            reading.ignored("build", &entry.place, "the image is pulled");
        }
        if let Some(node) = self.get("pull_policy") {
            let word = clear("pull_policy", node)?;
            match word.as_str() {
                "never" => self.put("pull", text_at(node, "never")),
                "missing" | "if_not_present" | "always" | "daily" | "weekly" => {}
                every if every.starts_with("every_") => {}
                other => {
                    return Err(Problem::failed(format!("pull_policy `{}` cannot be done", escaped(other)))
                        .at(&node.place)
                        .hint("a tag is asked for at each plan; `never` takes what is on the host"));
                }
            }
        }
        Ok(())
    }

    /// `PROJECT-SERVICE-1`, as Compose calls its containers, found as `SERVICE`.
    fn names(&mut self, _: &mut Reading) -> Result<(), Problem> {
        let written = |text: &str| Arg {
            value: ArgValue::Text(Text::clear(text)),
            place: self.place.clone(),
            read: Vec::new(),
        };
        let name = self.project.name_of(self.name);
        let (name, instances) = match self.get("container_name") {
            Some(node) => {
                let own = text("container_name", node)?;
                if own.as_clear().is_some_and(|own| own.len() < 2) {
                    return Err(Problem::failed(format!("`{own}` is too short for a container"))
                        .at(&node.place)
                        .hint("Compose takes names of two characters and more"));
                }
                (written(&name), of(node, ArgValue::Text(own)))
            }
            None => (written(&name), written(&format!("{name}-{{}}"))),
        };
        if self.project.ends.contains(self.name) {
            self.put("name", name);
            return Ok(());
        }
        let alias = written(self.name);
        self.put("name", name);
        self.put("instances", instances);
        self.put("alias", alias);
        Ok(())
    }

    /// Compose restarts nothing unless it is told to.
    fn restart(&mut self, _: &mut Reading) -> Result<(), Problem> {
        let restart = match self.get("restart") {
            Some(node) => {
                // `restart: no` is the text, and `false` is no policy of Compose.
                of(node, ArgValue::Text(text("restart", node)?))
            }
            None => {
                Arg { value: ArgValue::Text(Text::clear("no")), place: self.place.clone(), read: Vec::new() }
            }
        };
        self.args.entry("restart".to_owned()).or_insert(restart);
        Ok(())
    }

    fn stop(&mut self, _: &mut Reading) -> Result<(), Problem> {
        let key = "stop_grace_period";
        if let Some(node) = self.get(key) {
            let time = of(node, ArgValue::Text(time_with_unit(key, node)?));
            self.put(key, time);
        }
        Ok(())
    }

    /// A mapping may give a name several addresses.
    fn hosts(&mut self, _: &mut Reading) -> Result<(), Problem> {
        let Some(node) = self.get("extra_hosts") else { return Ok(()) };
        let mut lines = Vec::new();
        for line in hosts(node).ok_or_else(|| wants("extra_hosts", "a mapping, or a list", node))? {
            lines.push(of(&line, ArgValue::Text(text("extra_hosts", &line)?)));
        }
        let lines = of(node, ArgValue::Array(lines));
        self.put("extra_hosts", lines);
        Ok(())
    }

    fn ports(&mut self, reading: &mut Reading) -> Result<(), Problem> {
        let Some(node) = self.get("ports") else { return Ok(()) };
        let Some(items) = node.list() else { return Err(wants("ports", "a list", node)) };
        let mut ports = Vec::new();
        for item in items {
            let Some(map) = item.map() else {
                let text = item.scalar().and_then(|scalar| scalar.text.as_clear()).unwrap_or_default();
                if !text.contains('[') && text.matches(':').count() > 2 {
                    return Err(Problem::failed(format!("`{}` is no port", escaped(text)))
                        .at(&item.place)
                        .hint("write an IPv6 address in brackets: [::1]:8080:80"));
                }
                ports.push(arg(item));
                continue;
            };
            let mut kept = Map::default();
            for entry in map.iter().filter(|entry| !entry.key.starts_with("x-")) {
                match entry.key.as_str() {
                    "mode" | "name" | "app_protocol" => {
                        reading.ignored(
                            &format!("ports.{}", entry.key),
                            &entry.place,
                            "it is for other platforms",
                        );
                    }
                    _ => kept.put(entry.clone()),
                }
            }
            let kept = Node { value: super::yaml::Value::Map(kept), ..item.clone() };
            ports.push(arg(&kept));
        }
        let ports = of(node, ArgValue::Array(ports));
        self.put("ports", ports);
        Ok(())
    }
}
