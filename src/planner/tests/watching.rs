//! `watch`, `onchanges`, and what is left out.

use crate::desired::{Address, DesiredState, Item, Kind, Reaction, Requisites, Watch};
use crate::execute::tests::stage::{Stage, item, readable, resource, running, thing};
use crate::plan::text;
use crate::problem::Place;

fn free(name: &str, version: u32) -> Item {
    let mut want = running(name, &format!("r.example.com/nginx:{version}"));
    want.spec.fixed.clear();
    item(want)
}

fn watching(mut item: Item, thing: &Address, reaction: Reaction) -> Item {
    let place = Place::new("states/x.toml", 7);
    let watch = Watch { id: "it".to_owned(), things: vec![thing.clone()], reaction, place };
    item.requisites = Requisites { watch: vec![watch], onchanges: Vec::new() };
    item.needs = vec![thing.clone()];
    item
}

async fn stage() -> Stage {
    let stage = Stage::new();
    stage.publish(1);
    stage.publish(2);
    stage
}

async fn later() {
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
}

#[tokio::test(start_paused = true)]
async fn a_container_is_replaced_restarted_or_told_when_what_it_watches_is_new() {
    let mut shown = Vec::new();
    for reaction in [Reaction::Replace, Reaction::Restart, Reaction::Signal("SIGHUP".to_owned())] {
        let mut stage = stage().await;
        let db = free("db", 1);
        stage.items = vec![db.clone(), watching(free("web", 1), &db.address, reaction.clone())];
        stage.settle().await;
        later().await;
        let db = free("db", 2);
        stage.items = vec![db.clone(), watching(free("web", 1), &db.address, reaction)];
        let plan = stage.settle().await;
        let web = |line: &&str| line.contains(" web)");
        shown.extend(text(&plan).lines().filter(web).map(readable));
    }
    insta::assert_snapshot!(shown.join("\n"), @r#"
    #13 [12] tag pillarbox.invalid/shop/web:g2-1 (replace web): watch: container db is new, so it is replaced (states/x.toml:7)
    #14 [13] create web.g2 (replace web): watch: container db is new, so it is replaced (states/x.toml:7)
    #15 [14] stop web (replace web): watch: container db is new, so it is replaced (states/x.toml:7)
    #16 [15] update web RestartPolicy=unless-stopped (replace web): watch: container db is new, so it is replaced (states/x.toml:7)
    #17 [16] start web.g2 (replace web): watch: container db is new, so it is replaced (states/x.toml:7)
    #18 [17] await web.g2 (replace web): watch: container db is new, so it is replaced (states/x.toml:7)
    #19 [18] update web.g2 RestartPolicy=always (replace web): watch: container db is new, so it is replaced (states/x.toml:7)
    #20 [19] rename web to web.g1 (replace web): watch: container db is new, so it is replaced (states/x.toml:7)
    #21 [20] rename web.g2 to web (replace web): watch: container db is new, so it is replaced (states/x.toml:7)
    #22 [21] untag pillarbox.invalid/shop/web:g1-1 (replace web): watch: container db is new, so it is replaced (states/x.toml:7)
    #23 [22] remove web.g1 (replace web): watch: container db is new, so it is replaced (states/x.toml:7)
    #13 [12] stop web (restart web): watch: container db is new, so it is restarted (states/x.toml:7)
    #14 [13] start web (restart web): watch: container db is new, so it is restarted (states/x.toml:7)
    #15 [14] await web (restart web): watch: container db is new, so it is restarted (states/x.toml:7)
    #13 [12] send SIGHUP to web (update web): watch: container db is new, so it gets SIGHUP (states/x.toml:7)
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_younger_watcher_does_not_react_and_a_restart_of_the_watched_is_no_change() {
    let mut stage = stage().await;
    let db = free("db", 1);
    stage.items = vec![db.clone()];
    stage.settle().await;
    later().await;
    stage.items = vec![db.clone(), watching(free("web", 1), &db.address, Reaction::Replace)];
    stage.settle().await;
    later().await;
    stage.fake.stop_container("db");
    let plan = stage.settle().await;
    assert!(!text(&plan).contains("web"), "{}", text(&plan));
}

#[tokio::test(start_paused = true)]
async fn who_is_older_than_what_it_watches_owes_it() {
    let mut stage = stage().await;
    stage.items = vec![free("web", 1)];
    stage.settle().await;
    later().await;
    let front = resource(Kind::Network, "front", &[]);
    stage.items = vec![front.clone(), free("web", 1)];
    stage.settle().await;
    stage.items = vec![front.clone(), watching(free("web", 1), &front.address, Reaction::Replace)];
    let plan = stage.settle().await;
    assert!(
        text(&plan).contains("watch: network front is new, so it is replaced (states/x.toml:7)"),
        "{}",
        text(&plan)
    );
}

#[tokio::test(start_paused = true)]
async fn with_onchanges_nothing_is_done_until_the_other_resource_changes() {
    let mut stage = stage().await;
    let waiting = |mut item: Item, thing: &Address| {
        item.requisites.onchanges = vec![thing.clone()];
        item.needs = vec![thing.clone()];
        item
    };
    let db = free("db", 1);
    stage.items = vec![db.clone(), waiting(free("web", 1), &db.address)];
    stage.settle().await;
    assert_eq!(stage.statuses(), ["db running", "web running"], "what is not there is made");
    later().await;
    stage.items = vec![db.clone(), waiting(free("web", 2), &db.address)];
    let plan = stage.settle().await;
    assert!(plan.steps.is_empty());
    let cause = &plan.changes.iter().find(|change| change.address == "container web").expect("said").cause;
    assert_eq!(cause[0].to_string(), "left as it is until container db changes (onchanges)");
    let db = free("db", 2);
    stage.items = vec![db.clone(), waiting(free("web", 2), &db.address)];
    let plan = stage.settle().await;
    assert!(text(&plan).contains("replace web"), "{}", text(&plan));
}

#[tokio::test(start_paused = true)]
async fn a_replacement_that_was_begun_is_ended_whatever_onchanges_says() {
    use crate::testing::fake::Fault;
    let mut stage = stage().await;
    let waiting = |mut item: Item, thing: &Address| {
        item.requisites.onchanges = vec![thing.clone()];
        item.needs = vec![thing.clone()];
        item
    };
    let front = resource(Kind::Network, "front", &[]);
    stage.items = vec![front.clone(), waiting(free("web", 1), &front.address)];
    stage.settle().await;
    later().await;
    stage.fake.remove_network("front");
    stage.items = vec![front.clone(), waiting(free("web", 2), &front.address)];
    // Network, pull, tag, and then the first step of the replacement is the last that is done.
    stage.fake.fail(4, Fault::HangUpAfter);
    stage.apply().await;
    stage.fake.heal();
    stage.settle().await;
    assert_eq!(stage.image("web"), "r.example.com/nginx:2");
}

#[tokio::test(start_paused = true)]
async fn what_is_left_out_does_nothing_and_others_may_need_it() {
    let mut stage = stage().await;
    let why = "`onlyif` is false, states/x.toml:3".to_owned();
    let left = thing(Kind::State, "db.container.running", DesiredState::LeftOut { why });
    let mut web = free("web", 1);
    web.needs = vec![left.address.clone()];
    stage.items = vec![left, web];
    let plan = stage.settle().await;
    assert_eq!(plan.changes[0].address, "state db.container.running");
    assert_eq!(
        plan.changes[0].cause[0].to_string(),
        "left out on this host: `onlyif` is false, states/x.toml:3"
    );
    assert_eq!(stage.statuses(), ["web running"]);
}
