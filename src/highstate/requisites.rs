//! Requisites of imported states: ids that are imported too, and a comment for each that is not.

use crate::problem::escaped;
use crate::salt;
use crate::state::{Arg, ArgValue, Declaration, Text};
use std::collections::{BTreeMap, BTreeSet};

/// Requisites that are kept, with the words for a comment.
const KEPT: [(&str, &str); 3] = [
    ("require", "it required"),
    ("watch", "it watched"),
    ("onchanges", "it was done only after a change of"),
];

/// Requisites of Salt that count each id by itself, as ours do.
const ANY: [(&str, &str); 3] =
    [("require_any", "require"), ("watch_any", "watch"), ("onchanges_any", "onchanges")];

/// What is done elsewhere with a state that has one of these: it cannot be imported.
const CONDITIONS: [(&[&str], &str, &str); 5] = [
    (
        &["unless", "onlyif", "creates", "check_cmd"],
        "commands on a host decide whether it counts, and pillarbox runs none",
        "write the state by hand, with onlyif = \"{{ … }}\" over the pillar and host.labels",
    ),
    (
        &["onfail", "onfail_any", "onfail_all", "onfail_in"],
        "it is for the failure of another state",
        "a failed replacement is rolled back by itself; for all else act on the exit code of apply",
    ),
    (
        &["prereq", "prereq_any", "prereq_in"],
        "it precedes a change of another state",
        "write update = { before_stop = … } at a service.deployed",
    ),
    (
        &["use", "use_in"],
        "it takes the arguments of another state",
        "write them out in the .sls, and render it again",
    ),
    (&["listen", "listen_in"], "", ""),
];

/// Why a state with these arguments cannot be imported, and the way on.
pub(super) fn condition(args: &BTreeMap<String, Arg>) -> Option<(String, String)> {
    CONDITIONS.iter().filter(|(_, why, _)| !why.is_empty()).find_map(|(names, why, hint)| {
        let name =
            names.iter().find(|name| args.get(**name).is_some_and(|arg| arg.value != ArgValue::Unset))?;
        Some((format!("`{name}`: {why}"), (*hint).to_owned()))
    })
}

/// Takes out requisites that are no order of ours, and gives the rest our names.
pub(super) fn prepared(args: &mut BTreeMap<String, Arg>) -> Vec<String> {
    let mut comments = Vec::new();
    for (written, ours) in ANY {
        if let Some(more) = args.remove(written) {
            comments.push(format!("`{written}` was for one of them; here each of them counts"));
            match (args.get_mut(ours).map(|arg| &mut arg.value), more.value) {
                (Some(ArgValue::Array(before)), ArgValue::Array(items)) => before.extend(items),
                (_, value) => drop(args.insert(ours.to_owned(), Arg { value, ..more })),
            }
        }
    }
    for name in ["listen", "listen_in"] {
        if args.remove(name).is_some() {
            comments
                .push(format!("`{name}` has no equivalent: watch = {{ ID = \"restart\" }} does it at once"));
        }
    }
    if args.remove("retry").is_some() {
        comments
            .push("`retry` has no equivalent: run 'pillarbox apply' again, it goes on from there".to_owned());
    }
    comments
}

/// What requisites may name: imported ids, the file of each, and how ids are called now.
pub(super) struct Known<'a> {
    pub(super) ids: &'a BTreeMap<String, Vec<String>>,
    pub(super) files: &'a BTreeMap<String, BTreeSet<String>>,
}

/// Leaves the ids that are imported; `own` is how the state itself is called. Gives comments for all others.
pub(super) fn settle(declaration: &mut Declaration, own: &str, known: &Known<'_>) -> Vec<String> {
    let mut comments = Vec::new();
    for (requisite, word) in KEPT {
        let Some(arg) = declaration.args.remove(requisite) else { continue };
        let items = if let ArgValue::Array(items) = &arg.value {
            items.as_slice()
        } else {
            std::slice::from_ref(&arg)
        };
        let mut ids: Vec<String> = Vec::new();
        for (module, target) in items.iter().flat_map(targets) {
            let found: Vec<String> = match module {
                Some("sls") => known.files.get(target).into_iter().flatten().cloned().collect(),
                Some(module) if !is_ours(module) => Vec::new(),
                _ => known.ids.get(target).cloned().unwrap_or_default(),
            };
            if found.is_empty() {
                let module = module.map(|module| format!("{} ", escaped(module))).unwrap_or_default();
                comments.push(format!("{word} {module}`{}`, which is not imported", escaped(target)));
            }
            ids.extend(found.into_iter().filter(|id| id != own && !ids.contains(id)).collect::<Vec<_>>());
        }
        ids.dedup();
        if !ids.is_empty() {
            let items = ids.into_iter().map(|id| Arg {
                value: ArgValue::Text(Text::clear(id)),
                place: arg.place.clone(),
                read: Vec::new(),
            });
            let value = ArgValue::Array(items.collect());
            declaration.args.insert(requisite.to_owned(), Arg { value, ..arg });
        } else if requisite == "watch" {
            declaration.args.remove("watch_action");
        }
    }
    comments
}

fn is_ours(module: &str) -> bool {
    salt::is_module(module) || ["container", "image", "network", "volume"].contains(&module)
}

/// What an entry names: a text, or `{ docker_container = "web" }`.
pub(super) fn targets(item: &Arg) -> Vec<(Option<&str>, &str)> {
    match &item.value {
        ArgValue::Text(text) => text.as_clear().map(|id| (None, id)).into_iter().collect(),
        ArgValue::Table(table) => {
            let entries = table.iter().filter_map(|(module, target)| match &target.value {
                ArgValue::Text(text) => Some((Some(module.as_str()), text.as_clear()?)),
                _ => None,
            });
            entries.collect()
        }
        _ => Vec::new(),
    }
}
