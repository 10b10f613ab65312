//! Which arguments a declaration may have, and those that all have in common.

use crate::desired::{fields, read};
use crate::problem::{Place, Problem, Result, escaped};
use crate::state::{Arg, ArgValue, Declaration, Function};

/// What every declaration can say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Common {
    /// What it is about; the id where no `name` is written. `None` where the name is wrong.
    pub(super) name: Option<String>,
    /// Lower comes first.
    pub(super) order: Option<i64>,
    /// Ids of declarations that must come before, with the line that says so.
    pub(super) requires: Vec<(String, Place)>,
}

const COMMON: [&str; 3] = ["name", "order", "require"];
const IMAGE_PULLED: [&str; 3] = ["force", "gate", "tag"];
const IMAGE_ABSENT: [&str; 1] = ["tag"];
const CONTAINER: [&str; 5] = ["gate", "image", "monitor", "pull", "start_timeout"];

/// Of `service.deployed`, beside the options of containers.
const SERVICE: [&str; 8] =
    ["gate", "image", "pull", "replicas", "retain", "shared", "start_timeout", "update"];

/// Of `container.absent`: when, and how it is stopped.
const CONTAINER_ABSENT: [&str; 7] =
    ["shutdown_timeout", "stop", "stop_grace_period", "stop_signal", "stop_timeout", "timeout", "when"];

/// Known, but not yet.
const LATER: [&str; 7] = ["onchanges", "onfail", "onlyif", "retry", "secrets", "unless", "watch"];

/// Options of other tools that are refused: their names, why, and what to do instead.
const REFUSED: [(&[&str], &str, &str); 5] = [
    (
        &["auto_remove", "rm", "remove"],
        "the Engine would remove the container when it stops, and with it the way back",
        "leave it out; `container.absent` removes a container",
    ),
    (
        &["env_file"],
        "no file of this machine is read: what a container gets is in the states and the pillar, where it is reviewed",
        "write the variables under `env`, those that are secret as '{{ pillar.KEY }}' after 'pillarbox seal KEY'",
    ),
    (
        &["kernel_memory", "kernel_memory_tcp"],
        "kernels ignore it, and the Engine has taken it out (API 1.52)",
        "`memory` limits what the kernel uses for the container too",
    ),
    (
        &["network_disabled"],
        "the Engine does not keep it apart from the network mode",
        "write network_mode = \"none\"",
    ),
    (&["scale", "deploy"], "it is no option of a container", "declare a `service.deployed` with `replicas`"),
];

/// Salt's requisites on things that other tools care for.
const OURS: [&str; 6] = ["container", "docker", "image", "network", "task", "volume"];

/// Checks the names of all arguments, and that no secret stands outside of the environment.
pub(super) fn check(
    declaration: &Declaration,
    problems: &mut Vec<Problem>,
    notes: &mut Vec<String>,
) -> Common {
    for (key, arg) in &declaration.args {
        if !is_known(declaration.function, key) {
            problems.push(unknown(declaration.function, key, arg));
        } else if !matches!(key.as_str(), "env" | "environment")
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
        take(requires(arg, &mut common.requires, notes));
    }
    common
}

/// Whether a function has an argument of this name.
pub(super) fn is_known(function: Function, key: &str) -> bool {
    if COMMON.contains(&key) {
        return true;
    }
    match function {
        Function::ImagePulled => IMAGE_PULLED.contains(&key),
        Function::ImageAbsent => IMAGE_ABSENT.contains(&key),
        Function::ContainerAbsent => CONTAINER_ABSENT.contains(&key),
        Function::ServiceDeployed => SERVICE.contains(&key) || fields::is_option(key),
        Function::ContainerInstalled | Function::ContainerRunning | Function::ContainerStopped => {
            CONTAINER.contains(&key) || fields::is_option(key)
        }
    }
}

fn known(function: Function) -> Vec<&'static str> {
    let mut known = COMMON.to_vec();
    match function {
        Function::ImagePulled => known.extend(IMAGE_PULLED),
        Function::ImageAbsent => known.extend(IMAGE_ABSENT),
        Function::ContainerAbsent => known.extend(CONTAINER_ABSENT),
        Function::ServiceDeployed => {
            known.extend(SERVICE);
            known.extend(fields::option_names());
        }
        Function::ContainerInstalled | Function::ContainerRunning | Function::ContainerStopped => {
            known.extend(CONTAINER);
            known.extend(fields::option_names());
        }
    }
    known
}

fn unknown(function: Function, key: &str, arg: &Arg) -> Problem {
    let plain = key.replace('-', "_");
    if let Some((_, why, hint)) = REFUSED.iter().find(|(names, _, _)| names.contains(&plain.as_str())) {
        return Problem::failed(format!("`{}` is refused", escaped(key)))
            .at(&arg.place)
            .cause(*why)
            .hint(*hint);
    }
    if LATER.contains(&key) {
        return Problem::failed(format!("`{key}` is not available in this version")).at(&arg.place);
    }
    let what = format!("{} has no field `{}`", function.name(), escaped(key));
    let known = known(function);
    let problem = Problem::failed(what).at(&arg.place);
    match crate::problem::nearest(key, known.iter().copied()) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None if known.len() < 12 => problem.hint(format!("it has {}", known.join(", "))),
        None => problem,
    }
}

/// `["id"]`, `"id"`, or Salt's `[{ docker = "id" }, { pip = "docker-py" }]`.
fn requires(arg: &Arg, found: &mut Vec<(String, Place)>, notes: &mut Vec<String>) -> Result<()> {
    let single = std::slice::from_ref(arg);
    let items = if let ArgValue::Array(items) = &arg.value { items } else { single };
    read::each(items, |item| {
        let ArgValue::Table(table) = &item.value else {
            found.push((read::word("require", item)?, item.place.clone()));
            return Ok(());
        };
        for (kind, item) in table {
            let id = read::word("require", item)?;
            if OURS.contains(&kind.as_str()) {
                found.push((id, item.place.clone()));
            } else {
                notes.push(format!(
                    "{}: the requisite on {} `{}` is not pillarbox's to meet and was ignored",
                    item.place,
                    escaped(kind),
                    escaped(&id)
                ));
            }
        }
        Ok(())
    })?;
    Ok(())
}
