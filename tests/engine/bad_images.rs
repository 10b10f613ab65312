//! Images and hosts that do not go together: another processor, deaf to SIGTERM, a port that is taken.

use crate::shop::Shop;
use crate::testbed::EngineEnv;
use serde_json::json;
use std::time::{Duration, Instant};

#[test]
fn an_image_for_another_processor_is_refused_when_it_is_set_and_when_it_is_planned() {
    let Some(bed) = EngineEnv::initialised(&["web"]) else { return };
    bed.add_registry();
    let state = |image: &str| {
        format!("[web.container.running]\nname = \"{}\"\n{image}\nmonitor = \"1s\"\n", bed.name)
    };
    bed.env.write("states/web.toml", state("gate = \"web\""));
    let (repository, _) = bed.push("serve", "web", "1.0.0");
    bed.env.run(&["gate", "set", "web", "1.0.0", "--image", &repository, "--in", "apps", "-y"]).ok();
    bed.env.run(&["apply", "-y"]).ok();
    bed.push_for("s390x", "web", "1.1.0");
    let before = bed.env.files();
    let said = bed.env.run(&["gate", "set", "web", "1.1.0"]).exits(1);
    said.explains("is not made for host local")
        .explains("the image is for linux/s390x")
        .explains("the host is linux/");
    assert_eq!(bed.env.files(), before, "the gate was written");
    bed.env.write("states/web.toml", state(&format!("image = \"{repository}:1.1.0\"")));
    let running = bed.engine.container(&bed.name)["State"]["StartedAt"].clone();
    for command in [&["plan"][..], &["apply", "-y"]] {
        bed.env.run(command).exits(1).explains("is not made for host local").explains("linux/s390x");
    }
    let after = bed.engine.container(&bed.name);
    assert_eq!(after["State"]["StartedAt"], running);
}

#[test]
fn one_that_ignores_sigterm_is_killed_when_its_time_is_over() {
    let Some(shop) = Shop::new() else { return };
    shop.release("deaf", "0.9.0");
    shop.apply().ok();
    shop.answers(shop.port, "web 0.9.0");
    shop.version("1.0.0");
    let began = Instant::now();
    shop.apply().ok();
    // `stop_timeout` is two seconds.
    assert!(began.elapsed() > Duration::from_secs(2) && began.elapsed() < Duration::from_secs(40));
    shop.only("web 1.0.0");
    // The other way round too, where it is the new one that fails and has to go.
    shop.release("deaf", "1.1.0")
        .options("healthcheck = { test = [\"CMD\", \"false\"], interval = \"500ms\", retries = 1 }");
    shop.apply().exits(3).explains("its health check fails");
    shop.answers(shop.port, "web 1.0.0");
}

#[test]
fn a_port_that_a_program_of_the_host_has_brings_the_old_one_back() {
    let Some(shop) = Shop::deployed() else { return };
    let taken = shop.port();
    // In the network of the host it is no port that the Engine knows of.
    let body = json!({
        "Image": format!("{}:1.0.0", shop.repository), "Cmd": ["httpd", "-f", "-p", taken.to_string(), "-h", "/www"],
        "HostConfig": { "NetworkMode": "host" },
    });
    let made = shop.engine.post(&format!("/containers/create?name={}-program", shop.name), &body);
    let program = made["Id"].as_str().expect("an id").to_owned();
    shop.engine.post(&format!("/containers/{program}/start"), &json!({}));
    shop.answers(taken, "web 1.0.0");
    let before = shop.inspect(&shop.web)["Id"].clone();
    shop.set("web.port", &taken.to_string());
    shop.apply().exits(3).explains("address already in use");
    shop.answers(shop.port, "web 1.0.0");
    let back = shop.inspect(&shop.web);
    assert_eq!((&back["Id"], &back["State"]["Running"]), (&before, &json!(true)));
    assert_eq!(shop.inspect(&program)["State"]["Running"], json!(true), "not ours to touch");
    shop.engine.delete(&format!("/containers/{program}?force=1"));
    shop.apply().ok();
    shop.answers(taken, "web 1.0.0");
    assert_eq!(shop.names(), [shop.web.as_str()]);
}

#[test]
fn a_service_with_a_port_of_the_host_is_stopped_first_and_not_at_all_when_the_port_is_taken() {
    let Some(shop) = Shop::new() else { return };
    let state = |port: u16| {
        let text = format!(
            "[web.service.deployed]\nname = \"{}\"\nimage = \"{}:{{{{ pillar.deploy.web.version }}}}\"\nports = [\"{port}:80\"]\n\
             stop_timeout = \"1s\"\nretain = 0\nupdate = {{ monitor = \"1s\" }}\n",
            shop.web, shop.repository
        );
        shop.env.write("states/web.toml", text);
    };
    state(shop.port);
    shop.apply().ok();
    shop.release("serve", "1.1.0");
    shop.env
        .run(&["plan"])
        .ok()
        .says("-/+ container")
        .says(&format!("the old one stops first: port {}", shop.port));
    shop.apply().ok();
    shop.only("web 1.1.0");
    let taken = shop.port();
    let body = json!({
        "Image": shop.inspect(&shop.web)["Config"]["Image"],
        "HostConfig": { "PortBindings": { "80/tcp": [{ "HostPort": taken.to_string() }] } },
    });
    let made = shop.engine.post(&format!("/containers/create?name={}-other", shop.name), &body);
    shop.engine.post(&format!("/containers/{}/start", made["Id"].as_str().expect("an id")), &json!({}));
    state(taken);
    shop.apply().exits(1).explains("is taken");
    shop.answers(shop.port, "web 1.1.0");
}

#[test]
fn installed_and_running_that_contradict_name_both_lines() {
    let Some(shop) = Shop::new() else { return };
    let states = shop.env.read("states/web.toml");
    let up = "[web_up.container.running]\n";
    shop.env.write(
        "states/web.toml",
        states.replace(up, &format!("{up}image = \"{}:1.1.0\"\n", shop.repository)),
    );
    let said = shop.apply().exits(1).explains("`image` is declared twice with different values");
    said.explains("the other one is in states/web.toml:");
    assert!(shop.names().is_empty());
}
