//! Networks and volumes: when they are made, left, refused and taken away.

use crate::desired::{DesiredState, Item, Kind};
use crate::execute::tests::stage::{Stage, absent, item, readable, resource, running, thing};
use crate::name::ImageRef;
use crate::plan::{Change, text, text_with_undo};
use crate::testing::fake::Behaviour;
use serde_json::json;

const ONE: &str = "r.example.com/nginx:1";

fn front(n: &str) -> Item {
    resource(Kind::Network, "front", &[("driver_opts.n", json!(n))])
}

fn data(n: &str) -> Item {
    resource(Kind::Volume, "data", &[("driver_opts.n", json!(n))])
}

fn no_network() -> Item {
    thing(Kind::Network, "front", DesiredState::NetworkAbsent { name: "front".to_owned() })
}

fn no_volume() -> Item {
    thing(Kind::Volume, "data", DesiredState::VolumeAbsent { name: "data".to_owned() })
}

/// A container in the network that mounts the volume.
fn user(name: &str) -> Item {
    let mut want = running(name, ONE);
    want.spec.fixed.clear();
    want.spec.live.insert("networks".to_owned(), json!({ "front": {} }));
    let mount = json!({ "/data": { "source": "data", "options": [] } });
    want.spec.fixed.insert("volumes".to_owned(), mount);
    let mut item = item(want);
    item.needs = vec![front("1").address, data("1").address];
    item
}

fn said(change: &Change) -> String {
    let causes: Vec<String> = change.cause.iter().map(ToString::to_string).collect();
    format!("{} {}: {}", change.actions[0].symbol(), change.address, causes.join("; "))
}

async fn refused(stage: &Stage) -> String {
    let problems = stage.plan().await.expect_err("refused");
    problems.iter().map(crate::compile::tests::printed).collect()
}

#[tokio::test(start_paused = true)]
async fn a_network_and_a_volume_come_before_what_uses_them_and_go_after_it() {
    let mut stage = Stage::new();
    stage.publish(1);
    stage.items = vec![front("1"), data("1"), user("web")];
    let plan = stage.settle().await;
    insta::assert_snapshot!(readable(&text(&plan)), @r#"
    #1 [] pull r.example.com/nginx@sha256:bb82 (pull r.example.com/nginx@sha256:bb82): will be created
    #2 [] create network front (create network front): will be created
    #3 [] create volume data (create volume data): will be created
    #4 [1,2,3] tag pillarbox.invalid/shop/web:g1-1 (create web): will be created
    #5 [4] create web (create web): will be created
    #6 [5] start web (create web): will be created
    #7 [6] await web (create web): will be created
    #8 [7] update web RestartPolicy=always (create web): will be created
    "#);
    stage.items = vec![absent("web"), no_network(), no_volume()];
    let plan = stage.settle().await;
    insta::assert_snapshot!(readable(&text(&plan)), @r#"
    #1 [] stop web (remove web): declared absent
    #2 [1] untag pillarbox.invalid/shop/web:g1-1 (remove web): declared absent
    #3 [2] remove web (remove web): declared absent
    #4 [3] remove network front (remove network front): declared absent
    #5 [3] remove volume data and its data (remove volume data): declared absent: its data is lost
    "#);
    let said: Vec<String> = plan.changes.iter().map(said).collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
    - container web: declared absent
    - network front: declared absent
    - volume data: declared absent: its data is lost
    "#);
    assert!(stage.fake.network_names().is_empty() && stage.fake.volume_paths().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_requires_an_image_waits_for_its_pull_and_for_what_the_image_requires() {
    let mut stage = Stage::new();
    stage.publish(1);
    let digest = stage.fake.publish("r.example.com/base:1", "base", Behaviour::fine());
    let name = format!("r.example.com/base@{digest}");
    let image = ImageRef::parse(&name).expect("a reference");
    let mut image = thing(Kind::Image, &name, DesiredState::ImagePulled { image, force: false });
    image.needs = vec![front("1").address];
    let back = Item { needs: vec![image.address.clone()], ..resource(Kind::Network, "back", &[]) };
    stage.items = vec![front("1"), image, back];
    insta::assert_snapshot!(readable(&text(&stage.settle().await)), @r"
    #1 [] pull r.example.com/base@sha256:d67e (pull r.example.com/base@sha256:d67e): image is not on the host
    #2 [] create network front (create network front): will be created
    #3 [1,2] create network back (create network back): will be created
    ");
}

#[tokio::test(start_paused = true)]
async fn a_network_is_recreated_only_while_nothing_that_runs_is_in_it() {
    let mut stage = Stage::new();
    stage.publish(1);
    stage.items = vec![front("1"), data("1"), user("web")];
    stage.settle().await;
    stage.items = vec![front("2"), data("1"), user("web")];
    insta::assert_snapshot!(refused(&stage).await, @r#"
    error: network front on host web1 is declared differently now, and containers are in it: web
    caused by: driver_opts.n changed
    caused by: a network cannot be changed, and creating it again would cut their connections
    hint: declare the new network under another name and let the containers join that one; front goes when nothing is in it: network.absent, or --prune
    hint: or take them out of it on the host, and apply again: docker stop 'web'
    "#);
    // It is ours and stopped: it joins the new one before it starts.
    stage.fake.stop_container("web");
    let plan = stage.settle().await;
    insta::assert_snapshot!(readable(&text_with_undo(&plan)), @r#"
    #1 [] remove network front (replace network front): driver_opts.n changed
         undo: create network front
    #2 [1] create network front (replace network front): driver_opts.n changed
         undo: create network front
    #3 [2] disconnect web from front (start web): it is exited (0)
    #4 [3] connect web to front (start web): it is exited (0)
    #5 [4] start web (start web): it is exited (0)
         undo: stop web
    #6 [5] await web (start web): it is exited (0)
         undo: stop web
    "#);
    assert_eq!(stage.statuses(), ["web running"]);
    // A foreign one would not.
    let image = stage.fake.body("web").expect("there")["Image"].clone();
    let body = json!({ "Image": image, "NetworkingConfig": { "EndpointsConfig": { "front": {} } } });
    stage.fake.add_container("theirs", body, false);
    stage.fake.stop_container("web");
    stage.items = vec![front("3"), data("1"), user("web")];
    let said = refused(&stage).await;
    assert!(said.contains("containers are in it: theirs (stopped)"), "{said}");
    assert!(said.contains("and apply again: docker network disconnect 'front' 'theirs'\n"), "{said}");
    // One that goes in the same plan is not in the way.
    stage.fake.kill_container("theirs");
    stage.items = vec![front("2"), data("1"), user("web")];
    stage.settle().await;
    stage.items = vec![front("3"), data("1"), absent("web")];
    stage.settle().await;
    assert!(stage.statuses().is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_leaves_the_network_that_it_was_created_in_is_replaced_and_starts_when_that_is_gone() {
    let inside = |networks: serde_json::Value| {
        let mut item = user("web");
        let DesiredState::Container(want) = &mut item.want else { return item };
        want.spec.live.insert("networks".to_owned(), networks);
        item.needs.clear();
        item
    };
    let back = || resource(Kind::Network, "back", &[]);
    let mut stage = Stage::new();
    stage.publish(1);
    stage.items = vec![front("1"), back(), data("1"), user("web")];
    stage.settle().await;
    // One more is joined in place.
    stage.items = vec![front("1"), back(), data("1"), inside(json!({ "back": {}, "front": {} }))];
    let plan = stage.settle().await;
    insta::assert_snapshot!(readable(&text(&plan)), @"#1 [] connect web to back (update web): networks.back changed");
    // Its network mode cannot change, and without that network an Engine does not start it again.
    stage.items = vec![no_network(), back(), data("1"), inside(json!({ "back": {} }))];
    let plan = stage.settle().await;
    insta::assert_snapshot!(readable(&text(&plan)), @r#"
    #1 [] tag pillarbox.invalid/shop/web:g2-1 (replace web): networks changed
    #2 [1] create web.g2 (replace web): networks changed
    #3 [2] stop web (replace web): networks changed
    #4 [3] update web RestartPolicy=unless-stopped (replace web): networks changed
    #5 [4] start web.g2 (replace web): networks changed
    #6 [5] await web.g2 (replace web): networks changed
    #7 [6] update web.g2 RestartPolicy=always (replace web): networks changed
    #8 [7] rename web to web.g1 (replace web): networks changed
    #9 [8] rename web.g2 to web (replace web): networks changed
    #10 [9] untag pillarbox.invalid/shop/web:g1-1 (replace web): networks changed
    #11 [10] remove web.g1 (replace web): networks changed
    #12 [11] remove network front (remove network front): declared absent
    "#);
    stage.fake.stop_container("web");
    stage.settle().await;
    assert_eq!(stage.statuses(), ["web running"]);
    // A foreign one that was created in a network and left it keeps the network.
    let image = stage.fake.body("web").expect("there")["Image"].clone();
    let body = json!({ "Image": image, "HostConfig": { "NetworkMode": "back" },
        "NetworkingConfig": { "EndpointsConfig": { "other": {} } } });
    stage.fake.add_network("other");
    stage.fake.add_container("theirs", body, true);
    stage.items = vec![
        thing(Kind::Network, "back", DesiredState::NetworkAbsent { name: "back".to_owned() }),
        absent("web"),
    ];
    assert!(refused(&stage).await.contains("these containers are in it, or were created in it: theirs"));
}

#[tokio::test(start_paused = true)]
async fn labels_alone_cut_nothing() {
    let mut stage = Stage::new();
    stage.publish(1);
    stage.items = vec![front("1"), data("1"), user("web")];
    stage.settle().await;
    let labels = |n: &str| [("driver_opts.n", json!("1")), ("labels.team", json!(n))];
    stage.items = vec![
        resource(Kind::Network, "front", &labels("a")),
        resource(Kind::Volume, "data", &labels("a")),
        user("web"),
    ];
    let plan = stage.settle().await;
    assert_eq!(
        plan.notes,
        [
            "network front: labels of a network cannot change while containers are in it; it keeps its old ones",
            "volume data: labels of a volume cannot change; it keeps its old ones",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_volume_that_differs_is_an_error_and_stays() {
    let mut stage = Stage::new();
    stage.items = vec![data("1")];
    stage.settle().await;
    let before = stage.fake.volume_paths();
    stage.items = vec![data("2")];
    stage.options.prune = true;
    stage.options.fix_drift = true;
    insta::assert_snapshot!(refused(&stage).await, @r#"
    error: volume data on host web1 is declared differently now
    caused by: driver_opts.n changed
    caused by: a volume cannot be changed, and pillarbox never replaces one: its data would be lost
    hint: declare the new volume under another name, and copy the data
    hint: if the data may be lost: 'docker volume rm data' on the host when nothing uses it
    "#);
    assert_eq!(stage.fake.volume_paths(), before);
}

#[tokio::test(start_paused = true)]
async fn what_others_made_is_used_where_it_agrees_and_never_changed() {
    let mut stage = Stage::new();
    stage.fake.add_network_like(json!({ "Name": "front", "Options": { "n": "1", "more": "x" } }));
    stage.fake.add_volume(&json!({ "Name": "data", "DriverOpts": { "n": "1" } }));
    stage.items = vec![front("1"), data("1")];
    let plan = stage.settle().await;
    assert!(plan.steps.is_empty());
    let said: Vec<String> = plan.changes.iter().map(said).collect();
    assert_eq!(
        said,
        [
            "= network front: up to date; not managed by pillarbox",
            "= volume data: up to date; not managed by pillarbox",
        ]
    );
    stage.items = vec![front("2"), data("2")];
    insta::assert_snapshot!(refused(&stage).await, @r#"
    error: network front on host web1 was not made by workspace shop and differs: driver_opts.n
    caused by: what pillarbox did not create is used as it is and never changed
    hint: declare it as it is, or leave those fields out
    hint: or give it another name
    error: volume data on host web1 was not made by workspace shop and differs: driver_opts.n
    caused by: what pillarbox did not create is used as it is and never changed
    hint: declare it as it is, or leave those fields out
    hint: or give it another name
    "#);
    stage.items = vec![no_network(), no_volume()];
    let plan = stage.settle().await;
    assert!(plan.steps.is_empty());
    assert_eq!(
        plan.notes,
        [
            "network front: declared absent, but workspace shop did not make it; it is left alone",
            "volume data: declared absent, but workspace shop did not make it; it is left alone",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn absent_and_in_use_is_an_error_that_names_the_containers() {
    let mut stage = Stage::new();
    stage.publish(1);
    stage.items = vec![front("1"), data("1"), user("web")];
    stage.settle().await;
    stage.items = vec![no_network(), no_volume()];
    insta::assert_snapshot!(refused(&stage).await, @r#"
    error: network front on host web1 is declared absent and in use
    caused by: these containers are in it, or were created in it: web
    hint: declare them absent or without it; or remove this one later
    error: volume data on host web1 is declared absent and in use
    caused by: these containers are using it, running or not: web
    hint: declare them absent or without it; or remove this one later
    "#);
    // A container that does without them is not in the way.
    let mut other = running("web", ONE);
    other.spec.fixed.clear();
    other.spec.live.insert("networks".to_owned(), json!({ "back": {} }));
    stage.fake.add_network("back");
    stage.items = vec![item(other), no_network(), no_volume()];
    stage.settle().await;
    assert_eq!(stage.fake.network_names(), ["back"]);
    assert!(stage.fake.volume_paths().is_empty());
}

#[tokio::test(start_paused = true)]
async fn prune_takes_networks_that_are_not_in_use_and_never_a_volume() {
    let mut stage = Stage::new();
    stage.publish(1);
    let back = resource(Kind::Network, "back", &[]);
    stage.items = vec![front("1"), back, data("1"), user("web")];
    stage.settle().await;
    stage.items.clear();
    let plan = stage.plan().await.expect("planned");
    assert!(plan.steps.is_empty());
    insta::assert_snapshot!(plan.notes.join("\n"), @r#"
    container web: no state declares it any more; --prune removes it
    network back: no state declares it any more; --prune removes it
    network front: no state declares it any more; --prune removes it
    volume data: no state declares it any more; it stays with its data until a state says volume.absent
    "#);
    // A foreign container keeps one of them.
    let image = stage.fake.body("web").expect("there")["Image"].clone();
    let body = json!({ "Image": image, "NetworkingConfig": { "EndpointsConfig": { "front": {} } } });
    stage.fake.add_container("theirs", body, true);
    stage.options.prune = true;
    let plan = stage.settle().await;
    insta::assert_snapshot!(readable(&text(&plan)), @r#"
    #1 [] stop web (remove web): no state declares it any more
    #2 [1] untag pillarbox.invalid/shop/web:g1-1 (remove web): no state declares it any more
    #3 [2] remove web (remove web): no state declares it any more
    #4 [] remove network back (remove network back): no state declares it any more
    "#);
    insta::assert_snapshot!(plan.notes.join("\n"), @r#"
    volume data: no state declares it any more; it stays with its data until a state says volume.absent
    network front: no state declares it any more, and it is in use: theirs; it stays
    "#);
    assert_eq!(stage.fake.network_names(), ["front"]);
    assert_eq!(stage.fake.volume_paths().into_keys().collect::<Vec<_>>(), ["data"]);
}

#[tokio::test(start_paused = true)]
async fn the_last_name_of_an_image_stays_while_a_container_uses_it() {
    let mut stage = Stage::new();
    stage.publish(1);
    stage.fake.build("tool:1", "tool", Behaviour::fine());
    stage.fake.add_container("theirs", json!({ "Image": "tool:1" }), false);
    let gone = |name: &str| {
        let image = ImageRef::parse(name).expect("a reference");
        thing(Kind::Image, name, DesiredState::ImageAbsent { image })
    };
    stage.items = vec![gone("tool:1")];
    let plan = stage.settle().await;
    assert_eq!(
        plan.notes,
        ["image tool:1: declared absent, but used by theirs (stopped); it stays until they are gone"]
    );
    // With another name it goes, and with the last container the image.
    stage.fake.kill_container("theirs");
    stage.settle().await;
    assert!(stage.fake.image_names().is_empty());
    // Ours is kept by a tag of its own; with the container it goes in one plan.
    stage.fake.preload(ONE);
    stage.items = vec![item(running("web", ONE))];
    stage.settle().await;
    stage.items = vec![gone(ONE), absent("web")];
    let plan = stage.settle().await;
    insta::assert_snapshot!(readable(&text(&plan)), @r#"
    #1 [] stop web (remove web): declared absent
    #2 [1] untag pillarbox.invalid/shop/web:g1-1 (remove web): declared absent
    #3 [2] remove web (remove web): declared absent
    #4 [3] untag r.example.com/nginx:1 (untag r.example.com/nginx:1): declared absent
    "#);
    assert!(stage.fake.image_names().is_empty(), "{:?}", stage.fake.image_names());
}
