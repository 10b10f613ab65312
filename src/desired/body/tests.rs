//! Specs against what Engines report of containers made from them.

use crate::compile::tests::container;
use crate::desired::{ContainerWish, Spec};
use crate::observed::Inspect;
use serde_json::{Value, json};

/// A container with everything that is compared.
const FULL: &str = r#"
[web.container.running]
image = "registry.example.com/web:1"
command = ["serve", "--port", "80"]
entrypoint = "/entry"
env = { LOG = "info", TOKEN = "{{ pillar.token }}" }
labels = { team = "web" }
ports = ["8080:80", "[::1]:5353:53/udp"]
volumes = ["data:/data:ro", "/cache"]
mounts = [{ type = "tmpfs", target = "/run", size = "64m" }]
networks = { back = { aliases = ["db"], ipv4_address = "10.0.0.5" }, front = {} }
restart = "on-failure:3"
memory = "512m"
memory_reservation = "256m"
cpus = 1.5
cpu_shares = 512
cpuset = "0-1"
pids_limit = 100
user = 1000
working_dir = "/app"
hostname = "web-1"
health = { test = "true", interval = "2s" }
stop = { signal = "QUIT", timeout = "30s" }
log = { driver = "json-file", options = { max-size = "10m" } }
init = true
read_only = true
tmpfs = { "/tmp" = "size=1m" }
extra_hosts = { db = "10.0.0.9" }
dns = ["9.9.9.9"]
cap_add = ["NET_ADMIN"]
cap_drop = ["ALL"]
"#;

const PILLAR: &str = "token = { sealed = 'YWdl', id = '9f2c41d70b6e83aa' }";

fn full() -> ContainerWish {
    container(FULL, PILLAR)
}

/// What Engine 20.10 reports of it: defaults filled in, lists in its own order, image merged in.
fn reported() -> Value {
    json!({
        "Id": "4f66ad9a0b2e7a7d8f00112233445566778899aabbccddeeff00112233445566",
        "Name": "/web",
        "Config": {
            "Hostname": "web-1",
            "User": "1000",
            "Env": ["PATH=/bin", "LOG=info", "TOKEN=hunter2"],
            "Cmd": ["serve", "--port", "80"],
            "Entrypoint": ["/entry"],
            "Labels": { "team": "web", "maintainer": "alice", "io.pillarbox.workspace": "shop" },
            "WorkingDir": "/app",
            "StopSignal": "SIGQUIT",
            "Volumes": { "/cache": {}, "/of-the-image": {} },
            "Healthcheck": { "Test": ["CMD-SHELL", "true"], "Interval": 2_000_000_000, "Retries": 9 },
        },
        "HostConfig": {
            "PortBindings": {
                "53/udp": [{ "HostIp": "0:0::1", "HostPort": "5353" }],
                "80/tcp": [{ "HostIp": "0.0.0.0", "HostPort": "8080" }],
            },
            "Binds": ["data:/data:ro"],
            "Mounts": [{ "Type": "tmpfs", "Target": "/run", "TmpfsOptions": { "SizeBytes": 67_108_864, "Mode": 0 } }],
            "NetworkMode": "back",
            "RestartPolicy": { "Name": "on-failure", "MaximumRetryCount": 3 },
            "Memory": 536_870_912,
            "MemorySwap": 1_073_741_824,
            "MemoryReservation": 268_435_456,
            "NanoCpus": 1_500_000_000,
            "CpuShares": 512,
            "CpusetCpus": "0,1",
            "PidsLimit": 100,
            "LogConfig": { "Type": "json-file", "Config": { "max-size": "10m" } },
            "Init": true,
            "ReadonlyRootfs": true,
            "Tmpfs": { "/tmp": "size=1m" },
            "ExtraHosts": ["db:10.0.0.9"],
            "Dns": ["9.9.9.9"],
            "CapAdd": ["CAP_NET_ADMIN"],
            "CapDrop": ["ALL"],
            "OomKillDisable": false,
            "ShmSize": 67_108_864,
        },
        "NetworkSettings": { "Networks": {
            "back": { "Aliases": ["db", "4f66ad9a0b2e"], "IPAMConfig": { "IPv4Address": "10.0.0.5" }, "MacAddress": "" },
            "front": { "Aliases": ["4f66ad9a0b2e"], "IPAMConfig": null },
        }},
    })
}

fn inspect(change: impl FnOnce(&mut Value)) -> Inspect {
    let mut answer = reported();
    change(&mut answer);
    Inspect::new(answer)
}

fn set(pointer: &str, value: Value) -> Inspect {
    inspect(|answer| *answer.pointer_mut(pointer).expect(pointer) = value)
}

#[test]
fn a_container_made_from_a_spec_does_not_differ_from_it() {
    let spec = full().spec;
    let found = inspect(|_| {});
    assert_eq!(spec.drift(&found), Vec::<String>::new());
    assert_eq!(spec.live_differences(&found), Vec::<String>::new());
}

#[test]
fn what_an_engine_leaves_out_is_the_same_as_nothing() {
    let spec = container("[web.container.running]\nimage = 'a'\nprivileged = false\ncap_add = []\nnetwork_mode = 'bridge'\npids_limit = 0", "").spec;
    for answer in [
        json!({}),
        json!({ "HostConfig": { "NetworkMode": "default", "CapAdd": null, "PidsLimit": null, "RestartPolicy": { "Name": "" } } }),
    ] {
        let found = Inspect::new(answer);
        assert_eq!(spec.drift(&found), Vec::<String>::new());
        assert_eq!(spec.live_differences(&found), Vec::<String>::new());
    }
}

#[test]
fn every_fixed_field_that_was_changed_by_hand_is_named() {
    let spec = full().spec;
    let changes = [
        ("/Config/Cmd", json!(["serve"]), "command"),
        ("/Config/Entrypoint", Value::Null, "entrypoint"),
        ("/Config/Env", json!(["LOG=debug", "TOKEN=x"]), "env.LOG"),
        ("/Config/Labels/team", json!("api"), "labels.team"),
        ("/HostConfig/PortBindings/80~1tcp/0/HostPort", json!("8081"), "ports"),
        ("/HostConfig/Binds", json!(["data:/data"]), "volumes"),
        ("/Config/Volumes", json!({}), "volumes"),
        ("/HostConfig/Mounts/0/TmpfsOptions/SizeBytes", json!(1), "mounts"),
        ("/Config/User", json!(""), "user"),
        ("/Config/WorkingDir", json!("/"), "working_dir"),
        ("/Config/Hostname", json!("4f66ad9a0b2e"), "hostname"),
        ("/Config/Healthcheck/Interval", json!(1), "healthcheck"),
        ("/Config/StopSignal", json!("SIGTERM"), "stop_signal"),
        ("/HostConfig/LogConfig/Type", json!("local"), "log_driver"),
        ("/HostConfig/LogConfig/Config", json!({}), "log_options"),
        ("/HostConfig/Init", Value::Null, "init"),
        ("/HostConfig/ReadonlyRootfs", json!(false), "read_only"),
        ("/HostConfig/Tmpfs", Value::Null, "tmpfs"),
        ("/HostConfig/ExtraHosts", json!([]), "extra_hosts"),
        ("/HostConfig/Dns", json!([]), "dns"),
        ("/HostConfig/CapAdd", json!([]), "cap_add"),
        ("/HostConfig/CapDrop", json!(["CAP_NET_ADMIN"]), "cap_drop"),
    ];
    for (pointer, value, field) in changes {
        let found = set(pointer, value);
        assert_eq!(spec.drift(&found), [field], "{pointer}");
        assert_eq!(spec.live_differences(&found), Vec::<String>::new(), "{pointer}");
    }
}

#[test]
fn every_live_field_that_differs_is_named() {
    let spec = full().spec;
    let changes = [
        ("/HostConfig/Memory", json!(0), "memory"),
        ("/HostConfig/MemoryReservation", json!(0), "memory_reservation"),
        ("/HostConfig/NanoCpus", json!(0), "cpus"),
        ("/HostConfig/CpuShares", json!(2), "cpu_shares"),
        ("/HostConfig/CpusetCpus", json!("0-2"), "cpuset"),
        ("/HostConfig/PidsLimit", Value::Null, "pids_limit"),
        ("/HostConfig/RestartPolicy/Name", json!("no"), "restart"),
        ("/HostConfig/RestartPolicy/MaximumRetryCount", json!(4), "restart"),
        ("/NetworkSettings/Networks/back/Aliases", json!(["4f66ad9a0b2e"]), "networks.back"),
        ("/NetworkSettings/Networks/front/Aliases", json!(["old"]), "networks.front"),
        ("/NetworkSettings/Networks/back/IPAMConfig", Value::Null, "networks.back"),
    ];
    for (pointer, value, field) in changes {
        let found = set(pointer, value);
        assert_eq!(spec.live_differences(&found), [field], "{pointer}");
        assert_eq!(spec.drift(&found), Vec::<String>::new(), "{pointer}");
    }
    let elsewhere = set(
        "/NetworkSettings/Networks",
        json!({ "back": reported()["NetworkSettings"]["Networks"]["back"], "other": {} }),
    );
    assert_eq!(spec.live_differences(&elsewhere), ["networks.front", "networks.other"]);
}

#[test]
fn a_restart_policy_that_is_no_longer_declared_is_taken_off_and_swap_is_left_alone() {
    let spec = container("[web.container.running]\nimage = 'a'", "").spec;
    assert_eq!(spec.live_differences(&inspect(|_| {})), ["restart"]);
    assert_eq!(spec.update_body(), json!({ "RestartPolicy": { "Name": "no", "MaximumRetryCount": 0 } }));
    assert_eq!(full().spec.live_differences(&set("/HostConfig/MemorySwap", json!(-1))), Vec::<String>::new());
}

#[test]
fn an_update_carries_every_limit_and_memory_never_without_swap() {
    insta::assert_snapshot!(full().spec.update_body(), @r#"{"CpuShares":512,"NanoCpus":1500000000,"CpusetCpus":"0-1","Memory":536870912,"MemoryReservation":268435456,"PidsLimit":100,"MemorySwap":1073741824,"RestartPolicy":{"Name":"on-failure","MaximumRetryCount":3}}"#);
    let swap = container("[web.container.running]\nimage = 'a'\nmemory = '1g'\nmemory_swap = '1g'", "").spec;
    insta::assert_snapshot!(swap.update_body(), @r#"{"Memory":1073741824,"MemorySwap":1073741824,"RestartPolicy":{"Name":"no","MaximumRetryCount":0}}"#);
}

#[test]
fn the_first_network_is_in_the_body_and_the_others_come_after() {
    let spec = full().spec;
    insta::assert_snapshot!(spec.create_body(), @r#"{"HostConfig":{"CapAdd":["CAP_NET_ADMIN"],"CapDrop":["ALL"],"CpuShares":512,"NanoCpus":1500000000,"CpusetCpus":"0-1","Dns":["9.9.9.9"],"ExtraHosts":["db:10.0.0.9"],"Init":true,"LogConfig":{"Type":"json-file","Config":{"max-size":"10m"}},"Memory":536870912,"MemoryReservation":268435456,"Mounts":[{"Type":"tmpfs","Target":"/run","TmpfsOptions":{"SizeBytes":67108864}}],"NetworkMode":"back","PidsLimit":100,"PortBindings":{"53/udp":[{"HostIp":"::1","HostPort":"5353"}],"80/tcp":[{"HostIp":"","HostPort":"8080"}]},"ReadonlyRootfs":true,"RestartPolicy":{"Name":"on-failure","MaximumRetryCount":3},"Tmpfs":{"/tmp":"size=1m"},"Binds":["data:/data:ro"]},"Cmd":["serve","--port","80"],"Entrypoint":["/entry"],"Healthcheck":{"Test":["CMD-SHELL","true"],"Interval":2000000000},"Hostname":"web-1","Labels":{"team":"web"},"NetworkingConfig":{"EndpointsConfig":{"back":{"Aliases":["db"],"IPAMConfig":{"IPv4Address":"10.0.0.5"}}}},"ExposedPorts":{"53/udp":{},"80/tcp":{}},"StopSignal":"SIGQUIT","StopTimeout":30,"User":"1000","Volumes":{"/cache":{}},"WorkingDir":"/app"}"#);
    assert_eq!(spec.further_networks(), [("front".to_owned(), json!({}))]);
    assert_eq!(spec.networks().len(), 2);
    assert!(Spec::default().networks().is_empty() && Spec::default().further_networks().is_empty());
}

/// Recorded: a release that prints another value replaces every container of every user.
#[test]
fn the_fingerprint_of_a_declaration_never_changes() {
    insta::assert_snapshot!(full().spec.fingerprint(), @"v1:sha256:2b045c70ac267bd5a3a9a3db9da40559483d59cb9be06d109c13c63bf52120a2");
    insta::assert_snapshot!(Spec::default().fingerprint(), @"v1:sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    insta::assert_snapshot!(json!(full().spec.field_fingerprints()), @r#"{"cap_add":"5fdf13d2","cap_drop":"9641f897","command":"95001e3e","dns":"3e7ecce1","entrypoint":"90b31bd9","env.LOG":"897dc8e0","env.TOKEN":"1c12d384","extra_hosts":"90cc8db2","healthcheck":"d299e8e6","hostname":"fc404ba0","init":"04524765","labels.team":"96c46df2","limits.cpu_shares":"ef2cf478","limits.cpus":"2dfdb114","limits.cpuset":"f5d80936","limits.memory":"6ab2e205","limits.memory_reservation":"2a73b4d5","limits.networks":"d37bd25a","limits.pids_limit":"26b99a2b","log_driver":"059c8d97","log_options":"740f55ff","mounts":"547c2be1","ports":"62a161db","read_only":"17927fd6","stop_signal":"0d36c578","tmpfs":"4998fbaa","user":"c3453a0c","volumes":"93ddfa32","working_dir":"8ae581a4"}"#);
}

#[test]
fn spelling_order_and_what_is_live_or_aside_are_in_no_fingerprint() {
    let base = "[web.container.running]\nimage = 'a'\nlabels = { a = '1', b = '2' }\nmemory = '1g'\n";
    let with = |text: &str| container(text, "").spec.fingerprint();
    let print = with(base);
    for same in [
        "[web.container.running]\nimage = 'b'\nlabel = ['b=2', 'a=1']\nmem_limit = '2g'\n",
        &format!("{base}stop_timeout = 5\nmonitor = 9\nrestart = 'always'\npull = 'never'\n"),
    ] {
        assert_eq!(with(same), print, "{same}");
    }
    for other in ["cpus = 1", "user = 'x'", "env.A = ''", "networks = ['a']"] {
        assert_ne!(with(&format!("{base}{other}\n")), print, "{other}");
    }
    assert_ne!(with(&base.replace("memory = '1g'\n", "")), print);
}

#[test]
fn a_secret_is_its_id_in_a_fingerprint_and_nothing_else_of_it() {
    let state = "[web.container.running]\nimage = 'a'\nenv.A = 'x{{ pillar.token }}'";
    let print = |pillar: &str| container(state, pillar).spec.fingerprint();
    assert_eq!(print(PILLAR), print("token = { sealed = 'QUdF', id = '9f2c41d70b6e83aa' }"));
    assert_ne!(print(PILLAR), print("token = { sealed = 'YWdl', id = '9f2c41d70b6e83ab' }"));
    assert_ne!(print(PILLAR), print("token = '(sealed 9f2c)'"));
}
