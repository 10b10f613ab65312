//! An image that one host cannot get: what needs it is left out on all of them.

use super::stage::{Open, Stage, running};
use crate::execute::{Command, Host, Interrupt, Outcome, Unguarded, execute};
use crate::name::{HostName, RegistryHost};
use crate::plan::HostPlan;
use crate::problem::Code;
use crate::testing::fake::Behaviour;
use serde_json::json;

const SIDE: &str = "away.example.com/side:1";

fn two() -> [Stage; 2] {
    [0, 1].map(|_| {
        let stage = Stage::new();
        stage.publish(1);
        let digest = stage.fake.publish(SIDE, "side", Behaviour::fine());
        let mut side = running("side", &format!("{SIDE}@{digest}"));
        side.spec.fixed.insert("ports".to_owned(), json!({}));
        stage.with(vec![running("nginx", "r.example.com/nginx:1"), side])
    })
}

async fn apply(command: Command<'_>, stages: &[Stage; 2]) -> Outcome {
    let mut plans: Vec<HostPlan> = Vec::new();
    for (at, stage) in stages.iter().enumerate() {
        let mut plan = stage.plan().await.expect("planned");
        plan.host = HostName::parse(&format!("web{}", at + 1)).expect("a name");
        plans.push(plan);
    }
    let hosts: Vec<_> = stages
        .iter()
        .zip(&plans)
        .map(|(stage, plan)| Host { plan, engine: &stage.fake, guard: &Unguarded })
        .collect();
    execute(command, &hosts, &Open, &|_| {}, &Interrupt::new()).await
}

#[tokio::test(start_paused = true)]
async fn what_needs_an_image_that_one_host_cannot_pull_is_left_out_on_all_and_the_rest_is_done() {
    let stages = two();
    let away = RegistryHost::parse("away.example.com").expect("a host");
    stages[1].fake.guard(&away, None);
    let outcome = apply(Command::APPLY, &stages).await;
    for stage in &stages {
        assert_eq!(stage.statuses(), ["nginx running"]);
    }
    let failure = outcome.failure.expect("it says so");
    assert_eq!(failure.code(), Code::Partial);
    assert!(
        failure.to_string().contains("host web2 cannot reach the registry away.example.com"),
        "{failure}"
    );
    stages[1].fake.unguard(&away);
    assert_eq!(apply(Command::APPLY, &stages).await.failure, None);
    for stage in &stages {
        assert_eq!(stage.statuses(), ["nginx running", "side running"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollback_is_begun_only_with_all_of_its_images() {
    let stages = two();
    stages[1].fake.guard(&RegistryHost::parse("away.example.com").expect("a host"), None);
    let command = Command { name: "rollback", again: "pillarbox rollback", whole: true };
    let outcome = apply(command, &stages).await;
    assert!(!outcome.changed() && outcome.failure.is_some());
    assert!(stages.iter().all(|stage| stage.statuses().is_empty()));
}
