//! Declarations as they are read from state files, whatever language those are in: names of Salt are understood here.

use super::toml::function;
use crate::problem::{Place, Problem};
use crate::salt::{self, Foreign, Turned};
use crate::state::{Arg, Declaration, Function};
use std::collections::{BTreeMap, BTreeSet};

/// What was read of all files of a host.
#[derive(Debug, Default)]
pub(super) struct Declared {
    pub(super) found: Vec<Declaration>,
    pub(super) problems: Vec<Problem>,
    pub(super) notes: Vec<String>,
    turned: Vec<Turned>,
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
        let (function, args) = match salt::foreign(word, &args, &place) {
            Some(Foreign::Ignored(note)) => return self.notes.push(note),
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
        problems.append(&mut self.problems);
        notes.append(&mut self.notes);
        self.found
    }
}
