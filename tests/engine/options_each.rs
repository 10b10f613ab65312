//! Each option of a container by itself, and containers that are made with another one, on a real Engine.

use crate::shop::Shop;
use serde_json::{Value, json};

/// An option of `tests/data/options.toml`.
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) spellings: Vec<String>,
    with: String,
    /// Why no real Engine of the tests can show it.
    pub(crate) fake: Option<String>,
    /// Why it is made and not started.
    pub(crate) installed: Option<String>,
}

pub(crate) fn samples(shop: &Shop, network: &str) -> Vec<Sample> {
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

pub(crate) fn network(shop: &Shop, name: &str) -> String {
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
pub(crate) fn states(shop: &Shop, samples: &[Sample], spelling: usize) -> String {
    let image = shop.image();
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
    assert_eq!(fake.len(), 4, "{:?}", fake.iter().map(|sample| &sample.name).collect::<Vec<_>>());
    shop.env.write("states/web.toml", states(&shop, &real, 0));
    shop.apply().ok();
    shop.rests();
    shop.env.run(&["plan", "-v", "--detailed-exitcode"]).ok().lacks("drift").lacks("by hand");
    shop.env.run(&["apply", "-y", "--fix-drift"]).ok().says("no changes");
    for (option, pointer, value) in seen(&shop) {
        let inspect = shop.inspect(&called(&shop, option));
        assert_eq!(inspect.pointer(pointer), Some(&value), "{option} {pointer}");
    }
    // Every other spelling is the same desired state.
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
fn a_container_that_shares_something_of_another_follows_it() {
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
    assert_eq!(
        &third[2..],
        &second[2..],
        "the container that lost its processes is started, volumes and links outlive it"
    );
    assert!(third[..2].iter().zip(&second[..2]).all(|(new, old)| new != old), "{second:?} {third:?}");
}

#[test]
fn a_limit_that_was_changed_by_hand_is_set_back_in_place() {
    let Some(shop) = Shop::new() else { return };
    // The kernel of the tests may lack the weight of block devices: the Engine discards it, and says so.
    let options = |memory: &str| {
        let limits =
            "cpu_period = 50000\ncpu_quota = 25000\ncpuset_mems = \"0\"\npids_limit = 50\nblkio_weight = 300";
        shop.options(&format!("{limits}\nmemory = \"{memory}\""));
    };
    options("64m");
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
    options("48m");
    shop.apply().ok();
    assert_eq!(shop.identity(&shop.web), before, "it was not touched otherwise");
    assert_eq!(shop.inspect(&shop.web)["HostConfig"]["Memory"], json!(50_331_648));
    shop.rests();
}

#[test]
fn an_option_of_a_newer_api_is_refused_before_anything_is_done() {
    let Some(shop) = Shop::new() else { return };
    let (first, second) = (network(&shop, "back"), network(&shop, "front"));
    shop.options(&format!(
        "networks = {{ \"{first}\" = {{}}, \"{second}\" = {{ mac_address = \"02:42:ac:11:00:78\" }} }}"
    ));
    let refused = shop.apply().exits(1);
    refused
        .explains(&format!("`networks.{second}.mac_address` of container"))
        .explains("needs API 1.54")
        .explains("is spoken with host");
    assert_eq!(shop.names(), Vec::<String>::new());
}

/// What came with a newer API than 1.41: its field, the version, and lines that use it.
const NEWER: [(&str, (u64, u64), &str); 7] = [
    ("annotations", (1, 43), "annotations = { \"com.example.a\" = \"b\" }"),
    (
        "healthcheck.start_interval",
        (1, 44),
        "healthcheck = { test = \"true\", interval = \"2s\", start_period = \"2s\", start_interval = \"1s\" }",
    ),
    (
        "mounts.create_mountpoint",
        (1, 42),
        "mounts = [{ type = \"bind\", source = \"@new@\", target = \"/new\", create_mountpoint = true }]",
    ),
    ("mounts.options", (1, 46), "mounts = [{ type = \"tmpfs\", target = \"/run\", options = [\"noexec\"] }]"),
    (
        "mounts.read_only_non_recursive",
        (1, 44),
        "mounts = [{ type = \"bind\", source = \"/usr\", target = \"/host\", read_only = true, read_only_non_recursive = true }]",
    ),
    (
        "mounts of type image",
        (1, 48),
        "mounts = [{ type = \"image\", source = \"@image@\", target = \"/other\" }]",
    ),
    ("networks.@network@.gw_priority", (1, 48), "networks = { \"@network@\" = { gw_priority = 1 } }"),
];

#[test]
fn what_came_with_a_newer_api_is_taken_or_refused_and_never_dropped() {
    let Some(shop) = Shop::new() else { return };
    let network = network(&shop, "back");
    let spoken = shop.engine.inspect("/version")["ApiVersion"].as_str().expect("a version").to_owned();
    let (major, minor) = spoken.split_once('.').expect("two numbers");
    // Newer than 1.51 is not spoken yet.
    let spoken =
        (major.parse::<u64>().expect("a number"), minor.parse::<u64>().expect("a number")).min((1, 51));
    let image = format!("{}:1.0.0", shop.repository);
    let new = shop.env.home().join("made by the Engine");
    let given = |text: &str| {
        let text = text.replace("@network@", &network).replace("@image@", &image);
        text.replace("@new@", &new.to_string_lossy())
    };
    for (field, api, lines) in NEWER {
        shop.options(&given(lines));
        let (field, needed) = (given(field), format!("needs API {}.{}", api.0, api.1));
        if spoken < api {
            shop.env.run(&["plan"]).exits(1).explains(&format!("`{field}` of container")).explains(&needed);
        } else {
            shop.apply().ok();
            shop.rests();
        }
    }
}

#[test]
fn a_hardware_address_stays_over_a_stop_and_a_change_of_it_replaces() {
    let Some(shop) = Shop::new() else { return };
    let network = network(&shop, "back");
    let address = |mac: &str| {
        shop.options(&format!("networks = {{ \"{network}\" = {{ mac_address = \"{mac}\" }} }}"));
    };
    let seen = || {
        let networks = shop.inspect(&shop.web)["NetworkSettings"]["Networks"].clone();
        networks[&network]["MacAddress"].as_str().unwrap_or_default().to_owned()
    };
    address("02:42:ac:11:00:77");
    shop.apply().ok();
    shop.rests();
    assert_eq!(seen(), "02:42:ac:11:00:77");
    shop.engine.post(&format!("/containers/{}/stop?t=0", shop.web), &json!({}));
    shop.apply().ok();
    shop.rests();
    assert_eq!(seen(), "02:42:ac:11:00:77");
    address("02:42:ac:11:00:78");
    shop.env.run(&["plan"]).ok().says("-/+").says("mac_address changed");
    shop.apply().ok();
    shop.rests();
    assert_eq!(seen(), "02:42:ac:11:00:78");
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        // Knuth's multiplier; the upper bits are the better ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % most
    }
}

#[test]
fn any_options_together_give_an_empty_second_plan() {
    let Some(shop) = Shop::new() else { return };
    let network = network(&shop, "back");
    let mut all = samples(&shop, &network);
    // One host has each port once.
    all.retain(|sample| sample.fake.is_none() && sample.name != "ports");
    let image = format!("{}:1.0.0", shop.repository);
    let mut dice = Dice(20_260_823);
    let (mut states, mut made) = (Vec::new(), 0);
    let db = format!(
        "[db.container.running]\nname = \"{}-db\"\nimage = \"{image}\"\nmonitor = \"0s\"\ncommand = [\"sleep\", \"1000\"]\nipc = \"shareable\"\nstop_signal = \"KILL\"\n\n",
        shop.name
    );
    while made < 36 {
        let count = 2 + dice.below(9);
        let chosen: Vec<usize> = (0..count).map(|_| dice.below(all.len())).collect();
        let mut lines: Vec<String> = Vec::new();
        let key = |line: &str| line.split([' ', '=']).next().unwrap_or_default().to_owned();
        let own = chosen.iter().flat_map(|at| [all[*at].spellings[0].clone(), all[*at].with.clone()]);
        let defaults = ["command = [\"sleep\", \"1000\"]", "stop_signal = \"KILL\""].map(str::to_owned);
        for line in own.chain(defaults).filter(|line| !line.is_empty()) {
            if !lines.iter().any(|other| key(other) == key(&line)) {
                lines.push(line);
            }
        }
        let installed = chosen.iter().any(|at| all[*at].installed.is_some());
        let function = if installed { "installed" } else { "running" };
        let state = format!(
            "[c{made}.container.{function}]\nname = \"{}-c{made}\"\nimage = \"{image}\"\nmonitor = \"0s\"\n{}\n\n",
            shop.name,
            lines.join("\n")
        );
        // Options that exclude each other are refused.
        shop.env.write("states/web.toml", format!("{db}{state}"));
        if shop.env.run(&["compile"]).code == 0 {
            states.push(state);
            made += 1;
        }
    }
    shop.env.write("states/web.toml", format!("{db}{}", states.concat()));
    shop.apply().ok();
    shop.rests();
    shop.env.run(&["plan", "-v", "--detailed-exitcode"]).ok().lacks("drift").lacks("by hand");
}
