//! Containers that are made with another one, and options that not every host has.

use crate::compile::tests::compiled;
use crate::engine::{EngineError, ErrorKind};
use crate::execute::tests::stage::{Stage, readable, runtime};
use crate::plan::text;
use crate::testing::fake::{Behaviour, Fault};
use proptest::prelude::*;
use std::time::Duration;

/// A host with three versions of one image.
fn host() -> Stage {
    let stage = Stage::new();
    for n in 1..=3 {
        stage.publish(n);
    }
    stage.fake.add_network("back");
    stage
}

/// The host with states; `@1` is an image of version 1.
fn with(stage: &Stage, states: &str) -> Stage {
    let text = states.replace('@', "r.example.com/nginx:");
    let desired = compiled(&[("states/a.toml", &text)], "").unwrap_or_else(|problems| panic!("{problems}"));
    Stage { items: desired.items, ..stage.clone() }
}

fn pair(version: u32, options: &str) -> String {
    format!(
        "[web.container.running]\nimage = '@1'\nmonitor = 1\n{options}\n\
         [db.container.running]\nimage = '@{version}'\nmonitor = 1\nrestart = 'always'\n"
    )
}

#[tokio::test(start_paused = true)]
async fn who_shares_a_network_is_made_after_its_owner_and_replaced_after_it() {
    let stage = host();
    let first = with(&stage, &pair(1, "network_mode = 'container:db'")).settle().await;
    let made = text(&first);
    assert!(made.find("start db").expect("db") < made.find("create web").expect("web"), "{made}");
    let mode = |name: &str| stage.fake.body(name).expect(name)["HostConfig"]["NetworkMode"].clone();
    assert!(mode("web").as_str().is_some_and(|mode| mode.len() > 64), "{}", mode("web"));
    let shares = stage.fake.body("web").expect("web")["Labels"]["io.pillarbox.shares"].clone();
    assert_eq!(shares, "network_mode=db.g1");

    let again = with(&stage, &pair(2, "network_mode = 'container:db'")).settle().await;
    insta::assert_snapshot!(readable(&text(&again)));
    assert_eq!(stage.fake.body("web").expect("web")["Labels"]["io.pillarbox.shares"], "network_mode=db.g2");
    assert_eq!(stage.statuses(), ["db running", "web running"]);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_ends_when_its_container_stops() {
    for option in ["network_mode", "ipc"] {
        let stage = host();
        let stage = with(&stage, &pair(1, &format!("{option} = 'container:db'")));
        stage.settle().await;
        // Down: it is started, and who was in its namespace is made anew.
        stage.fake.stop_container("db");
        let plan = text(&stage.settle().await);
        assert!(plan.contains("start db (start db)") && plan.contains("create web.g2"), "{option}: {plan}");
        // Started again by somebody else: the same.
        stage.fake.stop_container("db");
        tokio::time::sleep(Duration::from_secs(5)).await;
        let id = stage.observe().await.containers.iter().find(|c| c.name == "db").expect("db").id.clone();
        crate::engine::Engine::start(&stage.fake, &id).await.expect("started");
        let plan = text(&stage.settle().await);
        assert!(plan.contains("create web.g3") && plan.contains("which ended when"), "{option}: {plan}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_among_the_processes_of_another_ends_with_it() {
    let stage = host();
    let one = with(&stage, &pair(1, "pid = 'container:db'"));
    one.settle().await;
    stage.fake.stop_container("db");
    assert_eq!(stage.statuses(), ["db exited", "web exited"]);
    let plan = text(&one.settle().await);
    assert!(plan.find("start db") < plan.find("start web") && !plan.contains("create"), "{plan}");
    // The plan knows that it ends on its own when the other one is stopped.
    let plan = text(&with(&stage, &pair(2, "pid = 'container:db'")).settle().await);
    assert!(plan.contains("create web.g2"), "{plan}");
    assert_eq!(stage.statuses(), ["db running", "web running"]);
}

#[tokio::test(start_paused = true)]
async fn volumes_and_links_outlive_a_stop_but_not_a_replacement() {
    for option in ["volumes_from", "links"] {
        let stage = host();
        let options = format!("{option} = 'db'");
        let one = with(&stage, &pair(1, &options));
        one.settle().await;
        stage.fake.stop_container("db");
        let plan = text(&one.settle().await);
        assert!(plan.contains("start db") && !plan.contains("web"), "{option}: {plan}");
        let plan = text(&with(&stage, &pair(2, &options)).settle().await);
        assert!(plan.contains("create web.g2"), "{option}: {plan}");
        assert!(plan.find("remove db").expect("db") < plan.find("create web").expect("web"), "{plan}");
    }
}

/// Whichever call fails, in whichever way, while both are replaced: the next apply ends it.
#[tokio::test(start_paused = true)]
async fn whichever_call_fails_the_next_apply_brings_both_back_together() {
    let faults: [fn() -> Fault; 3] = [
        || Fault::Refused(EngineError::new(ErrorKind::Other, 500, "the disk is full")),
        || Fault::AnswerLost,
        || Fault::HangUpAfter,
    ];
    for option in ["network_mode", "ipc", "pid", "volumes_from", "links"] {
        let before = if matches!(option, "volumes_from" | "links") { "" } else { "container:" };
        let options = format!("{option} = '{before}db'");
        for (fault, call) in faults.iter().flat_map(|fault| (1..=24).map(move |call| (fault, call))) {
            let stage = host();
            with(&stage, &pair(1, &options)).settle().await;
            stage.fake.fail(call, fault());
            let two = with(&stage, &pair(2, &options));
            two.apply().await;
            stage.fake.heal();
            two.settle().await;
            assert_eq!(stage.statuses(), ["db running", "web running"], "{option} {call}");
            let label = |name: &str, label: &str| stage.fake.body(name).expect(name)["Labels"][label].clone();
            let db = label("db", "io.pillarbox.instance");
            let shares = format!("{option}={}", db.as_str().expect("text"));
            assert_eq!(label("web", "io.pillarbox.shares"), shares, "{option} {call}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_shares_is_replaced_stop_first_and_the_plan_says_why() {
    for (options, why) in [
        ("network_mode = 'container:db'", "network mode container:db"),
        ("ipc = 'container:db'", "ipc container:db"),
        ("pid = 'container:db'", "pid container:db"),
        ("volumes_from = 'db'", "the writable volumes of db"),
        ("devices = '/dev/null'", "a device"),
        ("gpus = 1", "a device"),
    ] {
        let stage = host();
        let states = |version: u32| {
            pair(1, "").replace("web.container.running", "cache.container.running")
                + &format!("[api.service.deployed]\nimage = '@{version}'\n{options}\n")
        };
        with(&stage, &states(1)).settle().await;
        let plan = with(&stage, &states(2)).settle().await;
        let said: Vec<String> =
            plan.changes.iter().flat_map(|change| &change.cause).map(ToString::to_string).collect();
        assert!(said.contains(&format!("the old one stops first: {why}")), "{options}: {said:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stopped_container_with_a_hardware_address_is_made_anew() {
    let stage = host();
    let mac = "networks = { back = { mac_address = '02:42:ac:11:00:02' } }";
    let state = with(&stage, &format!("[web.container.running]\nimage = '@1'\nmonitor = 1\n{mac}\n"));
    state.settle().await;
    stage.fake.stop_container("web");
    let plan = text(&state.settle().await);
    assert!(plan.contains("create web.g2 (replace web): it is exited (0)"), "{plan}");
}

#[tokio::test(start_paused = true)]
async fn what_the_kernel_lacks_is_in_no_update() {
    let stage = host();
    let state = |memory: &str, weight: u32| {
        let options = format!("memory = '{memory}'\nblkio_weight = {weight}\ncpu_rt_runtime = 95000");
        with(&stage, &format!("[web.container.running]\nimage = '@1'\nmonitor = 1\n{options}\n"))
    };
    state("64m", 300).settle().await;
    // The Engine in memory takes all of it.
    let plan = text(&state("64m", 400).settle().await);
    assert!(plan.contains("BlkioWeight=400") && plan.contains("CpuRealtimeRuntime=95000"), "{plan}");
    stage.fake.discard("web", &["BlkioWeight", "CpuRealtimeRuntime"]);
    let plan = text(&state("32m", 500).settle().await);
    assert!(plan.contains("Memory=") && !plan.contains("Blkio") && !plan.contains("Realtime"), "{plan}");
}

#[tokio::test(start_paused = true)]
async fn an_option_that_the_engine_does_not_know_is_an_error_that_names_both_versions() {
    let stage = host();
    stage.fake.add_network("front");
    let networks = "networks = { back = {}, front = { mac_address = '02:42:ac:11:00:02' } }";
    let options = "annotations = { a = 'b' }\nhealth = { test = 'true', start_interval = '1s' }";
    let state = with(&stage, &format!("[web.container.running]\nimage = '@1'\n{networks}\n{options}\n"));
    let problems = state.plan().await.expect_err("too old");
    let shown: String = problems.iter().map(crate::compile::tests::printed).collect();
    insta::assert_snapshot!(shown);
    stage.fake.set_facts(|facts| facts.api_version = "1.56".to_owned());
    state.settle().await;
}

#[tokio::test(start_paused = true)]
async fn an_image_is_pulled_for_the_platform_that_is_declared() {
    let stage = host();
    let intel = Behaviour { platform: Some("linux/amd64".to_owned()), ..Behaviour::fine() };
    stage.fake.publish("r.example.com/nginx:8", "intel", intel);
    let state = |options: &str| {
        with(&stage, &format!("[web.container.running]\nimage = '@8'\nmonitor = 1\n{options}\n"))
    };
    let plan = text(&state("").settle().await);
    assert!(plan.contains("pull r.example.com") && !plan.contains(" for linux"), "{plan}");
    let plan = text(&state("platform = 'linux/amd64'").settle().await);
    assert!(!plan.contains("pull r.example.com/nginx@") || !plan.contains(" for linux"), "{plan}");
    let plan = text(&state("platform = 'aarch64'").settle().await);
    assert!(plan.contains(" for linux/arm64") && plan.contains("platform changed"), "{plan}");
    assert_eq!(stage.fake.body("web").expect("web")["Platform"], "linux/arm64");
}

#[tokio::test(start_paused = true)]
async fn an_image_for_another_processor_is_an_error_unless_that_is_meant() {
    let stage = host();
    let arm = Behaviour { platform: Some("linux/arm64".to_owned()), ..Behaviour::fine() };
    stage.fake.publish("r.example.com/nginx:9", "arm", arm);
    stage.fake.preload("r.example.com/nginx:9");
    let state = |options: &str| {
        with(&stage, &format!("[web.container.running]\nimage = '@9'\nmonitor = 1\n{options}\n"))
    };
    let problems = state("").plan().await.expect_err("another processor");
    let shown: String = problems.iter().map(crate::compile::tests::printed).collect();
    insta::assert_snapshot!(shown);
    state("platform = 'arm64'").settle().await;
    // What runs is left alone.
    stage.fake.set_facts(|facts| facts.arch = "s390x".to_owned());
    assert!(state("platform = 'arm64'").plan().await.expect("planned").steps.is_empty());
    // The other platform of the same image takes its place.
    let plan = state("platform = 'amd64'").plan().await.expect("planned");
    assert!(text(&plan).contains("for linux/amd64"), "{}", text(&plan));
}

/// Every option's first spelling, from the samples.
fn spellings() -> Vec<(String, String)> {
    let text = include_str!("../../../tests/data/options.toml");
    let text = text.replace("@db@", "db").replace("@network@", "back").replace("@volume@", "data");
    let text = text.replace("@port@", "8080").replace("@arch@", "amd64");
    let document: toml_edit::DocumentMut = text.parse().expect("TOML");
    let tables = document["option"].as_array_of_tables().expect("options").iter();
    let of = |table: &toml_edit::Table| {
        let first = table["spellings"].as_array().and_then(|items| items.get(0)?.as_str()).expect("text");
        let with = table.get("with").and_then(|item| item.as_str()).unwrap_or_default();
        (first.to_owned(), with.to_owned())
    };
    tables.map(of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// Whichever options are declared together: what was made of them is as wanted.
    #[test]
    fn any_options_together_give_an_empty_second_plan(
        chosen in prop::sample::subsequence(spellings(), 1..12),
        service in any::<bool>(),
    ) {
        let mut lines: Vec<String> = Vec::new();
        for line in chosen.iter().flat_map(|(first, with)| [first, with]).filter(|line| !line.is_empty()) {
            let key = |line: &str| line.split(" = ").next().unwrap_or_default().to_owned();
            if !lines.iter().any(|other| key(other) == key(line)) {
                lines.push(line.clone());
            }
        }
        let function = if service { "service.deployed" } else { "container.running" };
        let state = |version: u32| format!(
            "[web.{function}]\nimage = 'r.example.com/nginx:1'\n{}\n[db.container.running]\nimage = 'r.example.com/nginx:{version}'\n",
            lines.join("\n")
        );
        // Options that exclude each other are refused, which other tests see to.
        let Ok(desired) = compiled(&[("states/a.toml", &state(1))], "") else { return Ok(()) };
        runtime().block_on(async {
            let stage = host();
            stage.fake.set_facts(|facts| facts.api_version = "1.56".to_owned());
            Stage { items: desired.items, ..stage.clone() }.settle().await;
            // Also where the other one is replaced.
            let desired = compiled(&[("states/a.toml", &state(2))], "").expect("it compiles");
            Stage { items: desired.items, ..stage }.settle().await;
        });
    }
}
