//! Adopting what pillarbox did not make.

use crate::desired::Run;
use crate::engine::Engine as _;
use crate::execute::tests::stage::{Stage, absent, running};
use crate::observed::Label;
use crate::plan::{Verb, text};
use crate::planner::adopt::{Adoption, Candidate};
use crate::state::Text;
use serde_json::{Value, json};

const ONE: &str = "r.example.com/nginx:1";

/// A stranger called `nginx` as the desired state wants it, but for `change`.
pub(super) async fn stranger(change: impl FnOnce(&mut Value)) -> Stage {
    let stage = Stage::new();
    stage.publish(1);
    stage.publish(2);
    stage.fake.preload(ONE);
    let mut body = json!({
        "Image": ONE, "Env": ["LOG=info"],
        "HostConfig": {
            "PortBindings": { "80/tcp": [{ "HostIp": "0.0.0.0", "HostPort": "8080" }] },
            "RestartPolicy": { "Name": "always", "MaximumRetryCount": 0 },
        },
    });
    change(&mut body);
    stage.fake.add_container("nginx", body, true);
    let mut want = running("nginx", ONE);
    want.spec.env.insert("LOG".to_owned(), Text::clear("info"));
    stage.with(vec![want])
}

fn differing(adoption: &Adoption) -> Vec<&str> {
    adoption.fields.iter().filter(|field| !field.agrees).map(|field| field.name.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn what_agrees_is_ours_and_nothing_is_to_be_done() {
    let stage = stranger(|_| {}).await;
    let adoption = stage.adopt("nginx").await;
    assert!(adoption.agrees(), "{:?}", adoption.fields);
    assert_eq!(text(&stage.plan().await.expect("planned")), "");
    // An upgrade takes it away with its record, and the new one counts on.
    let plan = stage.with(vec![running("nginx", "r.example.com/nginx:2")]).settle().await;
    assert!(text(&plan).contains("create nginx.g2"), "{}", text(&plan));
    assert!(text(&plan).contains("forget that nginx.g1 was adopted"), "{}", text(&plan));
    assert!(stage.records().await.is_empty());
    assert_eq!(stage.statuses(), ["nginx running"]);
}

#[tokio::test(start_paused = true)]
async fn what_differs_is_said_and_done_by_the_next_apply_as_it_was_said() {
    for (change, fields, verb) in [
        (json!({ "Env": ["LOG=debug"] }), vec!["env.LOG"], Verb::ReplaceStopFirst),
        (json!({ "HostConfig": {} }), vec!["ports", "restart"], Verb::ReplaceStopFirst),
    ] {
        let stage = stranger(|body| {
            for (key, value) in change.as_object().into_iter().flatten() {
                body[key] = value.clone();
            }
        })
        .await;
        let adoption = stage.adopt("nginx").await;
        assert_eq!(differing(&adoption), fields);
        let plan = stage.settle().await;
        assert_eq!(plan.changes[0].actions, [verb], "{fields:?}");
        assert!(stage.records().await.is_empty());
    }
    let stage = stranger(|body| body["HostConfig"]["RestartPolicy"]["Name"] = json!("no")).await;
    assert_eq!(differing(&stage.adopt("nginx").await), ["restart"]);
    assert_eq!(stage.settle().await.changes[0].actions, [Verb::Update]);
    assert_eq!(stage.records().await.len(), 1, "it is still the adopted one");
}

#[tokio::test(start_paused = true)]
async fn the_image_is_compared_by_the_digest_of_its_registry() {
    let stage = stranger(|_| {}).await;
    stage.fake.publish(ONE, "another", crate::testing::fake::Behaviour::fine());
    let adoption = stage.adopt("nginx").await;
    assert_eq!(differing(&adoption), ["image"]);
    let plan = stage.settle().await;
    assert!(plan.changes[0].cause[0].to_string().starts_with("same tag, other image"), "{:?}", plan.changes);
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_run_is_started_and_one_that_must_not_is_stopped() {
    let stage = stranger(|_| {}).await;
    stage.fake.stop_container("nginx");
    stage.adopt("nginx").await;
    assert_eq!(stage.settle().await.changes[0].actions, [Verb::Update]);
    let mut want = running("nginx", ONE);
    want.run = Run::Stopped;
    let stopped = stranger(|_| {}).await.with(vec![want]);
    stopped.adopt("nginx").await;
    stopped.settle().await;
    assert_eq!(stopped.statuses(), ["nginx exited"]);
}

#[tokio::test(start_paused = true)]
async fn records_of_containers_that_are_gone_are_cleared_and_no_others() {
    let mut stage = stranger(|_| {}).await;
    stage.adopt("nginx").await;
    stage.fake.kill_container("nginx");
    let plan = stage.settle().await;
    assert_eq!(plan.changes.last().expect("a change").address, "adoption nginx.g1");
    assert!(stage.records().await.is_empty());
    // Declared absent, or not at all, it goes with its container.
    let again = stranger(|_| {}).await;
    again.adopt("nginx").await;
    stage = Stage { items: vec![absent("nginx")], ..again };
    stage.settle().await;
    assert!(stage.records().await.is_empty() && stage.statuses().is_empty());
}

#[tokio::test(start_paused = true)]
async fn another_workspace_s_swarm_s_and_passing_containers_are_refused() {
    for (change, why) in [
        (json!({ "Labels": { Label::WORKSPACE: "other" } }), "it belongs to workspace other"),
        (json!({ "Labels": { Label::WORKSPACE: "shop" } }), "it has the labels of pillarbox"),
        (json!({ "Labels": { "com.docker.swarm.task.id": "x" } }), "it is a task of Swarm"),
        (json!({ "HostConfig": { "AutoRemove": true } }), "it was started with '--rm'"),
    ] {
        let stage = stranger(|body| {
            for (key, value) in change.as_object().into_iter().flatten() {
                body[key] = value.clone();
            }
        })
        .await;
        let (desired, observed) = (stage.desired(), stage.observe().await);
        let refused = Candidate::find(&desired, &observed, "nginx").expect_err("refused");
        let cause = refused.iter().flat_map(|problem| problem.causes.clone()).next().expect("a cause");
        assert!(cause.starts_with(why), "{cause}");
        let planned = stage.plan().await.expect_err("taken");
        let hints: Vec<String> = planned.iter().flat_map(|problem| problem.hints.clone()).collect();
        assert!(!hints.iter().any(|hint| hint.contains("pillarbox adopt")), "{hints:?}");
    }
    let stage = stranger(|_| {}).await;
    let planned = stage.plan().await.expect_err("taken");
    let hints: Vec<String> = planned.iter().flat_map(|problem| problem.hints.clone()).collect();
    assert!(hints.iter().any(|hint| hint.ends_with("pillarbox adopt nginx --host web1")), "{hints:?}");
    let (desired, observed) = (stage.desired(), stage.observe().await);
    assert!(Candidate::find(&desired, &observed, "ngin").is_err());
}

#[tokio::test(start_paused = true)]
async fn a_record_is_never_forgotten_while_its_container_is_there() {
    let stage = stranger(|_| {}).await;
    stage.adopt("nginx").await;
    let observed = stage.observe().await;
    let mut plan = stage.with(vec![running("nginx", "r.example.com/nginx:2")]).plan().await.expect("planned");
    let desired = stage.with(vec![running("nginx", "r.example.com/nginx:2")]).desired();
    plan.steps.retain(|step| !step.action.to_string().starts_with("remove"));
    let said = crate::check::host(&plan, &desired, &observed).expect_err("broken").to_string();
    assert!(said.contains("forgets a container that is there"), "{said}");
    let _ = stage.fake.volumes(Label::ADOPTED, "shop").await;
}
