use crate::desired::{DesiredState, Gated, Kind, PullPolicy};
use crate::execute::tests::stage::{Stage, absent, item, readable, running, thing};
use crate::name::ImageRef;
use crate::pillar::gate::Hold;
use crate::plan::{Verb, text};
use crate::problem::Place;
use crate::testing::fake::Behaviour;

const ONE: &str = "r.example.com/nginx:1";

fn image(text: &str) -> ImageRef {
    ImageRef::parse(text).expect("a reference")
}

fn pulled(reference: &str, force: bool) -> crate::desired::Item {
    thing(Kind::Image, reference, DesiredState::ImagePulled { image: image(reference), force })
}

#[tokio::test(start_paused = true)]
async fn the_article_is_one_pull_a_tag_and_one_container() {
    let mut stage = Stage::new();
    stage.publish(1);
    let mut container = item(running("nginx", ONE));
    let pulled = pulled(ONE, true);
    container.needs = vec![pulled.address.clone()];
    stage.items = vec![pulled, container];
    let plan = stage.plan().await.expect("planned");
    insta::assert_snapshot!(readable(&text(&plan)), @r#"
    #1 [] pull r.example.com/nginx@sha256:bb82 (pull r.example.com/nginx@sha256:bb82): image is not on the host
    #2 [1] tag r.example.com/nginx:1 (tag r.example.com/nginx:1): image is not on the host
    #3 [1,2] tag pillarbox.invalid/shop/nginx:g1-1 (create nginx): will be created
    #4 [3] create nginx (create nginx): will be created
    #5 [4] start nginx (create nginx): will be created
    #6 [5] await nginx (create nginx): will be created
    #7 [6] update nginx RestartPolicy=always (create nginx): will be created
    "#);
    stage.settle().await;
    assert!(stage.fake.image_names().contains(&ONE.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_moved_at_its_registry_is_followed_with_force_only() {
    let mut stage = Stage::new();
    stage.publish(1);
    stage.items = vec![pulled(ONE, false)];
    stage.settle().await;
    stage.fake.publish(ONE, "again", Behaviour::fine());
    assert_eq!(text(&stage.plan().await.expect("planned")), "");
    stage.items = vec![pulled(ONE, true)];
    let plan = stage.settle().await;
    insta::assert_snapshot!(readable(&text(&plan)), @r#"
    #1 [] pull r.example.com/nginx@sha256:6884 (pull r.example.com/nginx@sha256:6884): image is not on the host
    #2 [1] tag r.example.com/nginx:1 (tag r.example.com/nginx:1): image is not on the host
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_tag_is_taken_off_and_that_is_all() {
    let mut stage = Stage::new();
    stage.publish(1);
    stage.fake.preload(ONE);
    stage.items = vec![thing(Kind::Image, ONE, DesiredState::ImageAbsent { image: image(ONE) })];
    let plan = stage.settle().await;
    insta::assert_snapshot!(readable(&text(&plan)), @"#1 [] untag r.example.com/nginx:1 (untag r.example.com/nginx:1): declared absent");
    assert!(stage.fake.image_names().is_empty());
}

#[tokio::test(start_paused = true)]
async fn names_of_the_hub_are_short_everywhere() {
    let stage = Stage::new();
    stage.fake.publish("nginx:1", "hub", Behaviour::fine());
    let stage = stage.with(vec![running("nginx", "docker.io/library/nginx:1")]);
    let plan = stage.settle().await;
    assert!(text(&plan).starts_with("#1 [] pull nginx@sha256:"), "{}", text(&plan));
}

#[tokio::test(start_paused = true)]
async fn an_image_that_no_registry_knows_is_its_id() {
    let stage = Stage::new();
    stage.fake.build("app:dev", "one", Behaviour::fine());
    let mut want = running("app", "app:dev");
    want.pull = PullPolicy::Never;
    let stage = stage.with(vec![want]);
    let plan = stage.settle().await;
    assert!(!text(&plan).contains("pull") && !text(&plan).contains("tag"), "{}", text(&plan));
    stage.fake.build("app:dev", "two", Behaviour::fine());
    assert!(text(&stage.plan().await.expect("planned")).contains("replace app"));
    stage.settle().await;
}

#[tokio::test(start_paused = true)]
async fn two_containers_of_one_image_pull_it_once_and_are_made_at_the_same_time() {
    let stage = Stage::new();
    stage.publish(1);
    let mut other = running("other", ONE);
    other.spec.fixed.clear();
    let stage = stage.with(vec![running("nginx", ONE), other]);
    let plan = stage.plan().await.expect("planned");
    insta::assert_snapshot!(readable(&text(&plan)), @r#"
    #1 [] pull r.example.com/nginx@sha256:bb82 (pull r.example.com/nginx@sha256:bb82): will be created
    #2 [1] tag pillarbox.invalid/shop/nginx:g1-1 (create nginx): will be created
    #3 [2] create nginx (create nginx): will be created
    #4 [3] start nginx (create nginx): will be created
    #5 [4] await nginx (create nginx): will be created
    #6 [5] update nginx RestartPolicy=always (create nginx): will be created
    #7 [1] tag pillarbox.invalid/shop/other:g1-1 (create other): will be created
    #8 [7] create other (create other): will be created
    #9 [8] start other (create other): will be created
    #10 [9] await other (create other): will be created
    #11 [10] update other RestartPolicy=always (create other): will be created
    "#);
    stage.settle().await;
}

#[tokio::test(start_paused = true)]
async fn what_frees_a_port_comes_before_what_takes_it() {
    let stage = Stage::new();
    stage.publish(1);
    let mut stage = stage.with(vec![running("zold", ONE)]);
    stage.settle().await;
    stage.items = vec![item(running("new", ONE)), absent("zold")];
    stage.settle().await;
    assert_eq!(stage.statuses(), ["new running"]);
    stage.items = vec![item(running("newer", ONE))];
    stage.options.prune = true;
    stage.settle().await;
    assert_eq!(stage.statuses(), ["newer running"]);
}

#[tokio::test(start_paused = true)]
async fn what_no_state_declares_is_reported_and_pruned_on_demand() {
    let stage = Stage::new();
    stage.publish(1);
    let mut stage = stage.with(vec![running("nginx", ONE)]);
    stage.settle().await;
    stage.fake.add_container("theirs", serde_json::json!({ "Image": by_digest(&stage) }), true);
    stage.items.clear();
    let plan = stage.plan().await.expect("planned");
    assert_eq!(text(&plan), "");
    assert_eq!(plan.notes, ["container nginx: no state declares it any more; --prune removes it"]);
    stage.options.prune = true;
    let plan = stage.settle().await;
    insta::assert_snapshot!(readable(&text(&plan)), @r#"
    #1 [] stop nginx (remove nginx): no state declares it any more
    #2 [1] untag pillarbox.invalid/shop/nginx:g1-1 (remove nginx): no state declares it any more
    #3 [2] remove nginx (remove nginx): no state declares it any more
    "#);
    assert_eq!(stage.statuses(), ["theirs running"]);
}

fn by_digest(stage: &Stage) -> String {
    stage.fake.body("nginx").expect("there")["Image"].as_str().expect("text").to_owned()
}

#[tokio::test(start_paused = true)]
async fn an_absent_container_is_stopped_and_removed_and_its_image_let_go() {
    let stage = Stage::new();
    stage.publish(1);
    let mut stage = stage.with(vec![running("nginx", ONE)]);
    stage.settle().await;
    stage.items = vec![absent("nginx")];
    let plan = stage.settle().await;
    insta::assert_snapshot!(readable(&text(&plan)), @r#"
    #1 [] stop nginx (remove nginx): declared absent
    #2 [1] untag pillarbox.invalid/shop/nginx:g1-1 (remove nginx): declared absent
    #3 [2] remove nginx (remove nginx): declared absent
    "#);
    assert!(!stage.fake.image_names().iter().any(|name| name.starts_with("pillarbox.invalid")));
}

fn hold(item: &mut crate::desired::Item, why: Option<&str>) {
    let place = Place::new("pillar/apps.toml", 5);
    let hold = Hold { why: why.map(str::to_owned), place };
    item.gate = Some(Gated { app: "web".to_owned(), hold: Some(hold) });
}

#[tokio::test(start_paused = true)]
async fn what_is_held_is_left_alone_whatever_became_of_it_and_waits_with_its_reason() {
    let mut stage = Stage::new();
    stage.publish(1);
    stage.items = vec![item(running("nginx", ONE))];
    stage.apply().await;
    hold(&mut stage.items[0], Some("a bad night"));
    let plan = stage.plan().await.expect("planned");
    assert_eq!(plan.changes[0].actions, [Verb::Unchanged], "nothing waits");
    stage.publish(2);
    let mut want = item(running("nginx", "r.example.com/nginx:2"));
    hold(&mut want, Some("a bad night"));
    let mut image = pulled("r.example.com/nginx:2", true);
    hold(&mut image, None);
    stage.items = vec![image, want];
    let plan = stage.plan().await.expect("planned");
    assert!(plan.steps.is_empty(), "{}", text(&plan));
    let said = |change: &crate::plan::Change| {
        let causes: Vec<String> = change.cause.iter().map(ToString::to_string).collect();
        format!("{} {}: {}", change.actions[0].symbol(), change.address, causes.join("; "))
    };
    let said: Vec<String> = plan.changes.iter().map(said).collect();
    assert_eq!(
        said,
        [
            "! image r.example.com/nginx:2: web is held, pillar/apps.toml:5; image is not on the host",
            "! container nginx: web is held: a bad night, pillar/apps.toml:5; version 1 → 2, pillar/apps.toml:12",
        ]
    );
    // Down, and still left alone; nothing that a person may be examining is started.
    stage.fake.stop_container("nginx");
    assert!(stage.plan().await.expect("planned").steps.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_was_moved_beside_a_digest_is_said_where_the_registry_was_asked_anyway() {
    let mut stage = Stage::new();
    stage.publish(1);
    let first = stage.fake.publish(ONE, "first", Behaviour::fine());
    let pinned = item(running("nginx", &format!("{ONE}@{first}")));
    stage.items = vec![pinned];
    stage.apply().await;
    stage.fake.publish(ONE, "second", Behaviour::fine());
    assert!(stage.plan().await.expect("planned").notes.is_empty());
    stage.items.push(pulled(ONE, true));
    let notes = stage.plan().await.expect("planned").notes.clone();
    assert!(
        notes.iter().any(|note| note.contains("the tag 1 of r.example.com/nginx was moved")),
        "{notes:?}"
    );
}
