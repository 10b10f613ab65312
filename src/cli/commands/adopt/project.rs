//! The containers of a Compose project on a host: which of them are declared here, and what is in the way.

use crate::desired::{Desired, DesiredState, DesiredTask};
use crate::observed::{ComposeLabels, Container};
use crate::problem::{Problem, Problems, Result, escaped, quoted};
use crate::session::Observation;
use std::collections::BTreeMap;

/// A project on a host.
#[derive(Debug, Default)]
pub(super) struct Project<'s> {
    /// Names of declared containers that are there.
    pub(super) there: Vec<String>,
    /// Names of declared containers that are not.
    pub(super) missing: Vec<String>,
    /// Declared tasks, each with the container in which Compose ran it.
    pub(super) tasks: Vec<(&'s DesiredTask, &'s Container)>,
    /// What is left as it is, in words.
    pub(super) left: Vec<String>,
}

impl<'s> Project<'s> {
    /// Finds a project; `None` where the host has none of that name.
    ///
    /// # Errors
    /// All reasons why a container of its name is none of it.
    pub(super) fn find(project: &str, seen: &'s Observation<'_>) -> Result<Option<Self>> {
        let declared = containers_of(project, &seen.desired);
        if declared.is_empty() {
            return Ok(None);
        }
        let containers = &seen.observed.containers;
        let by_name: BTreeMap<&str, &Container> =
            containers.iter().map(|one| (one.name.as_str(), one)).collect();
        let (mut found, mut problems) = (Self::default(), Vec::new());
        for (name, service) in &declared {
            match by_name.get(name.as_str()) {
                Some(container) => {
                    problems.extend(stranger(project, service, container, seen));
                    found.there.push(name.clone());
                }
                None => match called_otherwise(project, service, name, containers) {
                    Some(other) => problems.push(renamed(name, other, seen)),
                    None => found.missing.push(name.clone()),
                },
            }
        }
        let mut replaced = Vec::new();
        for (name, service) in &declared {
            let Some(left) =
                by_name.get(name.as_str()).and_then(|_| half_replaced(project, service, name, containers))
            else {
                continue;
            };
            if left.state.running {
                problems.push(both_there(name, left, seen));
            }
            found.left.push(half_replaced_in_words(name, left));
            replaced.push(left.id.as_str());
        }
        found.tasks = tasks(project, seen);
        let is_task = |one: &Container| found.tasks.iter().any(|(_, ran)| ran.id == one.id);
        let others = containers
            .iter()
            .filter(|one| one.ours.is_none() && !declared.contains_key(&one.name) && !is_task(one))
            .filter(|one| !replaced.contains(&one.id.as_str()))
            .filter_map(|one| left(project, one));
        found.left.extend(others);
        Problems::check(problems).map(|()| Some(found))
    }
}

/// Names of the containers that a project declares, each with its service: its ids begin with its name.
fn containers_of(project: &str, desired: &Desired) -> BTreeMap<String, String> {
    let own = format!("{project}.");
    let named = desired.items.iter().filter_map(|item| match &item.want {
        DesiredState::Container(want) => {
            let service = item.declared.iter().find_map(|(id, _)| id.strip_prefix(&own))?;
            Some((want.name.to_string(), service.to_owned()))
        }
        _ => None,
    });
    named.collect()
}

/// Tasks that a project declares, each with the container in which Compose ran it last.
fn tasks<'s>(project: &str, seen: &'s Observation<'_>) -> Vec<(&'s DesiredTask, &'s Container)> {
    let own = format!("{project}.");
    let declared = seen.desired.items.iter().filter_map(|item| match &item.want {
        DesiredState::Task(task) => {
            Some((task.as_ref(), item.declared.iter().find_map(|(id, _)| id.strip_prefix(&own))?))
        }
        _ => None,
    });
    let ran = |service: &str| {
        seen.observed.containers.iter().find(|one| {
            let of_it = |compose: &ComposeLabels| {
                compose.project == project && compose.service == service && !compose.one_off
            };
            one.ours.is_none() && one.compose.as_ref().is_some_and(of_it)
        })
    };
    declared.filter_map(|(task, service)| Some((task, ran(service)?))).collect()
}

/// Projects that a host declares.
pub(super) fn projects(desired: &Desired) -> impl Iterator<Item = &str> {
    let ids = desired.items.iter().flat_map(|item| &item.declared);
    ids.filter_map(|(id, _)| Some(id.split_once('.')?.0))
}

/// Why a container is none of the service whose name it has.
fn stranger(project: &str, service: &str, container: &Container, seen: &Observation<'_>) -> Option<Problem> {
    if container.ours.is_some() {
        return None;
    }
    let (name, host) = (&container.name, &seen.observed.host);
    let alone = format!(
        "if it is the right one, adopt it by its name: pillarbox adopt {name} --host {}",
        quoted(host.as_str())
    );
    let what = match &container.compose {
        None => "was not made by Docker Compose".to_owned(),
        Some(compose) if compose.project != project => {
            let other = escaped(&compose.project);
            return Some(
                Problem::failed(format!("container {name} on host {host} is of the Compose project {other}"))
                    .hint(format!("call it so here: [compose.{other}] in pillarbox.toml"))
                    .hint(alone),
            );
        }
        Some(compose) if compose.one_off => "was made by 'docker compose run'".to_owned(),
        Some(compose) if compose.service != service => {
            format!("is of the service {}, and not of {service}", escaped(&compose.service))
        }
        Some(_) => return None,
    };
    Some(Problem::failed(format!("container {name} on host {host} {what}")).hint(alone))
}

/// The container of a service that Compose, or someone, gave another name.
fn called_otherwise<'c>(
    project: &str,
    service: &str,
    name: &str,
    containers: &'c [Container],
) -> Option<&'c Container> {
    let number = name.rsplit('-').next().and_then(|number| number.parse::<u32>().ok()).unwrap_or(1);
    let mut all = of_compose(project, service, containers);
    all.find(|(_, compose)| compose.number == number && !compose.one_off).map(|(one, _)| one)
}

/// What Compose made for a service, and is not ours.
fn of_compose<'c>(
    project: &str,
    service: &str,
    containers: &'c [Container],
) -> impl Iterator<Item = (&'c Container, &'c ComposeLabels)> {
    let strangers = containers.iter().filter(|one| one.ours.is_none());
    let labelled = strangers.filter_map(|one| Some((one, one.compose.as_ref()?)));
    labelled.filter(move |(_, compose)| compose.project == project && compose.service == service)
}

/// The container that Compose made in the place of one that is still there: `ID_NAME`, with the beginning of the old
/// one's id. Compose gives it the plain name when the old one is gone; here it was cut off before.
fn half_replaced<'c>(
    project: &str,
    service: &str,
    name: &str,
    containers: &'c [Container],
) -> Option<&'c Container> {
    let has_id = |one: &Container| {
        let id = one.name.strip_suffix(name).and_then(|before| before.strip_suffix('_'));
        id.is_some_and(|id| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    of_compose(project, service, containers).map(|(one, _)| one).find(|one| has_id(one))
}

fn half_replaced_in_words(name: &str, left: &Container) -> String {
    let called = escaped(&left.name);
    format!(
        "container {called}: Docker Compose made it in the place of {name} and was cut off; it is left as it is. \
         If {name} is the right one: docker rm {called}"
    )
}

/// Where the new one runs, it may be the right one.
fn both_there(name: &str, left: &Container, seen: &Observation<'_>) -> Problem {
    let (host, called) = (&seen.observed.host, escaped(&left.name));
    Problem::failed(format!(
        "container {called} on host {host} runs in the place of {name}, which is there too"
    ))
    .cause("Docker Compose was cut off while it replaced one by the other")
    .hint(format!("if it is the right one: docker rm -f {name} && docker rename {called} {name}"))
    .hint(format!("if it is not: docker rm -f {called}"))
}

fn renamed(name: &str, other: &Container, seen: &Observation<'_>) -> Problem {
    let (host, called) = (&seen.observed.host, escaped(&other.name));
    Problem::failed(format!("container {name} on host {host} is called {called} there"))
        .cause("an apply would create a second one beside it, with the same volumes")
        .hint(format!("rename it on the host, which restarts nothing: 'docker rename {called} {name}'"))
}

/// What is said of a container of the project that no service declares.
fn left(project: &str, container: &Container) -> Option<String> {
    let compose = container.compose.as_ref().filter(|compose| compose.project == project)?;
    let (name, service) = (escaped(&container.name), escaped(&compose.service));
    Some(match compose.one_off {
        true => format!("container {name}: made by 'docker compose run'; it is left as it is"),
        false => format!(
            "container {name}: of the service {service} of the project, and not declared here; it is left as it \
             is, and Docker Compose manages it"
        ),
    })
}
