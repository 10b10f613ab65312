//! Which arguments a declaration may have, and the ones that all declarations share.

use super::requisite::Named;
use super::{condition, foreign_keys, requisite};
use crate::desired::{Reaction, fields, network, read, volume};
use crate::problem::{Problem, Result, escaped};
use crate::state::{Arg, ArgValue, Declaration, Function, Segment};

/// Arguments of every declaration.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Common {
    /// The name of the resource; the id if there is no `name`. `None` if the name is wrong.
    pub(super) name: Option<String>,
    /// Lower comes first.
    pub(super) order: Option<i64>,
    /// Ids of declarations that must come before, with the line that says so.
    pub(super) requires: Vec<Named>,
    /// Ids of declarations that it watches.
    pub(super) watches: Vec<(Named, Reaction)>,
    /// Ids of declarations. Unless one of them changes, nothing is changed.
    pub(super) onchanges: Vec<Named>,
}

const COMMON: [&str; 6] = ["name", "onchanges", "onlyif", "order", "require", "unless"];
const WATCH: [&str; 2] = ["watch", "watch_action"];
const IMAGE_PULLED: [&str; 3] = ["force", "gate", "tag"];
const IMAGE_ABSENT: [&str; 1] = ["tag"];
const CONTAINER: [&str; 5] = ["gate", "image", "monitor", "pull", "start_timeout"];

/// Of `service.deployed`, in addition to the options of containers.
const SERVICE: [&str; 11] = [
    "alias",
    "gate",
    "image",
    "images",
    "instances",
    "pull",
    "replicas",
    "retain",
    "shared",
    "start_timeout",
    "update",
];

/// Of `container.absent`: when, and how it is stopped.
const CONTAINER_ABSENT: [&str; 7] =
    ["shutdown_timeout", "stop", "stop_grace_period", "stop_signal", "stop_timeout", "timeout", "when"];

/// Of `task.ran`, in addition to the options of containers.
const TASK: [&str; 5] = ["gate", "image", "on", "pull", "timeout"];

/// Checks the names of all arguments, and that no secret is outside of the environment, `secrets` and `files`.
pub(super) fn check(
    declaration: &Declaration,
    problems: &mut Vec<Problem>,
    notes: &mut Vec<String>,
) -> Common {
    for (key, arg) in &declaration.args {
        if !is_known(declaration.function, key) {
            problems.push(unknown(declaration.function, key, arg));
        } else if !fields::may_hold_secrets(key)
            && let Some(found) = arg.first_with_secret()
        {
            problems.push(read::secret_here(key, found));
        }
    }
    let mut take = |result: Result<()>| {
        if let Err(found) = result {
            problems.extend(found.into_vec());
        }
    };
    let arg = |name: &str| {
        let arg = declaration.args.get(name);
        arg.filter(|arg| arg.value != ArgValue::Unset && arg.first_with_secret().is_none())
    };
    let mut common = Common::default();
    match arg("name") {
        Some(arg) => take(read::word("name", arg).map(|name| common.name = Some(name))),
        None if declaration.args.contains_key("name") || declaration.unread.contains("name") => {}
        None => common.name = Some(declaration.id.clone()),
    }
    if let Some(arg) = arg("order") {
        take(read::integer("order", arg, i64::MIN, i64::MAX).map(|order| common.order = Some(order)));
    }
    if let Some(arg) = arg("require") {
        take(requisite::ids("require", arg, notes).map(|ids| common.requires = ids));
    }
    if let Some(watched) = arg("watch") {
        let read = requisite::watch(watched, arg("watch_action"), notes);
        take(read.map(|watches| common.watches = watches));
    }
    if let Some(arg) = arg("onchanges") {
        take(requisite::ids("onchanges", arg, notes).map(|ids| common.onchanges = ids));
    }
    let watched = common.watches.iter().map(|(named, _)| named.clone());
    let named: Vec<Named> = watched.chain(common.onchanges.iter().cloned()).collect();
    common.requires.extend(named);
    condition::check(&declaration.args, problems);
    notes.extend(unreplaced(declaration));
    common
}

/// Variables of this machine in the environment, as Compose replaces them.
fn unreplaced(declaration: &Declaration) -> Vec<String> {
    let mut notes = Vec::new();
    let env = declaration.args.iter().filter(|(key, _)| fields::is_env(key)).map(|(key, arg)| {
        let parts: Vec<(String, &Arg)> = match &arg.value {
            ArgValue::Table(table) => {
                table.iter().map(|(name, arg)| (format!("{key}.{name}"), arg)).collect()
            }
            ArgValue::Array(items) => items.iter().map(|item| (key.clone(), item)).collect(),
            _ => Vec::new(),
        };
        parts
    });
    for (field, arg) in env.flatten() {
        let ArgValue::Text(text) = &arg.value else { continue };
        let first = text.segments().iter().find_map(|segment| match segment {
            Segment::Clear(clear) => variable(clear),
            Segment::Secret(_) => None,
        });
        if let Some(variable) = first {
            notes.push(format!(
                "{}: {} has {}, which stays as it is: no variables of this machine or of the host are read",
                arg.place,
                escaped(&field),
                escaped(variable)
            ));
        }
    }
    notes
}

/// The first `${NAME}` of a text.
fn variable(text: &str) -> Option<&str> {
    let start = text.find("${")?;
    let end = start + text[start..].find('}')?;
    let name = &text[start + 2..end];
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first.then(|| &text[start..=end])
}

/// Whether a function has an argument of this name.
pub(super) fn is_known(function: Function, key: &str) -> bool {
    COMMON.contains(&key)
        || own(function).iter().any(|names| names.contains(&key))
        || (has_options(function) && fields::is_option(key))
}

fn known(function: Function) -> Vec<&'static str> {
    let own = own(function).into_iter().flatten().copied();
    let options = has_options(function).then(fields::option_names).into_iter().flatten();
    COMMON.into_iter().chain(own).chain(options).collect()
}

/// Arguments of a function, without those of all functions and the options of containers.
fn own(function: Function) -> Vec<&'static [&'static str]> {
    match function {
        Function::ImagePulled => vec![&IMAGE_PULLED],
        Function::ImageAbsent => vec![&IMAGE_ABSENT],
        Function::ContainerAbsent => vec![&CONTAINER_ABSENT],
        Function::ServiceDeployed => vec![&SERVICE, &WATCH],
        Function::TaskRan => vec![&TASK],
        Function::ContainerInstalled | Function::ContainerRunning | Function::ContainerStopped => {
            vec![&CONTAINER, &WATCH]
        }
        Function::NetworkPresent => vec![&network::ARGUMENTS],
        Function::VolumePresent => vec![&volume::ARGUMENTS],
        Function::NetworkAbsent | Function::VolumeAbsent => Vec::new(),
    }
}

fn has_options(function: Function) -> bool {
    matches!(
        function,
        Function::ServiceDeployed
            | Function::TaskRan
            | Function::ContainerInstalled
            | Function::ContainerRunning
            | Function::ContainerStopped
    )
}

fn unknown(function: Function, key: &str, arg: &Arg) -> Problem {
    if let Some(hint) = requisite::not_offered(key) {
        return Problem::failed(format!("`{key}` is not offered")).at(&arg.place).hint(hint);
    }
    if let Some(problem) = of_resources(function, key).or_else(|| foreign_keys::refused(key)) {
        return problem.at(&arg.place);
    }
    let what = format!("{} has no field `{}`", function.name(), escaped(key));
    let known = known(function);
    let problem = Problem::failed(what).at(&arg.place);
    match crate::problem::nearest(key, known.iter().copied()) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None if known.len() < 16 => problem.hint(format!("it has {}", known.join(", "))),
        None => problem,
    }
}

/// Arguments that other tools have for networks and volumes, and that are refused here.
fn of_resources(function: Function, key: &str) -> Option<Problem> {
    let network = matches!(function, Function::NetworkPresent | Function::NetworkAbsent);
    let volume = matches!(function, Function::VolumePresent | Function::VolumeAbsent);
    let refused = Problem::failed(format!("`{key}` is refused"));
    Some(match key {
        "force" if volume => refused
            .cause("a volume that differs is never recreated: its data would be lost")
            .hint("give the volume another name, and copy the data"),
        "containers" | "reconnect" if network => refused
            .hint("declare it in the containers, networks = [\"NAME\"]: they join the network by themselves"),
        "external" if network || volume => {
            refused.hint("leave it out: an existing one that agrees with the declaration is used as it is")
        }
        "watch" | "watch_action" => Problem::failed(format!("{} has no `{key}`", function.name()))
            .cause("only containers can be replaced, restarted or sent a signal")
            .hint("use `require` for order, or `onchanges`"),
        _ => return None,
    })
}
