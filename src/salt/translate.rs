//! The arguments of a function under Salt's name, in our terms.

use super::Turned;
use super::options::options;
use super::values::{derived, listed, printed, repacked, text};
use crate::problem::{Problem, escaped};
use crate::state::{Arg, ArgValue, Function};
use std::collections::BTreeMap;

/// What became of a declaration under Salt's name: one for each of its `names`.
#[derive(Debug, Default)]
pub(crate) struct Translated {
    /// Each with its function and arguments.
    pub(crate) declarations: Vec<(Function, BTreeMap<String, Arg>)>,
    /// Requisites of others, which are turned round once all are read.
    pub(crate) turned: Vec<Turned>,
    /// What has no meaning here and is left out.
    pub(crate) notes: Vec<String>,
    /// What is refused.
    pub(crate) problems: Vec<Problem>,
}

/// Options that say how Salt goes about it, and not what the container is like; and why they mean nothing here.
const HOW: [(&[&str], &str); 5] = [
    (
        &["client_timeout", "insecure_registry", "ignore_collisions", "validate_ip_addrs", "validate_input"],
        "it says how Salt calls the Engine",
    ),
    (&["detach", "bg"], "containers run in the background"),
    (&["watch_changes", "send_signal"], "`watch` and `watch_action` say it"),
    (
        &[
            "failhard",
            "parallel",
            "reload_modules",
            "reload_grains",
            "reload_pillar",
            "fire_event",
            "aggregate",
            "saltenv",
            "pillarenv",
            "check_duplicate",
            "reconnect",
            "error_on_absent",
            "unpause",
        ],
        "it says how Salt goes about it",
    ),
    (&["state_name", "user_data"], "it is Salt's own"),
];

/// Translates the arguments of `word`, a function with one of Salt's names.
pub(crate) fn translate(word: &str, id: &str, function: Function, args: BTreeMap<String, Arg>) -> Translated {
    let mut all = Translated::default();
    let mut args = args;
    left_out(word, function, &mut args, &mut all);
    turned(id, &mut args, &mut all);
    if let Some(order) = args.get_mut("order") {
        // As Salt has it: before and after all others.
        match printed(order).as_deref() {
            Some("first") => order.value = ArgValue::Integer(0),
            Some("last") => order.value = ArgValue::Integer(-1),
            _ => {}
        }
    }
    if let Some(container) = args.remove("container") {
        args.entry("name".to_owned()).or_insert(container);
    }
    if is_container(function) || matches!(function, Function::NetworkPresent | Function::VolumePresent) {
        options(&mut args);
    }
    let several = ["names", "containers", "images"];
    let listed = several.iter().filter(|name| function != Function::NetworkPresent || **name != "containers");
    let names: Vec<Arg> =
        listed.filter_map(|name| args.remove(*name)).flat_map(|arg| listed_names(&arg)).collect();
    if names.is_empty() {
        all.declarations.push((function, args));
        return all;
    }
    for name in names {
        let mut own = args.clone();
        match &name.value {
            ArgValue::Table(table) => {
                for (name, more) in table {
                    own.insert("name".to_owned(), text(more, name.as_str()));
                    if let ArgValue::Table(more) = &repacked(more.clone()).value {
                        own.extend(more.iter().map(|(key, value)| (key.clone(), value.clone())));
                    }
                }
            }
            _ => drop(own.insert("name".to_owned(), name)),
        }
        all.declarations.push((function, own));
    }
    all
}

fn is_container(function: Function) -> bool {
    matches!(function, Function::ContainerInstalled | Function::ContainerRunning | Function::ContainerStopped)
}

/// Entries of `names`: texts, and tables with one key each, whose arguments stand over the others.
fn listed_names(arg: &Arg) -> Vec<Arg> {
    match &arg.value {
        ArgValue::Table(table) => table
            .iter()
            .map(|(name, more)| derived(arg, ArgValue::Table(BTreeMap::from([(name.clone(), more.clone())]))))
            .collect(),
        _ => listed(arg),
    }
}

/// Takes out what means nothing here, and what means what is done anyway.
fn left_out(word: &str, function: Function, args: &mut BTreeMap<String, Arg>, all: &mut Translated) {
    for (names, why) in HOW {
        for name in names {
            if let Some(arg) = args.remove(*name).filter(|arg| arg.value != ArgValue::Unset) {
                all.notes.push(format!("{}: `{name}` was left out: {why}", arg.place));
            }
        }
    }
    let is_image = matches!(function, Function::ImagePulled | Function::ImageAbsent);
    if !is_image
        && let Some(arg) = args.remove("force")
        && arg.value == ArgValue::Boolean(true)
    {
        let why = match function {
            Function::ContainerAbsent => "a container that runs is stopped and then removed",
            Function::VolumePresent => {
                "a volume that differs is never recreated, because its data would be lost"
            }
            _ => "what differs from its declaration is replaced, and nothing else",
        };
        all.notes.push(format!("{}: `force` was left out: {why}", arg.place));
    }
    if let Some(arg) = args.remove("force_kill").filter(|arg| arg.value == ArgValue::Boolean(true)) {
        all.notes.push(format!(
            "{}: `force_kill` was left out: `stop_timeout` says how long it has to end",
            arg.place
        ));
    }
    // There it leaves a container alone that was stopped by hand; a new one is started all the same.
    if let Some(arg) = args.remove("start").filter(|arg| arg.value == ArgValue::Boolean(false)) {
        all.notes.push(format!(
            "{}: `start` was left out: a container that is declared running is started",
            arg.place
        ));
    }
    if let Some(arg) = args.remove("skip_translate")
        && !matches!(arg.value, ArgValue::Unset | ArgValue::Boolean(false))
    {
        all.problems.push(
            Problem::failed(format!("`skip_translate` of {} is refused", escaped(word)))
                .at(&arg.place)
                .cause("it hands values to a library of Python in that library's own form")
                .hint("leave it out, and write the options as docs/options.md has them"),
        );
    }
    for name in ["network_disabled", "auto_remove", "rm", "build", "load", "sls"] {
        if args.get(name).is_some_and(|arg| matches!(arg.value, ArgValue::Boolean(false) | ArgValue::Unset)) {
            args.remove(name);
        }
    }
}

/// `require_in` and its kind: they belong to the other declaration.
fn turned(id: &str, args: &mut BTreeMap<String, Arg>, all: &mut Translated) {
    for (written, requisite) in
        [("require_in", "require"), ("watch_in", "watch"), ("onchanges_in", "onchanges")]
    {
        let Some(arg) = args.remove(written) else { continue };
        let items = if let ArgValue::Array(items) = &arg.value { items.clone() } else { vec![arg.clone()] };
        for item in items {
            all.turned.push(Turned { id: id.to_owned(), requisite, target: item });
        }
    }
}
