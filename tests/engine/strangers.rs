//! What is not ours, what was ours, and what was done to ours by hand.

use crate::env::TestEnv;
use crate::shop::Shop;
use crate::testbed::encoded;
use serde_json::{Value, json};

/// Creates and starts a container by hand.
fn by_hand(shop: &Shop, name: &str, body: &Value) -> String {
    let created = shop.engine.post(&format!("/containers/create?name={name}"), body);
    let id = created["Id"].as_str().expect("an id").to_owned();
    shop.engine.post(&format!("/containers/{id}/start"), &json!({}));
    id
}

#[test]
fn a_name_that_a_foreign_container_has_stops_the_plan_with_a_hint() {
    let Some(shop) = Shop::new() else { return };
    // Puts the image on the host.
    shop.apply().ok();
    shop.absent();
    shop.apply().ok();
    let text = shop.env.read("states/web.toml");
    shop.options("");
    let image = format!("{}:1.0.0", shop.repository);
    let other = format!("{}-elsewhere", shop.name);
    for labels in [json!({}), json!({ "io.pillarbox.workspace": other, "io.pillarbox.service": shop.web })] {
        let id = by_hand(&shop, &shop.web, &json!({ "Image": image, "Labels": labels }));
        let before = shop.identity(&id);
        let said = shop.apply().exits(1).explains(&shop.web).explains("was not made by");
        said.explains(&format!("docker rename {}", shop.web));
        shop.env.run(&["plan"]).exits(1);
        shop.env.run(&["apply", "-y", "--prune", "--fix-drift"]).exits(1);
        // Wanted away it stays too.
        shop.env.write("states/web.toml", &text);
        shop.env.run(&["apply", "-y", "--prune"]).ok().says("left alone");
        shop.options("");
        assert_eq!(shop.identity(&id), before, "it was touched");
        shop.engine.delete(&format!("/containers/{id}?force=1"));
    }
    shop.apply().ok();
    shop.only("web 1.0.0");
}

#[test]
fn a_copy_that_carries_our_labels_is_reported_and_never_touched() {
    let Some(shop) = Shop::deployed() else { return };
    let repository = format!("copy/{}/web", shop.name);
    let commit = format!("/commit?container={}&repo={}&tag=1", shop.web, encoded(&repository));
    shop.engine.post(&commit, &json!({}));
    let copy = format!("{}-copy", shop.name);
    let id = by_hand(&shop, &copy, &json!({ "Image": format!("{repository}:1") }));
    assert_eq!(shop.label(&copy, "service"), shop.web, "the copy has our labels");
    let before = shop.identity(&id);
    shop.env.run(&["plan"]).ok().says(&copy).lacks("- container");
    shop.release("serve", "1.1.0");
    shop.env.run(&["apply", "-y", "--prune"]).ok();
    shop.answers(shop.port, "web 1.1.0");
    shop.absent();
    shop.env.run(&["apply", "-y", "--prune"]).ok();
    assert_eq!(shop.identity(&id), before, "it was touched");
    assert_eq!(shop.names(), [copy.as_str()]);
    // In the place of ours it is a stranger.
    shop.engine.post(&format!("/containers/{id}/rename?name={}", shop.web), &json!({}));
    shop.options("");
    shop.apply().exits(1).explains("labels");
    assert_eq!(shop.inspect(&id)["State"]["Running"], json!(true));
}

#[test]
fn labels_that_were_copied_by_hand_make_no_container_ours() {
    let Some(shop) = Shop::deployed() else { return };
    let ours = shop.inspect(&shop.web);
    let (image, labels) = (&ours["Config"]["Image"], &ours["Config"]["Labels"]);
    // Of the same instance; of one that never was, with half of the labels.
    let mut half = labels.clone();
    half["io.pillarbox.instance"] = json!(format!("{}.g9", shop.web));
    half.as_object_mut().expect("labels").remove("io.pillarbox.spec");
    let mut strangers = Vec::new();
    for (name, labels) in [("same", labels.clone()), ("half", half)] {
        let name = format!("{}-{name}", shop.name);
        let id = by_hand(&shop, &name, &json!({ "Image": image, "Labels": labels }));
        strangers.push((name, shop.identity(&id), id));
    }
    for (name, ..) in &strangers {
        let note = format!("container {name}: has the labels of pillarbox");
        shop.env.run(&["plan"]).ok().says(&note);
        shop.env.run(&["status"]).ok().says(&note);
    }
    shop.release("serve", "1.1.0");
    shop.env.run(&["apply", "-y", "--prune", "--fix-drift"]).ok();
    shop.answers(shop.port, "web 1.1.0");
    shop.release("exits", "1.2.0");
    shop.apply().exits(3);
    shop.absent();
    shop.env.run(&["apply", "-y", "--prune"]).ok();
    for (name, before, id) in &strangers {
        assert_eq!(shop.identity(id), *before, "{name} was touched");
    }
    // Ours is gone. A copy of all its labels is told from a renamed one by nothing; half of them prove nothing.
    shop.engine.delete(&format!("/containers/{}?force=1", strangers[0].2));
    shop.options("");
    let renamed = format!("/containers/{}/rename?name={}", strangers[1].2, shop.web);
    shop.engine.post(&renamed, &json!({}));
    shop.apply().exits(1).explains("has the labels of pillarbox");
    let adopting = shop.env.run(&["adopt", &shop.web, "--host", "local", "-y"]).exits(1);
    adopting.explains("has the labels of pillarbox");
}

#[test]
fn what_no_state_declares_any_more_is_reported_and_goes_with_prune_only() {
    let Some(shop) = Shop::deployed() else { return };
    shop.env.write("states/web.toml", "");
    let before = shop.identity(&shop.web);
    shop.env.run(&["plan"]).ok().says(&shop.web).says("--prune");
    shop.apply().ok();
    assert_eq!(shop.identity(&shop.web), before);
    shop.env.run(&["plan", "--prune"]).ok().says(&format!("- container {}", shop.web));
    shop.env.run(&["apply", "-y", "--prune"]).ok();
    assert!(shop.names().is_empty() && shop.kept().is_empty());
}

#[test]
fn a_limit_that_was_changed_by_hand_is_set_again_in_place() {
    let Some(shop) = Shop::new() else { return };
    shop.options("memory = \"32m\"\nrestart = \"always\"");
    shop.apply().ok();
    let before = shop.identity(&shop.web);
    let body = json!({ "Memory": 50_000_000, "MemorySwap": 100_000_000, "RestartPolicy": { "Name": "no" } });
    shop.engine.post(&format!("/containers/{}/update", shop.web), &body);
    shop.env.run(&["plan"]).ok().says("~ container").says("memory").says("restart");
    shop.apply().ok();
    assert_eq!(shop.identity(&shop.web), before);
    let host = shop.inspect(&shop.web)["HostConfig"].clone();
    assert_eq!((&host["Memory"], &host["RestartPolicy"]["Name"]), (&json!(33_554_432), &json!("always")));
    shop.rests();
}

#[test]
fn a_container_that_was_recreated_by_hand_is_drift_and_replaced_on_demand_only() {
    let Some(shop) = Shop::new() else { return };
    shop.options("env.LOG = \"info\"\nuser = \"0\"");
    shop.apply().ok();
    // What a tool does that recreates containers: the same labels, another user.
    let ours = shop.inspect(&shop.web);
    shop.engine.delete(&format!("/containers/{}?force=1", shop.web));
    let body = json!({
        "Image": ours["Config"]["Image"], "Labels": ours["Config"]["Labels"], "Env": ["LOG=debug"], "User": "0:0",
        "HostConfig": { "PortBindings": { "80/tcp": [{ "HostPort": shop.port.to_string() }] } },
    });
    by_hand(&shop, &shop.web, &body);
    let before = shop.identity(&shop.web);
    let plan = shop.env.run(&["plan", "--detailed-exitcode"]).ok();
    plan.says("env.LOG").says("user").lacks("debug").says("--fix-drift");
    shop.env.run(&["status"]).ok();
    shop.apply().ok();
    assert_eq!(shop.identity(&shop.web), before, "reported, not touched");
    shop.env.run(&["plan", "--fix-drift"]).ok().says("-/+ container");
    shop.env.run(&["apply", "-y", "--fix-drift"]).ok();
    assert_eq!(shop.inspect(&shop.web)["Config"]["User"], json!("0"));
    shop.only("web 1.0.0");
    shop.rests();
}

#[test]
fn a_paused_container_of_ours_is_said_to_be_so() {
    let Some(shop) = Shop::deployed() else { return };
    shop.engine.post(&format!("/containers/{}/pause", shop.web), &json!({}));
    shop.env.run(&["status"]).ok().says("paused");
    shop.release("serve", "1.1.0");
    shop.apply().ok();
    shop.only("web 1.1.0");
}

#[test]
fn an_image_that_is_not_wanted_loses_its_tag_and_nothing_that_runs() {
    let Some(shop) = Shop::deployed() else { return };
    let image = format!("{}:1.0.0", shop.repository);
    shop.release("serve", "1.1.0");
    shop.apply().ok();
    assert!(shop.engine.find_image(&image).is_some(), "it is kept");
    let states = shop.env.read("states/web.toml");
    let gone = format!("[gone.image.absent]\nname = \"{}\"\ntag = \"1.0.0\"\n", shop.repository);
    shop.env.write("states/web.toml", format!("{states}\n{gone}"));
    shop.env.run(&["plan"]).ok().says(&format!("- image {image}"));
    shop.apply().ok();
    assert!(shop.engine.find_image(&image).is_none());
    shop.only("web 1.1.0");
    shop.rests();
    // A person cleans up: the image of what we keep stays.
    shop.prune_images();
    assert_eq!(shop.kept().len(), 1);
    shop.rests();
}

/// A workspace of the same name that was made on another machine, with the same hosts and no states but this.
fn made_elsewhere(shop: &Shop, state: &str) -> TestEnv {
    let other = TestEnv::named(&shop.name);
    other.run(&["init"]).ok();
    for example in ["states/nginx.toml", "states/nginx_gone.toml", "pillar/apps.toml"] {
        std::fs::remove_file(other.workspace().join(example)).expect("an example");
    }
    let text = other.read("pillarbox.toml");
    let (head, _) = text.split_once("[groups").expect("the inventory of init");
    let hosts = format!(
        "[groups.all]\nstates = [\"web\"]\n[hosts.local]\nengine = \"{}\"\ngroups = [\"all\"]\n",
        shop.engine.address()
    );
    other.write("pillarbox.toml", format!("{head}{hosts}"));
    other.write("states/web.toml", state);
    other
}

#[test]
fn a_workspace_of_the_same_name_that_was_made_elsewhere_takes_nothing_away() {
    let Some(shop) = Shop::new() else { return };
    // Both had an id from the beginning.
    let text = shop.env.read("pillarbox.toml").replace("owns_without_id = true\n", "");
    shop.env.write("pillarbox.toml", text);
    shop.options(&format!("networks = [\"{}-net\"]", shop.name));
    let state = shop.env.read("states/web.toml");
    let more = format!(
        "[net.network.present]\nname = \"{0}-net\"\n[data.volume.present]\nname = \"{0}-data\"\n",
        shop.name
    );
    shop.env.write("states/web.toml", format!("{more}{state}"));
    shop.apply().ok();
    let id = shop.inspect(&shop.web)["Id"].as_str().expect("an id").to_owned();
    let before = shop.identity(&id);
    let gone = format!(
        "[web.container.absent]\nname = \"{0}\"\n[net.network.absent]\nname = \"{1}-net\"\n[data.volume.absent]\nname = \"{1}-data\"\n",
        shop.web, shop.name
    );
    let other = made_elsewhere(&shop, &gone);
    other
        .run(&["apply", "-y", "--prune", "--fix-drift"])
        .ok()
        .says("belongs to another workspace that is also named")
        .lacks("- container");
    assert_eq!(shop.identity(&id), before, "it was touched");
    other.run(&["plan", "--prune", "--detailed-exitcode"]).ok();
    // Nor does it take the names.
    other.write(
        "states/web.toml",
        format!("[data.volume.present]\nname = \"{}-data\"\ndriver = \"local\"\n", shop.name),
    );
    other.run(&["apply", "-y", "--prune"]).ok();
    shop.env.run(&["plan", "--detailed-exitcode"]).ok().says("no changes");
    shop.answers(shop.port, "web 1.0.0");
}

#[test]
fn an_id_that_is_added_later_changes_nothing_on_hosts() {
    let Some(shop) = Shop::new() else { return };
    let text = shop.env.read("pillarbox.toml").replace("owns_without_id = true\n", "");
    let text: String =
        text.lines().filter(|line| !line.starts_with("id = ")).map(|line| format!("{line}\n")).collect();
    shop.env.write("pillarbox.toml", &text);
    // As on a machine that met it when it had none.
    shop.env.run(&["known", "forget", "--workspace", &shop.name]).ok();
    shop.apply().ok();
    assert!(shop.inspect(&shop.web)["Config"]["Labels"]["io.pillarbox.workspace-id"].is_null());
    shop.env.run(&["init", "--id"]).ok();
    shop.env.run(&["plan", "--detailed-exitcode", "--prune", "--fix-drift"]).ok().says("no changes");
    shop.release("serve", "1.1.0");
    shop.apply().ok();
    shop.only("web 1.1.0");
    assert_eq!(shop.label(&shop.web, "workspace-id").len(), 16);
    // A checkout from before knows that this is not its own.
    shop.env.write("pillarbox.toml", &text);
    shop.env.run(&["apply", "-y", "--prune"]).exits(1).explains("also named");
    shop.answers(shop.port, "web 1.1.0");
}

#[test]
fn a_container_of_ours_that_was_renamed_by_hand_gets_its_name_back_and_none_is_made_beside_it() {
    let Some(shop) = Shop::deployed() else { return };
    let before = shop.inspect(&shop.web)["Id"].clone();
    let other = format!("{}-old", shop.web);
    let rename = |from: &str, to: &str| {
        shop.engine.post(&format!("/containers/{from}/rename?name={to}"), &serde_json::json!({}))
    };
    rename(&shop.web, &other);
    shop.env.run(&["status"]).ok().says(&other);
    let plan = shop.env.run(&["plan", "--detailed-exitcode"]).exits(2);
    plan.says("renamed by hand: it gets its name back").lacks("will be created");
    shop.apply().ok();
    assert_eq!(shop.inspect(&shop.web)["Id"], before);
    shop.rests();
    shop.only("web 1.0.0");
}
