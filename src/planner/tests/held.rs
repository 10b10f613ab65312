//! What waits because its image cannot be had, and what goes on beside it.

use crate::desired::{Address, DesiredState, Item, Kind};
use crate::execute::tests::stage::{Stage, item, resource, running, thing};
use crate::name::{ImageRef, RegistryHost};
use crate::plan::{HostPlan, text};
use crate::testing::fake::Behaviour;
use serde_json::json;

const SIDE: &str = "away.example.com/side:1";

/// `nginx` from a registry that works, `side` from one that does not.
fn two() -> Stage {
    let stage = Stage::new();
    stage.publish(1);
    stage.fake.publish(SIDE, "side", Behaviour::fine());
    stage.fake.guard(&RegistryHost::parse("away.example.com").expect("a host"), None);
    let mut side = running("side", SIDE);
    side.spec.fixed.insert("ports".to_owned(), json!({}));
    stage.with(vec![running("nginx", "r.example.com/nginx:1"), side])
}

fn requires(stage: &mut Stage, name: &str, needed: Kind) {
    let mut more = running(name, "r.example.com/nginx:1");
    more.spec.fixed.insert("ports".to_owned(), json!({}));
    let needs = vec![Address { kind: needed, name: "side".to_owned() }];
    stage.items.push(Item { needs, ..item(more) });
}

fn shown(plan: &HostPlan) -> String {
    let line = |change: &crate::plan::Change| {
        let causes: Vec<String> = change.cause.iter().map(ToString::to_string).collect();
        format!("{:?} {}: {}", change.actions, change.address, causes.join("; "))
    };
    plan.changes.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[tokio::test(start_paused = true)]
async fn what_has_no_image_is_held_with_what_requires_it_and_the_others_go_on() {
    let mut stage = two();
    requires(&mut stage, "last", Kind::Container);
    let plan = stage.plan().await.expect("planned");
    insta::assert_snapshot!(shown(&plan), @r"
    [Create] container nginx: will be created
    [Held] container side: host web1 cannot reach the registry away.example.com for away.example.com/side:1
    [Held] container last: it requires container side, which waits; will be created
    ");
    assert!(!text(&plan).contains("side") && !text(&plan).contains("last"), "{}", text(&plan));
    assert_eq!(plan.without_image.len(), 1);
    assert_eq!(plan.without_image[0].address, "container side");
}

#[tokio::test(start_paused = true)]
async fn what_requires_a_container_that_runs_goes_on_while_that_one_waits() {
    let mut stage = two();
    let registry = RegistryHost::parse("away.example.com").expect("a host");
    stage.fake.unguard(&registry);
    stage.settle().await;
    stage.fake.guard(&registry, None);
    requires(&mut stage, "last", Kind::Container);
    let plan = stage.plan().await.expect("planned");
    insta::assert_snapshot!(shown(&plan), @r"
    [Unchanged] container nginx: up to date
    [Held] container side: host web1 cannot reach the registry away.example.com for away.example.com/side:1
    [Create] container last: will be created
    ");
}

#[tokio::test(start_paused = true)]
async fn offline_holds_what_no_digest_is_known_of_and_goes_on_with_the_rest() {
    let mut stage = two();
    stage.fake.preload("r.example.com/nginx:1");
    stage.options.offline = true;
    let image = ImageRef::parse("r.example.com/other:1").expect("a reference");
    stage.items.push(thing(Kind::Image, "other", DesiredState::ImagePulled { image, force: false }));
    stage.items.push(resource(Kind::Network, "net", &[]));
    let plan = stage.plan().await.expect("planned");
    insta::assert_snapshot!(shown(&plan), @r"
    [Create] container nginx: will be created
    [Held] container side: no registry is asked what away.example.com/side:1 stands for, and host web1 does not know
    [Held] image other: no registry is asked what r.example.com/other:1 stands for, and host web1 does not know
    [Create] network net: will be created
    ");
}
