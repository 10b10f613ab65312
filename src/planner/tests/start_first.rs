//! Services: start-first, its obstacles, and how many containers there are.

use crate::desired::{Address, BeforeStop, DesiredContainer, DesiredState, Item, Kind, Order, Replica};
use crate::engine::{EngineError, ErrorKind};
use crate::execute::tests::stage::{Stage, item, readable, running, thing};
use crate::name::ContainerName;
use crate::plan::{Verb, text, text_with_undo};
use crate::testing::fake::{Behaviour, Fault};
use serde_json::json;
use std::collections::BTreeSet;

/// Changes a desired state.
type Change<'a> = &'a dyn Fn(&mut DesiredContainer);

fn name(text: &str) -> ContainerName {
    ContainerName::parse(text).expect("a name")
}

/// A container of the service `api` in the network `back`.
pub(crate) fn replica(slot: &str, version: u32) -> DesiredContainer {
    let mut want = running(slot, &format!("r.example.com/nginx:{version}"));
    want.spec.fixed.clear();
    want.spec.live.insert("networks".to_owned(), json!({ "back": {} }));
    want.replica = Some(Replica {
        service: name("api"),
        alias: None,
        order: Order::StartFirst,
        shared: BTreeSet::new(),
        drain: 5,
        before_stop: None,
        retain: 0,
        images: 0,
        back: None,
    });
    want
}

/// `api` with so many containers, one after another.
pub(crate) fn service(version: u32, replicas: usize) -> Vec<Item> {
    let slots: Vec<String> =
        (1..=replicas).map(|n| if n == 1 { "api".to_owned() } else { format!("api-{n}") }).collect();
    let mut items: Vec<Item> = Vec::new();
    for slot in &slots {
        let mut one = item(replica(slot, version));
        one.needs = items.last().map(|before| before.address.clone()).into_iter().collect();
        items.push(one);
    }
    let keep = slots.iter().map(|slot| name(slot)).collect();
    let mut surplus =
        thing(Kind::Service, "api", DesiredState::Surplus { service: name("api"), keep, stop_timeout: None });
    surplus.needs = slots.iter().map(|slot| Address { kind: Kind::Container, name: slot.clone() }).collect();
    items.push(surplus);
    items
}

/// A host with a network and four versions, of which the fourth does not become healthy.
pub(crate) fn host() -> Stage {
    let stage = Stage::new();
    for n in 1..=3 {
        stage.publish(n);
    }
    stage.fake.publish("r.example.com/nginx:4", "sick", Behaviour::unhealthy());
    stage.fake.add_network("back");
    stage
}

async fn deployed(replicas: usize) -> Stage {
    let stage = Stage { items: service(1, replicas), ..host() };
    stage.settle().await;
    stage.fake.forget_calls();
    stage
}

#[tokio::test(start_paused = true)]
async fn the_new_container_works_and_is_known_before_the_old_one_stops() {
    let stage = deployed(1).await;
    let mut want = replica("api", 2);
    if let Some(replica) = &mut want.replica {
        replica.before_stop = Some(BeforeStop::Signal("SIGUSR1".to_owned()));
    }
    let stage = Stage { items: vec![item(want)], ..stage };
    let plan = stage.plan().await.expect("planned");
    assert_eq!(plan.changes[0].actions, [Verb::ReplaceStartFirst]);
    insta::assert_snapshot!(readable(&text_with_undo(&plan)), @r#"
    #1 [] pull r.example.com/nginx@sha256:f903 (pull r.example.com/nginx@sha256:f903): version 1 → 2, pillar/apps.toml:12
    #2 [1] tag pillarbox.invalid/shop/api:g2-2 (replace api): version 1 → 2, pillar/apps.toml:12
         undo: untag pillarbox.invalid/shop/api:g2-2
    #3 [2] create api.g2 (replace api): version 1 → 2, pillar/apps.toml:12
         undo: untag pillarbox.invalid/shop/api:g2-2
    #4 [3] start api.g2 (replace api): version 1 → 2, pillar/apps.toml:12
         undo: stop api.g2
    #5 [4] await api.g2 (replace api): version 1 → 2, pillar/apps.toml:12
         undo: stop api.g2
    #6 [5] disconnect api.g2 from back (replace api): version 1 → 2, pillar/apps.toml:12
         undo: stop api.g2
    #7 [6] connect api.g2 to back (replace api): version 1 → 2, pillar/apps.toml:12
         undo: stop api.g2
    #8 [7] await api.g2 (replace api): version 1 → 2, pillar/apps.toml:12
         undo: stop api.g2
    #9 [8] update api.g2 RestartPolicy=always (replace api): version 1 → 2, pillar/apps.toml:12
         undo: update api.g2 RestartPolicy=no; stop api.g2
    #10 [9] wait 5 s (replace api): version 1 → 2, pillar/apps.toml:12
         undo: update api.g2 RestartPolicy=no; stop api.g2
    #11 [10] send SIGUSR1 to api (replace api): version 1 → 2, pillar/apps.toml:12
         undo: update api.g2 RestartPolicy=no; stop api.g2
    #12 [11] stop api (replace api): version 1 → 2, pillar/apps.toml:12
    #13 [12] update api RestartPolicy=unless-stopped (replace api): version 1 → 2, pillar/apps.toml:12
    #14 [13] rename api to api.g1 (replace api): version 1 → 2, pillar/apps.toml:12
    #15 [14] rename api.g2 to api (replace api): version 1 → 2, pillar/apps.toml:12
    #16 [15] untag pillarbox.invalid/shop/api:g1-1 (replace api): version 1 → 2, pillar/apps.toml:12
    #17 [16] remove api.g1 (replace api): version 1 → 2, pillar/apps.toml:12
    "#);
    stage.fake.watch("api");
    stage.settle().await;
    assert_eq!(stage.fake.least(), 1);
    assert_eq!(stage.statuses(), ["api running"]);
}

#[tokio::test(start_paused = true)]
async fn what_only_one_container_can_have_makes_it_stop_first_and_the_plan_says_so() {
    let stage = deployed(1).await;
    let with = |change: &dyn Fn(&mut DesiredContainer)| {
        let mut want = replica("api", 2);
        change(&mut want);
        Stage { items: vec![item(want)], ..stage.clone() }
    };
    let fixed = |field: &'static str, value: serde_json::Value| {
        move |want: &mut DesiredContainer| drop(want.spec.fixed.insert(field.to_owned(), value.clone()))
    };
    let port = json!({ "80/tcp": [{ "HostIp": "", "HostPort": "8080" }] });
    let free = json!({ "80/tcp": [{ "HostIp": "", "HostPort": "" }] });
    let address = json!({ "back": { "IPAMConfig": { "IPv4Address": "10.0.0.5" } } });
    let mount =
        |readonly: bool| json!({ "/data": { "type": "volume", "source": "data", "read_only": readonly } });
    let shared = |want: &mut DesiredContainer| {
        fixed("mounts", mount(false))(want);
        if let Some(replica) = &mut want.replica {
            replica.shared.insert("/data".to_owned());
        }
    };
    let cases: [(Change<'_>, Option<&str>); 6] = [
        (&fixed("ports", port), Some("port 8080 of the host")),
        (&fixed("ports", free), None),
        (
            &|want| drop(want.spec.live.insert("networks".to_owned(), address.clone())),
            Some("address 10.0.0.5"),
        ),
        (&fixed("mounts", mount(false)), Some("the writable volume /data, which is not `shared`")),
        (&fixed("mounts", mount(true)), None),
        (&shared, None),
    ];
    for (change, why) in cases {
        let plan = with(change).plan().await.expect("planned");
        let causes: Vec<String> = plan.changes[0].cause.iter().map(ToString::to_string).collect();
        let verb = plan.changes[0].actions[0];
        match why {
            Some(why) => {
                assert_eq!(verb, Verb::ReplaceStopFirst, "{why}");
                let said = format!("the old one stops first: {why}");
                assert!(causes.iter().any(|cause| cause.starts_with(&said)), "{causes:?}");
            }
            None => assert_eq!(verb, Verb::ReplaceStartFirst, "{causes:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_is_stopped_and_kept_and_the_others_are_skipped() {
    let stage = deployed(3).await;
    let stage = Stage { items: service(4, 3), ..stage };
    stage.fake.watch("api");
    let applied = stage.apply().await;
    let failure = applied.outcome.failure.expect("it failed");
    assert_eq!(failure.code(), crate::problem::Code::Partial);
    assert_eq!(stage.fake.least(), 3);
    assert_eq!(stage.statuses(), ["api running", "api-2 running", "api-3 running", "api.g2 exited"]);
}

#[tokio::test(start_paused = true)]
async fn another_number_touches_nothing_but_the_difference() {
    let stage = deployed(2).await;
    for (replicas, untouched) in [(3, &["api", "api-2"][..]), (1, &["api"])] {
        let now = Stage { items: service(1, replicas), ..stage.clone() };
        let plan = now.plan().await.expect("planned");
        let touched: Vec<String> = plan.steps.iter().map(|step| step.action.to_string()).collect();
        let named = |call: &String| untouched.iter().any(|name| call.split(' ').any(|word| word == *name));
        assert!(!touched.is_empty() && !touched.iter().any(named), "{}", text(&plan));
        stage.fake.watch("api");
        now.settle().await;
        assert!(stage.fake.least() >= replicas.min(2), "{}", stage.fake.least());
        assert_eq!(stage.statuses().len(), replicas);
    }
    let none = Stage { items: service(1, 0), ..stage.clone() };
    none.settle().await;
    assert!(stage.statuses().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_container_by_itself_becomes_the_first_of_a_service_and_is_not_touched() {
    let stage = host();
    let mut alone = replica("api", 1);
    alone.replica = None;
    let stage = Stage { items: vec![item(alone)], ..stage };
    stage.settle().await;
    let now = Stage { items: service(1, 1), ..stage };
    assert!(now.plan().await.expect("planned").steps.is_empty());
}

#[tokio::test(start_paused = true)]
async fn containers_of_a_service_that_is_a_container_by_itself_now_are_said_and_pruned() {
    let stage = deployed(3).await;
    let mut alone = replica("api", 1);
    alone.replica = None;
    let mut now = Stage { items: vec![item(alone)], ..stage };
    let plan = now.plan().await.expect("planned");
    assert!(plan.steps.is_empty() && plan.notes.len() == 2, "{:?}", plan.notes);
    now.options.prune = true;
    now.settle().await;
    assert_eq!(now.statuses(), ["api running"]);
}

/// Each call of a replacement, refused: one works at every moment, and the next apply ends it.
#[tokio::test(start_paused = true)]
async fn whichever_call_is_refused_one_works_at_every_moment() {
    for call in 1.. {
        let stage = deployed(1).await;
        let stage = Stage { items: service(2, 1), ..stage };
        stage.fake.watch("api");
        let refusal = EngineError::new(ErrorKind::Other, 500, "the disk is full");
        stage.fake.fail(call, Fault::Refused(refusal));
        let applied = stage.apply().await;
        assert_eq!(stage.fake.least(), 1, "call {call}: {:?}", stage.fake.changes());
        let calls = stage.fake.changes();
        stage.settle().await;
        assert_eq!(stage.fake.least(), 1, "call {call}: {calls:?}");
        assert_eq!(stage.statuses(), ["api running"]);
        if applied.outcome.failure.is_none() && call > calls.len() {
            break;
        }
    }
}
