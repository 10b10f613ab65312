//! Generations that are kept: how they come to be, how one comes back, and what is made of either where it
//! is cut off.

use super::start_first::{host, replica, service};
use crate::desired::{Address, DesiredState, Item, Kind, Order};
use crate::execute::tests::retain::back_to;
use crate::execute::tests::stage::{Stage, absent, item, readable};
use crate::plan::{Action, text, text_with_undo};
use crate::state::Text;
use crate::testing::fake::Fault;
use serde_json::json;
use std::fmt::Write as _;

fn retained(version: u32, retain: u32, order: Order) -> Vec<Item> {
    let mut items = service(version, 1);
    for item in &mut items {
        let DesiredState::Container(want) = &mut item.want else { continue };
        let Some(replica) = &mut want.replica else { continue };
        (replica.retain, replica.order, replica.drain) = (retain, order, 0);
    }
    items
}

/// Three versions were deployed one after the other.
async fn deployed(order: Order) -> Stage {
    let stage = host();
    for version in 1..=3 {
        Stage { items: retained(version, 2, order), ..stage.clone() }.settle().await;
    }
    stage.fake.forget_calls();
    Stage { items: retained(3, 2, order), ..stage }
}

/// What is done, without pulls and tags.
async fn then(stage: &Stage) -> String {
    let plan = stage.plan().await.expect("planned");
    let steps = plan.steps.iter().map(|step| &step.action);
    let steps = steps
        .filter(|action| !matches!(action, Action::Pull { .. } | Action::Tag { .. } | Action::Untag { .. }));
    let steps: Vec<String> = steps.map(ToString::to_string).collect();
    if steps.is_empty() { "nothing".to_owned() } else { steps.join(", ") }
}

#[tokio::test(start_paused = true)]
async fn the_old_one_is_kept_under_a_name_that_says_its_generation_and_the_oldest_goes() {
    let stage = deployed(Order::StopFirst).await;
    assert_eq!(stage.statuses(), ["api running", "api.g1.kept exited", "api.g2.kept exited"]);
    let plan = Stage { items: retained(1, 2, Order::StopFirst), ..stage }.plan().await.expect("planned");
    insta::assert_snapshot!(readable(&text_with_undo(&plan)), @r#"
    #1 [] tag pillarbox.invalid/shop/api:g4-1 (replace api): version 3 → 1, pillar/apps.toml:12
         undo: untag pillarbox.invalid/shop/api:g4-1
    #2 [1] create api.g4 (replace api): version 3 → 1, pillar/apps.toml:12
         undo: untag pillarbox.invalid/shop/api:g4-1
    #3 [2] stop api (replace api): version 3 → 1, pillar/apps.toml:12
         undo: start api; remove api.g4; untag pillarbox.invalid/shop/api:g4-1
    #4 [3] update api RestartPolicy=unless-stopped (replace api): version 3 → 1, pillar/apps.toml:12
         undo: update api RestartPolicy=always; start api; remove api.g4; untag pillarbox.invalid/shop/api:g4-1
    #5 [4] start api.g4 (replace api): version 3 → 1, pillar/apps.toml:12
         undo: stop api.g4; update api RestartPolicy=always; start api
    #6 [5] await api.g4 (replace api): version 3 → 1, pillar/apps.toml:12
         undo: stop api.g4; update api RestartPolicy=always; start api
    #7 [6] update api.g4 RestartPolicy=always (replace api): version 3 → 1, pillar/apps.toml:12
         undo: update api.g4 RestartPolicy=no; stop api.g4; update api RestartPolicy=always; start api
    #8 [7] rename api to api.g3.kept (replace api): version 3 → 1, pillar/apps.toml:12
         undo: update api.g4 RestartPolicy=no; stop api.g4; update api RestartPolicy=always; start api; rename api.g3.kept to api
    #9 [8] rename api.g4 to api (replace api): version 3 → 1, pillar/apps.toml:12
         undo: update api.g4 RestartPolicy=no; stop api.g4; update api RestartPolicy=always; start api; rename api to api.g4; rename api.g3.kept to api
    #10 [9] untag pillarbox.invalid/shop/api:g1-1 (replace api): version 3 → 1, pillar/apps.toml:12
    #11 [10] remove api.g1.kept (replace api): version 3 → 1, pillar/apps.toml:12
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_kept_container_comes_back_start_first_and_the_newer_one_is_kept() {
    let stage = deployed(Order::StartFirst).await;
    let plan = back_to(&stage, 1).await.plan().await.expect("planned");
    insta::assert_snapshot!(readable(&text_with_undo(&plan)), @r#"
    #1 [] rename api.g2.kept to api.g2.back (replace api): back to generation 2: its container is started again
         undo: stop api.g2.back; rename api.g2.back to api.g2.kept
    #2 [1] disconnect api.g2.back from back (replace api): back to generation 2: its container is started again
         undo: stop api.g2.back; rename api.g2.back to api.g2.kept
    #3 [2] connect api.g2.back to back (replace api): back to generation 2: its container is started again
         undo: stop api.g2.back; rename api.g2.back to api.g2.kept
    #4 [3] start api.g2.back (replace api): back to generation 2: its container is started again
         undo: stop api.g2.back; rename api.g2.back to api.g2.kept
    #5 [4] await api.g2.back (replace api): back to generation 2: its container is started again
         undo: stop api.g2.back; rename api.g2.back to api.g2.kept
    #6 [5] disconnect api.g2.back from back (replace api): back to generation 2: its container is started again
         undo: stop api.g2.back; rename api.g2.back to api.g2.kept
    #7 [6] connect api.g2.back to back (replace api): back to generation 2: its container is started again
         undo: stop api.g2.back; rename api.g2.back to api.g2.kept
    #8 [7] await api.g2.back (replace api): back to generation 2: its container is started again
         undo: stop api.g2.back; rename api.g2.back to api.g2.kept
    #9 [8] update api.g2.back RestartPolicy=always (replace api): back to generation 2: its container is started again
         undo: update api.g2.back RestartPolicy=unless-stopped; stop api.g2.back; rename api.g2.back to api.g2.kept
    #10 [9] stop api (replace api): back to generation 2: its container is started again
    #11 [10] update api RestartPolicy=unless-stopped (replace api): back to generation 2: its container is started again
    #12 [11] rename api to api.g3.kept (replace api): back to generation 2: its container is started again
    #13 [12] rename api.g2.back to api (replace api): back to generation 2: its container is started again
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_kept_container_comes_back_stop_first_and_the_newer_one_is_kept() {
    let stage = deployed(Order::StopFirst).await;
    let plan = back_to(&stage, 0).await.plan().await.expect("planned");
    insta::assert_snapshot!(readable(&text_with_undo(&plan)), @r#"
    #1 [] rename api.g1.kept to api.g1.back (replace api): back to generation 1: its container is started again
         undo: rename api.g1.back to api.g1.kept
    #2 [1] disconnect api.g1.back from back (replace api): back to generation 1: its container is started again
         undo: rename api.g1.back to api.g1.kept
    #3 [2] connect api.g1.back to back (replace api): back to generation 1: its container is started again
         undo: rename api.g1.back to api.g1.kept
    #4 [3] stop api (replace api): back to generation 1: its container is started again
         undo: start api; rename api.g1.back to api.g1.kept
    #5 [4] update api RestartPolicy=unless-stopped (replace api): back to generation 1: its container is started again
         undo: update api RestartPolicy=always; start api; rename api.g1.back to api.g1.kept
    #6 [5] start api.g1.back (replace api): back to generation 1: its container is started again
         undo: stop api.g1.back; update api RestartPolicy=always; start api; rename api.g1.back to api.g1.kept
    #7 [6] await api.g1.back (replace api): back to generation 1: its container is started again
         undo: stop api.g1.back; update api RestartPolicy=always; start api; rename api.g1.back to api.g1.kept
    #8 [7] update api.g1.back RestartPolicy=always (replace api): back to generation 1: its container is started again
         undo: update api.g1.back RestartPolicy=unless-stopped; stop api.g1.back; update api RestartPolicy=always; start api; rename api.g1.back to api.g1.kept
    #9 [8] rename api to api.g3.kept (replace api): back to generation 1: its container is started again
         undo: update api.g1.back RestartPolicy=unless-stopped; stop api.g1.back; update api RestartPolicy=always; start api; rename api.g1.back to api.g1.kept; rename api.g3.kept to api
    #10 [9] rename api.g1.back to api (replace api): back to generation 1: its container is started again
         undo: update api.g1.back RestartPolicy=unless-stopped; stop api.g1.back; update api RestartPolicy=always; start api; rename api to api.g1.back; rename api.g1.back to api.g1.kept; rename api.g3.kept to api
    "#);
}

/// Each point at which a rollback is cut off, what is there then, and what is planned: by the same rollback,
/// by an apply of what was declared before it, and by one of what it asked for.
#[tokio::test(start_paused = true)]
async fn wherever_a_rollback_is_cut_off_the_next_plan_knows_how_to_go_on() {
    let mut table = String::new();
    for call in 1.. {
        let before = deployed(Order::StartFirst).await;
        let before = Stage { items: retained(3, 5, Order::StartFirst), ..before };
        let back = back_to(&before, 1).await;
        back.fake.fail(call, Fault::HangUpAfter);
        let failed = back.apply().await.outcome.failure.is_some();
        let last = back.fake.changes().last().cloned().unwrap_or_default();
        back.fake.heal();
        if !failed {
            break;
        }
        let _ = writeln!(table, "after {last}: {}", before.statuses().join(", "));
        let declared = Stage { items: retained(2, 5, Order::StartFirst), ..before.clone() };
        for (what, stage) in [("again", &back), ("before", &before), ("declared", &declared)] {
            let _ = writeln!(table, "  {what}: {}", then(stage).await);
        }
        for stage in [&before, &back, &declared, &back] {
            stage.settle().await;
        }
        // Nothing of what was kept is lost by any of it.
        let left = before.statuses();
        assert!(left.contains(&"api.g1.kept exited".to_owned()), "{left:?}");
    }
    insta::assert_snapshot!(table, @r#"
    after rename api.g2.kept api.g2.back: api running, api.g1.kept exited, api.g2.back exited
      again: disconnect api.g2.back from back, connect api.g2.back to back, start api.g2.back, await api.g2.back, disconnect api.g2.back from back, connect api.g2.back to back, await api.g2.back, update api.g2.back, stop api, update api, rename api to api.g3.kept, rename api.g2.back to api
      before: rename api.g2.back to api.g2.kept
      declared: create api.g4, start api.g4, await api.g4, disconnect api.g4 from back, connect api.g4 to back, await api.g4, update api.g4, stop api, update api, rename api to api.g3.kept, rename api.g4 to api, rename api.g2.back to api.g2.kept
    after disconnect api.g2.back back: api running, api.g1.kept exited, api.g2.back exited
      again: connect api.g2.back to back, start api.g2.back, await api.g2.back, disconnect api.g2.back from back, connect api.g2.back to back, await api.g2.back, update api.g2.back, stop api, update api, rename api to api.g3.kept, rename api.g2.back to api
      before: rename api.g2.back to api.g2.kept
      declared: create api.g4, start api.g4, await api.g4, disconnect api.g4 from back, connect api.g4 to back, await api.g4, update api.g4, stop api, update api, rename api to api.g3.kept, rename api.g4 to api, rename api.g2.back to api.g2.kept
    after connect api.g2.back back: api running, api.g1.kept exited, api.g2.back exited
      again: disconnect api.g2.back from back, connect api.g2.back to back, start api.g2.back, await api.g2.back, disconnect api.g2.back from back, connect api.g2.back to back, await api.g2.back, update api.g2.back, stop api, update api, rename api to api.g3.kept, rename api.g2.back to api
      before: rename api.g2.back to api.g2.kept
      declared: create api.g4, start api.g4, await api.g4, disconnect api.g4 from back, connect api.g4 to back, await api.g4, update api.g4, stop api, update api, rename api to api.g3.kept, rename api.g4 to api, rename api.g2.back to api.g2.kept
    after start api.g2.back: api running, api.g1.kept exited, api.g2.back running
      again: disconnect api.g2.back from back, connect api.g2.back to back, await api.g2.back, update api.g2.back, stop api, update api, rename api to api.g3.kept, rename api.g2.back to api
      before: stop api.g2.back, rename api.g2.back to api.g2.kept
      declared: disconnect api.g2.back from back, connect api.g2.back to back, await api.g2.back, update api.g2.back, stop api, update api, rename api to api.g3.kept, rename api.g2.back to api
    after disconnect api.g2.back back: api running, api.g1.kept exited, api.g2.back running
      again: connect api.g2.back to back, await api.g2.back, update api.g2.back, stop api, update api, rename api to api.g3.kept, rename api.g2.back to api
      before: stop api.g2.back, rename api.g2.back to api.g2.kept
      declared: connect api.g2.back to back, await api.g2.back, update api.g2.back, stop api, update api, rename api to api.g3.kept, rename api.g2.back to api
    after connect api.g2.back back: api running, api.g1.kept exited, api.g2.back running
      again: await api.g2.back, update api.g2.back, stop api, update api, rename api to api.g3.kept, rename api.g2.back to api
      before: stop api.g2.back, rename api.g2.back to api.g2.kept
      declared: await api.g2.back, update api.g2.back, stop api, update api, rename api to api.g3.kept, rename api.g2.back to api
    after update api.g2.back: api running, api.g1.kept exited, api.g2.back running
      again: await api.g2.back, stop api, update api, rename api to api.g3.kept, rename api.g2.back to api
      before: stop api.g2.back, update api.g2.back, rename api.g2.back to api.g2.kept
      declared: await api.g2.back, stop api, update api, rename api to api.g3.kept, rename api.g2.back to api
    after stop api: api exited, api.g1.kept exited, api.g2.back running
      again: await api.g2.back, rename api to api.g3.kept, rename api.g2.back to api, update api.g3.kept
      before: disconnect api from back, connect api to back, start api, await api, disconnect api from back, connect api to back, await api, stop api.g2.back, update api.g2.back, rename api.g2.back to api.g2.kept
      declared: await api.g2.back, rename api to api.g3.kept, rename api.g2.back to api, update api.g3.kept
    after update api: api exited, api.g1.kept exited, api.g2.back running
      again: await api.g2.back, rename api to api.g3.kept, rename api.g2.back to api
      before: disconnect api from back, connect api to back, start api, await api, disconnect api from back, connect api to back, await api, update api, stop api.g2.back, update api.g2.back, rename api.g2.back to api.g2.kept
      declared: await api.g2.back, rename api to api.g3.kept, rename api.g2.back to api
    after rename api api.g3.kept: api.g1.kept exited, api.g2.back running, api.g3.kept exited
      again: await api.g2.back, rename api.g2.back to api
      before: create api.g4, start api.g4, await api.g4, disconnect api.g4 from back, connect api.g4 to back, await api.g4, update api.g4, stop api.g2.back, update api.g2.back, rename api.g4 to api, rename api.g2.back to api.g2.kept
      declared: await api.g2.back, rename api.g2.back to api
    after rename api.g2.back api: api running, api.g1.kept exited, api.g3.kept exited
      again: nothing
      before: create api.g4, start api.g4, await api.g4, disconnect api.g4 from back, connect api.g4 to back, await api.g4, update api.g4, stop api, update api, rename api to api.g2.kept, rename api.g4 to api
      declared: nothing
    "#);
}

#[tokio::test(start_paused = true)]
async fn one_that_was_declared_otherwise_comes_back_as_it_was() {
    let stage = deployed(Order::StartFirst).await;
    let mut other = retained(3, 2, Order::StartFirst);
    for item in &mut other {
        let DesiredState::Container(want) = &mut item.want else { continue };
        want.spec.env.insert("LOG".to_owned(), Text::clear("debug"));
    }
    let other = Stage { items: other, ..stage };
    other.settle().await;
    back_to(&other, 2).await.settle().await;
    assert_eq!(other.image("api"), "r.example.com/nginx:3");
    assert!(other.fake.body("api").expect("there")["Env"].as_array().is_none_or(Vec::is_empty));
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_goes_with_its_service() {
    for items in [vec![absent("api")], retained(3, 0, Order::StartFirst), {
        // A container by itself keeps nothing.
        let mut alone = replica("api", 3);
        alone.replica = None;
        vec![item(alone)]
    }] {
        let stage = deployed(Order::StartFirst).await;
        let now = Stage { items, ..stage };
        now.settle().await;
        assert!(!now.statuses().iter().any(|one| one.contains("kept")), "{:?}", now.statuses());
        let tags = now.fake.image_names().into_iter().filter(|name| name.starts_with("pillarbox.invalid"));
        assert!(tags.count() <= 1, "{:?}", now.fake.image_names());
    }
    let stage = deployed(Order::StartFirst).await;
    let mut pruned = Stage { items: Vec::new(), ..stage };
    pruned.options.prune = true;
    pruned.settle().await;
    assert!(pruned.statuses().is_empty(), "{:?}", pruned.statuses());
}

#[tokio::test(start_paused = true)]
async fn one_that_was_started_by_hand_is_a_change_and_is_stopped() {
    use crate::engine::Engine as _;
    let stage = deployed(Order::StartFirst).await;
    stage.fake.start("api.g1.kept").await.expect("started");
    let plan = stage.plan().await.expect("planned");
    let change = plan.changes.iter().find(|change| change.address == "container api.g1.kept");
    let causes: Vec<String> =
        change.into_iter().flat_map(|change| &change.cause).map(ToString::to_string).collect();
    assert_eq!(causes, ["kept for a rollback, but it was started by hand, and answers as api"]);
    assert_eq!(then(&stage).await, "stop api.g1.kept");
    stage.settle().await;
    assert_eq!(stage.statuses(), ["api running", "api.g1.kept exited", "api.g2.kept exited"]);
    // Beside a replacement it stops first: two that write to the same data are one too many.
    stage.fake.start("api.g1.kept").await.expect("started");
    let less = Stage { items: retained(1, 0, Order::StopFirst), ..stage.clone() };
    let steps = then(&less).await;
    assert!(steps.starts_with("stop api.g1.kept, create api.g4, stop api"), "{steps}");
    less.settle().await;
    assert_eq!(stage.statuses(), ["api running"]);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_all_that_runs_stops_only_when_another_works() {
    use crate::engine::Engine as _;
    for order in [Order::StartFirst, Order::StopFirst] {
        let stage = deployed(order).await;
        stage.fake.stop_container("api");
        stage.fake.start("api.g1.kept").await.expect("started");
        let steps = then(&stage).await;
        let (start, stop) = (steps.find("await api"), steps.find("stop api.g1.kept"));
        assert!(start.is_some() && start < stop, "{steps}");
        stage.settle().await;
        assert_eq!(stage.statuses(), ["api running", "api.g1.kept exited", "api.g2.kept exited"]);
    }
}

/// `api` as Compose made it, adopted, and replaced by version 2.
async fn of_compose(order: Order) -> Stage {
    let stage = Stage { items: retained(1, 2, order), ..host() };
    stage.fake.preload("r.example.com/nginx:1");
    let labels = json!({ "com.docker.compose.project": "shop", "com.docker.compose.service": "api",
        "com.docker.compose.oneoff": "False" });
    let body = json!({
        "Image": "r.example.com/nginx:1", "Labels": labels,
        "HostConfig": { "NetworkMode": "back", "RestartPolicy": { "Name": "always" } },
        "NetworkingConfig": { "EndpointsConfig": { "back": { "Aliases": ["api"] } } },
    });
    stage.fake.add_container("api", body, true);
    assert!(stage.adopt("api").await.agrees());
    assert_eq!(then(&stage).await, "nothing");
    Stage { items: retained(2, 2, order), ..stage }
}

#[tokio::test(start_paused = true)]
async fn what_compose_could_start_is_in_no_network_while_it_is_kept_and_joins_them_when_it_comes_back() {
    use crate::engine::Engine as _;
    for order in [Order::StartFirst, Order::StopFirst] {
        let stage = of_compose(order).await;
        let plan = stage.settle().await;
        assert!(text(&plan).contains("disconnect api.g1.kept from back"), "{}", text(&plan));
        assert!(plan.notes.iter().any(|note| note.contains("labels of Docker Compose (project shop)")));
        assert_eq!(then(&stage).await, "nothing");
        // `docker compose up` starts it.
        stage.fake.start("api.g1.kept").await.expect("started");
        let plan = stage.plan().await.expect("planned");
        let change = plan.changes.iter().find(|change| change.address == "container api.g1.kept");
        let causes: Vec<String> =
            change.into_iter().flat_map(|change| &change.cause).map(ToString::to_string).collect();
        assert_eq!(causes, ["kept for a rollback, but it was started by docker compose, or by hand"]);
        stage.settle().await;
        let back = back_to(&stage, 1).await;
        let plan = back.settle().await;
        assert!(text(&plan).contains("connect api.g1.back to back"), "{}", text(&plan));
        assert_eq!(back.statuses(), ["api running", "api.g2.kept exited"]);
    }
}

/// An apply that ends between the commit and the end leaves it in its networks.
#[tokio::test(start_paused = true)]
async fn what_compose_could_start_leaves_its_networks_wherever_an_apply_was_cut_off() {
    for call in 1.. {
        let stage = of_compose(Order::StartFirst).await;
        stage.fake.fail(call, Fault::HangUpAfter);
        let failed = stage.apply().await.outcome.failure.is_some();
        stage.fake.heal();
        if !failed {
            break;
        }
        stage.settle().await;
        assert_eq!(stage.statuses(), ["api running", "api.g1.kept exited"], "cut off after call {call}");
        let observed = stage.observe().await;
        let kept = observed.containers.iter().find(|one| one.name == "api.g1.kept").expect("kept");
        let networks = kept.inspect.compare("/NetworkSettings/Networks").cloned();
        assert_eq!(networks, Some(json!({})), "cut off after call {call}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_container_that_is_added_has_the_number_of_its_deployment() {
    let stage = deployed(Order::StartFirst).await;
    let mut items = retained(3, 2, Order::StartFirst);
    let mut second = replica("api-2", 3);
    second.replica.clone_from(&match &items[0].want {
        DesiredState::Container(want) => want.replica.clone(),
        _ => None,
    });
    items.insert(1, item(second));
    items[1].needs = vec![Address { kind: Kind::Container, name: "api".to_owned() }];
    items.truncate(2);
    Stage { items, ..stage.clone() }.settle().await;
    assert_eq!(stage.fake.body("api-2").expect("there")["Labels"]["io.pillarbox.generation"], "3");
}

#[tokio::test(start_paused = true)]
async fn changes_of_one_version_push_no_other_version_out() {
    let stage = host();
    for (version, log) in [(1, "a"), (2, "a"), (2, "b"), (2, "c"), (2, "d")] {
        let mut items = retained(version, 1, Order::StartFirst);
        for item in &mut items {
            let DesiredState::Container(want) = &mut item.want else { continue };
            want.spec.env.insert("LOG".to_owned(), Text::clear(log));
        }
        Stage { items, ..stage.clone() }.settle().await;
    }
    assert_eq!(stage.statuses(), ["api running", "api.g1.kept exited", "api.g4.kept exited"]);
}

/// Tags of earlier releases do not say the version.
#[tokio::test(start_paused = true)]
async fn tags_without_a_version_keep_their_images_and_go_with_their_containers() {
    use crate::engine::Engine as _;
    let stage = deployed(Order::StartFirst).await;
    for number in 1..=3 {
        let tag = |end: &str| format!("pillarbox.invalid/shop/api:g{number}{end}");
        stage.fake.tag(&tag(&format!("-{number}")), &tag("")).await.expect("tagged");
        stage.fake.untag(&tag(&format!("-{number}"))).await.expect("untagged");
    }
    stage.fake.remove("api.g2.kept").await.expect("removed");
    Stage { items: retained(1, 2, Order::StartFirst), ..stage.clone() }.settle().await;
    let ours = |names: Vec<String>| -> Vec<String> {
        let ours = names.iter().filter_map(|name| name.strip_prefix("pillarbox.invalid/shop/api:"));
        ours.map(str::to_owned).collect()
    };
    assert_eq!(ours(stage.fake.image_names()), ["g1", "g2", "g3", "g4-1"]);
    Stage { items: retained(1, 0, Order::StartFirst), ..stage.clone() }.settle().await;
    assert_eq!(ours(stage.fake.image_names()), ["g4-1"]);
}

/// What `docker container prune` does after a rollback, with a newer and an older generation kept.
#[tokio::test(start_paused = true)]
async fn tags_outlive_the_containers_that_are_pruned_after_a_rollback() {
    use crate::engine::Engine as _;
    let stage = deployed(Order::StartFirst).await;
    back_to(&stage, 1).await.settle().await;
    for kept in ["api.g1.kept", "api.g3.kept"] {
        stage.fake.remove(kept).await.expect("removed");
    }
    let tags = || {
        let names = stage.fake.image_names().into_iter();
        names.filter_map(|name| name.strip_prefix("pillarbox.invalid/shop/api:").map(str::to_owned)).collect()
    };
    let all: Vec<String> = tags();
    assert_eq!(all, ["g1-1", "g2-2", "g3-3"]);
    let declared = Stage { items: retained(2, 2, Order::StartFirst), ..stage.clone() };
    let plan = declared.settle().await;
    assert!(plan.steps.is_empty(), "{}", text(&plan));
    assert_eq!(tags(), all);
    // The next deployment takes no number that a tag has: its image would be lost.
    Stage { items: retained(1, 2, Order::StartFirst), ..stage.clone() }.settle().await;
    assert_eq!(stage.fake.body("api").expect("there")["Labels"]["io.pillarbox.generation"], "4");
    assert_eq!(tags(), ["g2-2", "g3-3", "g4-1"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_rollback_keeps_in_service_was_not_changed_by_hand_because_the_pillar_was() {
    let stage = deployed(Order::StartFirst).await;
    let observed = stage.observe().await;
    let current = observed.containers.iter().find(|one| one.name == "api").expect("it runs");
    let mut items = retained(3, 2, Order::StartFirst);
    for item in &mut items {
        let DesiredState::Container(want) = &mut item.want else { continue };
        // A changed value that was never applied.
        want.spec.env.insert("LOG".to_owned(), Text::clear("debug"));
        let Some(replica) = &mut want.replica else { continue };
        let container = Some(current.id.clone());
        replica.back = Some(crate::desired::RollbackTarget { generation: 3, container });
    }
    let plan = Stage { items, ..stage }.plan().await.expect("planned");
    assert!(plan.steps.is_empty() && plan.notes.is_empty(), "{:?}", plan.notes);
}
