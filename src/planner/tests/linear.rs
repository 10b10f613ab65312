//! What a plan costs grows with what is on the host, not with its square. Resources that are looked at are
//! counted: a clock would be right on a quiet machine alone.

use super::start_first::replica;
use crate::check;
use crate::desired::{DesiredState, Item, Kind};
use crate::execute::tests::stage::{Stage, absent, item, resource, running, thing};
use crate::name::ContainerName;
use crate::planner::{plan_host, work};
use serde_json::json;
use std::collections::BTreeSet;

/// So many services, containers and networks; in the second version the services are replaced, and the
/// others go.
fn items(number: u32, version: u32) -> Vec<Item> {
    let mut items = Vec::new();
    for one in 0..number {
        let (service, alone, network) = (format!("web{one}"), format!("alone{one}"), format!("net{one}"));
        let mut want = replica(&service, version);
        want.spec.env.insert("VERSION".to_owned(), crate::state::Text::clear(version.to_string()));
        let name = ContainerName::parse(&service).expect("a name");
        let mut replica = want.replica.take().expect("a service");
        replica.service = name.clone();
        replica.retain = 1;
        want.replica = Some(replica);
        items.push(item(want));
        let keep = BTreeSet::from([name.clone()]);
        let surplus = DesiredState::Surplus { service: name, keep, stop_timeout: None };
        items.push(thing(Kind::Service, &service, surplus));
        if version == 1 {
            items.push(resource(Kind::Network, &network, &[]));
            let mut want = running(&alone, "r.example.com/nginx:1");
            want.spec.fixed.clear();
            want.spec.live.insert("networks".to_owned(), json!({ network.clone(): {} }));
            items.push(item(want));
        } else {
            items.push(absent(&alone));
            items.push(thing(Kind::Network, &network, DesiredState::NetworkAbsent { name: network.clone() }));
        }
    }
    items
}

/// How many resources planning and checking look at to replace so many services.
async fn looked_at(number: u32) -> (u64, u64) {
    let mut stage = Stage::new();
    stage.publish(1);
    stage.publish(2);
    stage.fake.add_network("back");
    stage.items = items(number, 1);
    stage.settle().await;
    stage.items = items(number, 2);
    let (desired, observed) = (stage.desired(), stage.observe().await);
    check::LOOKED_AT.set(0);
    let (plan, planning) = work::of(|| plan_host(&desired, &observed, &stage.options));
    assert!(plan.expect("planned").steps.len() > usize::try_from(number * 10).expect("few"));
    (planning, check::LOOKED_AT.get())
}

#[tokio::test(start_paused = true)]
async fn four_times_the_services_are_four_times_the_work() {
    let (few, many) = (looked_at(6).await, looked_at(24).await);
    let ratio = |few: u64, many: u64| many * 100 / few;
    assert!(few.0 > 0 && ratio(few.0, many.0) < 410, "planning looks at {}, then {}", few.0, many.0);
    assert!(few.1 > 0 && ratio(few.1, many.1) < 410, "checking looks at {}, then {}", few.1, many.1);
}

/// What is up to date hands on what it waits for, each step once: two ways that meet again and again are not
/// two times as many each time.
#[tokio::test(start_paused = true)]
async fn ways_that_meet_again_and_again_hand_on_each_step_once() {
    let mut stage = Stage::new();
    stage.publish(1);
    stage.publish(2);
    let layered = |version: u32| {
        let image = format!("r.example.com/nginx:{version}");
        let mut items = vec![item(running("first", &image))];
        let mut below = vec![items[0].address.clone()];
        for layer in 0..20 {
            let both = ["a", "b"].map(|side| {
                let mut network = resource(Kind::Network, &format!("{side}{layer}"), &[]);
                network.needs = below.clone();
                network
            });
            below = both.iter().map(|network| network.address.clone()).collect();
            items.extend(both);
        }
        let mut last = running("last", &image);
        last.spec.fixed.clear();
        items.push(Item { needs: below, ..item(last) });
        items
    };
    stage.items = layered(1);
    stage.settle().await;
    stage.items = layered(2);
    let (desired, observed) = (stage.desired(), stage.observe().await);
    let (plan, looked_at) = work::of(|| plan_host(&desired, &observed, &stage.options).expect("planned"));
    assert!(plan.steps.iter().any(|step| step.group == "replace last"));
    assert!(looked_at < 2000, "planning looks at {looked_at} resources");
}
