//! Which states are imported, and what is said of all others.

use super::files::{self, Finds, GivenFile};
use super::host_files::HostFiles;
use super::rendered::{Minion, RenderedState, is_numbered};
use super::requisites::{self, Known};
use crate::name::ContainerName;
use crate::problem::{Place, Problem, escaped};
use crate::salt::{self, Foreign, Turned};
use crate::state::{Arg, ArgValue, Declaration, Function, Text};
use std::collections::{BTreeMap, BTreeSet};

/// A state that is imported.
#[derive(Debug)]
pub struct Imported {
    /// The file of Salt that it stands in.
    pub sls: String,
    /// Salt's words for it: `docker_container.running`.
    pub word: String,
    /// In our terms.
    pub declaration: Declaration,
    /// What of it has no equivalent.
    pub comments: Vec<String>,
    /// Files that it is given.
    pub(super) files: Vec<GivenFile>,
}

/// A state that is not imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its id.
    pub id: String,
    /// The file of Salt that it stands in.
    pub sls: String,
    /// `pkg.installed`.
    pub word: String,
    /// Why.
    pub why: String,
    /// What to do instead; empty where `why` says it.
    pub hint: String,
    /// Whether it is about containers, so that something of them is missing.
    pub is_missing: bool,
    /// Where it was read.
    pub place: Place,
}

/// The states of one minion.
#[derive(Debug, Default)]
pub struct Sorted {
    /// In the order of Salt.
    pub states: Vec<Imported>,
    /// Those that are not imported.
    pub left_out: Vec<LeftOut>,
}

/// Sorts the states of a minion. `finds` has what is in files; where `None`, containers go on to mount those of
/// the host.
pub fn sorted(minion: &Minion, finds: Option<&dyn Finds>) -> Sorted {
    let mut sorter = Sorter::default();
    let host_files = HostFiles::of(minion, finds);
    for state in &minion.states {
        sorter.take(state);
    }
    let Sorter { mut declarations, mut about, mut left_out, turned } = sorter;
    let mut notes = Vec::new();
    salt::turn_round(&mut declarations, turned, &mut notes);
    salt::by_name(&mut declarations);
    networks_of(&mut declarations);
    for (declaration, about) in declarations.iter_mut().zip(&mut about) {
        links_of(declaration, &mut about.comments);
    }
    let mut given: Vec<Vec<GivenFile>> = Vec::with_capacity(declarations.len());
    let mut used = BTreeSet::new();
    for (declaration, about) in declarations.iter_mut().zip(&mut about) {
        match files::give(
            declaration,
            &host_files,
            finds,
            minion.name.as_deref(),
            &mut about.comments,
            &mut used,
        ) {
            Ok(files) => given.push(files),
            Err((why, hint)) => {
                about.refused = Some((why, hint));
                given.push(Vec::new());
            }
        }
    }
    // What a container is given is no more left out.
    left_out
        .retain(|one| !(one.word.starts_with("file.") && used.contains(&(one.id.clone(), one.sls.clone()))));
    for (declaration, about) in declarations.iter().zip(&about) {
        if let Some((why, hint)) = &about.refused {
            left_out.push(LeftOut {
                id: declaration.id.clone(),
                sls: about.sls.clone(),
                word: about.word.clone(),
                why: why.clone(),
                hint: hint.clone(),
                is_missing: true,
                place: declaration.place.clone(),
            });
        }
    }
    let kept: Vec<bool> = about.iter().map(|about| about.refused.is_none()).collect();
    let names = renamed(&declarations, &kept);
    let (mut ids, mut by_file) =
        (BTreeMap::<String, Vec<String>>::new(), BTreeMap::<String, BTreeSet<String>>::new());
    for ((declaration, about), name) in declarations.iter().zip(&about).zip(&names) {
        if let Some(name) = name {
            let of_id = ids.entry(declaration.id.clone()).or_default();
            if !of_id.contains(name) {
                of_id.push(name.clone());
            }
            by_file.entry(about.sls.clone()).or_default().insert(name.clone());
        }
    }
    let known = Known { ids: &ids, files: &by_file };
    let mut states = Vec::new();
    for (((mut declaration, mut about), name), files) in
        declarations.into_iter().zip(about).zip(names).zip(given)
    {
        let Some(name) = name else { continue };
        about.comments.extend(requisites::settle(&mut declaration, &name, &known));
        if name != declaration.id {
            about.comments.insert(0, format!("of `names` of the state `{}`", escaped(&declaration.id)));
            declaration.id = name;
        }
        if declaration.args.get("name").and_then(clear) == Some(declaration.id.as_str()) {
            declaration.args.remove("name");
        }
        let About { sls, word, comments, .. } = about;
        states.push(Imported { sls, word, declaration, comments, files });
    }
    Sorted { states, left_out }
}

/// What is known of a declaration beside it.
#[derive(Debug, Default)]
struct About {
    sls: String,
    word: String,
    comments: Vec<String>,
    refused: Option<(String, String)>,
}

#[derive(Default)]
struct Sorter {
    declarations: Vec<Declaration>,
    about: Vec<About>,
    left_out: Vec<LeftOut>,
    turned: Vec<Turned>,
}

impl Sorter {
    fn take(&mut self, state: &RenderedState) {
        let word = format!("{}.{}", state.module, state.function);
        let mut args = state.args.clone();
        if args.get("order").is_some_and(is_numbered) {
            args.remove("order");
        }
        let (function, args) = if salt::is_salts(&word)
            && let Some(function) = Function::parse(&word)
        {
            (function, args)
        } else {
            match salt::foreign(&word, &args, &state.place) {
                Some(Foreign::Absent(args, _)) => (Function::ContainerAbsent, args),
                Some(Foreign::Refused(problem)) if salt::is_module(&state.module) => {
                    return self.refuse(state, &word, &problem);
                }
                _ => {
                    return self.leave(
                        state,
                        &word,
                        salt::stays_with_salt(&state.module),
                        "",
                        salt::is_module(&state.module),
                    );
                }
            }
        };
        if let Some((why, hint)) = requisites::condition(&args).filter(|_| state.module != "cmd") {
            return self.leave(state, &word, &why, &hint, true);
        }
        if let Some((why, hint)) = without_image(function, &args) {
            return self.leave(state, &word, why, hint, true);
        }
        let mut args = args;
        let mut comments = requisites::prepared(&mut args);
        let translated = match salt::is_salts(&word) {
            true => salt::translate(&word, &state.id, function, args),
            false => salt::Translated { declarations: vec![(function, args)], ..Default::default() },
        };
        if let Some(problem) = translated.problems.into_iter().next() {
            return self.refuse(state, &word, &problem);
        }
        // The line of the source says nothing in the new file.
        let place = format!("{}: ", state.place);
        comments
            .extend(translated.notes.iter().map(|note| note.strip_prefix(&place).unwrap_or(note).to_owned()));
        self.turned.extend(translated.turned);
        for (function, args) in translated.declarations {
            let named = args.get("name").and_then(clear).unwrap_or(&state.id);
            let wrong = is_container(function) && ContainerName::parse(named).is_err();
            let refused = wrong.then(|| {
                let why = format!("`{}` is no name that an Engine takes for a container", escaped(named));
                (why, "give the state a `name`, and render it again".to_owned())
            });
            self.about.push(About {
                sls: state.sls.clone(),
                word: word.clone(),
                comments: comments.clone(),
                refused,
            });
            self.declarations.push(Declaration {
                id: state.id.clone(),
                function,
                args,
                place: state.place.clone(),
                unread: BTreeSet::new(),
            });
        }
    }

    fn refuse(&mut self, state: &RenderedState, word: &str, problem: &Problem) {
        let why = match problem.causes.first() {
            Some(cause) => format!("{}: {cause}", problem.what),
            None => problem.what.clone(),
        };
        let hint = problem.hints.first().cloned().unwrap_or_default();
        self.leave(state, word, &why, &hint, true);
    }

    fn leave(&mut self, state: &RenderedState, word: &str, why: &str, hint: &str, is_missing: bool) {
        self.left_out.push(LeftOut {
            id: state.id.clone(),
            sls: state.sls.clone(),
            word: word.to_owned(),
            why: why.to_owned(),
            hint: hint.to_owned(),
            is_missing,
            place: state.place.clone(),
        });
    }
}

fn is_container(function: Function) -> bool {
    matches!(
        function,
        Function::ContainerInstalled
            | Function::ContainerRunning
            | Function::ContainerStopped
            | Function::ContainerAbsent
    )
}

/// States that need an image which is not said, or is made on the host.
fn without_image(function: Function, args: &BTreeMap<String, Arg>) -> Option<(&'static str, &'static str)> {
    let has = |name: &str| {
        args.get(name).is_some_and(|arg| !matches!(arg.value, ArgValue::Unset | ArgValue::Boolean(false)))
    };
    match function {
        Function::ContainerStopped if !has("image") => Some((
            "it says nothing but that the container does not run",
            "write [ID.container.absent], or [ID.container.stopped] with its image and options",
        )),
        Function::ContainerRunning | Function::ContainerInstalled if !has("image") => Some((
            "it starts a container that is there already, and does not say of which image it is",
            "say `image` in the state, and render it again",
        )),
        Function::ImagePulled if ["build", "load", "sls"].into_iter().any(has) => Some((
            "the image is made on the host",
            "build and push it elsewhere: docker buildx build --push, and write [ID.image.pulled]",
        )),
        _ => None,
    }
}

pub(super) fn clear(arg: &Arg) -> Option<&str> {
    match &arg.value {
        ArgValue::Text(text) => text.as_clear(),
        _ => None,
    }
}

/// `containers` of a network: here a container says in which networks it is.
fn networks_of(declarations: &mut [Declaration]) {
    let mut joined: Vec<(String, Arg)> = Vec::new();
    for network in declarations.iter_mut().filter(|one| one.function == Function::NetworkPresent) {
        let name = network.args.get("name").and_then(clear).unwrap_or(&network.id).to_owned();
        let Some(containers) = network.args.remove("containers") else { continue };
        let items = if let ArgValue::Array(items) = &containers.value {
            items.clone()
        } else {
            vec![containers.clone()]
        };
        joined.extend(items.into_iter().map(|container| (name.clone(), container)));
    }
    for (network, container) in joined {
        let Some(name) = clear(&container) else { continue };
        for declaration in declarations.iter_mut().filter(|one| one.function == Function::ContainerRunning) {
            if declaration.args.get("name").and_then(clear).unwrap_or(&declaration.id) != name {
                continue;
            }
            let entry = Arg { value: ArgValue::Text(Text::clear(network.as_str())), ..container.clone() };
            let empty = || Arg { value: ArgValue::Array(Vec::new()), ..container.clone() };
            let networks = declaration.args.entry("networks".to_owned()).or_insert_with(empty);
            match &mut networks.value {
                ArgValue::Array(items) if !items.iter().any(|item| clear(item) == Some(&network)) => {
                    items.push(entry);
                }
                ArgValue::Table(table) => {
                    table
                        .entry(network.clone())
                        .or_insert_with(|| Arg { value: ArgValue::Table(BTreeMap::new()), ..entry });
                }
                _ => {}
            }
        }
    }
}

/// `links` beside `networks`: here they are of one network, the first.
fn links_of(declaration: &mut Declaration, comments: &mut Vec<String>) {
    let names = match declaration.args.get("networks").map(|networks| &networks.value) {
        Some(ArgValue::Array(items)) => items.iter().filter_map(clear).map(str::to_owned).collect(),
        Some(ArgValue::Table(table)) => table.keys().cloned().collect(),
        _ => Vec::new(),
    };
    let Some(first) = names.first() else { return };
    let Some(links) = declaration.args.remove("links") else { return };
    comments.push(format!(
        "`links` was for the default network; it is written in the network `{}`",
        escaped(first)
    ));
    let Some(networks) = declaration.args.get_mut("networks") else { return };
    let mut table = match &networks.value {
        ArgValue::Table(table) => table.clone(),
        _ => {
            let empty = |name: &String| {
                (name.clone(), Arg { value: ArgValue::Table(BTreeMap::new()), ..links.clone() })
            };
            names.iter().map(empty).collect()
        }
    };
    if let Some(ArgValue::Table(fields)) = table.get_mut(first).map(|endpoint| &mut endpoint.value) {
        fields.entry("links".to_owned()).or_insert(links);
    }
    networks.value = ArgValue::Table(table);
}

/// How each declaration is called: an id may have a function once.
fn renamed(declarations: &[Declaration], kept: &[bool]) -> Vec<Option<String>> {
    let mut counts: BTreeMap<(&str, Function), usize> = BTreeMap::new();
    for declaration in declarations {
        *counts.entry((&declaration.id, declaration.function)).or_default() += 1;
    }
    let mut taken: BTreeSet<String> = declarations.iter().map(|declaration| declaration.id.clone()).collect();
    let names = declarations.iter().zip(kept).map(|(declaration, kept)| {
        if !kept {
            return None;
        }
        if counts.get(&(declaration.id.as_str(), declaration.function)).is_none_or(|count| *count < 2) {
            return Some(declaration.id.clone());
        }
        let name = declaration.args.get("name").and_then(clear).unwrap_or_default();
        let mut candidates = [name.to_owned(), format!("{}-{name}", declaration.id)].into_iter();
        let found = candidates.find(|candidate| taken.insert(candidate.clone()));
        Some(found.unwrap_or_else(|| {
            let number = taken.len();
            format!("{}-{number}", declaration.id)
        }))
    });
    names.collect()
}
