//! Declarations as they are read from state files, whatever language those are in: names of Salt are understood here.

use super::toml::function;
use crate::problem::{Place, Problem, escaped};
use crate::salt::{self, Foreign, Turned};
use crate::state::{Arg, ArgValue, Declaration, Function};
use std::collections::{BTreeMap, BTreeSet};

/// What was read of all files of a host.
#[derive(Debug, Default)]
pub(super) struct Declared {
    pub(super) found: Vec<Declaration>,
    pub(super) problems: Vec<Problem>,
    pub(super) notes: Vec<String>,
    turned: Vec<Turned>,
    /// Files that Salt would put on the host, with the places of their states.
    managed: Vec<(String, Place)>,
}

/// One function of an id with its arguments.
pub(super) struct Written<'w> {
    pub(super) id: &'w str,
    pub(super) word: &'w str,
    pub(super) args: BTreeMap<String, Arg>,
    pub(super) place: Place,
    pub(super) unread: BTreeSet<String>,
}

impl Declared {
    /// Takes a function of an id.
    pub(super) fn take(&mut self, written: Written<'_>) {
        let Written { id, word, args, place, unread } = written;
        if word.is_empty() {
            return self.problems.push(without_function(id, &args, &place));
        }
        let (function, args) = match salt::foreign(word, &args, &place) {
            Some(Foreign::Ignored(note)) => {
                if matches!(word, "file.managed" | "file.recurse") {
                    let path = args.get("name").and_then(clear).unwrap_or(id);
                    self.managed.push((path.trim_end_matches('/').to_owned(), place));
                }
                return self.notes.push(note);
            }
            Some(Foreign::Refused(problem)) => return self.problems.push(problem),
            Some(Foreign::Absent(args, note)) => {
                self.notes.push(note);
                (Function::ContainerAbsent, args)
            }
            None => match function(word, &place, &mut self.problems) {
                Some(function) => (function, args),
                None => return,
            },
        };
        let id = id.to_owned();
        if !salt::is_salts(word) {
            return self.found.push(Declaration { id, function, args, place, unread });
        }
        let translated = salt::translate(word, &id, function, args);
        self.notes.extend(translated.notes);
        self.problems.extend(translated.problems);
        self.turned.extend(translated.turned);
        self.found.extend(translated.declarations.into_iter().map(|(function, args)| Declaration {
            id: id.clone(),
            function,
            args,
            place: place.clone(),
            unread: unread.clone(),
        }));
    }

    /// All declarations, once every file was read: requisites may name those of other files.
    pub(super) fn finish(mut self, problems: &mut Vec<Problem>, notes: &mut Vec<String>) -> Vec<Declaration> {
        salt::turn_round(&mut self.found, self.turned, &mut self.notes);
        salt::by_name(&mut self.found);
        salt::without_host_services(&mut self.found, &mut self.notes);
        self.problems.extend(mounted(&self.managed, &self.found));
        problems.append(&mut self.problems);
        notes.append(&mut self.notes);
        self.found
    }
}

/// A state whose function is an empty text: a page that was copied may have lost it.
fn without_function(id: &str, args: &BTreeMap<String, Arg>, place: &Place) -> Problem {
    let problem = Problem::failed(format!("the state `{}` has no function", escaped(id))).at(place);
    match salt::foreign("cmd.run", args, place) {
        Some(Foreign::Absent(..)) => problem
            .hint("it stops and removes a container whose image changed: write \"cmd.run\", or container.absent with when = \"outdated\""),
        _ => problem.hint("write what it is: \"container.running\", \"image.pulled\""),
    }
}

/// Files that are not put on the host and that a container mounts: the Engine would make empty folders of them.
fn mounted(managed: &[(String, Place)], declarations: &[Declaration]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for declaration in declarations {
        let volumes = match declaration.args.get("volumes").map(|volumes| &volumes.value) {
            Some(ArgValue::Array(items)) => {
                items.iter().filter_map(|item| Some((clear(item)?, item))).collect()
            }
            _ => Vec::new(),
        };
        for (volume, item) in volumes {
            let mut parts = volume.split(':');
            let (Some(source), Some(target)) = (parts.next(), parts.next()) else { continue };
            let source = source.trim_end_matches('/');
            let holds = |path: &str| {
                path == source || path.strip_prefix(source).is_some_and(|rest| rest.starts_with('/'))
            };
            for (path, place) in managed.iter().filter(|(path, _)| source.starts_with('/') && holds(path)) {
                let target = format!("{}{}", target.trim_end_matches('/'), &path[source.len()..]);
                problems.push(
                    Problem::failed(format!(
                        "`{}` mounts {}, which only Salt puts on the host",
                        escaped(&declaration.id),
                        escaped(path)
                    ))
                    .at(&item.place)
                    .cause(format!("{place}: states of files are not managed here"))
                    .hint(format!(
                        "put the file below files/, and write files.\"{}\" = {{ source = \"files/…\" }} instead of the mount",
                        escaped(&target)
                    )),
                );
            }
        }
    }
    problems
}

fn clear(arg: &Arg) -> Option<&str> {
    match &arg.value {
        ArgValue::Text(text) => text.as_clear(),
        _ => None,
    }
}
