//! The data in anonymous volumes: it comes along, and a plan says what becomes of it.

use super::adopting::stranger;
use super::start_first::service;
use crate::desired::{DesiredContainer, DesiredState, Item, Order};
use crate::execute::tests::stage::{Stage, absent, readable, running};
use crate::plan::{HostPlan, Verb, text};
use crate::testing::fake::Behaviour;
use serde_json::json;

fn data(paths: &[&str]) -> Behaviour {
    Behaviour { volumes: paths.iter().map(|path| (*path).to_owned()).collect(), ..Behaviour::fine() }
}

/// Three versions whose image has a volume; that of the third is at another place, the fourth is sick.
fn host() -> Stage {
    let stage = Stage::new();
    for n in [1, 2] {
        stage.fake.publish(&format!("r.example.com/nginx:{n}"), &format!("{n}"), data(&["/data"]));
    }
    stage.fake.publish("r.example.com/nginx:3", "3", data(&["/other"]));
    let sick = Behaviour { volumes: vec!["/data".to_owned(), "/new".to_owned()], ..Behaviour::unhealthy() };
    stage.fake.publish("r.example.com/nginx:4", "4", sick);
    stage.fake.add_network("back");
    stage
}

fn db(version: u32) -> DesiredContainer {
    running("db", &format!("r.example.com/nginx:{version}"))
}

/// `api`, with as many generations kept.
fn api(version: u32, retain: u32, shared: &[&str]) -> Vec<Item> {
    let mut items = service(version, 1);
    for item in &mut items {
        let DesiredState::Container(want) = &mut item.want else { continue };
        let Some(replica) = &mut want.replica else { continue };
        (replica.retain, replica.order, replica.drain) = (retain, Order::StartFirst, 0);
        replica.shared = shared.iter().map(|path| (*path).to_owned()).collect();
    }
    items
}

fn at(stage: &Stage, container: &str, path: &str) -> String {
    stage.fake.anonymous(container).get(path).cloned().unwrap_or_default()
}

/// Names of volumes have their numbers.
fn notes(plan: &HostPlan) -> String {
    let mut said = plan.notes.join("\n");
    for (digits, short) in [(64, "V"), (12, "V")] {
        while let Some(from) = said.find(&"0".repeat(12)) {
            let end =
                said[from..].find(|c: char| !c.is_ascii_hexdigit()).map_or(said.len(), |end| from + end);
            if end - from < digits.min(12) {
                break;
            }
            said.replace_range(from..end, short);
        }
    }
    said
}

#[tokio::test(start_paused = true)]
async fn a_replacement_mounts_the_volume_of_the_old_one_and_the_plan_says_so() {
    let stage = host();
    stage.with(vec![db(1)]).settle().await;
    let volume = at(&stage, "db", "/data");
    assert_eq!(volume.len(), 64);
    let plan = stage.with(vec![db(2)]).settle().await;
    assert_eq!(at(&stage, "db", "/data"), volume);
    insta::assert_snapshot!(notes(&plan), @"container db: its data at /data comes along: the new container mounts volume V of the old one there");
    // Again: what mounts it by name hands it on as well.
    stage.with(vec![db(1)]).settle().await;
    assert_eq!(at(&stage, "db", "/data"), volume);
    // And nothing is left over.
    assert_eq!(stage.fake.volume_names(), [volume]);
}

#[tokio::test(start_paused = true)]
async fn where_the_image_has_its_volume_elsewhere_the_data_stays_in_its_place() {
    let stage = host();
    stage.with(vec![db(1)]).settle().await;
    let volume = at(&stage, "db", "/data");
    stage.with(vec![db(3)]).settle().await;
    assert_eq!(at(&stage, "db", "/data"), volume);
    assert_ne!(at(&stage, "db", "/other"), "");
    stage.with(vec![db(2)]).settle().await;
    assert_eq!(at(&stage, "db", "/data"), volume);
}

#[tokio::test(start_paused = true)]
async fn what_a_state_declares_no_more_or_with_a_name_does_not_come_along_and_is_not_lost() {
    let stage = host();
    let with = |volumes: serde_json::Value| {
        let mut want = db(1);
        want.spec.fixed.insert("volumes".to_owned(), volumes);
        stage.with(vec![want])
    };
    let unnamed = json!({ "source": "", "options": [] });
    with(json!({ "/cache": unnamed })).settle().await;
    let (cache, volume) = (at(&stage, "db", "/cache"), at(&stage, "db", "/data"));
    assert!(!cache.is_empty());
    let plan = with(json!({ "/data": { "source": "named", "options": [] } })).settle().await;
    assert!(stage.fake.anonymous("db").is_empty());
    insta::assert_snapshot!(notes(&plan), @r#"
    container db: the new container does not have the data that is at /cache now: it stays on the host in volume V; 'docker volume rm V' removes it
    container db: the new container does not have the data that is at /data now: it stays on the host in volume V; 'docker volume rm V' removes it
    "#);
    for stays in [&cache, &volume] {
        assert!(stage.fake.volume_names().contains(stays));
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_failed_takes_its_own_volumes_along_and_not_the_data() {
    let stage = host();
    stage.with(vec![db(1)]).settle().await;
    let volume = at(&stage, "db", "/data");
    stage.with(vec![db(4)]).apply().await;
    assert_eq!(stage.statuses(), ["db running", "db.g2 exited"]);
    assert_eq!((at(&stage, "db.g2", "/data"), stage.fake.volume_names().len()), (volume.clone(), 2));
    let plan = stage.with(vec![db(1)]).settle().await;
    assert_eq!(stage.fake.volume_names(), [volume]);
    insta::assert_snapshot!(notes(&plan), @"container db.g2: its data at /new goes with it: nothing else mounts volume V");
}

#[tokio::test(start_paused = true)]
async fn one_that_could_not_be_made_whole_leaves_no_volume() {
    let stage = host();
    stage.with(vec![db(1)]).settle().await;
    stage.fake.forget_calls();
    let refused = crate::engine::EngineError::new(crate::engine::ErrorKind::Other, 500, "no");
    stage.fake.fail_calls("stop db", refused);
    stage.with(vec![db(4)]).apply().await;
    assert_eq!(stage.statuses(), ["db running"]);
    assert_eq!(stage.fake.volume_names(), [at(&stage, "db", "/data")]);
}

#[tokio::test(start_paused = true)]
async fn two_containers_on_one_data_folder_are_not_started_first_unless_it_is_shared() {
    let stage = host();
    let wanted = |version, shared: &[&str]| Stage { items: api(version, 1, shared), ..stage.clone() };
    wanted(1, &[]).settle().await;
    let volume = at(&stage, "api", "/data");
    let plan = wanted(2, &[]).plan().await.expect("planned");
    assert_eq!(plan.changes[0].actions, [Verb::ReplaceStopFirst]);
    let said: Vec<String> = plan.changes[0].cause.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(said.join("; "), @r#"version 1 → 2, pillar/apps.toml:12; the old one stops first: the data in the anonymous volume at /data, which is not `shared`"#);
    let plan = wanted(2, &["/data"]).settle().await;
    assert_eq!(plan.changes[0].actions, [Verb::ReplaceStartFirst]);
    // Back to what is kept: it has the same data.
    wanted(2, &[]).settle().await;
    let back = crate::execute::tests::retain::back_to(&wanted(2, &[]), 0).await;
    let plan = back.settle().await;
    assert_eq!(plan.changes[0].actions, [Verb::ReplaceStopFirst], "{}", text(&plan));
    assert_eq!(at(&stage, "api", "/data"), volume);
    assert_eq!(at(&stage, "api.g2.kept", "/data"), volume);
}

#[tokio::test(start_paused = true)]
async fn a_volume_that_a_generation_alone_has_goes_with_it() {
    let stage = host();
    let wanted = |version, cache: bool| {
        let mut items = api(version, 1, &[]);
        for item in &mut items {
            let DesiredState::Container(want) = &mut item.want else { continue };
            if cache {
                let unnamed = json!({ "/cache": { "source": "", "options": [] } });
                want.spec.fixed.insert("volumes".to_owned(), unnamed);
            }
        }
        Stage { items, ..stage.clone() }
    };
    wanted(1, true).settle().await;
    let cache = at(&stage, "api", "/cache");
    let plan = wanted(1, false).settle().await;
    assert!(stage.fake.volume_names().contains(&cache));
    insta::assert_snapshot!(notes(&plan), @r#"
    container api: its data at /data comes along: the new container mounts volume V of the old one there
    container api: the new container does not have the data that is at /cache now: it stays in volume V, which goes with api.g1.kept when that goes
    "#);
    let plan = wanted(2, false).settle().await;
    assert!(!stage.fake.volume_names().contains(&cache));
    insta::assert_snapshot!(notes(&plan), @r#"
    container api: its data at /data comes along: the new container mounts volume V of the old one there
    container api.g1.kept: its data at /cache goes with it: nothing else mounts volume V
    "#);
    insta::assert_snapshot!(readable(&text(&plan)).lines().last().unwrap_or_default(), @r#"#13 [12] remove anonymous volume 000000000000 of api.g1.kept and its data (replace api): version 1 → 2, pillar/apps.toml:12"#);
    assert_eq!(stage.fake.volume_names(), [at(&stage, "api", "/data")]);
}

#[tokio::test(start_paused = true)]
async fn a_container_that_goes_leaves_its_data_and_the_plan_says_where() {
    let stage = host();
    stage.with(vec![db(1)]).settle().await;
    let volume = at(&stage, "db", "/data");
    let plan = Stage { items: vec![absent("db")], ..stage.clone() }.settle().await;
    assert_eq!(stage.fake.volume_names(), std::slice::from_ref(&volume));
    assert!(plan.notes[0].contains(&format!("'docker volume rm {volume}'")), "{:?}", plan.notes);
    insta::assert_snapshot!(notes(&plan), @"container db: it goes, and not its data at /data: it stays on the host in volume V; 'docker volume rm V' removes it");
}

#[tokio::test(start_paused = true)]
async fn a_container_that_was_taken_over_hands_its_data_on() {
    let stage = stranger(|body| body["Volumes"] = json!({ "/data": {} })).await;
    stage.adopt("nginx").await;
    let volume = at(&stage, "nginx", "/data");
    assert_eq!(volume.len(), 64);
    stage.with(vec![running("nginx", "r.example.com/nginx:2")]).settle().await;
    assert_eq!(at(&stage, "nginx", "/data"), volume);
}
