//! What was done to a container by hand: said everywhere, and put right on request.

use crate::shop::Shop;
use serde_json::{Value, json};

/// A service of two containers; the second was recreated by hand for another user, with our labels.
fn drifted() -> Option<(Shop, String)> {
    let shop = Shop::new()?;
    let state = format!(
        "[web.service.deployed]\nname = \"{}\"\nimage = \"{}:1.0.0\"\nreplicas = 2\nuser = \"0\"\nmemory = \"32m\"\n\
         stop_timeout = \"1s\"\nupdate = {{ monitor = \"1s\", drain = \"0s\" }}\n",
        shop.web, shop.repository
    );
    shop.env.write("states/web.toml", state);
    shop.apply().ok();
    let second = format!("{}-2", shop.web);
    let ours = shop.inspect(&second);
    shop.engine.delete(&format!("/containers/{second}?force=1"));
    let body = json!({
        "Image": ours["Config"]["Image"], "Labels": ours["Config"]["Labels"], "User": "0:0",
        "HostConfig": { "Memory": 32 << 20, "RestartPolicy": { "Name": "unless-stopped" } },
    });
    let made = shop.engine.post(&format!("/containers/create?name={second}"), &body);
    shop.engine.post(&format!("/containers/{}/start", made["Id"].as_str().expect("an id")), &Value::Null);
    Some((shop, second))
}

#[test]
fn drift_of_one_container_of_a_service_is_said_and_a_stored_plan_puts_it_right() {
    let Some((shop, second)) = drifted() else { return };
    let first = shop.identity(&shop.web);
    let said = format!("container {second}: changed by hand: user; --fix-drift replaces it");
    shop.env.run(&["plan", "--detailed-exitcode"]).ok().says(&said);
    shop.env.run(&["status"]).ok().says(&said);
    let before = shop.identity(&second);
    shop.apply().ok();
    assert_eq!(shop.identity(&second), before, "it is only said");

    let planned = shop
        .env
        .run(&["plan", "--fix-drift", "-o", "plan.json", "--html", "plan.html", "--json"])
        .ok()
        .json();
    let changes = planned["hosts"][0]["changes"].as_array().expect("changes");
    let of = |name: &str| {
        let address = format!("container {name}");
        changes.iter().find(|change| change["address"] == address.as_str()).expect("a change").clone()
    };
    assert_eq!(of(&second)["actions"], json!(["replace-start-first"]));
    assert_eq!(of(&second)["cause"], json!(["changed by hand: user"]));
    assert_eq!(of(&shop.web)["actions"], json!(["unchanged"]));
    assert!(shop.env.read("plan.html").contains("changed by hand: user"));
    shop.env.run(&["apply", "plan.json"]).ok().says("+/- container");
    assert_eq!(shop.inspect(&second)["Config"]["User"], json!("0"));
    assert_eq!(shop.identity(&shop.web), first);
    shop.rests();
    // It was for that world.
    shop.env.run(&["apply", "plan.json"]).exits(5);
}

#[test]
fn a_limit_that_was_changed_by_hand_is_set_again_in_place_with_or_without_fixing_drift() {
    let Some((shop, second)) = drifted() else { return };
    shop.env.run(&["apply", "-y", "--fix-drift"]).ok();
    for more in [&[][..], &["--fix-drift"]] {
        let before = shop.identity(&second);
        let body =
            json!({ "Memory": 50_000_000, "MemorySwap": 100_000_000, "RestartPolicy": { "Name": "always" } });
        shop.engine.post(&format!("/containers/{second}/update"), &body);
        shop.env.run(&["status"]).ok().says("memory changed").says("restart changed");
        let arguments: Vec<&str> = ["apply", "-y"].iter().chain(more).copied().collect();
        shop.env.run(&arguments).ok().says("~ container");
        assert_eq!(shop.identity(&second), before);
        assert_eq!(shop.inspect(&second)["HostConfig"]["Memory"], json!(32 << 20));
        shop.rests();
    }
}

#[test]
fn drift_that_cannot_be_put_right_leaves_what_works() {
    let Some((shop, second)) = drifted() else { return };
    let before = shop.identity(&second);
    // The tag is another image now, which does not come up.
    shop.push("exits", "web", "1.0.0");
    shop.env.run(&["apply", "-y", "--fix-drift"]).exits(3).explains("no such table");
    assert_eq!(shop.identity(&second), before);
    assert!(shop.inspect(&shop.web)["State"]["Running"] == json!(true));
}
