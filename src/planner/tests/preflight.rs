//! What is known before anything is stopped: ports and addresses that others hold, networks that are not there.

use crate::execute::tests::stage::{Stage, absent, item, running};
use crate::testing::fake::Behaviour;
use serde_json::{Value, json};

const ONE: &str = "r.example.com/nginx:1";

/// A host on which another container publishes a port, and what it says to a container that wants `8080`.
async fn beside(ports: Value, runs: bool) -> Option<String> {
    let stage = Stage::new();
    stage.publish(1);
    stage.fake.preload(ONE);
    let body = json!({ "Image": ONE, "HostConfig": { "PortBindings": ports } });
    stage.fake.add_container("proxy", body, runs);
    let stage = stage.with(vec![running("nginx", ONE)]);
    let refused = stage.plan().await.err()?;
    Some(refused.iter().map(crate::compile::tests::printed).collect())
}

#[tokio::test(start_paused = true)]
async fn a_port_that_another_container_has_stops_the_plan_and_names_it() {
    let said = beside(json!({ "80/tcp": [{ "HostIp": "", "HostPort": "8080" }] }), true).await;
    insta::assert_snapshot!(said.expect("refused"), @r"
    error: port 8080/tcp of host web1 is taken, and container nginx wants it
    caused by: container proxy publishes it; it was not made by workspace shop
    hint: stop it there, on host web1: docker stop 'proxy'
    hint: or publish another port of the host: `ports` of container nginx
    ");
    let one = json!({ "80/tcp": [{ "HostIp": "10.0.0.1", "HostPort": "8080" }] });
    assert!(beside(one, true).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_port_is_free_where_nothing_runs_on_it() {
    let port = json!({ "80/tcp": [{ "HostIp": "", "HostPort": "8080" }] });
    assert_eq!(beside(port, false).await, None);
    assert_eq!(beside(json!({ "80/udp": [{ "HostIp": "", "HostPort": "8080" }] }), true).await, None);
    assert_eq!(beside(json!({ "80/tcp": [{ "HostIp": "", "HostPort": "8081" }] }), true).await, None);
    assert_eq!(beside(json!({ "80/tcp": [{ "HostIp": "", "HostPort": "" }] }), true).await, None);
}

fn in_network(name: &str, address: &str) -> crate::desired::DesiredContainer {
    let mut want = running(name, ONE);
    want.spec.fixed.clear();
    let endpoint = json!({ "back": { "IPAMConfig": { "IPv4Address": address } } });
    want.spec.live.insert("networks".to_owned(), endpoint);
    want
}

#[tokio::test(start_paused = true)]
async fn an_address_that_another_container_has_stops_the_plan_until_that_one_goes() {
    let stage = Stage::new();
    stage.publish(1);
    stage.fake.add_network("back");
    let mut stage = stage.with(vec![in_network("db", "10.7.0.5")]);
    stage.settle().await;
    stage.items.push(item(in_network("web", "10.7.0.5")));
    let refused = stage.plan().await.expect_err("refused");
    let said: String = refused.iter().map(crate::compile::tests::printed).collect();
    insta::assert_snapshot!(said, @r"
    error: address 10.7.0.5 in network back of host web1 is taken, and container web wants it
    caused by: container db of this workspace has it, and goes on running
    hint: stop it there, on host web1: docker stop 'db'
    hint: or declare another address
    ");
    stage.items[0] = absent("db");
    stage.plan().await.expect("planned");
    // A replacement has the address of the one that it replaces.
    stage.items = vec![item(in_network("db", "10.7.0.5"))];
    stage.publish(2);
    let mut next = in_network("db", "10.7.0.5");
    next.image = crate::name::ImageRef::parse("r.example.com/nginx:2").expect("a reference");
    stage.items = vec![item(next)];
    stage.settle().await;
}

#[tokio::test(start_paused = true)]
async fn a_network_that_is_not_there_and_that_no_state_declares_stops_the_plan() {
    let stage = Stage::new();
    stage.publish(1);
    let stage = stage.with(vec![in_network("db", "10.7.0.5")]);
    let refused = stage.plan().await.expect_err("refused");
    assert_eq!(refused.to_string(), "container db is to be in network back, which is not on host web1");
    stage.fake.add_network("back");
    stage.plan().await.expect("planned");
}

#[tokio::test(start_paused = true)]
async fn an_image_of_another_processor_that_is_pinned_is_found_before_anything_stops() {
    let stage = Stage::new();
    stage.publish(1);
    let mut stage = stage.with(vec![running("nginx", ONE)]);
    stage.settle().await;
    let ids = stage.fake.ids();
    let arm = Behaviour { platform: Some("linux/arm64".to_owned()), ..Behaviour::fine() };
    let digest = stage.fake.publish("r.example.com/nginx:2", "arm", arm);
    stage.items = vec![item(running("nginx", &format!("r.example.com/nginx:2@{digest}")))];
    let applied = stage.apply().await;
    let said = applied.outcome.failure.expect("refused").to_string();
    assert!(said.contains("is not made for host web1"), "{said}");
    assert_eq!((stage.fake.ids(), stage.statuses()), (ids, vec!["nginx running".to_owned()]));
}
