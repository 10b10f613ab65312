//! One call fails: the old container runs afterwards, and the error says what happened.

use super::stage::{Applied, Stage, absent, running};
use crate::engine::{EngineError, ErrorKind};
use crate::event::EventKind;
use crate::execute::GroupEnd;
use crate::problem::Code;
use crate::testing::fake::{Behaviour, Fault};
use std::fmt::Write as _;
use std::time::Duration;

const TWO: &str = "r.example.com/nginx:2";

async fn on_one() -> Stage {
    let stage = Stage::new();
    stage.publish(1);
    stage.publish(2);
    let stage = stage.with(vec![running("nginx", "r.example.com/nginx:1")]);
    stage.settle().await;
    stage.fake.forget_calls();
    stage
}

fn refusal() -> EngineError {
    EngineError::new(ErrorKind::Other, 500, "the disk is full")
}

fn failure(applied: &Applied) -> String {
    let mut out = String::new();
    for problem in applied.outcome.failure.as_ref().expect("a failure").iter() {
        let _ = writeln!(out, "{}: {}", problem.code.word(), problem.what);
        for cause in &problem.causes {
            let _ = writeln!(out, "  {cause}");
        }
    }
    out
}

/// Each call of a replacement, refused: what runs then, the code, and the calls that followed.
#[tokio::test(start_paused = true)]
async fn whichever_call_of_a_replacement_is_refused_a_container_runs() {
    let mut table = String::new();
    for call in 1.. {
        let stage = on_one().await.with(vec![running("nginx", TWO)]);
        stage.fake.fail(call, Fault::Refused(refusal()));
        let applied = stage.apply().await;
        let calls = stage.fake.changes();
        let Some(failure) = &applied.outcome.failure else {
            assert!(call > calls.len() || calls[call - 1].starts_with("untag"), "{}", calls[call - 1]);
            break;
        };
        assert_eq!(stage.running("nginx"), 1, "{calls:?}");
        let _ = writeln!(
            table,
            "{} refused: {}; then {}; {}",
            super::stage::readable(&calls[call - 1]),
            failure.code().word(),
            super::stage::readable(&calls[call..].join(", ")),
            stage.statuses().join(", ")
        );
        stage.settle().await;
    }
    insta::assert_snapshot!(table, @r#"
    pull r.example.com/nginx@sha256:f903 refused: failed; then ; nginx running
    tag pillarbox.invalid/shop/nginx:g2-2 refused: partial; then untag pillarbox.invalid/shop/nginx:g2-2; nginx running
    create nginx.g2 refused: partial; then untag pillarbox.invalid/shop/nginx:g2-2; nginx running
    stop nginx refused: partial; then start nginx, discard nginx.g2, untag pillarbox.invalid/shop/nginx:g2-2; nginx running
    update nginx refused: partial; then update nginx, start nginx, discard nginx.g2, untag pillarbox.invalid/shop/nginx:g2-2; nginx running
    start nginx.g2 refused: partial; then stop nginx.g2, update nginx, start nginx; nginx running, nginx.g2 created
    update nginx.g2 refused: partial; then update nginx.g2, stop nginx.g2, update nginx, start nginx; nginx running, nginx.g2 exited
    rename nginx nginx.g1 refused: partial; then update nginx.g2, stop nginx.g2, update nginx, start nginx, rename nginx nginx; nginx running, nginx.g2 exited
    rename nginx.g2 nginx refused: partial; then update nginx.g2, stop nginx.g2, update nginx.g1, start nginx.g1, rename nginx.g2 nginx.g2, rename nginx.g1 nginx; nginx running, nginx.g2 exited
    untag pillarbox.invalid/shop/nginx:g1-1 refused: partial; then ; nginx running, nginx.g1 exited
    remove nginx.g1 refused: partial; then ; nginx running, nginx.g1 exited
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_new_container_that_ends_is_kept_its_log_shown_and_the_old_one_runs_again() {
    let stage = on_one().await;
    let log = vec!["config missing".to_owned(), "\u{1b}[31mbye".to_owned()];
    stage.fake.publish("r.example.com/nginx:3", "ends", Behaviour { log, ..Behaviour::ends(2, 3) });
    let applied = stage.with(vec![running("nginx", "r.example.com/nginx:3")]).apply().await;
    insta::assert_snapshot!(failure(&applied), @r#"
    partial: apply failed
      web1: replace nginx: failed, rolled back
    failed: container nginx.g2 on host web1 did not come up
      it ended with exit code 3
    "#);
    assert_eq!(applied.outcome.failure.as_ref().expect("failed").code(), Code::Partial);
    assert_eq!(applied.outcome.hosts[0].groups, [("replace nginx".to_owned(), GroupEnd::RolledBack)]);
    let log = applied.events.iter().find_map(|event| match &event.kind {
        EventKind::ContainerLog { container, lines } => Some((container.clone(), lines.clone())),
        _ => None,
    });
    let lines = vec!["config missing".to_owned(), "\\u{1b}[31mbye".to_owned()];
    assert_eq!(log, Some(("nginx.g2".to_owned(), lines)));
    assert_eq!(stage.statuses(), ["nginx running", "nginx.g2 exited"]);
    let policy = &stage.fake.body("nginx").expect("there")["HostConfig"]["RestartPolicy"]["Name"];
    assert_eq!(policy, "always");
}

#[tokio::test(start_paused = true)]
async fn an_unhealthy_container_counts_as_failed_at_once_and_a_slow_one_after_its_timeout() {
    let stage = on_one().await;
    stage.fake.publish("r.example.com/nginx:3", "sick", Behaviour::unhealthy());
    let slow = Behaviour { has_health_check: true, healthy_after: Some(60), ..Behaviour::fine() };
    stage.fake.publish("r.example.com/nginx:4", "slow", slow);
    for (n, why, least) in [(3, "its health check fails", 3), (4, "it is not healthy after 30 seconds", 30)] {
        let began = tokio::time::Instant::now();
        let applied = stage.with(vec![running("nginx", &format!("r.example.com/nginx:{n}"))]).apply().await;
        assert!(failure(&applied).contains(why), "{}", failure(&applied));
        let took = began.elapsed().as_secs();
        assert!((least..=least + 2).contains(&took), "{took}");
        assert_eq!(stage.fake.statuses()["nginx"], "running");
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_container_that_fails_is_kept_and_down() {
    let stage = Stage::new();
    stage.fake.publish("r.example.com/nginx:1", "ends", Behaviour::ends(0, 7));
    let stage = stage.with(vec![running("nginx", "r.example.com/nginx:1")]);
    let applied = stage.apply().await;
    assert!(failure(&applied).contains("it ended with exit code 7"), "{}", failure(&applied));
    assert_eq!(stage.statuses(), ["nginx exited"]);
    // Its next version replaces it, and nothing of it is brought back if that fails too.
    stage.publish(2);
    let next = stage.with(vec![running("nginx", TWO)]);
    next.settle().await;
    assert_eq!(next.statuses(), ["nginx running"]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_pull_changes_nothing_and_keeps_its_own_code() {
    use crate::name::RegistryHost;
    let stage = on_one().await;
    let registry = RegistryHost::parse("r.example.com").expect("a host");
    stage.fake.guard(&registry, Some(&crate::registry::AuthHeader::basic(&registry, "u", "p")));
    let digest = stage.fake.publish(TWO, "nginx 2", Behaviour::fine());
    let pinned = format!("{TWO}@{digest}");
    let applied = stage.with(vec![running("nginx", &pinned)]).apply().await;
    assert_eq!(applied.outcome.failure.as_ref().expect("failed").code(), Code::Refused);
    assert!(!applied.outcome.changed());
    assert_eq!(stage.statuses(), ["nginx running"]);
    assert!(!stage.fake.changes().iter().any(|call| !call.starts_with("pull")), "{:?}", stage.fake.changes());
}

#[tokio::test(start_paused = true)]
async fn what_moved_since_the_plan_was_made_stops_it_as_stale() {
    type Meddle = fn(&Stage);
    let meddling: [(&str, Meddle); 3] = [
        ("is gone", |stage| stage.fake.kill_container("nginx")),
        ("container name nginx.g2 was taken since the plan was made", |stage| {
            let image = stage.fake.body("nginx").expect("there")["Image"].clone();
            stage.fake.add_container("nginx.g2", serde_json::json!({ "Image": image }), false);
        }),
        ("was renamed to other", |_| {}),
    ];
    for (why, meddle) in meddling {
        let stage = on_one().await.with(vec![running("nginx", TWO)]);
        let plan = stage.plan().await.expect("planned");
        meddle(&stage);
        if why.contains("renamed") {
            crate::engine::Engine::rename(&stage.fake, "nginx", "other").await.expect("renamed");
        }
        let calm = crate::execute::Interrupt::new();
        let applied = stage.carry_out(plan, &super::stage::Open, &calm, |_| false).await;
        assert!(failure(&applied).contains(why), "{why}: {}", failure(&applied));
        assert!(failure(&applied).contains("stale: "), "{}", failure(&applied));
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_to_be_removed_and_is_gone_is_done() {
    let stage = on_one().await;
    stage.fake.stop_container("nginx");
    let stage = Stage { items: vec![absent("nginx")], ..stage };
    let plan = stage.plan().await.expect("planned");
    // As by the last call of an apply that was killed, which the Engine does only now.
    stage.fake.kill_container("nginx");
    let calm = crate::execute::Interrupt::new();
    let applied = stage.carry_out(plan, &super::stage::Open, &calm, |_| false).await;
    assert!(applied.outcome.failure.is_none(), "{}", failure(&applied));
    assert!(stage.statuses().is_empty());
}

/// An apply that was killed while it waited for a stop: the Engine ends the stop after the next one has looked.
#[tokio::test(start_paused = true)]
async fn what_was_to_be_stopped_and_has_stopped_is_done() {
    let stage = on_one().await.with(vec![running("nginx", TWO)]);
    let plan = stage.plan().await.expect("planned");
    stage.fake.stop_container("nginx");
    let calm = crate::execute::Interrupt::new();
    let applied = stage.carry_out(plan, &super::stage::Open, &calm, |_| false).await;
    assert!(applied.outcome.failure.is_none(), "{}", failure(&applied));
    assert_eq!(stage.statuses(), ["nginx running"]);
    let stopped = Stage { items: vec![absent("nginx")], ..stage };
    let plan = stopped.plan().await.expect("planned");
    stopped.fake.stop_container("nginx");
    let applied = stopped.carry_out(plan, &super::stage::Open, &calm, |_| false).await;
    assert!(applied.outcome.failure.is_none(), "{}", failure(&applied));
}

#[tokio::test(start_paused = true)]
async fn a_discarded_value_is_a_failed_step() {
    // The Engine in memory has no warnings; an update below the least memory is refused alike.
    let stage = on_one().await;
    let mut want = running("nginx", "r.example.com/nginx:1");
    want.spec.live.insert("memory".to_owned(), serde_json::json!(1 << 20));
    let applied = stage.with(vec![want]).apply().await;
    assert!(failure(&applied).contains("Minimum memory limit"), "{}", failure(&applied));
    assert_eq!(stage.statuses(), ["nginx running"]);
}

#[tokio::test(start_paused = true)]
async fn groups_that_were_begun_are_finished_and_others_are_skipped() {
    let stage = Stage::new();
    stage.publish(1);
    stage.fake.publish("r.example.com/bad:1", "bad", Behaviour::ends(1, 1));
    let free = |name: &str, image: &str| {
        let mut want = running(name, image);
        want.spec.fixed.clear();
        want
    };
    let mut stage = stage.with(vec![
        free("bad", "r.example.com/bad:1"),
        free("good", "r.example.com/nginx:1"),
        free("later", "r.example.com/nginx:1"),
    ]);
    stage.items[2].needs = vec![stage.items[0].address.clone()];
    let applied = stage.apply().await;
    let ends = &applied.outcome.hosts[0].groups;
    assert_eq!(
        ends,
        &[
            ("create bad".to_owned(), GroupEnd::RolledBack),
            ("create good".to_owned(), GroupEnd::Done),
            ("create later".to_owned(), GroupEnd::Skipped),
        ]
    );
    assert_eq!(stage.statuses(), ["bad exited", "good running"]);
}

/// Each call of a replacement, reads too, is the one at which the Engine is restarted, which takes ten seconds.
#[tokio::test(start_paused = true)]
async fn reads_are_repeated_while_the_engine_is_restarted_and_what_it_cut_off_is_rolled_back() {
    let (mut whole, mut back) = (0, 0);
    for call in 0.. {
        let stage = on_one().await.with(vec![running("nginx", TWO)]);
        let plan = stage.plan().await.expect("planned");
        stage.fake.forget_calls();
        stage.fake.restart_after(call, Duration::from_secs(10));
        let calm = crate::execute::Interrupt::new();
        let applied = stage.carry_out(plan, &super::stage::Open, &calm, |_| false).await;
        let calls = stage.fake.calls();
        let Some(cut) = calls.get(call) else { break };
        let changes = stage.fake.changes().len();
        assert_eq!(stage.running("nginx"), 1, "{cut}: {:?}", stage.statuses());
        match applied.outcome.failure {
            None => whole += 1,
            Some(ref problems) => {
                back += 1;
                assert!(!cut.starts_with("inspect ") && changes > 0, "{cut}: {problems}");
            }
        }
        stage.fake.heal();
        stage.settle().await;
    }
    assert!(whole >= 8 && back >= 8, "{whole} went on, {back} were rolled back");
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_stays_away_is_waited_for_half_a_minute_and_as_long_for_the_rollback() {
    let stage = on_one().await.with(vec![running("nginx", TWO)]);
    let plan = stage.plan().await.expect("planned");
    let began = tokio::time::Instant::now();
    let calm = crate::execute::Interrupt::new();
    let seen = std::cell::Cell::new(0);
    let applied = stage.carry_out(plan, &super::stage::Open, &calm, |kind| {
        if matches!(kind, EventKind::EngineAway) {
            seen.set(seen.get() + 1);
        }
        // Before the next step looks at the container that it is about to stop.
        if matches!(kind, EventKind::StepDone { step: 3, .. }) {
            stage.fake.hang_up();
        }
        false
    });
    let applied = applied.await;
    assert!(applied.outcome.failure.is_some());
    let took = began.elapsed().as_secs();
    assert!((60..=65).contains(&took), "{took} s");
    assert_eq!(seen.get(), 2);
}

fn slow(seconds: u32, probes: Vec<serde_json::Value>) -> Behaviour {
    Behaviour { has_health_check: true, healthy_after: Some(seconds), probes, ..Behaviour::fine() }
}

/// With Docker's defaults a check says no after two minutes at the earliest.
#[tokio::test(start_paused = true)]
async fn without_a_start_timeout_a_container_has_the_time_that_its_health_check_needs() {
    let stage = on_one().await;
    let undeclared = |image: &str, check: serde_json::Value| {
        let mut want = running("nginx", image);
        want.start_timeout = None;
        if !check.is_null() {
            want.spec.fixed.insert("healthcheck".to_owned(), check);
        }
        want
    };
    // The image is not on the host when the plan is made: only its container tells.
    stage.fake.publish("r.example.com/nginx:3", "slow", slow(100, Vec::new()));
    let stage = stage.with(vec![undeclared("r.example.com/nginx:3", serde_json::Value::Null)]);
    stage.settle().await;
    stage.fake.publish("r.example.com/nginx:4", "slower", slow(700, Vec::new()));
    let check = serde_json::json!({ "test": ["CMD", "true"], "interval": 120_000_000_000_u64 });
    let stage = stage.with(vec![undeclared("r.example.com/nginx:4", check)]);
    let notes = stage.plan().await.expect("planned").notes.join("\n");
    assert_eq!(notes, "container nginx: it may take up to 10 min to become healthy (start_timeout)");
    let applied = stage.apply().await;
    assert!(failure(&applied).contains("it is not healthy after 600 seconds"), "{}", failure(&applied));
    let hint = "if it needs longer, write start_timeout = \"1200s\" in its declaration (pillar/apps.toml:12)";
    let failed = applied.outcome.failure.as_ref().expect("failed");
    assert!(failed.iter().any(|problem| problem.hints.iter().any(|said| said == hint)), "{failed:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_the_health_check_printed_is_shown_without_secrets_and_bounded() {
    let stage = on_one().await;
    let probe =
        |code: i64, output: &str| serde_json::json!({ "End": "", "ExitCode": code, "Output": output });
    let long = format!("with {} and {}", super::stage::SECRET, "x".repeat(4000));
    let probes = vec![
        probe(1, "the oldest"),
        probe(0, "fine"),
        probe(1, &long),
        probe(1, "wget: bad\u{1b}[31m\nserver said 503\n"),
        probe(-1, "Health check exceeded timeout (2s)"),
    ];
    stage.fake.publish("r.example.com/nginx:3", "sick", Behaviour { probes, ..Behaviour::unhealthy() });
    let mut want = running("nginx", "r.example.com/nginx:3");
    want.spec.env.insert("PASSWORD".to_owned(), super::stage::secret("pw"));
    let applied = stage.with(vec![want]).apply().await;
    let lines = applied.events.iter().find_map(|event| match &event.kind {
        EventKind::ProbeLog { container, lines } => Some(format!("{container}\n{}", lines.join("\n"))),
        _ => None,
    });
    let lines = lines.expect("the log of its check");
    insta::assert_snapshot!(lines.replace(&"x".repeat(369), "x…x"), @r"
    nginx.g2
    exit code 1: with [secret] and x…x…
    exit code 1: wget: bad\u{1b}[31m
      server said 503
    exit code -1: Health check exceeded timeout (2s)
    ");
}

/// Podman leaves health checks to systemd; where that does not run, nothing would ever become healthy.
#[tokio::test(start_paused = true)]
async fn where_the_engine_runs_no_health_checks_they_are_run_while_it_waits() {
    let stage = on_one().await;
    stage.fake.set_facts(|facts| facts.runs_health_checks = false);
    stage.fake.publish("r.example.com/nginx:3", "checked", slow(20, Vec::new()));
    let mut want = running("nginx", "r.example.com/nginx:3");
    want.start_timeout = None;
    let check = serde_json::json!({ "test": ["CMD", "true"], "interval": 5_000_000_000_u64 });
    want.spec.fixed.insert("healthcheck".to_owned(), check);
    let stage = stage.with(vec![want]);
    let plan = stage.plan().await.expect("planned");
    insta::assert_snapshot!(plan.notes.join("\n"), @"container nginx: Podman runs no health checks on this host, because it runs without systemd; pillarbox has them run while it waits, and after that nothing does");
    stage.fake.forget_calls();
    let calm = crate::execute::Interrupt::new();
    let applied = stage.carry_out(plan, &super::stage::Open, &calm, |_| false).await;
    assert!(applied.outcome.failure.is_none(), "{}", failure(&applied));
    let probes = stage.fake.calls().iter().filter(|call| call.starts_with("probe nginx.g2")).count();
    assert!((3..=5).contains(&probes), "{probes} probes in 20 seconds");
}
