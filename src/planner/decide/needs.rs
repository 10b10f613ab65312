//! What a host's Engine must be able to do.

use crate::desired::{DesiredContainer, DesiredTask, NEWEST_API, Store};
use crate::planner::context::PlanContext;
use crate::problem::{Problem, escaped};

/// Options that Podman takes and passes over (seen on 4.3.1 and 5.4.2), with what to write instead.
const PASSED_OVER: [(&str, &str); 3] = [
    ("cgroupns", "cgroupns into containers.conf on the host"),
    ("domainname", "the whole name into hostname"),
    ("mac_address", "it for a network of your own: networks = { NETWORK = { mac_address = \"…\" } }"),
];

/// Options that this Engine would pass over without a word.
pub(in crate::planner) fn passed_over(context: &PlanContext<'_>, desired: &DesiredContainer) -> Vec<Problem> {
    let declared = PASSED_OVER.iter().filter(|(option, _)| desired.spec.fixed.contains_key(*option));
    let told = declared.map(|(option, instead)| {
        let mut problem = Problem::failed(format!(
            "`{option}` of container {} has no effect on host {}",
            desired.name,
            context.host()
        ));
        problem.place = desired.sources.get(*option).and_then(|places| places.last()).cloned();
        problem
            .cause(format!("{} takes it and passes it over", context.facts().engine()))
            .hint(format!("write {instead}"))
            .hint(format!("or leave `{option}` out"))
    });
    if context.facts().is_podman() { told.collect() } else { Vec::new() }
}

/// Options that need a newer API than is spoken with the host: it would drop them without a word.
pub(in crate::planner) fn api(context: &PlanContext<'_>, desired: &DesiredContainer) -> Vec<Problem> {
    let (host, facts) = (context.host(), context.facts());
    let number = |text: &str| text.trim().parse::<u16>().ok();
    let spoken = facts.api_version.split_once('.');
    let Some(spoken) = spoken.and_then(|(major, minor)| Some((number(major)?, number(minor)?))) else {
        return Vec::new();
    };
    let needed = desired.spec.needs_api().into_iter().filter(|(_, api)| *api > spoken);
    let told = needed.map(|(field, (major, minor))| {
        let mut problem = Problem::failed(format!(
            "`{field}` of container {} needs API {major}.{minor} of the Engine",
            desired.name
        ));
        let whole = field.split(['.', ' ']).next().unwrap_or_default();
        problem.place = desired.sources.get(whole).and_then(|places| places.last()).cloned();
        let ours = (major, minor) > NEWEST_API;
        problem
            .cause(format!(
                "API {} is spoken with host {host} ({}), which would ignore it silently",
                escaped(&facts.api_version),
                facts.engine()
            ))
            .hint(match ours {
                true => format!(
                    "leave `{field}` out: this pillarbox speaks no newer API than {}.{}, whatever the Engine does",
                    NEWEST_API.0, NEWEST_API.1
                ),
                false => format!("leave `{field}` out, or update the Engine on {host}"),
            })
    });
    told.collect()
}

/// Files in memory, where the Engine would lose them: the task would find none.
pub(in crate::planner) fn memory(context: &PlanContext<'_>, task: &DesiredTask) -> Option<Problem> {
    let (host, facts, desired) = (context.host(), context.facts(), &task.container);
    let in_memory = desired.spec.secrets.iter().find(|(_, file)| file.store == Store::Memory);
    let (name, _) = in_memory.filter(|_| !facts.can_fill_memory())?;
    let mut problem = Problem::failed(format!(
        "task {} has the secret `{}` in memory, which host {host} cannot keep there",
        desired.name,
        escaped(name)
    ));
    let field = format!("secrets.{name}");
    problem.place = desired.sources.get(&field).and_then(|places| places.last()).cloned();
    Some(
        problem
            .cause(format!("{} empties a volume in memory when a container starts", facts.engine()))
            .hint(format!("update Podman on {host} to 5.4 or newer"))
            .hint("or leave out `store = \"memory\"`: the file lies on the host's disk while the task runs"),
    )
}
