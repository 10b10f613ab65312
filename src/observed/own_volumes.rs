//! Volumes that pillarbox makes for itself, known by their labels and by the name that follows from them:
//! with labels alone any volume could be taken for ours.

use super::fitting::fitting;
use super::{Label, Stop};
use crate::name::Owner;
use std::collections::BTreeMap;

/// Ours on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnVolumes {
    /// Volumes of secrets by name, each with the instance or task whose they are.
    pub secrets: BTreeMap<String, String>,
    /// Tasks that ran, the oldest first.
    pub ran: Vec<Ran>,
    /// Services that were stopped by request.
    pub stops: BTreeMap<String, Stop>,
}

/// A volume that remembers that a task ran; nothing is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// Its name.
    pub volume: String,
    /// The task.
    pub task: String,
    /// Of image and spec: what it ran as.
    pub fingerprint: String,
    /// The tag it was made from, for people.
    pub version: String,
    /// The host that it ran on; empty where that is not known.
    pub on: String,
    /// Seconds since 1970 by the Engine's clock.
    pub created_at: i64,
}

impl OwnVolumes {
    /// Sorts the volumes of a host, each with its name, labels and time of creation.
    pub fn sort(
        owner: &Owner,
        volumes: impl IntoIterator<Item = (String, BTreeMap<String, String>, i64)>,
    ) -> Self {
        let mut own = Self::default();
        for (volume, labels, created_at) in volumes {
            let text = |name: &str| labels.get(name).cloned().unwrap_or_default();
            if !Label::is_of(owner, &labels) {
                continue;
            }
            let (whose, task, fingerprint) = (text(Label::SECRETS), text(Label::TASK), text(Label::RAN));
            if !whose.is_empty() && volume == Self::of_secrets(owner, &whose) {
                own.secrets.insert(volume, whose);
            } else if !task.is_empty() && volume == Self::of_task(owner, &task, &fingerprint) {
                let version = text(Label::VERSION);
                let on = text(Label::RAN_ON);
                own.ran.push(Ran { volume, task, fingerprint, version, on, created_at });
            } else if let Some(stop) = Stop::read(owner, &volume, &labels) {
                own.stops.insert(stop.service.clone(), stop);
            }
        }
        own.ran.sort_by(|a, b| (a.created_at, &a.volume).cmp(&(b.created_at, &b.volume)));
        own
    }

    /// The name of the volume with the secrets of an instance or task, also of the container through which
    /// it is filled.
    pub fn of_secrets(owner: &Owner, whose: &str) -> String {
        fitting(format!("pillarbox-secrets.{}.{whose}", owner.scope()))
    }

    /// The name of the volume that remembers that a task ran.
    pub fn of_task(owner: &Owner, task: &str, fingerprint: &str) -> String {
        fitting(format!("pillarbox-ran.{}.{task}.{fingerprint}", owner.scope()))
    }

    /// What remembers that a task ran as this.
    pub fn ran(&self, task: &str, fingerprint: &str) -> Option<&Ran> {
        self.ran.iter().find(|ran| ran.task == task && ran.fingerprint == fingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::WorkspaceName;

    #[test]
    fn long_names_fit_a_folder_and_stay_apart() {
        let workspace = Owner::from(WorkspaceName::parse(&"w".repeat(64)).expect("a name"));
        let of = |last: &str| OwnVolumes::of_secrets(&workspace, &format!("{}{last}", "s".repeat(200)));
        assert!(of(".g1").len() <= 255);
        assert_ne!(of(".g1"), of(".g2"));
    }

    #[test]
    fn a_volume_is_ours_only_under_the_name_that_follows_from_its_labels() {
        let shop = Owner::from(WorkspaceName::parse("shop").expect("a name"));
        let volume = |name: &str, labels: &[(&str, &str)]| {
            let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            (name.to_owned(), labels.collect(), 7)
        };
        let ours = (Label::WORKSPACE, "shop");
        let secrets = (Label::SECRETS, "api.g3");
        let ran = [ours, (Label::TASK, "migrate"), (Label::RAN, "00ff"), (Label::VERSION, "1.9")];
        let own = OwnVolumes::sort(
            &shop,
            [
                volume("pillarbox-secrets.shop.api.g3", &[ours, secrets]),
                volume("data", &[ours, secrets]),
                volume("pillarbox-secrets.shop.api.g4", &[ours, secrets]),
                volume("pillarbox-secrets.shop2.api.g3", &[(Label::WORKSPACE, "shop2"), secrets]),
                volume("pillarbox-ran.shop.migrate.00ff", &ran),
                volume("pillarbox-ran.shop.migrate.0000", &ran),
                volume("pillarbox-ran.shop..", &[ours]),
            ],
        );
        assert_eq!(own.secrets.keys().collect::<Vec<_>>(), ["pillarbox-secrets.shop.api.g3"]);
        assert_eq!(own.ran.len(), 1);
        assert_eq!(own.ran("migrate", "00ff").map(|ran| ran.version.as_str()), Some("1.9"));
    }
}
