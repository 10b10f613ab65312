//! The main job: deployed, upgraded by one value, at rest, gone.

use crate::shop::Shop;

#[test]
fn the_four_states_deploy_upgrade_rest_and_remove() {
    let Some(shop) = Shop::new() else { return };
    let container = format!("container {}", shop.web);
    shop.env.run(&["plan", "--detailed-exitcode"]).exits(2).says(&format!("+ {container}"));
    assert!(shop.names().is_empty(), "a plan changes nothing");
    shop.apply().ok();
    shop.only("web 1.0.0");
    shop.rests();

    shop.push("serve", "web", "1.1.0");
    shop.version("1.1.0");
    let before = shop.identity(&shop.web);
    let line =
        shop.env.read("pillar/apps.toml").lines().position(|line| line.contains("1.1.0")).expect("it") + 1;
    let plan = shop.env.run(&["plan"]).ok();
    let plan = plan.says(&format!("-/+ {container}"));
    plan.says(&format!("version 1.0.0 → 1.1.0, pillar/apps.toml:{line}"));
    assert_eq!(shop.identity(&shop.web), before, "a plan changes nothing");
    shop.apply().ok().says("version 1.0.0 → 1.1.0");
    shop.only("web 1.1.0");
    assert_eq!(shop.label(&shop.web, "generation"), "2");
    assert_eq!(shop.label(&shop.web, "version"), "1.1.0");
    let upgraded = shop.identity(&shop.web);
    shop.rests();
    assert_eq!(shop.identity(&shop.web), upgraded, "nothing to do means nothing done");

    shop.absent();
    shop.env.run(&["plan"]).ok().says(&format!("- {container}"));
    shop.apply().ok();
    assert!(shop.names().is_empty() && shop.kept().is_empty(), "{:?} {:?}", shop.names(), shop.kept());
    assert!(shop.http(shop.port).is_err(), "it still answers");
    shop.rests();
}

#[test]
fn one_apply_deploys_again_what_was_removed() {
    let Some(shop) = Shop::deployed() else { return };
    shop.engine.delete(&format!("/containers/{}?force=1", shop.web));
    shop.env.run(&["plan"]).ok().says("+ container").says("will be created");
    shop.apply().ok();
    shop.only("web 1.0.0");
}

#[test]
fn a_container_that_somebody_stopped_is_started_again() {
    let Some(shop) = Shop::deployed() else { return };
    let id = shop.inspect(&shop.web)["Id"].clone();
    shop.engine.post(&format!("/containers/{}/stop?t=1", shop.web), &serde_json::json!({}));
    shop.env.run(&["plan"]).ok().says("~ container").says("exited");
    shop.apply().ok();
    shop.only("web 1.0.0");
    assert_eq!(shop.inspect(&shop.web)["Id"], id, "the same container");
    shop.rests();
}

#[test]
fn a_tag_that_was_pushed_again_is_a_new_version() {
    let Some(shop) = Shop::deployed() else { return };
    shop.push_page("serve", "web", "1.0.0", "moved");
    shop.env.run(&["plan"]).ok().says("-/+ container").says("same tag, other image");
    shop.apply().ok();
    shop.only("moved");
    shop.rests();
}
