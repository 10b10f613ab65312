//! Every option: from each of its spellings to the canonical form and the
//! Engine's create body.

mod every;

use super::*;
use crate::desired::Spec;
use crate::desired::fields::{read_fields, spec};
use crate::problem::{Place, Problem};
use crate::state::{ArgValue, Text};

/// An argument from TOML text, without expressions.
fn arg(item: &toml_edit::Item) -> Arg {
    let value = match item {
        toml_edit::Item::Value(toml_edit::Value::String(text)) if text.value() == "None" => ArgValue::Unset,
        toml_edit::Item::Value(toml_edit::Value::String(text)) => {
            ArgValue::Text(Text::clear(text.value().as_str()))
        }
        toml_edit::Item::Value(toml_edit::Value::Integer(number)) => ArgValue::Integer(*number.value()),
        toml_edit::Item::Value(toml_edit::Value::Float(number)) => ArgValue::Float((*number.value()).into()),
        toml_edit::Item::Value(toml_edit::Value::Boolean(truth)) => ArgValue::Boolean(*truth.value()),
        toml_edit::Item::Value(toml_edit::Value::Array(items)) => {
            ArgValue::Array(items.iter().map(|item| arg(&toml_edit::Item::Value(item.clone()))).collect())
        }
        other => {
            let table = other.as_table_like().expect("a table");
            ArgValue::Table(table.iter().map(|(key, item)| (key.to_owned(), arg(item))).collect())
        }
    };
    Arg { value, place: Place::new("states/a.toml", 1), read: Vec::new() }
}

fn try_read(text: &str) -> Result<Spec, Vec<Problem>> {
    let document = toml_edit::Document::parse(text).expect(text);
    let args: Vec<(String, Arg)> = document.iter().map(|(key, item)| (key.to_owned(), arg(item))).collect();
    let mut problems = Vec::new();
    let fields = read_fields(args.iter().map(|(key, arg)| (key.as_str(), arg)), &mut problems);
    if problems.is_empty() { Ok(spec(&fields)) } else { Err(problems) }
}

fn read(text: &str) -> Spec {
    try_read(text).unwrap_or_else(|problems| panic!("{text}: {problems:?}"))
}

/// All declared fields, then the create body without the restart policy that every body has.
fn shown(text: &str) -> String {
    let spec = read(text);
    let fields = |fields: &std::collections::BTreeMap<String, Value>| json!(fields).to_string();
    let mut body = spec.create_body();
    if let Some(host) = body["HostConfig"].as_object_mut()
        && !spec.live.contains_key("restart")
    {
        host.shift_remove("RestartPolicy");
    }
    format!(
        "fixed {}\nlive {}\naside {}\nbody {body}",
        fields(&spec.fixed),
        fields(&spec.live),
        fields(&spec.aside)
    )
}

fn refused(text: &str) -> String {
    let problems = try_read(text).expect_err(text);
    let shown = problems.iter().map(|problem| {
        let hints: String = problem.hints.iter().map(|hint| format!(" ({hint})")).collect();
        format!("{problem}{hints}")
    });
    shown.collect::<Vec<_>>().join("\n")
}

/// Each of these spellings means the same.
fn same(spellings: &[&str]) {
    let first = read(spellings[0]);
    assert!(!first.fixed.is_empty() || !first.live.is_empty() || !first.aside.is_empty(), "{}", spellings[0]);
    for spelling in &spellings[1..] {
        assert_eq!(read(spelling), first, "{spelling}");
    }
}

#[test]
fn names_are_sorted_and_no_two_options_share_one() {
    let names: Vec<&str> = OPTIONS.iter().map(|option| option.name).collect();
    assert!(names.is_sorted(), "{names:?}");
    let mut all: Vec<&str> =
        names.into_iter().chain(OPTIONS.iter().flat_map(|option| option.aliases.iter().copied())).collect();
    all.extend(ENV);
    all.extend(GROUPS.iter().map(|(name, _)| *name));
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
}

#[test]
fn none_is_as_if_not_written() {
    for option in OPTIONS {
        assert_eq!(read(&format!("{} = 'None'", option.name)), Spec::default(), "{}", option.name);
    }
    assert_eq!(
        read("memory = 0\ncpus = 0\ncpu_shares = 0\ncpuset = ''\nlabels = {}\nports = []\nnetworks = []"),
        Spec::default()
    );
}

#[test]
fn commands() {
    same(&[
        "command = ['sh', '-c', 'echo a b']",
        "cmd = \"sh -c 'echo a b'\"",
        "args = ['sh', '-c', 'echo a b']",
    ]);
    insta::assert_snapshot!(shown("command = ['a', 'b c']"), @r#"
    fixed {"command":["a","b c"]}
    live {}
    aside {}
    body {"Cmd":["a","b c"],"HostConfig":{}}
    "#);
    insta::assert_snapshot!(shown("entrypoint = '/run.sh --now'"), @r#"
    fixed {"entrypoint":["/run.sh","--now"]}
    live {}
    aside {}
    body {"Entrypoint":["/run.sh","--now"],"HostConfig":{}}
    "#);
    insta::assert_snapshot!(shown("entrypoint = []"), @r#"
    fixed {"entrypoint":[]}
    live {}
    aside {}
    body {"Entrypoint":[],"HostConfig":{}}
    "#);
    insta::assert_snapshot!(refused("command = { a = 1 }"), @"states/a.toml:1: `command` must be a list or a string, not a table");
    insta::assert_snapshot!(refused("command = \"sh -c 'oops\""), @"states/a.toml:1: `command` has a quote that does not end");
}

#[test]
fn labels_have_a_field_each() {
    same(&["labels = { team = 'web', n = 1 }", "label = ['team=web', 'n=1']"]);
    insta::assert_snapshot!(shown("labels = { 'com.example.a' = 'x', b = true }"), @r#"
    fixed {"labels.b":"true","labels.com.example.a":"x"}
    live {}
    aside {}
    body {"Labels":{"b":"true","com.example.a":"x"},"HostConfig":{}}
    "#);
    insta::assert_snapshot!(refused("labels = { 'io.pillarbox.instance' = 'x' }"), @"states/a.toml:1: `labels` names `io.pillarbox.instance`: labels under `io.pillarbox.` are reserved for pillarbox");
    insta::assert_snapshot!(refused("labels = ['a=1', 'a=2']"), @"states/a.toml:1: `labels` names `a` twice with different values");
    insta::assert_snapshot!(refused("labels = { a = [1] }"), @"states/a.toml:1: `labels.a` must be a string, not an array");
}

#[test]
fn ports_are_exploded_and_sorted() {
    same(&[
        "ports = ['8080:80']",
        "ports = '8080:80/tcp'",
        "port_bindings = [{ target = 80, published = 8080 }]",
    ]);
    same(&["ports = ['80']", "ports = [80]", "ports = 80"]);
    same(&[
        "ports = ['[::1]:8080:80']",
        "ports = ['[0:0::1]:8080:80']",
        "ports = [{ target = '80', published = '8080', host_ip = '::1' }]",
    ]);
    insta::assert_snapshot!(shown("ports = ['127.0.0.1:53:53/UDP', '8000-8001:9000-9001', '7000']"), @r#"
    fixed {"ports":{"53/udp":[{"HostIp":"127.0.0.1","HostPort":"53"}],"7000/tcp":[{"HostIp":"","HostPort":""}],"9000/tcp":[{"HostIp":"","HostPort":"8000"}],"9001/tcp":[{"HostIp":"","HostPort":"8001"}]}}
    live {}
    aside {}
    body {"ExposedPorts":{"53/udp":{},"7000/tcp":{},"9000/tcp":{},"9001/tcp":{}},"HostConfig":{"PortBindings":{"53/udp":[{"HostIp":"127.0.0.1","HostPort":"53"}],"7000/tcp":[{"HostIp":"","HostPort":""}],"9000/tcp":[{"HostIp":"","HostPort":"8000"}],"9001/tcp":[{"HostIp":"","HostPort":"8001"}]}}}
    "#);
    insta::assert_snapshot!(refused("ports = ['8080:80x', '1-3:1-2', '1.2.3:1:1', '80/http', '0:0', 'a', '70000']"), @r#"
    states/a.toml:1: `ports` has `8080:80x`: a port is a number from 1 to 65535 (write it like "8080:80", "127.0.0.1:8080:80/udp" or "8000-8002:9000-9002")
    states/a.toml:1: `ports` has `1-3:1-2`: the ranges have different lengths (write it like "8080:80", "127.0.0.1:8080:80/udp" or "8000-8002:9000-9002")
    states/a.toml:1: `ports` has `1.2.3:1:1`: the address is not an IP address (write it like "8080:80", "127.0.0.1:8080:80/udp" or "8000-8002:9000-9002")
    states/a.toml:1: `ports` has `80/http`: the protocol is tcp, udp or sctp (write it like "8080:80", "127.0.0.1:8080:80/udp" or "8000-8002:9000-9002")
    states/a.toml:1: `ports` has `0:0`: a port is a number from 1 to 65535 (write it like "8080:80", "127.0.0.1:8080:80/udp" or "8000-8002:9000-9002")
    states/a.toml:1: `ports` has `a`: a port is a number from 1 to 65535 (write it like "8080:80", "127.0.0.1:8080:80/udp" or "8000-8002:9000-9002")
    states/a.toml:1: `ports` has `70000`: a port is a number from 1 to 65535 (write it like "8080:80", "127.0.0.1:8080:80/udp" or "8000-8002:9000-9002")
    "#);
    insta::assert_snapshot!(refused("ports = ['1-9999']"), @r#"states/a.toml:1: `ports` has `1-9999`: these are too many ports (write it like "8080:80", "127.0.0.1:8080:80/udp" or "8000-8002:9000-9002")"#);
    insta::assert_snapshot!(refused("ports = [{ published = 1 }]"), @"states/a.toml:1: `ports` has an entry without `target`");
}

#[test]
fn volumes_mounts_and_tmpfs_are_keyed_by_path() {
    same(&["volumes = ['data:/data']", "binds = ['data:/data/']", "volumes = 'data:/data:rw'"]);
    insta::assert_snapshot!(shown("volumes = ['/srv/www:/www:ro', 'data:/data', '/cache']"), @r#"
    fixed {"volumes":{"/cache":{"source":"","options":[]},"/data":{"source":"data","options":[]},"/www":{"source":"/srv/www","options":["ro"]}}}
    live {}
    aside {}
    body {"HostConfig":{"Binds":["data:/data","/srv/www:/www:ro"]},"Volumes":{"/cache":{}}}
    "#);
    insta::assert_snapshot!(refused("volumes = ['./a:/b', 'a:b', 'a:/b:rx', 'a:/b:ro:z', 'a:/']"), @r#"
    states/a.toml:1: `volumes` has `./a:/b`: the source is an absolute path on the host or the name of a volume (write it like "data:/var/lib/data", "/srv/www:/www:ro" or "/cache")
    states/a.toml:1: `volumes` has `a:b`: the path in the container is absolute, and not / (write it like "data:/var/lib/data", "/srv/www:/www:ro" or "/cache")
    states/a.toml:1: `volumes` has `a:/b:rx`: `rx` is not an option of a volume (write it like "data:/var/lib/data", "/srv/www:/www:ro" or "/cache")
    states/a.toml:1: `volumes` has `a:/b:ro:z`: it has more than three parts (write it like "data:/var/lib/data", "/srv/www:/www:ro" or "/cache")
    states/a.toml:1: `volumes` has `a:/`: the path in the container is absolute, and not / (write it like "data:/var/lib/data", "/srv/www:/www:ro" or "/cache")
    "#);
    insta::assert_snapshot!(refused("volumes = ['a:/x', 'b:/x']"), @"states/a.toml:1: `volumes` has two mounts at `/x`");
    insta::assert_snapshot!(refused("volumes = [{ type = 'bind' }]"), @"states/a.toml:1: `volumes` needs an absolute `target` other than /");
    same(&[
        "volumes = ['a:/b', { type = 'volume', source = 'c', target = '/d', volume = { nocopy = true } }]",
        "volumes = ['a:/b']\nmounts = [{ source = 'c', target = '/d', no_copy = true }]",
    ]);
    insta::assert_snapshot!(shown(
        "mounts = [{ type = 'bind', source = '/srv/', target = '/srv/', read_only = true, propagation = 'rslave' },
         { source = 'data', target = '/data', no_copy = true, read_only = false },
         { type = 'tmpfs', target = '/run', size = '64m', mode = '1777' }]"
    ), @r#"
    fixed {"mounts":{"/data":{"type":"volume","source":"data","no_copy":true},"/run":{"type":"tmpfs","mode":1023,"size":67108864},"/srv":{"type":"bind","source":"/srv","propagation":"rslave","read_only":true}}}
    live {}
    aside {}
    body {"HostConfig":{"Mounts":[{"Type":"volume","Target":"/data","Source":"data","VolumeOptions":{"NoCopy":true}},{"Type":"tmpfs","Target":"/run","TmpfsOptions":{"Mode":1023,"SizeBytes":67108864}},{"Type":"bind","Target":"/srv","Source":"/srv","BindOptions":{"Propagation":"rslave"},"ReadOnly":true}]}}
    "#);
    insta::assert_snapshot!(refused("mounts = [{ type = 'bind', source = 'data', target = '/a' }, { type = 'nfs', target = '/b' }, { target = 'b' }, { target = '/a', sise = 1 }, { target = '/a', size = 1 }]"), @r#"
    states/a.toml:1: `mounts` of type bind has a `source` that does not fit: `data`
    states/a.toml:1: `mounts` has a `type` that is not bind, volume, tmpfs, image, npipe or cluster
    states/a.toml:1: `mounts` needs an absolute `target` other than /
    states/a.toml:1: `mounts` has no field `sise` (did you mean `size`?)
    states/a.toml:1: `mounts.size` is an option of type tmpfs, not volume
    "#);
    same(&[
        "tmpfs = ['/run:size=64m,mode=1777', '/tmp']",
        "tmpfs = { '/run/' = 'mode=1777,size=64m', '/tmp' = '' }",
    ]);
    insta::assert_snapshot!(shown("tmpfs = '/run:size=64m'"), @r#"
    fixed {"tmpfs":{"/run":"size=64m"}}
    live {}
    aside {}
    body {"HostConfig":{"Tmpfs":{"/run":"size=64m"}}}
    "#);
    insta::assert_snapshot!(refused("tmpfs = 'run'"), @"states/a.toml:1: `tmpfs` has `run`, which is not an absolute path below /");
}

#[test]
fn networks_and_modes() {
    same(&["networks = ['a', 'b']", "networks = { b = {}, a = {} }", "network = ['b', 'a']"]);
    insta::assert_snapshot!(shown(
        "[networks.back]\naliases = ['db', 'api']\nipv4_address = '10.0.0.5'\n[networks.front]\nmac_address = '02-42-AC-11-00-02'\nipv6_address = 'fd00:0::5'"
    ), @r#"
    fixed {"limits.networks":true,"networks.front.mac_address":"02:42:ac:11:00:02"}
    live {"networks":{"back":{"Aliases":["api","db"],"IPAMConfig":{"IPv4Address":"10.0.0.5"}},"front":{"IPAMConfig":{"IPv6Address":"fd00::5"},"MacAddress":"02:42:ac:11:00:02"}}}
    aside {}
    body {"HostConfig":{"NetworkMode":"back"},"NetworkingConfig":{"EndpointsConfig":{"back":{"Aliases":["api","db"],"IPAMConfig":{"IPv4Address":"10.0.0.5"}}}}}
    "#);
    insta::assert_snapshot!(refused("networks = ['host', '-x']"), @r#"
    states/a.toml:1: `networks` has `-x`, which is not a network name
    states/a.toml:1: `networks` has `host`, which is a mode (write network_mode = "host")
    "#);
    insta::assert_snapshot!(refused("[networks.a]\nalias = 'x'"), @"states/a.toml:1: `networks.a` has no field `alias` (did you mean `aliases`?)");
    insta::assert_snapshot!(refused("[networks.a]\nipv4_address = '::1'"), @"states/a.toml:1: `networks.a.ipv4_address` must be an IP address of that version");
    insta::assert_snapshot!(shown("network_mode = 'default'"), @r#"
    fixed {"network_mode":"bridge"}
    live {}
    aside {}
    body {"HostConfig":{"NetworkMode":"bridge"}}
    "#);
    insta::assert_snapshot!(refused("network_mode = 'mynet'"), @"states/a.toml:1: `network_mode` is `mynet`, which is not a mode (there are host, none, bridge and container:NAME; a network of your own goes into `networks`)");
    same(&[
        "extra_hosts = ['db:10.0.0.5', 'gw:host-gateway']",
        "extra_hosts = { gw = 'host-gateway', db = '10.0.0.5' }",
        "add_host = ['gw:host-gateway', 'db=10.0.0.5']",
    ]);
    insta::assert_snapshot!(shown("extra_hosts = { six = '[::1]' }"), @r#"
    fixed {"extra_hosts":["six:::1"]}
    live {}
    aside {}
    body {"HostConfig":{"ExtraHosts":["six:::1"]}}
    "#);
    insta::assert_snapshot!(refused("extra_hosts = ['db']"), @r#"states/a.toml:1: `extra_hosts` needs a name and an IP address, like "db:10.0.0.5""#);
    insta::assert_snapshot!(shown("dns = ['9.9.9.9', '1.1.1.1']\ndns_search = 'example.com'"), @r#"
    fixed {"dns":["9.9.9.9","1.1.1.1"],"dns_search":["example.com"]}
    live {}
    aside {}
    body {"HostConfig":{"Dns":["9.9.9.9","1.1.1.1"],"DnsSearch":["example.com"]}}
    "#);
    insta::assert_snapshot!(refused("dns = ['resolver']"), @"states/a.toml:1: `dns` has `resolver`, which is not an IP address");
}

#[test]
fn restart_policies() {
    same(&[
        "restart = 'on-failure:3'",
        "restart_policy = { name = 'on-failure', retries = 3 }",
        "restart = { Name = 'on-failure', MaximumRetryCount = 3 }",
    ]);
    same(&["restart = 'no'", "restart = false", "restart = ''"]);
    insta::assert_snapshot!(shown("restart = 'unless-stopped'"), @r#"
    fixed {}
    live {"restart":"unless-stopped"}
    aside {}
    body {"HostConfig":{"RestartPolicy":{"Name":"unless-stopped","MaximumRetryCount":0}}}
    "#);
    insta::assert_snapshot!(refused("restart = 'allways'"), @r#"states/a.toml:1: `restart` is `allways`, which is not a restart policy (there are "no", "always", "unless-stopped", "on-failure" and "on-failure:3")"#);
    insta::assert_snapshot!(refused("restart = 'always:3'"), @"states/a.toml:1: `restart` can count tries with `on-failure` only");
}

#[test]
fn limits_say_that_they_are_declared_and_are_live() {
    same(&["memory = '512m'", "mem_limit = 536870912", "memory = '0.5g'", "memory = 536870912.0"]);
    same(&["cpuset = '0-2'", "cpuset_cpus = '0,1,2'", "cpuset = [2, 1, 0]"]);
    same(&["cpus = 1.5", "cpus = '1.5'", "nano_cpus = 1.5"]);
    same(&["pids_limit = -1", "pids_limit = 0"]);
    insta::assert_snapshot!(shown(
        "memory = '1g'\nmemory_swap = -1\nmemory_reservation = '512m'\ncpus = 2\ncpu_shares = 1\ncpuset = '0,2-3'\npids_limit = 100"
    ), @r#"
    fixed {"limits.cpu_shares":true,"limits.cpus":true,"limits.cpuset":true,"limits.memory":true,"limits.memory_reservation":true,"limits.memory_swap":true,"limits.pids_limit":true}
    live {"cpu_shares":2,"cpus":2000000000,"cpuset":"0,2-3","memory":1073741824,"memory_reservation":536870912,"memory_swap":-1,"pids_limit":100}
    aside {}
    body {"HostConfig":{"CpuShares":2,"NanoCpus":2000000000,"CpusetCpus":"0,2-3","Memory":1073741824,"MemoryReservation":536870912,"MemorySwap":-1,"PidsLimit":100}}
    "#);
    insta::assert_snapshot!(refused("memory = '5m'\ncpus = -1\ncpuset = '3-1'\npids_limit = -2\ncpu_shares = 'many'\nmemory_swap = 'none'\nmemory_reservation = []"), @r#"
    states/a.toml:1: `memory` is less than 6 MiB, which the Engine refuses
    states/a.toml:1: `cpus` must be a number of processors, for example 1.5
    states/a.toml:1: `cpuset` must be processors like "0-3" or "0,2"
    states/a.toml:1: `pids_limit` is -2, but must be from -1 to 2147483647
    states/a.toml:1: `cpu_shares` must be a whole number, not a string
    states/a.toml:1: `memory_swap` is `none`, which is not a number of bytes (write it like 536870912, "512m" or "1.5g")
    states/a.toml:1: `memory_reservation` must be a number of bytes, not an array (write it like 536870912, "512m" or "1.5g")
    "#);
}

#[test]
fn who_and_where_it_runs() {
    same(&["working_dir = '/app'", "workdir = '/app/'"]);
    insta::assert_snapshot!(shown("user = 1000\nworking_dir = '/'\nhostname = 'web-1'\ninit = true\nread_only = true\nprivileged = false\ntty = true\nstdin_open = true\nshm_size = '64m'\nsysctls = { 'net.core.somaxconn' = 1024 }"), @r#"
    fixed {"hostname":"web-1","init":true,"privileged":false,"read_only":true,"shm_size":67108864,"stdin_open":true,"sysctls":{"net.core.somaxconn":"1024"},"tty":true,"user":"1000","working_dir":"/"}
    live {}
    aside {}
    body {"Hostname":"web-1","HostConfig":{"Init":true,"Privileged":false,"ReadonlyRootfs":true,"ShmSize":67108864,"Sysctls":{"net.core.somaxconn":"1024"}},"OpenStdin":true,"Tty":true,"User":"1000","WorkingDir":"/"}
    "#);
    insta::assert_snapshot!(refused("working_dir = 'app'\nhostname = 'a b'\ninit = 'yes'\nuser = ''"), @r#"
    states/a.toml:1: `working_dir` is `app`, but must be an absolute path
    states/a.toml:1: `hostname` is `a b`, which is not a host name (use up to 63 letters, digits, `-` and `.`)
    states/a.toml:1: `init` must be true or false, not a string
    states/a.toml:1: `user` is empty (leave it out to unset it)
    "#);
    same(&["cap_add = ['net_admin', 'CAP_SYS_TIME']", "cap_add = ['SYS_TIME', 'NET_ADMIN', 'NET_ADMIN']"]);
    insta::assert_snapshot!(shown("cap_add = 'NET_ADMIN'\ncap_drop = ['all']"), @r#"
    fixed {"cap_add":["CAP_NET_ADMIN"],"cap_drop":["ALL"]}
    live {}
    aside {}
    body {"HostConfig":{"CapAdd":["CAP_NET_ADMIN"],"CapDrop":["ALL"]}}
    "#);
    insta::assert_snapshot!(refused("cap_add = ['NET-ADMIN']"), @"states/a.toml:1: `cap_add` has `CAP_NET-ADMIN`, which is not a capability");
}

#[test]
fn health_checks() {
    same(&["healthcheck = { test = 'true' }", "health = { test = ['CMD-SHELL', 'true'] }"]);
    same(&["healthcheck = { disable = true }", "healthcheck = false", "healthcheck = { test = ['NONE'] }"]);
    insta::assert_snapshot!(shown("health = { test = ['CMD', 'true'], interval = '2s', timeout = 1.5, retries = 5, start_period = '1m' }"), @r#"
    fixed {"healthcheck":{"interval":2000000000,"retries":5,"start_period":60000000000,"test":["CMD","true"],"timeout":1500000000}}
    live {}
    aside {}
    body {"Healthcheck":{"Test":["CMD","true"],"Interval":2000000000,"Timeout":1500000000,"Retries":5,"StartPeriod":60000000000},"HostConfig":{}}
    "#);
    insta::assert_snapshot!(refused("health = { test = ['curl', 'x'], interval = '10us', retries = 0, start = 1 }"), @"states/a.toml:1: `health` has no field `start` (it has test, interval, timeout, retries, start_period, start_interval, disable)");
    insta::assert_snapshot!(refused("health = { test = ['curl', 'x'], interval = '10us', retries = 0 }"), @r#"
    states/a.toml:1: `health.interval` is less than a millisecond, which the Engine refuses
    states/a.toml:1: `health.retries` is 0, but must be from 1 to 1000000
    states/a.toml:1: `health.test` begins with "CMD", "CMD-SHELL" or "NONE" (write ["CMD", "wget", "-qO-", "http://127.0.0.1/"], or one text for a shell)
    "#);
    insta::assert_snapshot!(refused("health = { disable = true, retries = 3 }"), @"states/a.toml:1: `health` is disabled and has other fields too");
}

#[test]
fn stopping() {
    same(&[
        "stop_signal = 'SIGQUIT'",
        "stop_signal = 'quit'",
        "stop = { signal = 'Quit' }",
        "stop_signal = 3",
    ]);
    same(&["stop_signal = 'SIGCLD'", "stop_signal = 'CHLD'", "stop_signal = '17'"]);
    same(&["stop_signal = 'SIGRTMIN+3'", "stop_signal = 37"]);
    same(&["stop_signal = 'RTMAX-1'", "stop_signal = 63"]);
    same(&[
        "stop_timeout = 30",
        "stop_grace_period = '30s'",
        "shutdown_timeout = '29.5s'",
        "stop = { timeout = '30s' }",
    ]);
    insta::assert_snapshot!(shown("stop = { signal = 'SIGRTMIN+3', timeout = '1m' }"), @r#"
    fixed {"stop_signal":"SIGRTMIN+3"}
    live {}
    aside {"stop_timeout":60}
    body {"StopSignal":"SIGRTMIN+3","StopTimeout":60,"HostConfig":{}}
    "#);
    insta::assert_snapshot!(refused("stop_signal = 'x y'\nstop_timeout = 'soon'"), @r#"
    states/a.toml:1: `stop_signal` is `SIGX Y`, which is not a signal (write it like "SIGQUIT")
    states/a.toml:1: `stop_timeout` is `soon`, which is not a duration (write it like "30s", "1m30s" or "500ms"; a bare number is seconds)
    "#);
    insta::assert_snapshot!(refused("stop = { signl = 'QUIT' }"), @"states/a.toml:1: `stop` has no field `signl` (did you mean `signal`?)");
    insta::assert_snapshot!(refused("stop = { timeout = 1 }\nstop_timeout = 2"), @"states/a.toml:1: `stop_timeout` is declared twice with different values (keep one of them: declarations of one container are merged)");
}

#[test]
fn logs() {
    same(&[
        "log = { driver = 'json-file', options = { max-size = '10m' } }",
        "logging = { driver = 'json-file', options = { max-size = '10m' } }",
        "log_config = { type = 'json-file', config = { max-size = '10m' } }",
        "log_driver = 'json-file'\nlog_opt = ['max-size=10m']",
    ]);
    insta::assert_snapshot!(shown("log = { driver = 'json-file', options = { max-size = '10m', max-file = 3 } }"), @r#"
    fixed {"log_driver":"json-file","log_options":{"max-file":"3","max-size":"10m"}}
    live {}
    aside {}
    body {"HostConfig":{"LogConfig":{"Type":"json-file","Config":{"max-file":"3","max-size":"10m"}}}}
    "#);
}

#[test]
fn the_environment_is_a_table_or_lines() {
    let table = read("env = { A = 'x=y', B = 1, C = '' }");
    for spelling in ["environment = ['A=x=y', 'B=1', 'C=']", "env = [{ A = 'x=y' }, { B = 1 }, 'C=']"] {
        assert_eq!(read(spelling), table, "{spelling}");
    }
    assert_eq!(table.env["A"], Text::clear("x=y"));
    insta::assert_snapshot!(refused("env = ['A', '=x']"), @r#"
    states/a.toml:1: `env` has an entry that is not "NAME=value" with a name in clear
    states/a.toml:1: `env` has ``, which is not a variable name
    "#);
    insta::assert_snapshot!(refused("env = 'A=1'"), @r#"states/a.toml:1: `env` must be a table of variables, or a list of "NAME=value""#);
    insta::assert_snapshot!(refused("env = { A = [1] }"), @r#"states/a.toml:1: `env.A` must be a string, not a value of type array (write `| tojson` or `| join(",")`)"#);
    insta::assert_snapshot!(refused("env = { A = 1 }\nenvironment = { A = 2 }"), @"states/a.toml:1: `env.A` is declared twice with different values (keep one of them: declarations of one container are merged)");
}
