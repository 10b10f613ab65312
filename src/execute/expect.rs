//! Whether the world is still as a step expects it.

use crate::engine::{Engine, EngineResult};
use crate::plan::{Action, Expect};

/// Looks before a call; says what is not as expected. What the Engine itself refuses in the call (a
/// name that is taken, an image that is not there) is not asked beforehand: see [`explain`].
pub(super) async fn before<E: Engine>(
    engine: &E,
    action: &Action,
    expects: &[Expect],
) -> EngineResult<Option<String>> {
    for expect in expects {
        let refuses = matches!(
            action,
            Action::Create(_)
                | Action::Rename { .. }
                | Action::Tag { .. }
                | Action::CreateNetwork { .. }
                | Action::CreateVolume { .. }
        );
        if refuses && !matches!(expect, Expect::Container { .. }) {
            continue;
        }
        if let Some(other) = holds(engine, expect).await? {
            return Ok(Some(other));
        }
    }
    Ok(None)
}

/// Looks after a call that the Engine refused: whether that was because something has moved.
pub(super) async fn explain<E: Engine>(engine: &E, expects: &[Expect]) -> Option<String> {
    for expect in expects {
        if let Ok(Some(other)) = holds(engine, expect).await {
            return Some(other);
        }
    }
    None
}

async fn holds<E: Engine>(engine: &E, expect: &Expect) -> EngineResult<Option<String>> {
    Ok(match expect {
        Expect::Container { id, name, running } => {
            let short = id.get(..12).unwrap_or(id);
            match engine.container(id).await? {
                None => Some(format!("container {name} ({short}) is gone")),
                Some(found) if found.name != *name => {
                    Some(format!("container {name} ({short}) was renamed to {}", found.name))
                }
                Some(found) => {
                    let runs = found.state.running || found.state.restarting;
                    running.filter(|wanted| *wanted != runs).map(|wanted| {
                        let was = if wanted { "was stopped" } else { "was started" };
                        format!("container {name} {was} by somebody else")
                    })
                }
            }
        }
        Expect::NameFree { name } => {
            let taken = engine.container(name).await?.is_some_and(|found| found.name == *name);
            taken.then(|| format!("somebody else took the name {name}"))
        }
        Expect::Image { image } => {
            let there = engine.image(image).await?.is_some();
            (!there).then(|| format!("image {image} is not on the host any more"))
        }
        Expect::Network { id, name } => {
            let there = engine.network(id).await?.is_some_and(|found| found.id == *id);
            (!there).then(|| format!("network {name} is gone, or is another one"))
        }
        Expect::NetworkFree { name } => {
            let taken = engine.network(name).await?.is_some_and(|found| found.name == *name);
            taken.then(|| format!("somebody else made a network {name}"))
        }
        Expect::Volume { name, created_at } => {
            let there = engine.volume(name).await?.is_some_and(|found| found.created_at == *created_at);
            (!there).then(|| format!("volume {name} is gone, or is another one"))
        }
        Expect::VolumeFree { name } => {
            let taken = engine.volume(name).await?.is_some();
            taken.then(|| format!("somebody else made a volume {name}"))
        }
    })
}
