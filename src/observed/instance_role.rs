//! What the name of a container of ours says of it. Labels cannot change on a container, so its name is
//! where it is written whether it was ever committed.

use super::Container;

/// The name of one container of a service by its generation, `nginx.g3`: the `.instance` label, and the name
/// under which it is made.
pub fn instance(slot: &str, generation: u64) -> String {
    format!("{slot}.g{generation}")
}

/// The plain name in an instance.
pub fn slot_of(instance: &str) -> &str {
    instance.rsplit_once(".g").map_or(instance, |(slot, _)| slot)
}

/// What a container of ours is to its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceRole {
    /// It holds the plain name.
    Committed,
    /// Any other name: an attempt, or, where nothing is retained, a predecessor that is just going.
    Attempt,
    /// `NAME.g<generation>.kept`: it was committed, and is kept for a rollback.
    Kept,
    /// `NAME.g<generation>.back`: a kept one that is returning. Where that is cut off it is put to
    /// rest again, and never removed as an attempt is.
    Returning,
}

const KEPT: &str = "kept";
const BACK: &str = "back";

impl Container {
    /// The plain name that it has, had or was to have: its instance without the generation.
    pub fn slot(&self) -> &str {
        self.ours.as_ref().map_or(&self.name, |labels| slot_of(&labels.instance))
    }

    /// The generation on its label, 0 if it is not ours.
    pub fn generation(&self) -> u64 {
        self.ours.as_ref().map_or(0, |ours| ours.generation)
    }

    /// What its name says of it.
    pub fn role(&self) -> InstanceRole {
        InstanceRole::of(&self.name, self.slot(), self.generation())
    }

    /// When it ended, by the Engine's clock: of several predecessors the last to end is the one that the
    /// service ran before, however often it was rolled back.
    pub fn ended(&self) -> Option<jiff::Timestamp> {
        self.state.finished_at.parse().ok().filter(|_| self.has_run())
    }

    /// It was started at least once.
    pub fn has_run(&self) -> bool {
        !self.state.started_at.is_empty() && !self.state.started_at.starts_with("0001-")
    }
}

impl InstanceRole {
    /// Whether a name says that a container of this slot, of whichever generation, is kept.
    pub fn is_kept(name: &str, slot: &str) -> bool {
        let of_slot = name.strip_prefix(slot).and_then(|rest| rest.strip_prefix(".g"));
        let generation = of_slot.and_then(|rest| rest.split('.').next()?.parse().ok());
        generation.is_some_and(|generation| Self::of(name, slot, generation) == Self::Kept)
    }

    /// What a name says of a container of this slot and generation.
    pub fn of(name: &str, slot: &str, generation: u64) -> Self {
        if name == slot {
            return Self::Committed;
        }
        let own = format!("{}.", instance(slot, generation));
        let word = name.strip_prefix(&own).map(|rest| rest.split('.').next().unwrap_or_default());
        match word {
            Some(KEPT) => Self::Kept,
            Some(BACK) => Self::Returning,
            _ => Self::Attempt,
        }
    }

    /// The name that a kept one has; a further `number` tells it from one that is taken.
    pub fn kept(slot: &str, generation: u64, number: u32) -> String {
        named(slot, generation, KEPT, number)
    }

    /// The name that a returning one has.
    pub fn returning(slot: &str, generation: u64, number: u32) -> String {
        named(slot, generation, BACK, number)
    }
}

fn named(slot: &str, generation: u64, word: &str, number: u32) -> String {
    let instance = instance(slot, generation);
    match number {
        0 => format!("{instance}.{word}"),
        number => format!("{instance}.{word}.{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_a_container_is() {
        for (name, role) in [
            ("api", InstanceRole::Committed),
            ("api.g3", InstanceRole::Attempt),
            ("api.g3.kept", InstanceRole::Kept),
            ("api.g3.kept.2", InstanceRole::Kept),
            ("api.g3.back", InstanceRole::Returning),
            // The names of others prove nothing.
            ("api.g4.kept", InstanceRole::Attempt),
            ("api.g3.keptx", InstanceRole::Attempt),
            ("other", InstanceRole::Attempt),
        ] {
            assert_eq!(InstanceRole::of(name, "api", 3), role, "{name}");
        }
        for (name, is_kept) in [("api.g12.kept.2", true), ("api.g3", false), ("api-2.g3.kept", false)] {
            assert_eq!(InstanceRole::is_kept(name, "api"), is_kept, "{name}");
        }
        for number in 0..3 {
            assert_eq!(
                InstanceRole::of(&InstanceRole::kept("a.g1", 3, number), "a.g1", 3),
                InstanceRole::Kept
            );
            assert_eq!(
                InstanceRole::of(&InstanceRole::returning("a", 3, number), "a", 3),
                InstanceRole::Returning
            );
        }
    }
}
