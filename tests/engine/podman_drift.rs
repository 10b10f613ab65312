//! What was changed by hand on Podman is seen, and nothing else: what it reports is not made so alike that a real
//! difference is lost.

use crate::shop::Shop;
use serde_json::{Value, json};

/// What is declared, beside the limits of a host that has some.
const DECLARED: &str = "command = [\"sleep\", \"1000\"]\nuser = \"5\"\nworking_dir = \"/www\"\nhostname = \"web\"\n\
                        env.LOG = \"info\"\nlabels.team = \"blue\"\ncap_add = \"NET_ADMIN\"\ncap_drop = \"CHOWN\"\n\
                        dns = \"192.0.2.53\"\nextra_hosts = [\"db:192.0.2.7\"]\nread_only = true\nshm_size = \"8m\"\n\
                        tmpfs = { \"/cache\" = \"size=1m\" }\nvolumes = [\"/etc/hostname:/etc/outside:ro\"]\n\
                        ulimits = { nofile = \"512:1024\", nproc = 100 }\nrestart = \"on-failure:3\"\nstop_signal = \"KILL\"\ngroup_add = [\"7\"]\n\
                        tty = true\n";

/// The same as a client of Podman's would ask for it.
fn by_hand(shop: &Shop, ours: &Value) -> Value {
    let port = shop.port.to_string();
    json!({
        "Image": ours["Image"], "Labels": ours["Config"]["Labels"], "Env": ["LOG=info"], "Cmd": ["sleep", "1000"],
        "User": "5", "WorkingDir": "/www", "Hostname": "web", "StopSignal": "SIGKILL", "Tty": true,
        "ExposedPorts": { "80/tcp": {} },
        "HostConfig": {
            "CapAdd": ["NET_ADMIN"], "CapDrop": ["CHOWN"], "Dns": ["192.0.2.53"], "ExtraHosts": ["db:192.0.2.7"],
            "ReadonlyRootfs": true, "ShmSize": 8 << 20, "Tmpfs": { "/cache": "size=1m" },
            "Binds": ["/etc/hostname:/etc/outside:ro"], "GroupAdd": ["7"],
            "Ulimits": ulimits(512),
            "RestartPolicy": { "Name": "on-failure", "MaximumRetryCount": 3 },
            "PortBindings": { "80/tcp": [{ "HostPort": port }] },
        },
    })
}

fn ulimits(files: u32) -> Value {
    json!([{ "Name": "nofile", "Soft": files, "Hard": 1024 }, { "Name": "nproc", "Soft": 100, "Hard": 100 }])
}

/// An option, and what is changed of the request.
fn changes(shop: &Shop) -> Vec<(&'static str, &'static str, Value)> {
    let other = shop.bed.port().to_string();
    let mut all = vec![
        ("command", "/Cmd", json!(["sleep", "1001"])),
        ("user", "/User", json!("6")),
        ("working_dir", "/WorkingDir", json!("/tmp")),
        ("hostname", "/Hostname", json!("other")),
        ("env.LOG", "/Env", json!(["LOG=debug"])),
        ("labels.team", "/Labels/team", json!("red")),
        ("tty", "/Tty", json!(false)),
        ("stop_signal", "/StopSignal", json!("SIGINT")),
        ("cap_add", "/HostConfig/CapAdd", json!([])),
        ("cap_drop", "/HostConfig/CapDrop", json!([])),
        ("dns", "/HostConfig/Dns", json!(["192.0.2.54"])),
        ("extra_hosts", "/HostConfig/ExtraHosts", json!(["db:192.0.2.8"])),
        ("group_add", "/HostConfig/GroupAdd", json!(["8"])),
        ("read_only", "/HostConfig/ReadonlyRootfs", json!(false)),
        ("shm_size", "/HostConfig/ShmSize", json!(16 << 20)),
        ("tmpfs", "/HostConfig/Tmpfs", json!({ "/cache": "size=2m" })),
        ("volumes", "/HostConfig/Binds", json!(["/etc/hostname:/etc/outside"])),
        ("restart", "/HostConfig/RestartPolicy", json!({ "Name": "on-failure", "MaximumRetryCount": 4 })),
        ("ports", "/HostConfig/PortBindings/80~1tcp/0/HostPort", json!(other)),
    ];
    if !shop.is_rootless() {
        all.push(("ulimits", "/HostConfig/Ulimits", ulimits(256)));
        if shop.has_limits() {
            all.push(("memory", "/HostConfig/Memory", json!(48 << 20)));
        }
    }
    all
}

/// The options that a plan names for the container.
fn named(shop: &Shop) -> Vec<String> {
    let planned = shop.env.run(&["plan", "--fix-drift", "--json"]).ok().json();
    let change = planned["hosts"][0]["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .find(|change| change["address"] == format!("container {}", shop.web))
        .expect("the container")
        .clone();
    let causes = change["cause"].as_array().cloned().unwrap_or_default();
    // `changed by hand: user`; of what can be changed in place `memory changed (states/web.toml:25)`, and where the
    // Engine cannot do that, that it cannot.
    let options = |cause: &Value| {
        let cause = cause.as_str().expect("text").to_owned();
        let changed = cause.split_once(" changed (").map(|(option, _)| option);
        let named = cause.strip_prefix("changed by hand: ").or(changed).unwrap_or(&cause);
        named.split(", ").map(str::to_owned).collect::<Vec<_>>()
    };
    let causes = causes.iter().filter(|cause| *cause != "this Engine cannot change that in place");
    causes.flat_map(options).collect()
}

#[test]
fn each_option_that_was_changed_by_hand_on_podman_is_named_and_no_other() {
    let Some(shop) = Shop::on_podman() else { return };
    let (web, image, port) = (&shop.web, shop.image(), shop.port);
    let limited = shop.has_limits() && !shop.is_rootless();
    let limit = if limited { "memory = \"32m\"\n" } else { "" };
    shop.env.write(
        "states/web.toml",
        format!(
            "[web.container.running]\nname = \"{web}\"\nimage = \"{image}\"\nmonitor = \"0s\"\nports = [\"{port}:80\"]\n\
             {DECLARED}{limit}"
        ),
    );
    shop.apply().ok();
    shop.rests();
    let ours = shop.inspect(web);
    let mut request = by_hand(&shop, &ours);
    if limited {
        request["HostConfig"]["Memory"] = json!(32 << 20);
    }
    let recreated = |request: &Value| {
        shop.engine.delete(&format!("/containers/{web}?force=1"));
        let made = shop.engine.post(&format!("/containers/create?name={web}"), request);
        shop.engine.post(&format!("/containers/{}/start", made["Id"].as_str().expect("an id")), &Value::Null);
    };
    recreated(&request);
    assert_eq!(named(&shop), ["up to date"], "the same by hand is no difference");
    let mut wrong = Vec::new();
    for (option, pointer, value) in changes(&shop) {
        let mut changed = request.clone();
        let at = changed.pointer_mut(pointer);
        match at {
            Some(at) => *at = value,
            None => panic!("{option}: {pointer} is not in the request"),
        }
        recreated(&changed);
        let found = named(&shop);
        let status = shop.env.run(&["status"]);
        if found != [option] || !status.stdout.contains(option) {
            wrong.push(format!("{option}: {found:?}, {}", status.stdout));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    shop.env.run(&["apply", "-y", "--fix-drift"]).ok();
    shop.rests();
}
