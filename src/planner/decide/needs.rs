//! What a host's Engine must be able to do.

use crate::desired::{DesiredContainer, NEWEST_API};
use crate::planner::context::PlanContext;
use crate::problem::{Problem, escaped};

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
