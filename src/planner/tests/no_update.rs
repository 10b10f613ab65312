//! An Engine without `POST /containers/{id}/update`: Podman before 5.1.

use super::start_first::{host, replica};
use crate::execute::tests::stage::{Stage, item, running};
use crate::plan::{Action, HostPlan, Verb, text};
use serde_json::json;

const ONE: &str = "r.example.com/nginx:1";

fn podman(stage: &Stage) {
    stage.fake.set_facts(|facts| facts.can_update = false);
}

fn updates(plan: &HostPlan) -> usize {
    let all = plan.steps.iter().flat_map(|step| std::iter::once(&step.action).chain(&step.undo));
    all.filter(|action| matches!(action, Action::Update { .. })).count()
}

#[tokio::test(start_paused = true)]
async fn a_container_is_created_with_its_policy_and_replaced_without_parking() {
    let stage = Stage::new();
    podman(&stage);
    stage.publish(1);
    stage.publish(2);
    let plan = stage.with(vec![running("nginx", ONE)]).settle().await;
    assert_eq!(updates(&plan), 0);
    let body = stage.fake.body("nginx").expect("there");
    assert_eq!(body["HostConfig"]["RestartPolicy"]["Name"], json!("always"));
    let plan = stage.with(vec![running("nginx", "r.example.com/nginx:2")]).settle().await;
    assert_eq!((updates(&plan), plan.changes[0].actions[0]), (0, Verb::ReplaceStopFirst), "{}", text(&plan));
    assert_eq!(stage.statuses(), ["nginx running"]);
}

#[tokio::test(start_paused = true)]
async fn a_changed_limit_or_policy_replaces_and_the_plan_says_why() {
    let stage = Stage::new();
    podman(&stage);
    stage.publish(1);
    let with = |memory: i64, restart: &str| {
        let mut want = running("nginx", ONE);
        want.spec.fixed.insert("limits.memory".to_owned(), json!(true));
        want.spec.live.insert("memory".to_owned(), json!(memory));
        want.spec.live.insert("restart".to_owned(), json!(restart));
        stage.with(vec![want])
    };
    with(1 << 24, "always").settle().await;
    for (memory, restart, field) in [(1 << 25, "always", "memory"), (1 << 25, "no", "restart")] {
        let plan = with(memory, restart).settle().await;
        let change = &plan.changes[0];
        let causes: Vec<String> = change.cause.iter().map(ToString::to_string).collect();
        assert_eq!(change.actions, [Verb::ReplaceStopFirst]);
        assert_eq!(
            causes,
            [format!("{field} changed"), "this Engine cannot change that in place".to_owned()]
        );
        assert_eq!(updates(&plan), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn start_first_needs_no_update_either_and_a_sick_one_is_rolled_back() {
    let stage = Stage { items: vec![item(replica("api", 1))], ..host() };
    podman(&stage);
    stage.settle().await;
    let plan = Stage { items: vec![item(replica("api", 2))], ..stage.clone() }.settle().await;
    assert_eq!((updates(&plan), plan.changes[0].actions[0]), (0, Verb::ReplaceStartFirst));
    let sick = Stage { items: vec![item(replica("api", 4))], ..stage.clone() };
    assert!(sick.apply().await.outcome.failure.is_some());
    assert_eq!(stage.running("api"), 1);
    Stage { items: vec![item(replica("api", 3))], ..stage }.settle().await;
}

#[tokio::test(start_paused = true)]
async fn an_image_for_another_platform_stops_the_plan_and_says_both() {
    let stage = Stage::new();
    stage.publish(1);
    stage.fake.made_for(&["linux/arm64", "linux/arm/v7"]);
    let stage = stage.with(vec![running("nginx", ONE)]);
    let problems = stage.plan().await.expect_err("refused");
    let problem = problems.iter().next().expect("a problem");
    assert_eq!(problem.what, format!("image {ONE} of container nginx is not made for host web1"));
    assert_eq!(problem.causes, ["the host is linux/amd64, the image is for linux/arm64, linux/arm/v7"]);
    for platforms in [&["linux/arm64", "linux/amd64/v2"][..], &[], &["unknown/unknown"]] {
        stage.fake.made_for(platforms);
        stage.plan().await.expect("planned");
    }
}

#[tokio::test(start_paused = true)]
async fn what_podman_passes_over_is_refused_and_said() {
    let stage = Stage::new();
    stage.fake.set_facts(|facts| facts.engine_id = "podman".to_owned());
    stage.publish(1);
    for (option, value) in
        [("mac_address", "02:42:ac:11:00:63"), ("domainname", "example.com"), ("cgroupns", "private")]
    {
        let mut want = running("nginx", ONE);
        want.spec.fixed.insert(option.to_owned(), json!(value));
        let problems = stage.with(vec![want]).plan().await.expect_err("refused");
        assert_eq!(
            problems.to_string(),
            format!("`{option}` of container nginx has no effect on host web1"),
            "{problems:?}"
        );
    }
}
