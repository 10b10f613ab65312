//! Each option of a container by itself, and containers that are made with another one, on a real Engine.

use crate::shop::Shop;
use serde_json::{Value, json};

/// An option of `tests/data/options.toml`.
struct Sample {
    name: String,
    spellings: Vec<String>,
    with: String,
    /// Why no real Engine of the tests can show it.
    fake: Option<String>,
    /// Why it is made and not started.
    installed: Option<String>,
}

fn samples(shop: &Shop, network: &str) -> Vec<Sample> {
    let text = include_str!("../data/options.toml");
    let text = text.replace("@db@", &format!("{}-db", shop.name)).replace("@network@", network);
    let text = text.replace("@volume@", &format!("pillarbox-{0}.{0}.data", shop.name));
    let text = text.replace("@port@", &shop.port.to_string()).replace("@arch@", architecture());
    let document: toml_edit::DocumentMut = text.parse().expect("TOML");
    let tables = document["option"].as_array_of_tables().expect("options").iter();
    let of = |table: &toml_edit::Table| {
        let text = |key: &str| table.get(key).and_then(|item| item.as_str()).map(str::to_owned);
        let spellings = table["spellings"].as_array().expect("spellings").iter();
        Sample {
            name: text("name").expect("name"),
            spellings: spellings.map(|item| item.as_str().expect("text").to_owned()).collect(),
            with: text("with").unwrap_or_default(),
            fake: text("fake"),
            installed: text("installed"),
        }
    };
    tables.map(of).collect()
}

fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn network(shop: &Shop, name: &str) -> String {
    let name = format!("{}-{name}", shop.name);
    let labels = json!({ "io.pillarbox.workspace": shop.name });
    shop.engine.post("/networks/create", &json!({ "Name": name, "Labels": labels }));
    name
}

/// The container of an option.
fn called(shop: &Shop, option: &str) -> String {
    format!("{}-o-{}", shop.name, option.replace('_', "-"))
}

/// A state for each option, in one of its spellings, beside the container that some are made with.
fn states(shop: &Shop, samples: &[Sample], spelling: usize) -> String {
    let image = format!("{}:1.0.0", shop.repository);
    let common = |name: &str| format!("name = \"{name}\"\nimage = \"{image}\"\nmonitor = \"0s\"\n");
    let mut text = format!(
        "[db.container.running]\n{}command = [\"sleep\", \"1000\"]\nvolumes = [\"/shared\"]\nstop_signal = \"KILL\"\n\n",
        common(&format!("{}-db", shop.name))
    );
    for sample in samples {
        let own = sample.spellings.get(spelling).or(sample.spellings.last()).expect("a spelling");
        let mut lines = vec![own.as_str(), sample.with.as_str()];
        let given = |key: &str| lines.iter().any(|line| line.starts_with(key));
        if !["command", "cmd", "args", "entrypoint"].iter().any(|key| given(key)) {
            lines.push("command = [\"sleep\", \"1000\"]");
        }
        if sample.name != "stop_signal" {
            lines.push("stop_signal = \"KILL\"");
        }
        let name = called(shop, &sample.name);
        let function = if sample.installed.is_some() { "installed" } else { "running" };
        let (common, lines) = (common(&name), lines.join("\n"));
        text += &format!("[{}.container.{function}]\n{common}{lines}\n\n", sample.name);
    }
    text
}

#[test]
fn each_option_by_itself_gives_an_empty_second_plan_in_each_spelling() {
    let Some(shop) = Shop::new() else { return };
    let network = network(&shop, "back");
    let all = samples(&shop, &network);
    let (fake, real): (Vec<Sample>, Vec<Sample>) = all.into_iter().partition(|sample| sample.fake.is_some());
    // What the machine of the tests lacks is tried on the Engine in memory (`planner::tests::sharing`).
    assert_eq!(fake.len(), 5, "{:?}", fake.iter().map(|sample| &sample.name).collect::<Vec<_>>());
    shop.env.write("states/web.toml", states(&shop, &real, 0));
    shop.apply().ok();
    shop.rests();
    shop.env.run(&["plan", "-v", "--detailed-exitcode"]).ok().lacks("drift").lacks("by hand");
    shop.env.run(&["apply", "-y", "--fix-drift"]).ok().says("Nothing to do");
    for (option, pointer, value) in seen(&shop) {
        let inspect = shop.inspect(&called(&shop, option));
        assert_eq!(inspect.pointer(pointer), Some(&value), "{option} {pointer}");
    }
    // Every other spelling is the same wish.
    let most = real.iter().map(|sample| sample.spellings.len()).max().unwrap_or(1);
    for spelling in 1..most {
        shop.env.write("states/web.toml", states(&shop, &real, spelling));
        shop.env.run(&["plan", "--detailed-exitcode"]).ok();
    }
}

/// What the Engine says of some of them.
fn seen(shop: &Shop) -> Vec<(&'static str, &'static str, Value)> {
    let db = shop.inspect(&format!("{}-db", shop.name))["Id"].as_str().expect("an id").to_owned();
    let shared = json!(format!("container:{db}"));
    vec![
        ("cgroupns", "/HostConfig/CgroupnsMode", json!("private")),
        ("cpu_quota", "/HostConfig/CpuQuota", json!(25000)),
        ("cpuset_mems", "/HostConfig/CpusetMems", json!("0")),
        ("device_read_bps", "/HostConfig/BlkioDeviceReadBps/0/Rate", json!(1_048_576)),
        ("device_requests", "/HostConfig/DeviceRequests/0/Capabilities", json!([["gpu"]])),
        ("devices", "/HostConfig/Devices/0/PathOnHost", json!("/dev/null")),
        ("domainname", "/Config/Domainname", json!("example.com")),
        ("dns_options", "/HostConfig/DnsOptions", json!(["ndots:2", "timeout:1"])),
        ("ipc", "/HostConfig/IpcMode", json!("shareable")),
        ("mac_address", "/NetworkSettings/Networks/bridge/MacAddress", json!("02:42:ac:11:00:63")),
        ("network_mode", "/HostConfig/NetworkMode", shared.clone()),
        ("oom_score_adj", "/HostConfig/OomScoreAdj", json!(500)),
        ("privileged", "/HostConfig/Privileged", json!(true)),
        ("security_opt", "/HostConfig/MaskedPaths", json!([])),
        ("ulimits", "/HostConfig/Ulimits/0", json!({ "Name": "nofile", "Soft": 512, "Hard": 1024 })),
        ("uts", "/HostConfig/UTSMode", json!("host")),
        ("userns_mode", "/HostConfig/UsernsMode", json!("host")),
        ("pid", "/HostConfig/PidMode", shared),
        ("publish_all_ports", "/HostConfig/PublishAllPorts", json!(true)),
        ("runtime", "/HostConfig/Runtime", json!("runc")),
        ("volume_driver", "/HostConfig/VolumeDriver", json!("local")),
        ("volumes_from", "/Mounts/0/Destination", json!("/shared")),
    ]
}

#[test]
fn who_has_something_of_another_container_follows_it() {
    let Some(shop) = Shop::new() else { return };
    let image = |version: &str| format!("{}:{version}", shop.repository);
    let (db, name) = (format!("{}-db", shop.name), |what: &str| format!("{}-{what}", shop.name));
    let write = |version: &str| {
        let one = |name: &str, version: &str, more: &str| {
            format!(
                "[{0}.container.running]\nname = \"{0}\"\nimage = \"{1}\"\nmonitor = \"1s\"\nstop_signal = \"KILL\"\n{more}\n",
                name,
                image(version)
            )
        };
        let sleep = "command = [\"sleep\", \"1000\"]\n";
        let mut text = one(&db, version, "ipc = \"shareable\"\nvolumes = [\"/shared\"]");
        for option in ["network_mode", "ipc", "pid"] {
            let mode = format!("{sleep}{option} = \"container:{db}\"");
            text += &one(&name(&option.replace('_', "-")), "1.0.0", &mode);
        }
        text += &one(&name("volumes-from"), "1.0.0", &format!("{sleep}volumes_from = \"{db}:ro\""));
        text += &one(&name("links"), "1.0.0", &format!("{sleep}links = \"{db}:database\""));
        shop.env.write("states/web.toml", text);
    };
    let followers = ["network-mode", "ipc", "pid", "volumes-from", "links"];
    let ids = || followers.map(|follower| shop.inspect(&name(follower))["Id"].clone());
    write("1.0.0");
    shop.apply().ok();
    shop.rests();
    let first = ids();

    shop.push("serve", "web", "1.1.0");
    write("1.1.0");
    let plan = shop.env.run(&["plan"]).ok();
    plan.says("it has the network of").says("it has the link of").says("6 to replace");
    shop.apply().ok();
    shop.rests();
    let second = ids();
    assert!(first.iter().zip(&second).all(|(old, new)| old != new), "{first:?} {second:?}");
    let now = shop.inspect(&db)["Id"].as_str().expect("an id").to_owned();
    assert_eq!(shop.inspect(&name("ipc"))["HostConfig"]["IpcMode"], json!(format!("container:{now}")));

    // Started again by hand: what shared a namespace has been left in what is gone of it.
    shop.engine.post(&format!("/containers/{db}/restart?t=0"), &json!({}));
    shop.env.run(&["plan"]).ok().says("which ended when that was started again");
    shop.apply().ok();
    shop.rests();
    let third = ids();
    assert_eq!(&third[2..], &second[2..], "who lost its processes is started, volumes and links outlive it");
    assert!(third[..2].iter().zip(&second[..2]).all(|(new, old)| new != old), "{second:?} {third:?}");
}

#[test]
fn a_limit_that_somebody_changed_by_hand_is_set_back_in_place() {
    let Some(shop) = Shop::new() else { return };
    shop.options(
        "cpu_period = 50000\ncpu_quota = 25000\ncpuset_mems = \"0\"\nmemory = \"64m\"\npids_limit = 50",
    );
    shop.apply().ok();
    shop.rests();
    let before = shop.identity(&shop.web);
    let id = shop.inspect(&shop.web)["Id"].as_str().expect("an id").to_owned();
    let by_hand = json!({ "CpuPeriod": 60000, "CpuQuota": 30000, "PidsLimit": 60 });
    shop.engine.post(&format!("/containers/{id}/update"), &by_hand);
    let plan = shop.env.run(&["plan"]).ok();
    plan.says("~ container").says("cpu_period").says("cpu_quota").says("pids_limit").lacks("memory");
    shop.apply().ok();
    assert_eq!(shop.identity(&shop.web), before, "it was not touched otherwise");
    let host = shop.inspect(&shop.web)["HostConfig"].clone();
    assert_eq!((&host["CpuPeriod"], &host["CpuQuota"]), (&json!(50000), &json!(25000)));
    shop.rests();
}

#[test]
fn an_option_of_a_newer_api_is_refused_before_anything_is_done() {
    let Some(shop) = Shop::new() else { return };
    shop.options("umask = \"022\"");
    let refused = shop.apply().exits(1);
    refused.explains("`umask` of container").explains("needs API 1.56").explains("is spoken with host");
    assert_eq!(shop.names(), Vec::<String>::new());
}
