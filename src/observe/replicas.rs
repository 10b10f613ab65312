//! The containers of this workspace with two calls: what commands need that look into containers and change none.

use super::containers::{in_short, list};
use crate::engine::Engine;
use crate::name::{HostName, Owner};
use crate::observed::{HelperContainer, InstanceRole, Label, Record, with_ownership};
use crate::problem::Result;
use futures_util::future::try_join;
use std::collections::BTreeMap;

/// A container of a service, or of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// Its full id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its service or task.
    pub service: String,
    /// The plain name that it has, had or was to have.
    pub slot: String,
    /// Which one of its service, from 1.
    pub index: u32,
    /// Its generation; 0 of a task.
    pub generation: u64,
    /// What it is to its service; `None`: it runs a task.
    pub role: Option<InstanceRole>,
    /// A process of it runs.
    pub running: bool,
    /// What it was made from: `repo@sha256:…`, or `id:sha256:…`; empty of a task.
    pub image: String,
}

impl Replica {
    /// Whether it is what its service runs, or would if it were not down.
    pub fn is_current(&self) -> bool {
        self.role.is_none_or(|role| role == InstanceRole::Committed)
    }

    /// Its name for people: the plain one, or that of its generation where it is not the current one.
    pub fn title(&self) -> String {
        match self.role {
            Some(InstanceRole::Committed) => self.slot.clone(),
            Some(_) => crate::observed::instance(&self.slot, self.generation),
            None => self.service.clone(),
        }
    }
}

/// All of a host, by service and index, older generations first.
///
/// # Errors
/// Where the Engine fails.
pub async fn replicas<E: Engine>(engine: &E, host: &HostName, owner: &Owner) -> Result<Vec<Replica>> {
    let volumes = async {
        let volumes = engine.volumes(Label::WORKSPACE, owner.name.as_str()).await;
        Ok(volumes.map_err(|error| error.problem(format!("the volumes of host {host} cannot be read")))?)
    };
    let (listed, volumes) = try_join(list(engine, host), volumes).await?;
    let records = volumes.iter().filter_map(|one| Record::read(owner, &one.name, &one.labels));
    let adopted = records.map(|record| (record.container.clone(), record)).collect();
    let versions: BTreeMap<String, BTreeMap<String, String>> =
        listed.iter().map(|one| (one.image_id.clone(), BTreeMap::new())).collect();
    // Labels of images are not read: they tell copies apart that were made by hand under a name of ours.
    let found = with_ownership(owner, listed.into_iter().map(in_short).collect(), &versions, &adopted);
    let mut all: Vec<Replica> = found
        .into_iter()
        .filter_map(|one| {
            let (slot, generation, role) = (one.slot().to_owned(), one.generation(), one.role());
            let (service, image, role) = match (&one.ours, &one.helper) {
                (Some(ours), _) => (ours.service.clone(), ours.image.clone(), Some(role)),
                (None, Some(HelperContainer::Task { name, .. })) => (name.clone(), String::new(), None),
                _ => return None,
            };
            let index = index(&service, &slot);
            let running = one.state.running;
            Some(Replica {
                id: one.id,
                name: one.name,
                service,
                slot,
                index,
                generation,
                role,
                running,
                image,
            })
        })
        .collect();
    all.sort_by(|a, b| {
        (&a.service, a.index, a.generation, &a.name).cmp(&(&b.service, b.index, b.generation, &b.name))
    });
    Ok(all)
}

/// The number at the end of a name of several: `api-2`.
fn index(service: &str, slot: &str) -> u32 {
    let number = slot.strip_prefix(service).and_then(|rest| rest.strip_prefix('-'));
    number.and_then(|number| number.parse().ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::WorkspaceName;
    use crate::testing::fake::{Behaviour, Fake};
    use serde_json::json;

    fn labels(instance: &str, generation: &str) -> serde_json::Value {
        json!({
            "io.pillarbox.workspace": "shop", "io.pillarbox.service": "api", "io.pillarbox.instance": instance,
            "io.pillarbox.generation": generation, "io.pillarbox.spec": "v1:sha256:00",
            "io.pillarbox.image": "r.example.com/api@sha256:00",
        })
    }

    #[tokio::test]
    async fn replicas_are_found_by_their_labels_in_the_order_of_index_and_generation() {
        let engine = Fake::new();
        engine.publish("r.example.com/api:1", "one", Behaviour::default());
        engine.preload("r.example.com/api:1");
        let body = |labels: serde_json::Value| json!({ "Image": "r.example.com/api:1", "Labels": labels });
        engine.add_container("api-10", body(labels("api-10.g1", "1")), true);
        engine.add_container("api-2", body(labels("api-2.g2", "2")), true);
        engine.add_container("api-2.g1.kept", body(labels("api-2.g1", "1")), false);
        engine.add_container("api-2.g3", body(labels("api-2.g3", "3")), true);
        engine.add_container("foreign", body(json!({})), true);
        engine.add_container("copy", body(labels("api-7.g1", "1")), true);
        let task = json!({ "io.pillarbox.workspace": "shop", "io.pillarbox.task": "migrate", "io.pillarbox.ran": "00" });
        engine.add_container("pillarbox-task.shop.migrate", body(task), false);
        let owner = Owner::from(WorkspaceName::parse("shop").expect("a name"));
        let host = HostName::parse("web1").expect("a name");
        engine.forget_calls();
        let found = replicas(&engine, &host, &owner).await.expect("read");
        let rows: Vec<(String, u32, bool, bool)> =
            found.iter().map(|one| (one.title(), one.index, one.is_current(), one.running)).collect();
        assert_eq!(
            rows,
            [
                ("api-2.g1".to_owned(), 2, false, false),
                ("api-2".to_owned(), 2, true, true),
                ("api-2.g3".to_owned(), 2, false, true),
                ("api-10".to_owned(), 10, true, true),
                ("migrate".to_owned(), 1, true, false),
            ]
        );
        assert_eq!(engine.calls().len(), 2, "{:?}", engine.calls());
    }
}
