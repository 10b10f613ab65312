//! An image that one host cannot get is that host's matter.

use super::stage::{Open, Stage, running};
use crate::engine::{EngineError, ErrorKind};
use crate::execute::{Command, Host, Interrupt, Outcome, Unguarded, execute};
use crate::name::{HostName, RegistryHost};
use crate::plan::HostPlan;
use crate::problem::Code;
use crate::testing::fake::Behaviour;
use serde_json::json;

const SIDE: &str = "away.example.com/side:1";

fn no_such_image() -> EngineError {
    EngineError::new(ErrorKind::NoSuchImage, 404, "manifest unknown")
}

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

async fn plans(stages: &[Stage; 2]) -> Vec<HostPlan> {
    let mut plans: Vec<HostPlan> = Vec::new();
    for (at, stage) in stages.iter().enumerate() {
        let mut plan = stage.plan().await.expect("planned");
        plan.host = HostName::parse(&format!("web{}", at + 1)).expect("a name");
        plans.push(plan);
    }
    plans
}

async fn apply(command: Command<'_>, stages: &[Stage; 2]) -> Outcome {
    carried_out(command, stages, &plans(stages).await).await
}

async fn carried_out(command: Command<'_>, stages: &[Stage; 2], plans: &[HostPlan]) -> Outcome {
    let hosts: Vec<_> = stages
        .iter()
        .zip(plans)
        .map(|(stage, plan)| Host { plan, engine: &stage.fake, guard: &Unguarded })
        .collect();
    execute(command, &hosts, &Open, &|_| {}, &Interrupt::new()).await
}

#[tokio::test(start_paused = true)]
async fn what_needs_an_image_that_a_host_cannot_pull_is_left_out_there_and_the_rest_is_done() {
    let stages = two();
    let away = RegistryHost::parse("away.example.com").expect("a host");
    stages[1].fake.guard(&away, None);
    let outcome = apply(Command::APPLY, &stages).await;
    assert_eq!(stages[0].statuses(), ["nginx running", "side running"]);
    assert_eq!(stages[1].statuses(), ["nginx running"]);
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
async fn a_host_where_a_pull_fails_is_skipped_and_the_others_are_done() {
    let stages = two();
    let plans = plans(&stages).await;
    stages[1].fake.fail_calls("pull r.example.com", no_such_image());
    let outcome = carried_out(Command::APPLY, &stages, &plans).await;
    assert_eq!(stages[0].statuses(), ["nginx running", "side running"]);
    assert!(stages[1].statuses().is_empty());
    assert_eq!(outcome.failure.expect("it says so").code(), Code::Partial);
}

#[tokio::test(start_paused = true)]
async fn where_the_first_host_that_is_alone_cannot_pull_the_others_are_not_changed() {
    let stages = two();
    let plans = plans(&stages).await;
    stages[0].fake.fail_calls("pull r.example.com", no_such_image());
    let outcome = carried_out(Command::APPLY, &stages, &plans).await;
    assert!(!outcome.changed() && outcome.failure.is_some());
    assert!(stages.iter().all(|stage| stage.statuses().is_empty()));
}

#[tokio::test(start_paused = true)]
async fn where_no_host_can_pull_nothing_is_changed() {
    let stages = two();
    let plans = plans(&stages).await;
    for stage in &stages {
        stage.fake.fail_calls("pull r.example.com", no_such_image());
    }
    let outcome = carried_out(Command::APPLY, &stages, &plans).await;
    assert!(!outcome.changed());
    assert_ne!(outcome.failure.expect("it says so").code(), Code::Partial);
}

#[tokio::test(start_paused = true)]
async fn a_rollback_is_begun_only_with_all_of_its_images() {
    let stages = two();
    stages[1].fake.guard(&RegistryHost::parse("away.example.com").expect("a host"), None);
    let command =
        Command { name: "rollback", again: "pillarbox rollback", whole: true, pulls: Command::PULLS };
    let outcome = apply(command, &stages).await;
    assert!(!outcome.changed() && outcome.failure.is_some());
    assert!(stages.iter().all(|stage| stage.statuses().is_empty()));
}
