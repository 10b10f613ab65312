//! What an apply leaves when it is cut off after any of its calls, and what the next one makes of it.

use crate::desired::DesiredContainer;
use crate::engine::Engine as _;
use crate::execute::tests::stage::{Stage, readable, running};
use crate::plan::{Action, text};
use crate::testing::fake::{Behaviour, Fault};
use std::fmt::Write as _;

fn version(n: u32) -> DesiredContainer {
    running("nginx", &format!("r.example.com/nginx:{n}"))
}

async fn on_one() -> Stage {
    let stage = Stage::new();
    for n in 1..=3 {
        stage.publish(n);
    }
    let stage = stage.with(vec![version(1)]);
    stage.settle().await;
    stage
}

/// What is done, without pulls and tags: `stop nginx, start nginx.g2`.
async fn then(stage: &Stage) -> String {
    let plan = stage.plan().await.expect("planned");
    let steps = plan.steps.iter().map(|step| &step.action);
    let steps = steps
        .filter(|action| !matches!(action, Action::Pull { .. } | Action::Tag { .. } | Action::Untag { .. }));
    let steps: Vec<String> = steps.map(ToString::to_string).collect();
    if steps.is_empty() { "nothing".to_owned() } else { steps.join(", ") }
}

/// Each point at which the replacement of version 1 by version 2 is cut off, what is there then, and
/// what is planned for the same declaration, for the old one and for a third.
#[tokio::test(start_paused = true)]
async fn wherever_a_replacement_is_cut_off_the_next_plan_knows_how_to_go_on() {
    let mut table = String::new();
    for call in 1.. {
        let stage = on_one().await.with(vec![version(2)]);
        stage.fake.forget_calls();
        stage.fake.fail(call, Fault::HangUpAfter);
        let failed = stage.apply().await.outcome.failure.is_some();
        let last = stage.fake.changes().last().cloned().unwrap_or_default();
        stage.fake.heal();
        if !failed {
            break;
        }
        let _ = writeln!(table, "after {}: {}", readable(&last), stage.statuses().join(", "));
        for (what, want) in [("same", version(2)), ("back", version(1)), ("other", version(3))] {
            let _ = writeln!(table, "  {what}: {}", then(&stage.with(vec![want])).await);
        }
        // And it does what it says.
        for n in [2, 1, 3] {
            let next = stage.with(vec![version(n)]);
            next.settle().await;
            assert_eq!(next.statuses(), ["nginx running"]);
            assert_eq!(next.image("nginx"), format!("r.example.com/nginx:{n}"));
        }
    }
    insta::assert_snapshot!(table, @r#"
    after pull r.example.com/nginx@sha256:f903: nginx running
      same: create nginx.g2, stop nginx, update nginx, start nginx.g2, await nginx.g2, update nginx.g2, rename nginx to nginx.g1, rename nginx.g2 to nginx, remove nginx.g1
      back: nothing
      other: create nginx.g2, stop nginx, update nginx, start nginx.g2, await nginx.g2, update nginx.g2, rename nginx to nginx.g1, rename nginx.g2 to nginx, remove nginx.g1
    after tag pillarbox.invalid/shop/nginx:g2-2: nginx running
      same: create nginx.g2, stop nginx, update nginx, start nginx.g2, await nginx.g2, update nginx.g2, rename nginx to nginx.g1, rename nginx.g2 to nginx, remove nginx.g1
      back: remove image r.example.com/nginx@sha256:f903d8a6eb695b983575fe4addc104061ad9b274c3188811da4e01c1f00825a2
      other: create nginx.g3, stop nginx, update nginx, start nginx.g3, await nginx.g3, update nginx.g3, rename nginx to nginx.g1, rename nginx.g3 to nginx, remove nginx.g1, remove image r.example.com/nginx@sha256:f903d8a6eb695b983575fe4addc104061ad9b274c3188811da4e01c1f00825a2
    after create nginx.g2: nginx running, nginx.g2 created
      same: create nginx.g3, stop nginx, update nginx, start nginx.g3, await nginx.g3, update nginx.g3, rename nginx to nginx.g1, rename nginx.g3 to nginx, remove nginx.g1, remove nginx.g2
      back: remove nginx.g2
      other: create nginx.g3, stop nginx, update nginx, start nginx.g3, await nginx.g3, update nginx.g3, rename nginx to nginx.g1, rename nginx.g3 to nginx, remove nginx.g1, remove nginx.g2
    after stop nginx: nginx exited, nginx.g2 created
      same: create nginx.g3, start nginx.g3, await nginx.g3, update nginx.g3, rename nginx to nginx.g1, rename nginx.g3 to nginx, remove nginx.g1, remove nginx.g2
      back: start nginx, await nginx, remove nginx.g2
      other: create nginx.g3, start nginx.g3, await nginx.g3, update nginx.g3, rename nginx to nginx.g1, rename nginx.g3 to nginx, remove nginx.g1, remove nginx.g2
    after update nginx: nginx exited, nginx.g2 created
      same: create nginx.g3, start nginx.g3, await nginx.g3, update nginx.g3, rename nginx to nginx.g1, rename nginx.g3 to nginx, remove nginx.g1, remove nginx.g2
      back: start nginx, await nginx, update nginx, remove nginx.g2
      other: create nginx.g3, start nginx.g3, await nginx.g3, update nginx.g3, rename nginx to nginx.g1, rename nginx.g3 to nginx, remove nginx.g1, remove nginx.g2
    after start nginx.g2: nginx exited, nginx.g2 running
      same: await nginx.g2, update nginx.g2, rename nginx to nginx.g1, rename nginx.g2 to nginx, remove nginx.g1
      back: stop nginx.g2, start nginx, await nginx, update nginx, remove nginx.g2
      other: create nginx.g3, stop nginx.g2, start nginx.g3, await nginx.g3, update nginx.g3, rename nginx to nginx.g1, rename nginx.g3 to nginx, remove nginx.g1, remove nginx.g2
    after update nginx.g2: nginx exited, nginx.g2 running
      same: await nginx.g2, rename nginx to nginx.g1, rename nginx.g2 to nginx, remove nginx.g1
      back: stop nginx.g2, update nginx.g2, start nginx, await nginx, update nginx, remove nginx.g2
      other: create nginx.g3, stop nginx.g2, update nginx.g2, start nginx.g3, await nginx.g3, update nginx.g3, rename nginx to nginx.g1, rename nginx.g3 to nginx, remove nginx.g1, remove nginx.g2
    after rename nginx nginx.g1: nginx.g1 exited, nginx.g2 running
      same: await nginx.g2, rename nginx.g2 to nginx, remove nginx.g1
      back: create nginx.g3, stop nginx.g2, update nginx.g2, start nginx.g3, await nginx.g3, update nginx.g3, rename nginx.g3 to nginx, remove nginx.g1, remove nginx.g2
      other: create nginx.g3, stop nginx.g2, update nginx.g2, start nginx.g3, await nginx.g3, update nginx.g3, rename nginx.g3 to nginx, remove nginx.g1, remove nginx.g2
    after rename nginx.g2 nginx: nginx running, nginx.g1 exited
      same: remove nginx.g1
      back: create nginx.g3, stop nginx, update nginx, start nginx.g3, await nginx.g3, update nginx.g3, rename nginx to nginx.g2, rename nginx.g3 to nginx, remove nginx.g2, remove nginx.g1
      other: create nginx.g3, stop nginx, update nginx, start nginx.g3, await nginx.g3, update nginx.g3, rename nginx to nginx.g2, rename nginx.g3 to nginx, remove nginx.g2, remove nginx.g1
    after untag pillarbox.invalid/shop/nginx:g1-1: nginx running, nginx.g1 exited
      same: remove nginx.g1
      back: create nginx.g3, stop nginx, update nginx, start nginx.g3, await nginx.g3, update nginx.g3, rename nginx to nginx.g2, rename nginx.g3 to nginx, remove nginx.g2, remove nginx.g1
      other: create nginx.g3, stop nginx, update nginx, start nginx.g3, await nginx.g3, update nginx.g3, rename nginx to nginx.g2, rename nginx.g3 to nginx, remove nginx.g2, remove nginx.g1
    after remove nginx.g1: nginx running
      same: nothing
      back: create nginx.g3, stop nginx, update nginx, start nginx.g3, await nginx.g3, update nginx.g3, rename nginx to nginx.g2, rename nginx.g3 to nginx, remove nginx.g2
      other: create nginx.g3, stop nginx, update nginx, start nginx.g3, await nginx.g3, update nginx.g3, rename nginx to nginx.g2, rename nginx.g3 to nginx, remove nginx.g2
    "#);
}

#[tokio::test(start_paused = true)]
async fn wherever_a_first_creation_is_cut_off_the_next_apply_ends_it() {
    let mut table = String::new();
    for call in 1.. {
        let stage = Stage::new().with(vec![version(1)]);
        stage.publish(1);
        stage.fake.fail(call, Fault::HangUpAfter);
        let failed = stage.apply().await.outcome.failure.is_some();
        let last = stage.fake.changes().last().cloned().unwrap_or_default();
        stage.fake.heal();
        if !failed {
            break;
        }
        let _ = writeln!(
            table,
            "after {}: {}: {}",
            readable(&last),
            stage.statuses().join(", "),
            then(&stage).await
        );
        stage.settle().await;
        assert_eq!(stage.statuses(), ["nginx running"]);
    }
    insta::assert_snapshot!(table, @r#"
    after pull r.example.com/nginx@sha256:bb82: : create nginx, start nginx, await nginx, update nginx
    after tag pillarbox.invalid/shop/nginx:g1-1: : create nginx, start nginx, await nginx, update nginx
    after create nginx: nginx created: start nginx, await nginx, update nginx
    after start nginx: nginx running: update nginx
    after update nginx: nginx running: nothing
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_failed_attempt_stays_for_its_log_and_goes_with_the_next_success() {
    let stage = on_one().await;
    stage.fake.publish("r.example.com/nginx:4", "broken", Behaviour::ends(1, 3));
    let broken = stage.with(vec![version(4)]);
    for left in [
        vec!["nginx running", "nginx.g2 exited"],
        vec!["nginx running", "nginx.g2 exited", "nginx.g3 exited"],
    ] {
        assert!(broken.apply().await.outcome.failure.is_some());
        assert_eq!(stage.statuses(), left);
    }
    // Two are kept at most.
    assert!(broken.apply().await.outcome.failure.is_some());
    assert_eq!(stage.statuses(), ["nginx running", "nginx.g3 exited", "nginx.g4 exited"]);
    stage.settle().await;
    assert_eq!(stage.statuses(), ["nginx running"]);
}

#[tokio::test(start_paused = true)]
async fn what_the_engine_left_down_after_a_cut_is_brought_back_where_the_new_one_fails() {
    let stage = on_one().await;
    stage.fake.publish("r.example.com/nginx:4", "broken", Behaviour::ends(1, 3));
    let broken = stage.with(vec![version(4)]);
    stage.fake.forget_calls();
    stage.fake.fail_calls(
        "start nginx.g2",
        crate::engine::EngineError::new(crate::engine::ErrorKind::Other, 500, "x"),
    );
    stage.fake.fail(5, Fault::HangUpAfter);
    assert!(broken.apply().await.outcome.failure.is_some());
    stage.fake.heal();
    assert_eq!(stage.running("nginx"), 0, "{:?}", stage.fake.changes());
    assert!(broken.apply().await.outcome.failure.is_some());
    assert_eq!(stage.fake.statuses()["nginx"], "running");
    assert_eq!(stage.image("nginx"), "r.example.com/nginx:1");
    let policy = stage.fake.container("nginx").await.expect("read").expect("there");
    let name = policy.inspect.compare("/HostConfig/RestartPolicy/Name").cloned();
    assert_eq!(name, Some("unless-stopped".into()));
}

#[tokio::test(start_paused = true)]
async fn networks_that_were_pruned_while_the_old_one_was_down_are_joined_again() {
    let stage = Stage::new();
    stage.publish(1);
    stage.fake.add_network("back");
    let mut want = version(1);
    want.spec.live.insert("networks".to_owned(), serde_json::json!({ "back": {} }));
    let stage = stage.with(vec![want]);
    stage.settle().await;
    stage.fake.stop_container("nginx");
    let plan = stage.plan().await.expect("planned");
    assert!(text(&plan).contains("disconnect nginx from back"), "{}", text(&plan));
    stage.settle().await;
}
