use crate::execute::tests::stage::{Stage, absent, running};
use crate::plan::text;
use crate::testing::fake::Behaviour;
use serde_json::json;

const ONE: &str = "r.example.com/nginx:1";

async fn with_a_stranger(labels: serde_json::Value) -> Stage {
    let stage = Stage::new();
    stage.publish(1);
    stage.fake.preload(ONE);
    stage.fake.add_container("nginx", json!({ "Image": ONE, "Labels": labels }), true);
    stage.with(vec![running("nginx", ONE)])
}

#[tokio::test(start_paused = true)]
async fn a_name_that_a_foreign_container_holds_stops_the_plan_with_a_way_on() {
    let stage = with_a_stranger(json!({})).await;
    let problems = stage.plan().await.expect_err("refused");
    assert_eq!(
        problems.to_string(),
        "the name nginx on host web1 is taken by a container that was not made by workspace shop"
    );
    assert!(problems.iter().all(|problem| problem.hints[0].contains("docker rename nginx nginx-old")));
}

#[tokio::test(start_paused = true)]
async fn containers_of_another_workspace_are_strangers() {
    let labels = json!({
        "io.pillarbox.workspace": "other", "io.pillarbox.service": "nginx", "io.pillarbox.instance": "nginx.g1",
        "io.pillarbox.generation": "1", "io.pillarbox.spec": "v1:sha256:00", "io.pillarbox.image": "x",
    });
    let mut stage = with_a_stranger(labels).await;
    assert!(stage.plan().await.is_err());
    stage.items = vec![absent("nginx")];
    stage.options.prune = true;
    let plan = stage.plan().await.expect("planned");
    assert_eq!(text(&plan), "");
    assert!(plan.notes[0].contains("did not make it"), "{:?}", plan.notes);
}

#[tokio::test(start_paused = true)]
async fn a_container_made_of_a_commit_of_ours_is_reported_and_left_alone() {
    let stage = Stage::new();
    stage.publish(1);
    let mut stage = stage.with(vec![running("nginx", ONE)]);
    stage.settle().await;
    let labels = stage.fake.body("nginx").expect("there")["Labels"].clone();
    let labels = labels.as_object().expect("labels").iter();
    let labels = labels.map(|(k, v)| (k.clone(), v.as_str().expect("text").to_owned())).collect();
    stage.fake.build("commit:1", "commit", Behaviour { labels, ..Behaviour::fine() });
    stage.fake.add_container("copy", json!({ "Image": "commit:1" }), true);
    stage.options.prune = true;
    stage.items = vec![absent("nginx")];
    let plan = stage.plan().await.expect("planned");
    assert!(
        plan.notes.iter().any(|note| note.starts_with("container copy: has the labels of pillarbox")),
        "{:?}",
        plan.notes
    );
    stage.settle().await;
    assert_eq!(stage.statuses(), ["copy running"]);
}

#[tokio::test(start_paused = true)]
async fn everything_that_is_wrong_is_said_at_once() {
    let stage = Stage::new();
    stage.publish(1);
    stage.fake.preload(ONE);
    let mut wants = Vec::new();
    for name in ["a", "b"] {
        stage.fake.add_container(name, json!({ "Image": ONE }), false);
        wants.push(running(name, ONE));
    }
    let mut never = running("c", "app:dev");
    never.pull = crate::desired::PullPolicy::Never;
    wants.push(never);
    let problems = stage.with(wants).plan().await.expect_err("refused");
    assert_eq!(problems.iter().count(), 3, "{problems}");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_never_takes_the_name_of_another_container() {
    let stage = Stage::new();
    stage.publish(1);
    stage.publish(2);
    stage.with(vec![running("nginx", ONE)]).settle().await;
    let made_from = stage.fake.body("nginx").expect("there")["Image"].clone();
    stage.fake.add_container("nginx.g2", json!({ "Image": made_from }), false);
    // `nginx.g3` is a service of its own.
    let mut other = running("nginx.g3", ONE);
    other.spec.fixed.clear();
    let plan = stage.with(vec![running("nginx", "r.example.com/nginx:2"), other]).settle().await;
    assert!(text(&plan).contains("create nginx.g4 (replace nginx)"), "{}", text(&plan));
    assert_eq!(stage.statuses(), ["nginx running", "nginx.g2 created", "nginx.g3 running"]);
}
