//! Stored plans: done exactly as they are, or not at all.

use crate::env::{Checked, mode};
use crate::shop::Shop;
use serde_json::{Value, json};

/// A workspace with an upgrade stored in `plan.json`.
fn with_a_plan() -> Option<Shop> {
    let shop = Shop::deployed()?;
    shop.release("serve", "1.1.0");
    shop.env.run(&["plan", "-o", "plan.json"]).ok().says("-/+").explains("pillarbox apply 'plan.json'");
    Some(shop)
}

/// Applying it is refused as stale, and touches nothing.
#[track_caller]
fn is_stale(shop: &Shop) -> Checked {
    untouched(shop).explains("no longer fits; nothing was changed")
}

#[track_caller]
fn untouched(shop: &Shop) -> Checked {
    let containers =
        |shop: &Shop| -> Vec<Value> { shop.names().iter().map(|name| shop.identity(name)).collect() };
    let before = containers(shop);
    let checked = shop.env.run(&["apply", "plan.json"]).exits(5);
    assert_eq!(containers(shop), before, "it was touched");
    checked
}

#[test]
fn a_stored_plan_is_done_without_a_question_and_only_once() {
    let Some(shop) = with_a_plan() else { return };
    assert_eq!(mode(&shop.env.workspace().join("plan.json")), 0o600);
    shop.env.run(&["apply", "plan.json"]).ok();
    shop.only("web 1.1.0");
    let after = shop.identity(&shop.web);
    let _ = is_stale(&shop);
    assert_eq!(shop.identity(&shop.web), after);
}

#[test]
fn a_page_of_the_plan_is_written_beside_it_for_this_user_only() {
    let Some(shop) = Shop::deployed() else { return };
    shop.release("serve", "1.1.0");
    let both = ["plan", "--json", "--detailed-exitcode", "-o", "plan.json", "--html", "plan.html"];
    let said: Value = shop.env.run(&both).exits(2).json();
    let page = shop.env.read("plan.html");
    assert_eq!(mode(&shop.env.workspace().join("plan.html")), 0o600);
    assert!(page.contains("version 1.0.0 → 1.1.0, pillar/apps.toml:"), "{page}");
    let steps = said["hosts"][0]["steps"].as_array().expect("steps");
    assert_eq!(page.matches("<svg class=\"box ").count(), steps.len());
    assert_eq!(shop.env.run(&["plan", "--html", "-"]).ok().stdout(), page);
    shop.env.run(&["apply", "plan.json"]).ok();
}

#[test]
fn a_container_changed_by_hand_meanwhile_makes_a_plan_stale() {
    let Some(shop) = with_a_plan() else { return };
    let web = shop.web.clone();
    let rename =
        |from: &str, to: &str| shop.engine.post(&format!("/containers/{from}/rename?name={to}"), &json!({}));
    rename(&web, &format!("{web}-moved"));
    is_stale(&shop).explains(&format!("container {web}"));
    rename(&format!("{web}-moved"), &web);
    shop.engine.post(&format!("/containers/{web}/stop?t=1"), &json!({}));
    is_stale(&shop).explains(&format!("container {web}"));
    shop.engine.post(&format!("/containers/{web}/start"), &json!({}));
    // As it was: the plan holds again.
    shop.env.run(&["apply", "plan.json"]).ok();
    shop.only("web 1.1.0");
}

#[test]
fn a_container_that_is_gone_makes_a_plan_stale() {
    let Some(shop) = with_a_plan() else { return };
    shop.engine.delete(&format!("/containers/{}?force=1", shop.web));
    is_stale(&shop).explains(&format!("container {}", shop.web));
    assert!(shop.names().is_empty());
}

#[test]
fn another_version_option_or_tag_makes_a_plan_stale() {
    let Some(shop) = with_a_plan() else { return };
    shop.release("serve", "1.2.0");
    is_stale(&shop).explains("1.0.0 → 1.1.0").explains("1.0.0 → 1.2.0");
    shop.version("1.1.0");
    shop.options("env.LOG = \"debug\"");
    is_stale(&shop).explains("env.LOG");
    shop.options("");
    shop.push_page("serve", "web", "1.1.0", "moved");
    is_stale(&shop).explains("sha256:");
    shop.push("serve", "web", "1.1.0");
    shop.env.run(&["apply", "plan.json"]).ok();
    shop.only("web 1.1.0");
}

#[test]
fn a_plan_file_cannot_smuggle_anything_in() {
    let Some(shop) = with_a_plan() else { return };
    let stored: Value = serde_json::from_str(&shop.env.read("plan.json")).expect("JSON");
    let victim = format!("{}-victim", shop.name);
    let image = format!("{}:1.0.0", shop.repository);
    let id = shop.engine.post(&format!("/containers/create?name={victim}"), &json!({ "Image": image }))["Id"]
        .clone();
    let steps = |plan: &Value| plan["hosts"][0]["steps"].as_array().expect("steps").clone();
    let of = |plan: &Value, action: &str| {
        steps(plan)
            .iter()
            .position(|step| step["action"]["do"] == action)
            .unwrap_or_else(|| panic!("no {action}"))
    };
    let edits: [&dyn Fn(&mut Value); 7] = [
        &|plan| {
            let mut step = steps(plan)[of(plan, "stop")].clone();
            step["id"] = json!(99);
            step["action"] = json!({ "do": "remove", "container": { "id": id }, "name": victim });
            plan["hosts"][0]["steps"].as_array_mut().expect("steps").push(step);
        },
        &|plan| drop(plan["hosts"][0]["steps"].as_array_mut().expect("steps").pop()),
        &|plan| {
            let at = of(plan, "stop");
            plan["hosts"][0]["steps"][at]["action"]["container"]["id"] = id.clone();
        },
        &|plan| {
            let at = of(plan, "create");
            plan["hosts"][0]["steps"][at]["action"]["body"]["HostConfig"]["Privileged"] = json!(true);
        },
        &|plan| {
            let at = of(plan, "create");
            let digest = format!("sha256:{}", "0".repeat(64));
            plan["hosts"][0]["steps"][at]["action"]["digest"] = json!(digest);
        },
        &|plan| plan["hosts"][0]["engine"] = json!("tcp://198.18.0.9:2376"),
        &|plan| plan["workspace"] = json!("another"),
    ];
    for edit in edits {
        let mut plan = stored.clone();
        edit(&mut plan);
        assert_ne!(plan, stored);
        shop.env.write("plan.json", plan.to_string());
        let _ = is_stale(&shop);
    }
    let mut elsewhere = stored.clone();
    elsewhere["hosts"][0]["host"] = json!("another");
    shop.env.write("plan.json", elsewhere.to_string());
    untouched(&shop).explains("host that is not in the inventory any more: another");
    for text in ["", "{}", "not a plan", "{\"format_version\":\"9.0\",\"hosts\":[]}"] {
        shop.env.write("plan.json", text);
        shop.env.run(&["apply", "plan.json"]).exits(1).explains("plan");
    }
    assert_eq!(shop.inspect(&victim)["Id"], id, "not ours, not touched");
    shop.engine.delete(&format!("/containers/{victim}"));
    // Written down again it is itself, whatever the order of its fields.
    shop.env.write("plan.json", stored.to_string());
    shop.env.run(&["apply", "plan.json"]).ok();
    shop.only("web 1.1.0");
}
