//! New containers that do not come up: the old one is brought back, and the next apply converges.

use crate::shop::Shop;
use crate::testbed::eventually;
use serde_json::json;

/// The attempts beside the service.
fn attempts(shop: &Shop) -> Vec<String> {
    shop.names().into_iter().filter(|name| *name != shop.web).collect()
}

/// What the Engine says of the only attempt that was kept.
#[track_caller]
fn attempt(shop: &Shop) -> serde_json::Value {
    let attempts = attempts(shop);
    assert_eq!(attempts.len(), 1, "{attempts:?}");
    shop.inspect(&attempts[0])
}

#[test]
fn an_image_that_exits_at_once_is_kept_with_its_last_words_and_the_old_one_is_back() {
    let Some(shop) = Shop::deployed() else { return };
    let id = shop.inspect(&shop.web)["Id"].clone();
    shop.release("exits", "1.1.0");
    let said = shop.apply().exits(3).explains("demo: cannot start: no such table: users");
    said.explains("did not come up").explains("exit code 3");
    shop.answers(shop.port, "web 1.0.0");
    let back = shop.inspect(&shop.web);
    assert_eq!((&back["Id"], &back["State"]["Running"]), (&id, &json!(true)), "the old one itself");
    let kept = attempt(&shop);
    assert_eq!(
        (&kept["State"]["Running"], &kept["HostConfig"]["RestartPolicy"]["Name"]),
        (&json!(false), &json!("no"))
    );
    shop.env.run(&["status"]).ok().says(kept["Name"].as_str().expect("a name").trim_start_matches('/'));

    // Once more the same: it is tried again, and logs do not pile up.
    for _ in 0..3 {
        shop.apply().exits(3);
        shop.answers(shop.port, "web 1.0.0");
    }
    assert!(attempts(&shop).len() <= 2, "{:?}", attempts(&shop));
    shop.release("serve", "1.2.0");
    shop.apply().ok();
    shop.only("web 1.2.0");
    shop.rests();
}

#[test]
fn going_back_to_the_version_that_works_clears_what_failed() {
    let Some(shop) = Shop::deployed() else { return };
    let before = shop.inspect(&shop.web)["Id"].clone();
    shop.release("exits", "1.1.0");
    shop.apply().exits(3);
    let back = shop.identity(&shop.web);
    shop.version("1.0.0");
    shop.apply().ok();
    shop.only("web 1.0.0");
    assert_eq!(shop.inspect(&shop.web)["Id"], before);
    assert_eq!(shop.identity(&shop.web), back, "it went on running");
    shop.rests();
}

#[test]
fn an_image_that_never_gets_healthy_is_rolled_back() {
    let Some(shop) = Shop::deployed() else { return };
    shop.release("unhealthy", "1.1.0");
    shop.apply().exits(3).explains("health");
    shop.answers(shop.port, "web 1.0.0");
    assert_eq!(attempt(&shop)["State"]["Running"], json!(false));
    shop.release("healthy", "1.2.0");
    shop.apply().ok();
    shop.only("web 1.2.0");
    assert_eq!(shop.inspect(&shop.web)["State"]["Health"]["Status"], json!("healthy"));
    shop.rests();
}

/// Ready after more than a minute of Docker's default interval would still be in time; the setting that ends it
/// earlier is named, with what the check printed.
#[test]
fn one_that_is_too_slow_is_told_which_setting_gives_it_more_time_and_what_its_check_said() {
    let Some(shop) = Shop::deployed() else { return };
    shop.seal("web.word", "pr0be-canary-word");
    shop.options(
        "env.WORD = \"{{ pillar.web.word }}\"\nstart_timeout = \"4s\"\n\
         healthcheck = { test = \"echo not yet $WORD; false\", interval = \"1s\", retries = 100 }",
    );
    shop.apply()
        .exits(3)
        .explains("it is not healthy after 4 seconds")
        .explains("start_timeout = \"8s\" in its declaration (states/web.toml:")
        .explains("failed health checks of")
        .explains("exit code 1: not yet [secret]")
        .lacks("pr0be-canary-word");
    // What is not declared follows the check: 3 + (4 + 1) × (20 + 2) seconds.
    shop.options(
        "healthcheck = { test = \"true\", interval = \"20s\", timeout = \"2s\", retries = 4, start_period = \"3s\" }",
    );
    shop.env.run(&["plan", "-v"]).ok().says("is up, 1 min 53 s at most (start_timeout)");
}

#[test]
fn a_port_that_is_taken_leaves_the_old_one_alone() {
    let Some(shop) = Shop::deployed() else { return };
    let taken = shop.port();
    let other = shop.engine.post(
        &format!("/containers/create?name={}-other", shop.name),
        &json!({
            "Image": format!("{}:1.0.0", shop.repository),
            "HostConfig": { "PortBindings": { "80/tcp": [{ "HostPort": taken.to_string() }] } },
        }),
    );
    let other = other["Id"].as_str().expect("an id").to_owned();
    shop.engine.post(&format!("/containers/{other}/start"), &json!({}));
    shop.set("web.port", &taken.to_string());
    shop.apply().exits(1).explains("is taken");
    shop.answers(shop.port, "web 1.0.0");
    assert_eq!(shop.inspect(&other)["State"]["Running"], json!(true), "not ours to touch");
    shop.engine.delete(&format!("/containers/{other}?force=1"));
    shop.apply().ok();
    assert_eq!(shop.names(), [shop.web.as_str()]);
    shop.answers(taken, "web 1.0.0");
    shop.rests();
}

#[test]
fn a_first_deployment_that_fails_leaves_its_log_and_the_next_one_converges() {
    let Some(shop) = Shop::new() else { return };
    shop.release("exits", "0.9.0");
    shop.apply().exits(3).explains("no such table: users");
    assert_eq!(shop.inspect(&shop.names()[0])["State"]["Running"], json!(false));
    shop.apply().exits(3);
    shop.version("1.0.0");
    shop.apply().ok();
    shop.only("web 1.0.0");
    shop.rests();
}

#[test]
fn one_of_two_services_that_fails_does_not_undo_the_other() {
    let Some(shop) = Shop::deployed() else { return };
    let (second, _) = shop.push("exits", "second", "1.0.0");
    let text = shop.env.read("states/web.toml");
    let name = format!("{}-second", shop.name);
    let more = format!(
        "[second.container.running]\nname = \"{name}\"\nimage = \"{second}:1.0.0\"\nmonitor = \"1s\"\n"
    );
    shop.env.write("states/web.toml", format!("{text}\n{more}"));
    shop.release("serve", "1.1.0");
    shop.apply().exits(3).explains(&name);
    assert!(eventually(|| shop.http(shop.port).is_ok()), "the one that worked does not");
    shop.push("serve", "second", "1.0.0");
    shop.apply().ok();
    shop.answers(shop.port, "web 1.1.0");
    assert_eq!(shop.names(), [name.as_str(), shop.web.as_str()]);
    shop.rests();
}
