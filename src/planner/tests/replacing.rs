use crate::desired::Run;
use crate::execute::tests::stage::{Stage, readable, running, secret};
use crate::plan::{text, text_with_undo};
use serde_json::json;

const ONE: &str = "r.example.com/nginx:1";
const TWO: &str = "r.example.com/nginx:2";

async fn settled() -> Stage {
    let stage = Stage::new();
    stage.publish(1);
    stage.publish(2);
    let stage = stage.with(vec![running("nginx", ONE)]);
    stage.settle().await;
    stage
}

#[tokio::test(start_paused = true)]
async fn a_first_container_is_made_under_its_plain_name_and_gets_its_policy_when_it_works() {
    let stage = Stage::new();
    stage.publish(1);
    let plan = stage.with(vec![running("nginx", ONE)]).plan().await.expect("planned");
    insta::assert_snapshot!(readable(&text_with_undo(&plan)), @r#"
    #1 [] pull r.example.com/nginx@sha256:bb82 (pull r.example.com/nginx@sha256:bb82): will be created
    #2 [1] tag pillarbox.invalid/shop/nginx:g1-1 (create nginx): will be created
         undo: untag pillarbox.invalid/shop/nginx:g1-1
    #3 [2] create nginx (create nginx): will be created
         undo: untag pillarbox.invalid/shop/nginx:g1-1
    #4 [3] start nginx (create nginx): will be created
         undo: stop nginx
    #5 [4] await nginx (create nginx): will be created
         undo: stop nginx
    #6 [5] update nginx RestartPolicy=always (create nginx): will be created
         undo: update nginx RestartPolicy=no; stop nginx
    "#);
}

#[tokio::test(start_paused = true)]
async fn what_is_up_to_date_has_no_steps() {
    let plan = settled().await.plan().await.expect("planned");
    assert_eq!(text(&plan), "");
    let said: Vec<String> =
        plan.changes.iter().map(|c| format!("{} {}", c.actions[0].symbol(), c.address)).collect();
    assert_eq!(said, ["= container nginx"]);
}

#[tokio::test(start_paused = true)]
async fn a_new_version_replaces_stop_first_and_every_step_says_how_to_get_back() {
    let stage = settled().await;
    let plan = stage.with(vec![running("nginx", TWO)]).plan().await.expect("planned");
    insta::assert_snapshot!(readable(&text_with_undo(&plan)), @r#"
    #1 [] pull r.example.com/nginx@sha256:f903 (pull r.example.com/nginx@sha256:f903): version 1 → 2, pillar/apps.toml:12
    #2 [1] tag pillarbox.invalid/shop/nginx:g2-2 (replace nginx): version 1 → 2, pillar/apps.toml:12
         undo: untag pillarbox.invalid/shop/nginx:g2-2
    #3 [2] create nginx.g2 (replace nginx): version 1 → 2, pillar/apps.toml:12
         undo: untag pillarbox.invalid/shop/nginx:g2-2
    #4 [3] stop nginx (replace nginx): version 1 → 2, pillar/apps.toml:12
         undo: start nginx; remove nginx.g2; untag pillarbox.invalid/shop/nginx:g2-2
    #5 [4] update nginx RestartPolicy=unless-stopped (replace nginx): version 1 → 2, pillar/apps.toml:12
         undo: update nginx RestartPolicy=always; start nginx; remove nginx.g2; untag pillarbox.invalid/shop/nginx:g2-2
    #6 [5] start nginx.g2 (replace nginx): version 1 → 2, pillar/apps.toml:12
         undo: stop nginx.g2; update nginx RestartPolicy=always; start nginx
    #7 [6] await nginx.g2 (replace nginx): version 1 → 2, pillar/apps.toml:12
         undo: stop nginx.g2; update nginx RestartPolicy=always; start nginx
    #8 [7] update nginx.g2 RestartPolicy=always (replace nginx): version 1 → 2, pillar/apps.toml:12
         undo: update nginx.g2 RestartPolicy=no; stop nginx.g2; update nginx RestartPolicy=always; start nginx
    #9 [8] rename nginx to nginx.g1 (replace nginx): version 1 → 2, pillar/apps.toml:12
         undo: update nginx.g2 RestartPolicy=no; stop nginx.g2; update nginx RestartPolicy=always; start nginx; rename nginx.g1 to nginx
    #10 [9] rename nginx.g2 to nginx (replace nginx): version 1 → 2, pillar/apps.toml:12
         undo: update nginx.g2 RestartPolicy=no; stop nginx.g2; update nginx RestartPolicy=always; start nginx; rename nginx to nginx.g2; rename nginx.g1 to nginx
    #11 [10] untag pillarbox.invalid/shop/nginx:g1-1 (replace nginx): version 1 → 2, pillar/apps.toml:12
    #12 [11] remove nginx.g1 (replace nginx): version 1 → 2, pillar/apps.toml:12
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_changed_variable_replaces_and_is_named_with_its_line() {
    let stage = settled().await;
    let mut want = running("nginx", ONE);
    want.spec.env.insert("LOG".to_owned(), crate::state::Text::clear("debug"));
    let plan = stage.with(vec![want]).plan().await.expect("planned");
    let change = &plan.changes[0];
    assert_eq!(change.actions[0].symbol(), "-/+");
    assert_eq!(change.cause[0].to_string(), "env.LOG changed (pillar/apps.toml:14)");
}

#[tokio::test(start_paused = true)]
async fn the_same_tag_with_another_image_replaces() {
    let stage = settled().await;
    let moved = stage.fake.publish(ONE, "nginx 1, built again", crate::testing::fake::Behaviour::fine());
    let plan = stage.plan().await.expect("planned");
    let cause = plan.changes[0].cause[0].to_string();
    assert!(cause.starts_with("same tag, other image: ") && cause.ends_with(moved.short()), "{cause}");
}

#[tokio::test(start_paused = true)]
async fn another_tag_of_the_same_image_changes_nothing() {
    let stage = settled().await;
    stage.fake.publish("r.example.com/nginx:stable", "nginx 1", crate::testing::fake::Behaviour::fine());
    let plan =
        stage.with(vec![running("nginx", "r.example.com/nginx:stable")]).plan().await.expect("planned");
    assert_eq!(text(&plan), "");
}

#[tokio::test(start_paused = true)]
async fn a_limit_is_changed_in_place() {
    let stage = Stage::new();
    stage.publish(1);
    let mut want = running("nginx", ONE);
    want.spec.fixed.insert("limits.memory".to_owned(), json!(true));
    want.spec.live.insert("memory".to_owned(), json!(32 << 20));
    stage.with(vec![want.clone()]).settle().await;
    want.spec.live.insert("memory".to_owned(), json!(64 << 20));
    want.spec.live.insert("restart".to_owned(), json!("unless-stopped"));
    let stage = stage.with(vec![want]);
    let plan = stage.plan().await.expect("planned");
    insta::assert_snapshot!(readable(&text_with_undo(&plan)), @"#1 [] update nginx Memory=67108864 MemorySwap=134217728 RestartPolicy=unless-stopped (update nginx): memory changed, restart changed");
    stage.settle().await;
}

#[tokio::test(start_paused = true)]
async fn networks_are_joined_and_left_in_place_under_the_plain_name() {
    let stage = settled().await;
    for network in ["front", "back"] {
        stage.fake.add_network(network);
    }
    let mut want = running("nginx", ONE);
    want.spec.live.insert("networks".to_owned(), json!({ "back": {}, "front": { "Aliases": ["www"] } }));
    let stage = stage.with(vec![want.clone()]);
    let plan = stage.plan().await.expect("planned");
    insta::assert_snapshot!(readable(&text_with_undo(&plan)), @r#"
    #1 [] connect nginx to back (update nginx): networks.back changed, networks.bridge changed, networks.front changed
    #2 [1] connect nginx to front (update nginx): networks.back changed, networks.bridge changed, networks.front changed
    #3 [2] disconnect nginx from bridge (update nginx): networks.back changed, networks.bridge changed, networks.front changed
         undo: connect nginx to bridge
    "#);
    stage.settle().await;
    want.spec.live.insert("networks".to_owned(), json!({ "front": { "Aliases": ["web"] } }));
    let stage = stage.with(vec![want]);
    let plan = stage.plan().await.expect("planned");
    insta::assert_snapshot!(readable(&text_with_undo(&plan)), @r#"
    #1 [] disconnect nginx from front (update nginx): networks.back changed, networks.front changed
         undo: connect nginx to front
    #2 [1] connect nginx to front (update nginx): networks.back changed, networks.front changed
         undo: connect nginx to front
    #3 [2] disconnect nginx from back (update nginx): networks.back changed, networks.front changed
         undo: connect nginx to back
    "#);
    stage.settle().await;
}

#[tokio::test(start_paused = true)]
async fn a_replaced_container_joins_its_networks_before_the_old_one_stops() {
    let stage = settled().await;
    for network in ["front", "back"] {
        stage.fake.add_network(network);
    }
    let mut want = running("nginx", TWO);
    want.spec.live.insert("networks".to_owned(), json!({ "back": {}, "front": {} }));
    let stage = stage.with(vec![want]);
    let plan = stage.plan().await.expect("planned");
    let steps = text(&plan);
    let at = |what: &str| steps.find(what).unwrap_or_else(|| panic!("{what} in {steps}"));
    assert!(at("create nginx.g2") < at("connect nginx.g2 to front"));
    assert!(at("connect nginx.g2 to front") < at("stop nginx"));
    stage.settle().await;
    let body = stage.fake.body("nginx").expect("there");
    assert_eq!(body["NetworkingConfig"]["EndpointsConfig"], json!({ "back": { "Aliases": ["nginx"] } }));
}

#[tokio::test(start_paused = true)]
async fn a_container_that_must_not_run_is_stopped_and_stays_down_with_its_engine() {
    let stage = settled().await;
    let mut want = running("nginx", ONE);
    want.run = Run::Stopped;
    let stage = stage.with(vec![want.clone()]);
    let plan = stage.plan().await.expect("planned");
    insta::assert_snapshot!(readable(&text_with_undo(&plan)), @r#"
    #1 [] stop nginx (stop nginx): it runs, but is declared stopped
    #2 [1] update nginx RestartPolicy=unless-stopped (stop nginx): it runs, but is declared stopped
    "#);
    stage.settle().await;
    // And is replaced without a start.
    want.image = crate::name::ImageRef::parse(TWO).expect("a reference");
    let stage = stage.with(vec![want]);
    let plan = stage.plan().await.expect("planned");
    insta::assert_snapshot!(readable(&text(&plan)), @r#"
    #1 [] pull r.example.com/nginx@sha256:f903 (pull r.example.com/nginx@sha256:f903): version 1 → 2, pillar/apps.toml:12
    #2 [1] tag pillarbox.invalid/shop/nginx:g2-2 (replace nginx): version 1 → 2, pillar/apps.toml:12
    #3 [2] create nginx.g2 (replace nginx): version 1 → 2, pillar/apps.toml:12
    #4 [3] rename nginx to nginx.g1 (replace nginx): version 1 → 2, pillar/apps.toml:12
    #5 [4] rename nginx.g2 to nginx (replace nginx): version 1 → 2, pillar/apps.toml:12
    #6 [5] untag pillarbox.invalid/shop/nginx:g1-1 (replace nginx): version 1 → 2, pillar/apps.toml:12
    #7 [6] remove nginx.g1 (replace nginx): version 1 → 2, pillar/apps.toml:12
    "#);
    stage.settle().await;
    assert_eq!(stage.statuses(), ["nginx created"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_only_installed_is_left_running_or_not() {
    let stage = settled().await;
    let mut want = running("nginx", TWO);
    want.run = Run::Created;
    stage.with(vec![want.clone()]).settle().await;
    assert_eq!(stage.statuses(), ["nginx running"]);
    stage.fake.stop_container("nginx");
    want.image = crate::name::ImageRef::parse(ONE).expect("a reference");
    stage.with(vec![want]).settle().await;
    assert_eq!(stage.statuses(), ["nginx created"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_stopped_by_hand_is_started() {
    let stage = settled().await;
    stage.fake.stop_container("nginx");
    let plan = stage.plan().await.expect("planned");
    insta::assert_snapshot!(readable(&text_with_undo(&plan)), @r#"
    #1 [] start nginx (start nginx): it is exited (0)
         undo: stop nginx
    #2 [1] await nginx (start nginx): it is exited (0)
         undo: stop nginx
    "#);
    stage.settle().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_changed_by_hand_is_reported_and_replaced_on_demand() {
    let stage = settled().await;
    let mut want = running("nginx", ONE);
    want.spec.fixed.insert("hostname".to_owned(), json!("www"));
    let stage = stage.with(vec![want]);
    stage.settle().await;
    let mut body = stage.fake.body("nginx").expect("there");
    body["Hostname"] = json!("other");
    stage.fake.kill_container("nginx");
    stage.fake.add_container("nginx", body, true);
    let plan = stage.plan().await.expect("planned");
    assert_eq!(text(&plan), "");
    assert_eq!(plan.notes, ["container nginx: changed by hand: hostname; --fix-drift replaces it"]);
    let mut fixing = stage.clone();
    fixing.options.fix_drift = true;
    let plan = fixing.settle().await;
    assert_eq!(plan.changes[0].cause[0].to_string(), "changed by hand: hostname");
}

#[tokio::test(start_paused = true)]
async fn receivers_of_secrets_are_named_and_no_secret_is_in_the_plan() {
    let stage = Stage::new();
    stage.publish(1);
    let mut want = running("nginx", ONE);
    want.spec.env.insert("DB".to_owned(), secret("db.password"));
    let plan = stage.with(vec![want]).plan().await.expect("planned");
    let told: Vec<String> =
        plan.receivers.iter().map(|r| format!("{} → {}, {}", r.secret, r.container, r.field)).collect();
    assert_eq!(told, ["db.password → nginx, env DB"]);
    assert_eq!(plan.changes[0].after.as_ref().expect("after")["env.DB"], json!("(sealed 9f2c)"));
}
