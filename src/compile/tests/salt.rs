//! Meanings under Salt's names: each row is what Salt's state says and what ours says for the same.

use super::*;
use crate::highstate;
use crate::inspect::Inspect;
use serde_json::{Value as Json, json};

/// The container of a state in TOML.
fn one(function: &str, arguments: &str) -> Json {
    let state = format!("[web.{function}]\nimage = 'a:1'\n{arguments}\n");
    let desired = match compiled(&[("states/a.toml", &state)], "") {
        Ok(desired) => desired.to_json(),
        Err(problems) => panic!("{state}\n{problems}"),
    };
    told(&desired)
}

/// What is said of the first container, without the lines that say it.
fn told(desired: &Json) -> Json {
    let item = &desired["items"][0];
    ["options", "env", "files", "fingerprint", "state", "order"]
        .iter()
        .map(|key| (*key, item[*key].clone()))
        .collect()
}

#[test]
fn options_under_salts_names_mean_what_they_mean_there() {
    for (salts, ours) in [
        ("ports = [5432]", "expose = [5432]"),
        ("ports = '80,53/udp'", "expose = ['80', '53/udp']"),
        ("expose = [80]", "expose = [80]"),
        ("port_bindings = ['8080:80']", "ports = ['8080:80']"),
        ("port_bindings = '8080:80,127.0.0.1:8443:443'", "ports = ['8080:80', '127.0.0.1:8443:443']"),
        ("port_bindings = 5601", "ports = [5601]"),
        ("publish = ['80:80/udp']", "ports = ['80:80/udp']"),
        ("ports = [80, 9]\nport_bindings = ['8080:80']", "expose = [9]\nports = ['8080:80']"),
        ("port_bindings = { '80/tcp' = 8080 }", "ports = ['8080:80/tcp']"),
        ("port_bindings = { 80 = ['127.0.0.1', 8080] }", "ports = ['127.0.0.1:8080:80']"),
        ("ports = [{ '80/tcp' = { HostIp = '', HostPort = '8080' } }]", "ports = ['8080:80/tcp']"),
        ("volumes = ['/data']\nbinds = ['/srv:/www:ro']", "volumes = ['/srv:/www:ro', '/data']"),
        ("volumes = '/www'\nbinds = '/srv:/www:ro'", "volumes = ['/srv:/www:ro']"),
        ("binds = { '/srv' = { bind = '/www', mode = 'ro' } }", "volumes = ['/srv:/www:ro']"),
        ("volumes = [{ '/srv' = { bind = '/www', ro = true } }]", "volumes = ['/srv:/www:ro']"),
        ("binds = [{ '/srv' = '/www' }]", "volumes = ['/srv:/www']"),
        ("environment = [{ DEBUG = true }, { N = 4 }]", "env = { DEBUG = 'True', N = '4' }"),
        ("environment = { DEBUG = false }", "env = { DEBUG = 'False' }"),
        ("environment = 'A=1,B=x'", "env = { A = '1', B = 'x' }"),
        ("environment = ['A=1', { B = 'x' }]", "env = { A = '1', B = 'x' }"),
        ("labels = ['team=ops', 'bare']", "labels = { team = 'ops', bare = '' }"),
        ("labels = 'a=1,b=2'", "labels = { a = '1', b = '2' }"),
        ("cap_add = 'IPC_LOCK,NET_ADMIN'", "cap_add = ['IPC_LOCK', 'NET_ADMIN']"),
        ("cap_drop = 'ALL'", "cap_drop = ['ALL']"),
        ("devices = '/dev/a:/dev/b:r,/dev/c'", "devices = ['/dev/a:/dev/b:r', '/dev/c']"),
        ("dns = '10.0.0.1,10.0.0.2'", "dns = ['10.0.0.1', '10.0.0.2']"),
        ("dns_opt = 'ndots:2,timeout:1'", "dns_options = ['ndots:2', 'timeout:1']"),
        ("dns_search = 'a.example.com, b.example.com'", "dns_search = ['a.example.com', 'b.example.com']"),
        ("extra_hosts = 'db:10.0.0.5,mq:10.0.0.6'", "extra_hosts = { db = '10.0.0.5', mq = '10.0.0.6' }"),
        ("extra_hosts = [{ db = '10.0.0.5' }]", "extra_hosts = { db = '10.0.0.5' }"),
        ("group_add = 'a,b'", "group_add = ['a', 'b']"),
        ("security_opt = 'no-new-privileges'", "security_opt = ['no-new-privileges']"),
        ("ulimits = 'nofile=1024:2048,nproc=50'", "ulimits = ['nofile=1024:2048', 'nproc=50']"),
        ("ulimits = [{ Name = 'nproc', Soft = 5, Hard = 6 }]", "ulimits = ['nproc=5:6']"),
        ("sysctl = 'net.core.somaxconn=1024'", "sysctls = { 'net.core.somaxconn' = '1024' }"),
        ("sysctls = [{ 'net.core.somaxconn' = 1024 }]", "sysctls = { 'net.core.somaxconn' = '1024' }"),
        ("storage_opt = ['size=10G']", "storage_opt = { size = '10G' }"),
        (
            "log_driver = 'json-file'\nlog_opt = 'max-size=1m,max-file=3'",
            "log = { driver = 'json-file', options = { max-size = '1m', max-file = '3' } }",
        ),
        (
            "log_config = { Type = 'json-file', Config = { max-file = '3' } }",
            "log = { driver = 'json-file', options = { max-file = '3' } }",
        ),
        ("restart_policy = 'on-failure:5'", "restart = 'on-failure:5'"),
        ("restart_policy = [{ Name = 'on-failure' }, { MaximumRetryCount = 5 }]", "restart = 'on-failure:5'"),
        (
            "healthcheck = { Test = ['CMD', 'true'], Interval = 10000000000, StartPeriod = 1500000000, Retries = 3 }",
            "healthcheck = { test = ['CMD', 'true'], interval = '10s', start_period = '1500ms', retries = 3 }",
        ),
        (
            "healthcheck = [{ test = ['CMD', 'true'] }, { timeout = 500000000 }]",
            "healthcheck = { test = ['CMD', 'true'], timeout = '500ms' }",
        ),
        ("networks = 'front,back'", "networks = ['front', 'back']"),
        (
            "networks = ['back', { front = [{ aliases = ['api'] }, { ipv4_address = '10.1.0.5' }] }]",
            "networks = { back = {}, front = { aliases = ['api'], ipv4_address = '10.1.0.5' } }",
        ),
        (
            "networks = [{ front = [{ links = [{ db = 'database' }] }] }]\nvolumes_from = 'data,logs:ro'",
            "networks = { front = { links = ['db:database'] } }\nvolumes_from = ['data', 'logs:ro']",
        ),
        ("device_read_bps = '/dev/sda:1mb'", "device_read_bps = ['/dev/sda:1mb']"),
        (
            "blkio_weight_device = [{ Path = '/dev/sda', Weight = 300 }]",
            "blkio_weight_device = ['/dev/sda:300']",
        ),
        ("tmpfs = [{ '/run' = 'size=64m' }]", "tmpfs = { '/run' = 'size=64m' }"),
        ("workdir = '/srv'", "working_dir = '/srv'"),
        ("user_ns_mode = 'host'", "userns_mode = 'host'"),
        ("cmd = 'serve --all'", "command = ['serve', '--all']"),
        ("interactive = true", "stdin_open = true"),
        ("memory_swap = '1g'\nmemory = '512m'", "memory = '512m'\nmemory_swap = '1g'"),
        ("network_disabled = false\nauto_remove = false\nstart = true\nskip_translate = false", ""),
        ("detach = true\nforce = true\nclient_timeout = 60\nvalidate_ip_addrs = false", ""),
        ("order = 'last'", "order = -1"),
        ("order = 'first'", "order = 0"),
    ] {
        if ours.contains("volumes_from") {
            // What is shared has to be declared; the row is about how it is written.
            let state = format!(
                "[data.docker_container.running]\nimage = 'a:1'\n[logs.docker_container.running]\nimage = 'a:1'\n[db.docker_container.running]\nimage = 'a:1'\n[web.docker_container.running]\nimage = 'a:1'\n{salts}\n"
            );
            let other = state.replace(salts, ours);
            let (one, other) =
                (compiled(&[("states/a.toml", &state)], ""), compiled(&[("states/a.toml", &other)], ""));
            let web = |desired: Result<Desired>| {
                let desired = desired.expect("it compiles").to_json();
                let items = desired["items"].as_array().into_iter().flatten();
                let item = items.into_iter().find(|item| item["name"] == "web").expect("web").clone();
                (item["options"].clone(), item["fingerprint"].clone())
            };
            assert_eq!(web(one), web(other), "{salts}");
            continue;
        }
        assert_eq!(one("docker_container.running", salts), one("container.running", ours), "{salts}");
    }
}

#[test]
fn the_same_is_meant_in_starlark() {
    let toml = one("docker_container.running", "ports = '80,53/udp'\nenvironment = [{ DEBUG = true }]");
    let star = "def run():\n    return {'web': {'dockerng.running': [{'image': 'a:1'}, {'ports': '80,53/udp'}, {'environment': [{'DEBUG': True}]}]}}\n";
    assert_eq!(toml, told(&compiled(&[("states/a.star", star)], "").expect("it compiles").to_json()));
}

#[test]
fn what_says_how_salt_works_is_left_out_with_a_note() {
    let state = "[web.docker_container.running]\nimage = 'a:1'\ndetach = true\nforce = true\nclient_timeout = 60\nstart = false\n\
                 [img.docker_image.present]\nname = 'a:1'\ninsecure_registry = true\n";
    let notes = compiled(&[("states/a.toml", state)], "").expect("it compiles").notes.join("\n");
    insta::assert_snapshot!(notes, @"
states/a.toml:5: `client_timeout` was left out: it says how Salt calls the Engine
states/a.toml:3: `detach` was left out: containers run in the background
states/a.toml:4: `force` was left out: what differs from its declaration is replaced, and nothing else
states/a.toml:6: `start` was left out: a container that is declared running is started
states/a.toml:9: `insecure_registry` was left out: it says how Salt calls the Engine
");
    let refused = problems(
        &[("states/a.toml", "[web.docker_container.running]\nimage = 'a:1'\nskip_translate = true\n")],
        "",
    );
    insta::assert_snapshot!(refused, @"
error: states/a.toml:3: `skip_translate` of docker_container.running is refused
caused by: it hands values to a library of Python in that library's own form
hint: leave it out, and write the options as docs/options.md has them
");
}

#[test]
fn our_own_names_keep_our_own_meaning() {
    let item = one("container.running", "ports = [5432]");
    assert!(item["options"]["ports"]["5432/tcp"].is_array(), "{item}");
    let item = one("docker.running", "ports = [5432]");
    assert!(item["options"].get("ports").is_none() && item["options"]["expose"].is_array(), "{item}");
}

#[test]
fn names_are_several_containers() {
    let state = "[web.docker_container.running]\nimage = 'a:1'\nnames = ['one', { two = [{ hostname = 'second' }] }]\n\
                 [old.docker_container.absent]\nnames = ['x', 'y']\n[io.docker.running]\ncontainer = 'older'\nimage = 'a:1'\n";
    let desired = compiled(&[("states/a.toml", state)], "").expect("it compiles").to_json();
    let said: Vec<String> = desired["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|item| format!("{} {} {}", item["address"], item["state"], item["options"]["hostname"]))
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
"container one" "running" null
"container two" "running" "second"
"container x" "absent" null
"container y" "absent" null
"container older" "running" null
"#);
}

#[test]
fn requisites_are_found_by_id_and_by_name_and_from_the_other_side() {
    let state = "[up.docker_container.running]\nname = 'web'\nimage = 'a:1'\nrequire = [{ docker_image = 'a' }, { service = 'docker' }]\n\
                 [pulled.docker_image.present]\nname = 'a'\ntag = '1'\n\
                 [db.dockerng.running]\nimage = 'b:1'\nrequire_in = [{ docker_container = 'web' }]\n\
                 [conf.docker_volume.present]\nwatch_in = [{ dockerng = 'up' }, { service = 'nginx' }]\n";
    let desired = compiled(&[("states/a.toml", state)], "").expect("it compiles");
    let web = desired.items.iter().find(|item| item.address.name == "web").expect("web");
    let needs: Vec<String> = web.needs.iter().map(ToString::to_string).collect();
    assert_eq!(needs, ["image a:1", "container db", "volume conf"]);
    assert_eq!(web.requisites.watch.len(), 1);
    insta::assert_snapshot!(desired.notes.join("\n"), @"
states/a.toml:12: `watch_in` names nginx, which is no state of a container here, and was ignored
states/a.toml:4: the requisite on service `docker` is not managed by pillarbox and was ignored
");
}

#[test]
fn states_of_other_modules_are_noted_in_both_languages() {
    let toml = "[docker.service.running]\nenable = true\n[conf.file.managed]\nname = '/etc/a'\n[web.docker_container.running]\nimage = 'a:1'\n";
    let star = "def run():\n    return {'docker': {'service.running': [{'enable': True}]}, 'conf': {'file.managed': [{'name': '/etc/a'}]}, 'web': {'docker_container.running': [{'image': 'a:1'}]}}\n";
    let of = |file: &str, text: &str| {
        let desired = compiled(&[(file, text)], "").expect("it compiles");
        assert_eq!(desired.items.len(), 1);
        desired
            .notes
            .iter()
            .filter_map(|note| note.split_once(": ").map(|(_, what)| what.to_owned()))
            .collect::<Vec<_>>()
    };
    let (one, other) = (of("states/a.toml", toml), of("states/a.star", star));
    assert_eq!(one, other);
    assert_eq!(one.len(), 2);
    for file in [
        ("states/a.toml", "[a.docker_container.run]\nimage = 'x'\n"),
        ("states/a.toml", "[a.cmd.run]\nname = 'x'\n"),
    ] {
        assert!(
            problems(&[file], "").contains("task.ran") || problems(&[file], "").contains("container.absent")
        );
    }
}

/// What differs between the containers, and why that is no difference of what runs: `attach` and `stdin_once` are about
/// the client that made it; a path at which something is mounted needs no volume of its own; `label=disable` and the
/// masked paths are the Engine's answer to `privileged` and to the host's processes.
const LISTED: [(&str, &str); 7] = [
    ("binds", "/Config/Volumes"),
    ("pid-mode", "/HostConfig/SecurityOpt"),
    ("privileged", "/HostConfig/MaskedPaths"),
    ("privileged", "/HostConfig/ReadonlyPaths"),
    ("privileged", "/HostConfig/SecurityOpt"),
    ("tty", "/Config/AttachStdin"),
    ("tty", "/Config/StdinOnce"),
];

/// The containers that Salt 3007 made on Docker 20.10, by their state (`tests/salt/options`), as an Engine reports them.
fn made_by_salt() -> Vec<(String, Vec<String>, Inspect)> {
    let recorded: Json =
        serde_json::from_str(include_str!("../../../tests/salt/options/inspect.json")).expect("JSON");
    let recorded = recorded.as_object().expect("containers");
    let plain = recorded["plain"].as_object().expect("fields");
    let all = recorded.iter().map(|(name, own)| {
        let own = own.as_object().expect("fields");
        let mut answer = json!({});
        for (pointer, value) in plain.iter().chain(own) {
            let mut place = &mut answer;
            for part in pointer.trim_start_matches('/').split('/') {
                place = &mut place[part];
            }
            *place = value.clone();
        }
        let differing = if name == "plain" { Vec::new() } else { own.keys().cloned().collect() };
        (name.clone(), differing, Inspect::new(answer))
    });
    all.collect()
}

#[test]
fn an_imported_state_makes_the_container_that_salt_makes() {
    let text = include_str!("../../../tests/salt/options/highstate.json");
    let minions = highstate::rendered("options.json", text).expect("states");
    let sorted = highstate::sorted(&minions[0], None);
    assert!(sorted.left_out.is_empty(), "{:?}", sorted.left_out);
    let (mut secrets, mut given) = (highstate::Secrets::default(), highstate::GivenFiles::default());
    let texts = sorted
        .states
        .iter()
        .map(|state| highstate::state(state, &mut secrets, &mut given, None, None).expect("it is written"));
    let file = texts.collect::<Vec<_>>().join("\n");
    let desired = compiled(&[("states/options.toml", &file)], "").expect("it compiles");
    let mut wrong = Vec::new();
    let (mut compared, mut listed) = (0, Vec::new());
    for (name, differing, inspect) in made_by_salt() {
        let item =
            desired.items.iter().find(|item| item.address.name == format!("salt-{name}")).expect("a state");
        let DesiredState::Container(want) = &item.want else { panic!("{name} is a container") };
        // What an adoption would compare: nothing of it differs, so that nothing is restarted.
        let mut found = want.spec.drift(&inspect);
        found.extend(want.spec.live_differences(&inspect));
        wrong.extend(found.into_iter().map(|field| format!("{name}: {field} differs")));
        // And whatever Salt set is set by ours.
        let body = want.spec.create_body();
        for pointer in differing {
            let field = pointer.trim_start_matches("/Config");
            let is_set = match field {
                "/NetworkSettings/Networks" => {
                    !want.spec.networks().is_empty() || body.pointer("/HostConfig/NetworkMode").is_some()
                }
                // Sent with each stop.
                "/StopTimeout" => want.stop_timeout.is_some(),
                "/Env" => !want.spec.env.is_empty(),
                // That of the image goes with its entrypoint.
                "/Cmd" => body.get("Cmd").is_some() || body.get("Entrypoint").is_some(),
                field => body.pointer(field).is_some(),
            };
            let entry = (name.as_str(), pointer.as_str());
            match (is_set, LISTED.contains(&entry)) {
                (false, false) => wrong.push(format!("{name}: {pointer} is not set")),
                (true, true) => wrong.push(format!("{name}: {pointer} is listed and set")),
                (false, true) => listed.push(format!("{name} {pointer}")),
                (true, false) => {}
            }
        }
        compared += 1;
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(compared > 40, "{compared} containers");
    assert_eq!(listed.len(), LISTED.len(), "{listed:?}");
}

#[test]
fn a_file_that_only_salt_puts_on_the_host_is_no_mount() {
    let file = "['/etc/app.conf'.file.managed]\nsource = 'salt://app.conf'\n";
    let said = |state: &str| match compiled(&[("states/a.toml", &format!("{file}{state}"))], "") {
        Ok(_) => String::new(),
        Err(problems) => {
            let problem = problems.iter().next().expect("one").clone();
            format!("{problem} | {} | {}", problem.causes.join(" "), problem.hints.join(" "))
        }
    };
    insta::assert_snapshot!(said("[web.docker_container.running]\nimage = 'a:1'\nbinds = '/etc/app.conf:/app.conf:ro'\n"), @r#"states/a.toml:5: `web` mounts /etc/app.conf, which only Salt puts on the host | states/a.toml:1: states of files are not managed here | put the file below files/, and write files."/app.conf" = { source = "files/…" } instead of the mount"#);
    insta::assert_snapshot!(said("[web.container.running]\nimage = 'a:1'\nvolumes = ['/etc:/host:ro']\n"), @r#"states/a.toml:5: `web` mounts /etc/app.conf, which only Salt puts on the host | states/a.toml:1: states of files are not managed here | put the file below files/, and write files."/host/app.conf" = { source = "files/…" } instead of the mount"#);
    assert_eq!(
        said(
            "[web.container.running]\nimage = 'a:1'\nvolumes = ['/etc/app.conf.d:/x', 'data:/etc/app.conf']\n"
        ),
        ""
    );
}
