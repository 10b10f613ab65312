//! Two workspaces of one name on one host, and one that gets its id later.

use super::start_first::service;
use crate::desired::{Item, Kind, Wish};
use crate::execute::tests::stage::{Stage, absent, item, resource, running};
use crate::name::{Owner, WorkspaceId};
use crate::plan::text;
use serde_json::json;

const ONE: &str = "r.example.com/nginx:1";

/// What a workspace wants: a service whose older generations are kept, a container, a network and a volume.
fn wanted(name: &str, version: u32) -> Vec<Item> {
    let mut items = service(version, 1);
    for item in &mut items {
        if let Wish::Container(wish) = &mut item.wish {
            wish.replica.as_mut().expect("a service").retain = 2;
        }
    }
    let mut container = running(name, ONE);
    container.spec.fixed.clear();
    items.push(item(container));
    items.push(resource(Kind::Network, &format!("{name}-net"), &[("driver", json!("bridge"))]));
    items.push(resource(Kind::Volume, &format!("{name}-data"), &[]));
    items
}

fn host() -> Stage {
    let stage = Stage::new();
    (1..=4).for_each(|version| stage.publish(version));
    stage.fake.add_network("back");
    stage
}

/// The same name with another id.
fn owned(stage: &Stage, id: u8, owns_without_id: bool) -> Stage {
    let owner = Owner { id: Some(WorkspaceId::from_bits([id; 8])), owns_without_id, ..stage.owner.clone() };
    Stage { owner, ..stage.clone() }
}

async fn deployed(stage: &Stage, name: &str) {
    for version in 1..=2 {
        Stage { items: wanted(name, version), ..stage.clone() }.settle().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_id_that_is_added_later_replaces_nothing_and_what_is_made_then_carries_it() {
    let stage = host();
    deployed(&stage, "nginx").await;
    let with_id = owned(&Stage { items: wanted("nginx", 2), ..stage.clone() }, 7, true);
    assert_eq!(text(&with_id.plan().await.expect("planned")), "");
    let before = stage.fake.statuses();
    Stage { items: wanted("nginx", 3), ..with_id.clone() }.settle().await;
    let labels = &stage.fake.body("api").expect("there")["Labels"];
    assert_eq!(labels["io.pillarbox.workspace-id"], "0707070707070707");
    assert_eq!(labels["io.pillarbox.workspace"], "shop");
    // Generations from before are still kept, counted and removed as ever.
    Stage { items: wanted("nginx", 4), ..with_id }.settle().await;
    assert_eq!(before.len(), stage.fake.statuses().len() - 1, "{:?}", stage.statuses());
    // A checkout from before the id knows what carries none, and nothing else.
    let old = Stage { items: wanted("nginx", 4), ..stage.clone() };
    let problems = old.plan().await.expect_err("its names are taken");
    assert!(problems.to_string().contains("with the id 0707070707070707"), "{problems}");
}

#[tokio::test(start_paused = true)]
async fn what_carries_another_id_is_never_touched_and_said() {
    let host = host();
    let first = owned(&host, 1, false);
    deployed(&first, "nginx").await;
    let volumes = host.fake.volume_names();
    let before = (host.statuses(), host.fake.statuses());
    // The second one wants nothing of all that, and everything away that is its own.
    let mut second = owned(&Stage { items: vec![absent("nginx"), absent("api")], ..host.clone() }, 2, false);
    second.options.prune = true;
    let plan = second.plan().await.expect("planned");
    assert_eq!(text(&plan), "");
    let said =
        plan.notes.iter().filter(|note| note.contains("with the id 0101010101010101; it is left alone"));
    assert_eq!(said.count(), before.0.len(), "{:?}", plan.notes);
    second.settle().await;
    assert_eq!((host.statuses(), host.fake.statuses()), before);
    assert_eq!(host.fake.volume_names(), volumes);
    // Its own things come beside them: other names, and a row of tags of its own.
    let mut items = wanted("web", 3);
    items.retain(|item| item.address.name != "api");
    let own = Stage { items, ..second.clone() };
    own.settle().await;
    assert!(host.statuses().contains(&"web running".to_owned()), "{:?}", host.statuses());
    // The name of a container, network or volume is taken.
    let taken = Stage { items: wanted("nginx", 3), ..second.clone() };
    let problems = taken.plan().await.expect_err("taken");
    assert!(problems.to_string().contains("also named shop, with the id 0101010101010101"), "{problems}");
    assert!(first.with(Vec::new()).plan().await.is_ok());
    let again = Stage { items: wanted("nginx", 2), ..first };
    assert_eq!(text(&again.plan().await.expect("planned")), "", "the first one has all that it had");
}

#[tokio::test(start_paused = true)]
async fn what_carries_no_id_is_a_strangers_for_a_workspace_that_always_had_one() {
    let stage = host();
    deployed(&stage, "nginx").await;
    let before = stage.statuses();
    let mut new = owned(&Stage { items: Vec::new(), ..stage.clone() }, 2, false);
    new.options.prune = true;
    let plan = new.plan().await.expect("planned");
    assert_eq!(text(&plan), "");
    assert!(plan.notes.iter().any(|note| note.contains("'owns_without_id = true'")), "{:?}", plan.notes);
    new.settle().await;
    assert_eq!(stage.statuses(), before);
    new.items = wanted("nginx", 2);
    let problems = new.plan().await.expect_err("taken");
    let mut hints = problems.iter().flat_map(|problem| &problem.hints);
    assert!(hints.any(|hint| hint.contains("owns_without_id = true")), "{problems:?}");
}
