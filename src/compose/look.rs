//! What a project is called and needs, before it is in an inventory.

use super::env_file::{self, Beside, Format};
use super::interpolate::{self, Variables};
use super::project::Reading;
use super::value::text;
use super::variables::ProjectVariables;
use super::{Inputs, load, yaml};
use crate::problem::{Place, Problem, Result};
use crate::state::{Declaration, Function, Text};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// What a project gives and needs.
#[derive(Debug, Default)]
pub struct Look {
    /// Services that are on, without their project.
    pub services: Vec<String>,
    /// Networks that are made.
    pub networks: usize,
    /// Volumes that are made.
    pub volumes: usize,
    /// Variables that its files ask for, whether they have a value or not.
    pub asked: BTreeSet<String>,
    /// Paths beside the files that are mounted.
    pub relative: BTreeSet<String>,
    /// Files that it reads: its own and those of variables.
    pub files: BTreeSet<String>,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// What is left out, and what else is to be known.
    pub notes: Vec<String>,
}

/// Reads a project as [`super::declarations`] does, and says what it needs.
pub fn look(inputs: &Inputs) -> Look {
    let project = inputs.project;
    let variables = Asked {
        inner: &ProjectVariables { project: &project.name, vars: inputs.vars, pillar: inputs.pillar },
        asked: RefCell::default(),
    };
    let mut reading = Reading::new(&variables, inputs.read, inputs.list);
    let found = super::read(project, &mut reading);
    let count = |function: Function| found.iter().filter(|one| one.function == function).count();
    let is_service =
        |one: &&Declaration| !matches!(one.function, Function::NetworkPresent | Function::VolumePresent);
    let prefix = format!("{}.", project.name);
    let services = found.iter().filter(is_service);
    Look {
        services: services.map(|one| one.id.strip_prefix(&prefix).unwrap_or(&one.id).to_owned()).collect(),
        networks: count(Function::NetworkPresent),
        volumes: count(Function::VolumePresent),
        relative: std::mem::take(&mut reading.relative),
        files: reading.read_files(),
        problems: reading.problems,
        notes: reading.notes,
        asked: variables.asked.into_inner(),
    }
}

/// The name that files give their project: the last one wins. What cannot be read gives none.
pub fn own_name(
    files: &[String],
    variables: &BTreeMap<String, String>,
    read: &dyn Fn(&str) -> Result<Option<String>>,
) -> Option<String> {
    let mut found = None;
    for file in files {
        let Ok(Some(content)) = read(file) else { continue };
        for tree in yaml::read(file, &content).into_iter().flatten() {
            let Some(node) = tree.map().and_then(|map| map.get("name")) else { continue };
            let Some(written) = text("name", node).ok().and_then(|text| text.as_clear().map(str::to_owned))
            else {
                continue;
            };
            let filled = interpolate::fill(&written, &Given(variables), &node.place);
            found = filled.ok().and_then(|filled| filled.text.as_clear().map(str::to_owned)).or(found);
        }
    }
    found
}

/// Names of the services of a file, as written; none of one that cannot be read.
pub fn service_names(file: &str, text: &str) -> Vec<String> {
    let trees = yaml::read(file, text).unwrap_or_default();
    let services = trees.iter().filter_map(|tree| tree.map()?.get("services")?.map());
    let names = services.flat_map(|services| services.iter().map(|entry| entry.key.clone()));
    names.filter(|name| !name.starts_with("x-")).collect()
}

/// The usual name of a file that is there.
pub fn usual_file(read: &dyn Fn(&str) -> Result<Option<String>>) -> Option<&'static str> {
    load::USUAL.into_iter().find(|name| matches!(read(name), Ok(Some(_))))
}

/// The name that Compose makes of one that is written in a file, or of a folder: lower case, and only `a-z0-9_-`.
pub fn normalised(name: &str) -> String {
    let fine = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    let name: String = name.to_lowercase().chars().filter(fine).collect();
    name.trim_start_matches(['_', '-']).to_owned()
}

/// The variables of a file that Compose reads, `.env`, each with its line. A name without a value has none.
///
/// # Errors
/// All lines that are wrong; none of them is shown.
pub fn env_variables(file: &str, text: &str) -> Result<BTreeMap<String, (String, Place)>> {
    let read = env_file::read(file, text, Format::Compose, &Given(&BTreeMap::new()), &Beside::default())?;
    let clear = read
        .into_iter()
        .filter_map(|(name, (filled, place))| Some((name, (filled.text.as_clear()?.to_owned(), place))));
    Ok(clear.collect())
}

/// Notes which variables are asked for.
struct Asked<'a> {
    inner: &'a dyn Variables,
    asked: RefCell<BTreeSet<String>>,
}

impl Variables for Asked<'_> {
    fn value(&self, name: &str) -> Option<(Text, Vec<Place>)> {
        if name != "COMPOSE_PROJECT_NAME" {
            self.asked.borrow_mut().insert(name.to_owned());
        }
        self.inner.value(name)
    }

    fn hint(&self, name: &str) -> String {
        self.inner.hint(name)
    }

    fn pillar(&self, key: &str) -> Option<(Text, Vec<Place>)> {
        self.inner.pillar(key)
    }
}

/// Variables that are given.
struct Given<'a>(&'a BTreeMap<String, String>);

impl Variables for Given<'_> {
    fn value(&self, name: &str) -> Option<(Text, Vec<Place>)> {
        self.0.get(name).map(|value| (Text::clear(value.as_str()), Vec::new()))
    }

    fn hint(&self, _: &str) -> String {
        String::new()
    }

    fn pillar(&self, _: &str) -> Option<(Text, Vec<Place>)> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_called_as_compose_calls_it() {
        for (from, to) in
            [("My.App Dir", "myappdir"), ("_-shop", "shop"), ("ÄÖ", ""), ("a_b-c", "a_b-c"), ("1", "1")]
        {
            assert_eq!(normalised(from), to);
        }
        let files = |path: &str| {
            Ok(match path {
                "a.yaml" => Some("name: one\nservices: {}\n".to_owned()),
                "b.yaml" => Some("name: ${WHICH:-two}\n".to_owned()),
                _ => None,
            })
        };
        let none = BTreeMap::new();
        let named = |paths: &[&str], variables: &BTreeMap<String, String>| {
            let paths: Vec<String> = paths.iter().map(|&path| path.to_owned()).collect();
            own_name(&paths, variables, &files)
        };
        assert_eq!(named(&["a.yaml"], &none).as_deref(), Some("one"));
        assert_eq!(named(&["a.yaml", "b.yaml"], &none).as_deref(), Some("two"));
        let given = BTreeMap::from([("WHICH".to_owned(), "three".to_owned())]);
        assert_eq!(named(&["a.yaml", "b.yaml"], &given).as_deref(), Some("three"));
        assert_eq!(named(&["c.yaml"], &none), None);
    }
}
