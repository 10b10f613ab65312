//! Every option of a container, as a real Engine takes it and gives it back.

use crate::shop::Shop;
use serde_json::json;
use std::collections::BTreeSet;

/// A network with this workspace's label: removed with the test.
fn network(shop: &Shop, name: &str) -> String {
    let name = format!("{}-{name}", shop.name);
    let labels = json!({ "io.pillarbox.workspace": shop.name });
    shop.engine.post("/networks/create", &json!({ "Name": name, "Labels": labels }));
    name
}

#[test]
fn with_every_option_set_the_second_plan_is_empty() {
    let Some(shop) = Shop::new() else { return };
    let (front, back) = (network(&shop, "front"), network(&shop, "back"));
    let alone = format!("{}-alone", shop.name);
    let kept = format!("pillarbox-{}.{}.data", shop.name, shop.name);
    let image = format!("{}:1.0.0", shop.repository);
    shop.env.write(
        "states/web.toml",
        format!(
            r#"
[web.container.running]
name = "{web}"
image = "{image}"
monitor = "1s"
cap_add = ["net_admin", "CAP_SYS_TIME"]
cap_drop = ["MKNOD"]
entrypoint = ["/bin/sh", "-c"]
command = "'httpd -f -p 80 -h /www'"
cpu_shares = 512
cpus = 0.5
cpuset = "0"
dns = ["198.18.0.1", "2001:DB8::1"]
dns_search = ["example.com"]
env.EMPTY = ""
env.TEXT = "a=b \"c\" ü $HOME"
env.NUMBER = 7
extra_hosts = {{ db = "198.18.0.2", gate = "host-gateway" }}
healthcheck = {{ test = ["CMD", "wget", "-qO-", "http://127.0.0.1/"], interval = "500ms", timeout = "2s", retries = 20, start_period = "1s" }}
hostname = "web-host"
init = true
labels.team = "shop"
labels."com.example.two" = "2"
log_driver = "json-file"
log_options = {{ max-size = "1m", max-file = "2" }}
memory = "64m"
memory_reservation = "32m"
memory_swap = "96m"
mounts = [
  {{ type = "volume", source = "{kept}", target = "/data" }},
  {{ type = "bind", source = "/tmp", target = "/host", read_only = true }},
  {{ type = "tmpfs", target = "/scratch", size = "1m", mode = "1777" }},
]
networks = {{ {front} = {{ aliases = ["api", "web"] }}, {back} = {{}} }}
pids_limit = 100
ports = ["{port}:80", "127.0.0.1:{port}:81/udp"]
privileged = false
read_only = true
restart = "on-failure:3"
shm_size = "16m"
stdin_open = true
stop_signal = "QUIT"
stop_timeout = "3s"
sysctls = {{ "net.ipv4.ip_unprivileged_port_start" = "0" }}
tmpfs = ["/run:size=1m,mode=1777"]
tty = true
user = "0:0"
volumes = ["/etc/hostname:/etc/outside:ro"]
working_dir = "/www/"

[alone.container.running]
image = "{image}"
name = "{alone}"
network_mode = "none"
init = true
restart = "always"
monitor = "1s"

[host.container.running]
image = "{image}"
name = "{alone}-host"
command = ["sleep", "1000"]
network_mode = "host"
restart = "unless-stopped"
monitor = "1s"

[plain.container.running]
image = "{image}"
name = "{alone}-plain"
monitor = "1s"
"#,
            web = shop.web,
            port = shop.port,
        ),
    );
    shop.apply().ok();
    shop.answers(shop.port, "web 1.0.0");
    assert_eq!(shop.names().len(), 4);
    // No difference, no drift, also by what the Engine itself reports.
    shop.env
        .run(&["plan", "-v", "--detailed-exitcode"])
        .ok()
        .lacks("drift")
        .lacks("by hand")
        .says("up to date");
    shop.env.run(&["apply", "-y", "--fix-drift"]).ok().says("no changes");

    let seen = shop.inspect(&shop.web);
    let expected = [
        ("/Config/Hostname", json!("web-host")),
        ("/Config/Tty", json!(true)),
        ("/Config/StopSignal", json!("SIGQUIT")),
        ("/Config/StopTimeout", json!(3)),
        ("/Config/WorkingDir", json!("/www")),
        ("/Config/Labels/com.example.two", json!("2")),
        ("/Config/Healthcheck/Retries", json!(20)),
        ("/HostConfig/Memory", json!(67_108_864)),
        ("/HostConfig/MemorySwap", json!(100_663_296)),
        ("/HostConfig/NanoCpus", json!(500_000_000)),
        ("/HostConfig/CpusetCpus", json!("0")),
        ("/HostConfig/PidsLimit", json!(100)),
        ("/HostConfig/RestartPolicy", json!({ "Name": "on-failure", "MaximumRetryCount": 3 })),
        ("/HostConfig/ReadonlyRootfs", json!(true)),
        ("/HostConfig/Init", json!(true)),
        (
            "/HostConfig/LogConfig",
            json!({ "Type": "json-file", "Config": { "max-size": "1m", "max-file": "2" } }),
        ),
        ("/State/Health/Status", json!("healthy")),
    ];
    for (pointer, value) in expected {
        assert_eq!(seen.pointer(pointer), Some(&value), "{pointer}");
    }
    let networks = seen["NetworkSettings"]["Networks"].as_object().expect("networks");
    assert_eq!(networks.keys().collect::<BTreeSet<_>>(), BTreeSet::from([&back, &front]));

    // A change of one option of one container replaces that one alone.
    let others: Vec<_> =
        shop.names().iter().filter(|name| **name != alone).map(|name| shop.identity(name)).collect();
    let text = shop
        .env
        .read("states/web.toml")
        .replace("init = true\nrestart = \"always\"", "init = false\nrestart = \"always\"");
    shop.env.write("states/web.toml", text);
    shop.env.run(&["plan"]).ok().says("-/+").says("init changed").says("1 to replace, 3 unchanged");
    shop.apply().ok();
    let after: Vec<_> =
        shop.names().iter().filter(|name| **name != alone).map(|name| shop.identity(name)).collect();
    assert_eq!(others, after);
    assert_eq!(shop.inspect(&alone)["HostConfig"]["Init"], json!(false));
    shop.rests();
}

#[test]
fn limits_restart_policy_and_networks_change_in_place() {
    let Some(shop) = Shop::new() else { return };
    let (front, back) = (network(&shop, "front"), network(&shop, "back"));
    let options = |memory: &str, restart: &str, networks: &str| {
        shop.options(&format!("memory = \"{memory}\"\nrestart = \"{restart}\"\nnetworks = {networks}"));
    };
    options("32m", "no", &format!("{{ {front} = {{}} }}"));
    shop.apply().ok();
    shop.only("web 1.0.0");
    let before = shop.identity(&shop.web);

    options("64m", "unless-stopped", &format!("{{ {front} = {{}}, {back} = {{ aliases = [\"shop\"] }} }}"));
    let plan = shop.env.run(&["plan"]).ok().says("~ container").lacks("-/+");
    plan.says("memory").says("restart").says(&format!("networks.{back}"));
    shop.apply().ok();
    assert_eq!(shop.identity(&shop.web), before, "it was not touched otherwise");
    let seen = shop.inspect(&shop.web);
    assert_eq!(seen["HostConfig"]["Memory"], json!(67_108_864));
    assert_eq!(seen["HostConfig"]["RestartPolicy"]["Name"], json!("unless-stopped"));
    let aliases = &seen["NetworkSettings"]["Networks"][&back]["Aliases"];
    assert!(aliases.as_array().expect("aliases").contains(&json!("shop")), "{aliases}");
    shop.rests();

    options("48m", "unless-stopped", &format!("{{ {front} = {{}} }}"));
    shop.apply().ok();
    assert_eq!(shop.identity(&shop.web), before, "it was not touched otherwise");
    let networks = shop.inspect(&shop.web)["NetworkSettings"]["Networks"].clone();
    assert_eq!(networks.as_object().expect("networks").keys().collect::<Vec<_>>(), [&front]);
    shop.rests();

    // To the Engine "no limit" means "leave": taking one away replaces.
    shop.options("restart = \"unless-stopped\"");
    shop.env.run(&["plan"]).ok().says("-/+ container");
    shop.apply().ok();
    assert_eq!(shop.inspect(&shop.web)["HostConfig"]["Memory"], json!(0));
    shop.only("web 1.0.0");
    shop.rests();
}

#[test]
fn a_container_declared_stopped_is_stopped_and_stays_so() {
    let Some(shop) = Shop::deployed() else { return };
    let text =
        shop.env.read("states/web.toml").replace("web_up.container.running", "web_up.container.stopped");
    shop.env.write("states/web.toml", text);
    shop.env.run(&["plan"]).ok().says("~ container");
    shop.apply().ok();
    assert_eq!(shop.inspect(&shop.web)["State"]["Running"], json!(false));
    shop.rests();
    // A new version of it is made and not started.
    shop.release("serve", "1.1.0");
    shop.apply().ok();
    assert_eq!(shop.inspect(&shop.web)["State"]["Status"], json!("created"));
    assert_eq!(shop.names(), [shop.web.as_str()]);
    shop.rests();
}
