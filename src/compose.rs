//! Compose files as a front end: they give the same declarations as states in TOML and Starlark, so that planner, gates
//! and rollback know nothing of Compose. Pure: files and values of variables are handed in.
//!
//! A file goes one way: events to a tree (`yaml`), variables into its texts (`interpolate`), files over each other
//! (`load`, `merge`), services that are on (`project`), and each key by its rule (`rules`, `service`).

mod env_file;
mod fill;
mod interpolate;
mod line;
mod load;
mod look;
mod merge;
mod project;
mod resources;
mod rules;
mod scalar;
mod service;
mod value;
mod variables;
pub(crate) mod yaml;

pub use look::{Look, env_variables, look, normalised, own_name, service_names, usual_file};

use crate::inventory::ComposeProject;
use crate::pillar::Node;
use crate::problem::{Place, Problem, Result, escaped};
use crate::state::{ArgValue, Declaration, Text};
pub use project::List;
use project::{Project, Reading};
use std::collections::{BTreeMap, BTreeSet};
use variables::ProjectVariables;

/// What the declarations of a project depend on.
pub struct Inputs<'a> {
    /// The project, from the inventory.
    pub project: &'a ComposeProject,
    /// `vars` of the project, evaluated, each with the lines it comes from.
    pub vars: &'a BTreeMap<String, (Text, Vec<Place>)>,
    /// The host's merged pillar, whose table `vars.PROJECT` has the other variables.
    pub pillar: &'a Node,
    /// Reads a file of the workspace; `None` if there is none.
    pub read: &'a dyn Fn(&str) -> Result<Option<String>>,
    /// The files at or below a path of the workspace, relative to it, and whether they may be executed.
    pub list: &'a List<'a>,
}

/// The declarations of a project. Errors go to `problems`, all of them with their lines.
pub fn declarations(
    inputs: &Inputs,
    problems: &mut Vec<Problem>,
    notes: &mut Vec<String>,
) -> Vec<Declaration> {
    let project = inputs.project;
    let variables = ProjectVariables { project: &project.name, vars: inputs.vars, pillar: inputs.pillar };
    let mut reading = Reading::new(&variables, inputs.read, inputs.list);
    let found = read(project, &mut reading);
    problems.append(&mut reading.problems);
    notes.append(&mut reading.notes);
    found
}

fn read(wanted: &ComposeProject, reading: &mut Reading) -> Vec<Declaration> {
    let Some(files) = files(wanted, reading) else { return Vec::new() };
    let Some(tree) = load::load(&files, reading) else { return Vec::new() };
    // As with `docker compose -p`, the name of the inventory wins over that of the file.
    if let Some((own, place)) = project::own_name(&tree)
        && look::normalised(&own) != wanted.name
    {
        reading.notes.push(format!(
            "{place}: the file calls its project `{}`, and names on the hosts begin with `{}`, as the inventory calls it",
            escaped(&own),
            wanted.name
        ));
    }
    let folder = files.first().and_then(|(path, _)| path.rsplit_once('/')).map_or("", |(folder, _)| folder);
    let project =
        Project::of(&wanted.name, wanted.dir.as_deref(), folder.to_owned(), &tree, &wanted.profiles, reading);
    let Some(project) = project else { return Vec::new() };
    let mut found: Vec<Declaration> =
        project.services_on().filter_map(|entry| service::declaration(entry, &project, reading)).collect();
    // What is wrong with a service was said: that it is missing for others would be said again.
    let wrong: BTreeSet<String> = project
        .services_on()
        .map(|entry| project.id(&entry.key))
        .filter(|id| !found.iter().any(|one| one.id == *id))
        .collect();
    if !wrong.is_empty() {
        found.iter_mut().for_each(|one| forget(one, &wrong));
    }
    let place = files.first().map_or_else(|| wanted.place.clone(), |(path, _)| Place::new(path.as_str(), 0));
    found.extend(resources::declarations(&project, &place, reading));
    found
}

/// Takes ids out of what a declaration waits for.
fn forget(declaration: &mut Declaration, ids: &BTreeSet<String>) {
    if let Some(ArgValue::Array(items)) = declaration.args.get_mut("require").map(|arg| &mut arg.value) {
        items.retain(|item| match &item.value {
            ArgValue::Text(text) => text.as_clear().is_none_or(|id| !ids.contains(id)),
            _ => true,
        });
    }
    if let Some(ArgValue::Table(table)) = declaration.args.get_mut("watch").map(|arg| &mut arg.value) {
        table.retain(|id, _| !ids.contains(id));
    }
}

/// The files of a project with the lines that name them.
fn files(wanted: &ComposeProject, reading: &mut Reading) -> Option<Vec<(String, Place)>> {
    if !wanted.files.is_empty() {
        return Some(wanted.files.iter().map(|entry| (entry.text.clone(), entry.place.clone())).collect());
    }
    for name in load::USUAL {
        match (reading.read)(name) {
            Ok(Some(_)) => return Some(vec![(name.to_owned(), wanted.place.clone())]),
            Ok(None) => {}
            Err(found) => {
                reading.problems.extend(found.into_vec());
                return None;
            }
        }
    }
    let what = format!("the workspace has no compose.yaml for [compose.{}]", wanted.name);
    reading
        .problems
        .push(Problem::failed(what).at(&wanted.place).hint("name it: files = [\"deploy/compose.yaml\"]"));
    None
}
