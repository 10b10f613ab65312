//! Containers that were renamed by hand.

use super::adopting::stranger;
use super::start_first::{host, service};
use crate::engine::Engine as _;
use crate::execute::tests::stage::{Stage, absent, readable, running};
use crate::plan::{Verb, text};

async fn rename(stage: &Stage, from: &str, to: &str) {
    let observed = stage.observe().await;
    let id = observed.containers.iter().find(|one| one.name == from).expect("there").id.clone();
    stage.fake.rename(&id, to).await.expect("renamed");
}

fn said(plan: &crate::plan::HostPlan) -> Vec<String> {
    let all = plan.changes.iter().filter(|change| change.actions != [Verb::Unchanged]);
    all.map(|change| format!("{} {}: {}", change.actions[0].symbol(), change.address, change.cause[0]))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_container_that_was_renamed_gets_its_name_back_and_no_second_one_is_made() {
    for stopped in [false, true] {
        let stage = Stage::new().with(vec![running("db", "r.example.com/nginx:1")]);
        stage.publish(1);
        stage.publish(2);
        stage.settle().await;
        let before = stage.fake.ids();
        rename(&stage, "db", "db-old").await;
        if stopped {
            stage.fake.stop_container("db-old");
        }
        let plan = stage.settle().await;
        assert_eq!(
            said(&plan)[0],
            "~ container db-old: by its labels it is db, renamed by hand: it gets its name back"
        );
        assert_eq!((stage.statuses(), stage.fake.ids()), (vec!["db running".to_owned()], before));
        // Together with an upgrade: the data is that of the old one, which is replaced under its name.
        rename(&stage, "db", "other").await;
        let newer = stage.with(vec![running("db", "r.example.com/nginx:2")]);
        let plan = newer.settle().await;
        assert!(readable(&text(&plan)).contains("rename other to db (rename other)"), "{}", text(&plan));
        assert_eq!(stage.statuses(), ["db running"]);
    }
}

#[tokio::test(start_paused = true)]
async fn every_container_of_a_service_gets_its_name_back_also_one_that_is_kept() {
    let stage = host();
    let wanted = |version| {
        let mut items = service(version, 2);
        for item in &mut items {
            if let crate::desired::DesiredState::Container(want) = &mut item.want
                && let Some(replica) = &mut want.replica
            {
                replica.retain = 1;
            }
        }
        Stage { items, ..stage.clone() }
    };
    wanted(1).settle().await;
    wanted(2).settle().await;
    let before = stage.statuses();
    for (from, to) in [("api-2", "x"), ("api.g1.kept", "y"), ("api", "z")] {
        rename(&stage, from, to).await;
    }
    let plan = wanted(2).settle().await;
    assert_eq!(plan.steps.len(), 3, "{}", text(&plan));
    assert_eq!(stage.statuses(), before);
}

#[tokio::test(start_paused = true)]
async fn where_the_name_is_taken_nothing_is_planned() {
    let stage = Stage::new().with(vec![running("db", "r.example.com/nginx:1")]);
    stage.publish(1);
    stage.settle().await;
    rename(&stage, "db", "db-old").await;
    stage.fake.preload("r.example.com/nginx:1");
    stage.fake.add_container("db", serde_json::json!({ "Image": "r.example.com/nginx:1" }), true);
    let problems = stage.plan().await.expect_err("taken").to_string();
    assert!(problems.contains("container db-old on host web1 is db by its labels"), "{problems}");
}

#[tokio::test(start_paused = true)]
async fn one_that_is_not_wanted_is_left_alone_and_said() {
    let stage = Stage::new().with(vec![running("db", "r.example.com/nginx:1")]);
    stage.publish(1);
    stage.settle().await;
    rename(&stage, "db", "db-old").await;
    let mut gone = Stage { items: vec![absent("db")], ..stage.clone() };
    gone.options.prune = true;
    let plan = gone.settle().await;
    assert!(plan.notes.iter().any(|note| note.contains("'docker rename db-old db'")), "{:?}", plan.notes);
    assert_eq!(stage.statuses(), ["db-old running"]);
}

#[tokio::test(start_paused = true)]
async fn one_that_was_adopted_and_renamed_gets_its_name_back_too() {
    let stage = stranger(|_| {}).await;
    stage.adopt("nginx").await;
    rename(&stage, "nginx", "mine").await;
    let plan = stage.settle().await;
    assert_eq!(said(&plan).len(), 1, "{:?}", said(&plan));
    assert_eq!(stage.statuses(), ["nginx running"]);
}
