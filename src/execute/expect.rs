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
        match holds(engine, expect).await? {
            None => {}
            // What an apply asked for that was cut off, the Engine may do after the next one has looked.
            Some(Moved::Gone(_)) if removes(action) => {}
            Some(Moved::Stopped(_)) if matches!(action, Action::Stop { .. }) => {}
            Some(moved) => return Ok(Some(moved.words())),
        }
    }
    Ok(None)
}

/// Whether it is done where there is nothing any more.
fn removes(action: &Action) -> bool {
    matches!(
        action,
        Action::Remove { .. }
            | Action::Discard { .. }
            | Action::RemoveNetwork { .. }
            | Action::RemoveVolume { .. }
    )
}

/// What is not as expected.
enum Moved {
    /// It is not there any more.
    Gone(String),
    /// It does not run any more.
    Stopped(String),
    Otherwise(String),
}

impl Moved {
    fn words(self) -> String {
        let (Self::Gone(words) | Self::Stopped(words) | Self::Otherwise(words)) = self;
        words
    }
}

/// Looks after a call that the Engine refused: whether that was because something has moved.
pub(super) async fn explain<E: Engine>(engine: &E, expects: &[Expect]) -> Option<String> {
    for expect in expects {
        if let Ok(Some(moved)) = holds(engine, expect).await {
            return Some(moved.words());
        }
    }
    None
}

async fn holds<E: Engine>(engine: &E, expect: &Expect) -> EngineResult<Option<Moved>> {
    let otherwise = |is: bool, words: String| is.then_some(Moved::Otherwise(words));
    Ok(match expect {
        Expect::Container { id, name, running } => {
            let short = id.get(..12).unwrap_or(id);
            match engine.container(id).await? {
                None => Some(Moved::Gone(format!("container {name} ({short}) is gone"))),
                Some(found) if found.name != *name => {
                    let words = format!("container {name} ({short}) was renamed to {}", found.name);
                    Some(Moved::Otherwise(words))
                }
                Some(found) => {
                    let runs = found.state.running || found.state.restarting;
                    running.filter(|wanted| *wanted != runs).map(|wanted| match wanted {
                        true => {
                            Moved::Stopped(format!("container {name} was stopped since the plan was made"))
                        }
                        false => {
                            Moved::Otherwise(format!("container {name} was started since the plan was made"))
                        }
                    })
                }
            }
        }
        Expect::NameFree { name } => {
            let taken = engine.container(name).await?.is_some_and(|found| found.name == *name);
            otherwise(taken, format!("container name {name} was taken since the plan was made"))
        }
        Expect::Image { image } => {
            let there = engine.image(image).await?.is_some();
            otherwise(!there, format!("image {image} is not on the host any more"))
        }
        Expect::Network { id, name } => match engine.network(id).await? {
            None => Some(Moved::Gone(format!("network {name} is gone"))),
            Some(found) => otherwise(found.id != *id, format!("network {name} was replaced by another one")),
        },
        Expect::NetworkFree { name } => {
            let taken = engine.network(name).await?.is_some_and(|found| found.name == *name);
            otherwise(taken, format!("network {name} was created since the plan was made"))
        }
        Expect::Volume { name, created_at } => match engine.volume(name).await? {
            None => Some(Moved::Gone(format!("volume {name} is gone"))),
            Some(found) => otherwise(
                found.created_at != *created_at,
                format!("volume {name} was replaced by another one"),
            ),
        },
        Expect::VolumeFree { name } => {
            let taken = engine.volume(name).await?.is_some();
            otherwise(taken, format!("volume {name} was created since the plan was made"))
        }
    })
}
