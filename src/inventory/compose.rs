//! `[compose.NAME]`: projects of Compose.

use super::ListEntry;
use super::read::entries;
use crate::pillar::Node;
use crate::pillar::fields::{Fields, wrong_type};
use crate::problem::{Place, Problem, escaped};
use std::collections::BTreeMap;

/// `[compose.NAME]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ComposeProject {
    /// The name of the project: what Compose calls it, and the first part of every name on the hosts.
    pub name: String,
    /// `files`: paths in the workspace, later ones over earlier ones; none for the usual name.
    pub files: Vec<ListEntry>,
    /// `profiles`: those that are on.
    pub profiles: Vec<String>,
    /// `dir`: where the folder of the files lies on the hosts.
    pub dir: Option<String>,
    /// `vars`: variables, with expressions, each with its line.
    pub vars: BTreeMap<String, (String, Place)>,
    /// The line of its header.
    pub place: Place,
}

pub(super) fn project(name: &str, node: &Node, problems: &mut Vec<Problem>) -> Option<ComposeProject> {
    let what = format!("[compose.{}]", escaped(name));
    let known = ["files", "profiles", "dir", "vars"];
    let before = problems.len();
    let first = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if !name.starts_with(first) || !name.chars().all(|c| first(c) || c == '-' || c == '_') {
        problems.push(
            Problem::failed(format!("`{}` is not the name of a Compose project", escaped(name)))
                .at(&node.place)
                .cause("it has lower-case letters, digits, `-` and `_`, and begins with a letter or digit")
                .hint("take the name that `docker compose ls` shows"),
        );
    }
    let mut fields = Fields::of(node, &what, &known, problems)?;
    let (files, profiles) = (fields.list("files"), fields.list("profiles"));
    let dir = fields.text("dir").map(|(text, place)| (text.to_owned(), place.clone()));
    let vars = fields.table("vars");
    let vars = vars.into_iter().filter_map(|(key, node)| match node.as_str() {
        Some(text) => Some((key.to_owned(), (text.to_owned(), node.place.clone()))),
        None => {
            problems.push(wrong_type(
                &format!("the variable `{}` in {what}", escaped(key)),
                "a string",
                node,
            ));
            None
        }
    });
    let vars = vars.collect();
    if let Some((dir, place)) = &dir
        && !dir.starts_with('/')
    {
        problems.push(
            Problem::failed(format!("`dir` in {what} is no path of a host"))
                .at(place)
                .hint("it begins with /"),
        );
    }
    let files = entries(files, problems);
    let profiles = profiles.into_iter().map(|(text, _)| text.to_owned()).collect();
    let (name, dir, place) = (name.to_owned(), dir.map(|(dir, _)| dir), node.place.clone());
    (problems.len() == before).then_some(ComposeProject { name, files, profiles, dir, vars, place })
}

/// The projects that a group or host names, of those that exist.
pub(super) fn named(
    read: Vec<(&str, &Place)>,
    projects: &[&str],
    problems: &mut Vec<Problem>,
) -> Vec<ListEntry> {
    let mut found: Vec<ListEntry> = Vec::new();
    for (text, place) in read {
        if !projects.contains(&text) {
            let what = format!("there is no [compose.{}]", escaped(text));
            problems.push(Problem::failed(what).at(place).nearest(text, projects.iter().copied()));
        } else if found.iter().any(|entry| entry.text == text) {
            problems.push(Problem::failed(format!("the project `{text}` is listed twice")).at(place));
        } else {
            found.push(ListEntry { text: text.to_owned(), place: place.clone() });
        }
    }
    found
}
