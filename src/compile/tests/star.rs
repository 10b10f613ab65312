//! States in Starlark: the same as in TOML, and their places.

use super::*;
use proptest::prelude::*;

const PILLAR: &str = "v = '1.9.0'\nn = 8080\nlist = ['a', 'b']\ns = { sealed = 'Q0FOQVJZ', id = '9f2c41d70b6e83aa' }\n\
                      [deploy.api]\nimage = 'r.example.com/api'\nversion = '1.2'\n[t]\nx = 'y'\n";

fn star(text: &str) -> Result<Desired> {
    compiled(&[("states/a.star", text)], PILLAR)
}

fn wrong(text: &str) -> String {
    problems(&[("states/a.star", text)], PILLAR)
}

#[test]
fn dicts_and_lists_of_dicts_are_the_same() {
    let body = |arguments: &str| format!("def run():\n    return {{'web': {arguments}}}\n");
    let plain = star(&body(
        "{'container.running': {'image': 'a:1', 'env': {'A': '1'}, 'ports': ['80:80'], 'memory': None}}",
    ));
    let listed = star(&body(
        "{'docker.running': [{'image': 'a:1'}, {'env': {'A': '1'}}, {'ports': ['80:80']}, {'mem_limit': None}]}",
    ));
    let older =
        star(&body("{'docker': ['running', {'image': 'a:1', 'env': ['A=1']}, {'ports': ('80:80',)}]}"));
    let plain = plain.expect("it compiles").to_json();
    assert_eq!(plain, listed.expect("it compiles").to_json());
    assert_eq!(plain, older.expect("it compiles").to_json());
}

#[test]
fn a_change_is_caused_by_the_pillar_value_that_was_read_and_the_line_of_the_entry() {
    let state = "def image(v):\n    return 'r.example.com/api:' + v\n\ndef run():\n    config = {}\n    config['web'] = {\n        \
                 'container.running': [\n            {'image': image(pillar['v'])},\n            {'ports': ['%d:80' % pillar.get('n')]},\n            \
                 {'env': {'A': pillar['t']['x'], 'B': 'b'}},\n        ],\n    }\n    return config\n";
    let desired = star(state).expect("it compiles");
    let Some(DesiredState::Container(want)) = desired.items.into_iter().next().map(|item| item.want) else {
        panic!()
    };
    let sources = |field: &str| want.sources[field].iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(sources("image"), ["pillar/apps.toml:1", "states/a.star:8"]);
    assert_eq!(sources("ports"), ["pillar/apps.toml:2", "states/a.star:9"]);
    assert_eq!(sources("env.A"), ["pillar/apps.toml:9", "states/a.star:10"]);
    assert_eq!(sources("env.B"), ["states/a.star:10"]);
}

#[test]
fn what_a_loop_makes_has_the_line_of_what_it_is_in() {
    let state = "def web(name, version):\n    return {\n        'container.running': {\n            'image': 'a:' + version,\n        },\n    }\n\n\
                 def run():\n    config = {}\n    for name in ['a', 'b']:\n        config[name] = web(name, '1')\n    return config\n";
    let desired = star(state).expect("it compiles");
    let places: Vec<String> = desired.items.iter().map(|item| item.declared[0].1.to_string()).collect();
    assert_eq!(places, ["states/a.star:3", "states/a.star:3"]);
}

#[test]
fn an_entry_of_two_branches_has_the_line_of_the_one_that_was_taken() {
    let state = "def run():\n    if pillar['v'] == '1.9.0':\n        config = {'a': {'container.running': {'image': 'x:1'}}}\n    \
                 else:\n        config = {\n            'a': {'container.running': {\n                'image': 'x:2'}}}\n    return config\n";
    let desired = star(state).expect("it compiles");
    let Some(DesiredState::Container(want)) = desired.items.into_iter().next().map(|item| item.want) else {
        panic!()
    };
    assert_eq!(want.sources["image"].last().map(ToString::to_string).as_deref(), Some("states/a.star:3"));
}

#[test]
fn secrets_are_joined_encoded_and_chosen_without_being_known() {
    let state = "def run():\n    url = 'db://' + (pillar['s'] if pillar.has('s') else 'none').urlencode() + '@db'\n    \
                 env = {'URL': url, 'B': b64encode(pillar.get('s')), 'J': tojson({'a': [1, pillar['s'], None, 'x\"']})}\n    \
                 return {'a': {'container.running': {'image': 'x', 'env': env | {'W': pillar['s']}}}}\n";
    let desired = star(state).expect("it compiles");
    let toml = "[a.container.running]\nimage = 'x'\nenv.URL = \"db://{{ pillar.s | urlencode }}@db\"\nenv.B = '{{ pillar.s | b64encode }}'\n\
                env.J = \"{{ {'a': [1, pillar.s, none, 'x\\\"']} | tojson }}\"\nenv.W = '{{ pillar.s }}'\n";
    let toml = compiled(&[("states/a.toml", toml)], PILLAR).expect("it compiles");
    let env = |desired: Desired| match desired.items.into_iter().next().map(|item| item.want) {
        Some(DesiredState::Container(want)) => want.spec.env,
        other => panic!("{other:?}"),
    };
    assert_eq!(env(desired), env(toml));
}

#[test]
fn a_secret_that_was_read_and_is_nowhere_is_said() {
    let desired = star("def run():\n    x = pillar['s']\n    return {}\n").expect("it compiles");
    assert_eq!(desired.notes, ["states/a.star:2: the secret `pillar.s` was read and is used in no state"]);
}

#[test]
fn grains_have_the_names_of_salt_and_the_nearest_one_is_told() {
    let state = "def run():\n    n = grains['num_cpus'] + grains['mem_total'] + __grains__['cpus']\n    \
                 name = __salt__['grains.get']('osarch') + grains['id'] + grains['host'] + grains['cpuarch']\n    \
                 return {'a': {'container.running': {'image': 'x', 'env': {'N': str(n), 'A': name}}}}\n";
    let desired = star(state).expect("it compiles").to_json().to_string();
    assert!(desired.contains("16400") && desired.contains("amd64web1web1x86_64"), "{desired}");
    insta::assert_snapshot!(wrong("def run():\n    return {'a': grains['num_cpu']}\n"), @r"
    error: states/a.star:2: `grains.num_cpu` does not exist
    caused by: column 18: return {'a': grains['num_cpu']}
    hint: did you mean `grains.num_cpus`?
    ");
}

#[test]
fn functions_of_other_modules_of_salt_are_ignored_with_a_note_or_refused() {
    let state = "def run():\n    return {\n        'a': {'pip.installed': [{'name': 'docker-py'}]},\n        \
                 'b': {'file.managed': [{'name': '/usr/local/bin/x'}, {'mode': 755}]},\n        \
                 'c': {'cmd.run': [\n            {'name': '/usr/bin/docker stop -t 10 web && /usr/bin/docker rm -f web'},\n            \
                 {'unless': '/usr/local/bin/docker_compare_running web nginx:latest'},\n            {'require': [{'file': 'b'}]},\n        ]},\n        \
                 'd': {'container.running': {'name': 'web', 'image': 'nginx:latest'}},\n    }\n";
    let desired = star(state).expect("it compiles");
    assert_eq!(desired.items.len(), 1);
    insta::assert_snapshot!(desired.notes.join("\n"), @r#"
    states/a.star:3: pip.installed is not managed by pillarbox and was ignored: packages of the host stay with Salt; what a container needs is in its image
    states/a.star:4: file.managed is not managed by pillarbox and was ignored: files of the host stay with Salt; one that a container mounts is written as its `files.PATH`
    states/a.star:5: cmd.run was read as container.absent of web with when = "outdated"
    states/a.star:8: the requisite on file `b` is not managed by pillarbox and was ignored
    "#);
    insta::assert_snapshot!(wrong("def run():\n    return {'a': {'cmd.run': [{'name': 'docker stop a && docker rm a'}]}}\n"), @r#"
    error: states/a.star:2: `cmd.run` is not available: pillarbox runs no commands on hosts
    hint: a container that is stopped and removed when its image changed is `container.absent` with `"when": "outdated"`
    "#);
}

#[test]
fn whatever_is_wrong_has_its_line() {
    insta::assert_snapshot!(wrong("def run():\n    return [1]\n"), @r#"
    error: states/a.star:1: `run` returns a list, not a dict of states
    hint: it begins with `config = {}` and ends with `return config`
    "#);
    insta::assert_snapshot!(wrong("def run():\n    return {'a': {'container.running': [{'image': 'x'}, {'image': 'y'}]}}\n"), @r#"
    error: states/a.star:2: `image` of container.running is written twice
    caused by: the other one is in states/a.star:2
    "#);
    insta::assert_snapshot!(wrong("def run():\n    return {'a': {'container.running': {'image': 'x', 'cpus': range(3)}}}\n"), @r#"
    error: states/a.star: what `run` returns is not data
    caused by: a: container.running: cpus: a range cannot be a value in a state: write list(range(…))
    "#);
    insta::assert_snapshot!(wrong("def f(x):\n    return x['nme']\n\ndef run():\n    return f({'name': 1})\n"), @r#"
    error: states/a.star:2: Key `"nme"` was not found
    caused by: column 12: return x['nme']
    caused by: in f, called at states/a.star:5
    "#);
}

/// A value in TOML and in Starlark.
fn value() -> impl Strategy<Value = (String, String)> {
    let text = prop_oneof![
        "[a-zA-Z0-9 .:/_'\"\\\\é\n-]{0,12}".prop_map(|text| {
            let toml = toml_edit::Value::from(text.as_str()).to_string().trim().to_owned();
            (toml, serde_json::Value::from(text).to_string())
        }),
        Just(("'{{ pillar.v }}'".to_owned(), "pillar['v']".to_owned())),
        Just(("\"<{{ pillar.v }}>\"".to_owned(), "'<' + pillar.get('v') + '>'".to_owned())),
        Just(("'{{ pillar.n }}'".to_owned(), "pillar['n']".to_owned())),
        Just(("'{{ host.cpus // 2 }}'".to_owned(), "host['cpus'] // 2".to_owned())),
        Just(("'{{ pillar.s }}'".to_owned(), "pillar['s']".to_owned())),
        Just(("'x{{ pillar.s | urlencode }}'".to_owned(), "'x' + pillar['s'].urlencode()".to_owned())),
        Just(("'{{ pillar.none }}'".to_owned(), "pillar['none']".to_owned())),
        any::<i32>().prop_map(|number| (number.to_string(), number.to_string())),
        any::<bool>().prop_map(|truth| (truth.to_string(), if truth { "True" } else { "False" }.to_owned())),
        Just(("1.5".to_owned(), "1.5".to_owned())),
        Just(("'{{ none }}'".to_owned(), "None".to_owned())),
        Just(("'{{ pillar.list }}'".to_owned(), "pillar['list']".to_owned())),
        Just(("'{{ pillar.t }}'".to_owned(), "pillar['t']".to_owned())),
    ];
    text.prop_recursive(2, 8, 3, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..3).prop_map(|items| {
            let (toml, star): (Vec<String>, Vec<String>) = items.into_iter().unzip();
            (format!("[{}]", toml.join(", ")), format!("[{}]", star.join(", ")))
        });
        let table = prop::collection::btree_map("[A-C]", inner, 0..3).prop_map(|entries| {
            let toml: Vec<String> =
                entries.iter().map(|(key, (toml, _))| format!("{key} = {toml}")).collect();
            let star: Vec<String> =
                entries.iter().map(|(key, (_, star))| format!("'{key}': {star}")).collect();
            (format!("{{ {} }}", toml.join(", ")), format!("{{{}}}", star.join(", ")))
        });
        prop_oneof![list, table]
    })
}

/// The desired state or the errors, without places, which differ between the files.
fn outcome(result: Result<Desired>) -> Vec<String> {
    let blank = |text: String| {
        let mut blank = String::new();
        for word in text.split_inclusive(|c: char| !(c.is_alphanumeric() || "/.:_-".contains(c))) {
            blank.push_str(if word.starts_with("states/a.") { "PLACE " } else { word });
        }
        blank
    };
    match result {
        Ok(desired) => vec![blank(desired.to_json().to_string())],
        // An expression that fails says it in the words of its language.
        Err(_) => vec!["wrong".to_owned()],
    }
}

proptest! {
    #[test]
    fn declarations_are_the_same_in_both_languages(
        declarations in prop::collection::vec((
            prop::sample::select(vec!["container.running", "container.installed", "image.pulled", "docker.running", "container.absent", "service.deployed"]),
            prop::collection::btree_map(prop::sample::select(vec![
                "image", "name", "env", "labels", "ports", "memory", "cpus", "command", "user", "restart", "stop_timeout", "tag",
                "force", "order", "require", "when", "networks", "volumes", "healthcheck", "environment", "replicas", "gate",
            ]), value(), 0..5),
            any::<bool>(),
        ), 0..4)
    ) {
        let (mut toml, mut star) = (String::new(), "def run():\n    config = {}\n".to_owned());
        for (number, (function, arguments, listed)) in declarations.iter().enumerate() {
            toml.push_str(&format!("[d{number}.{function}]\n"));
            let image = (!arguments.contains_key("image")).then(|| ("image", ("'a:1'".to_owned(), "'a:1'".to_owned())));
            let arguments: Vec<_> = arguments.iter().map(|(key, value)| (*key, value.clone())).chain(image).collect();
            let mut entries = Vec::new();
            for (key, (in_toml, in_star)) in &arguments {
                toml.push_str(&format!("{key} = {in_toml}\n"));
                entries.push(format!("'{key}': {in_star}"));
            }
            let arguments = match listed {
                true => format!("[{}]", entries.iter().map(|entry| format!("{{{entry}}}")).collect::<Vec<_>>().join(", ")),
                false => format!("{{{}}}", entries.join(", ")),
            };
            star.push_str(&format!("    config['d{number}'] = {{'{function}': {arguments}}}\n"));
        }
        star.push_str("    return config\n");
        // In Starlark a text comes from every pillar value that is a word of it. No other text here has these words.
        let pillar = PILLAR.replace("['a', 'b']", "['ø', 'ß']").replace("x = 'y'", "x = 'ŷ'");
        let in_toml = outcome(compiled(&[("states/a.toml", &toml)], &pillar));
        let in_star = outcome(compiled(&[("states/a.star", &star)], &pillar));
        prop_assert_eq!(in_toml, in_star, "{}\n{}", toml, star);
    }

    #[test]
    fn no_text_makes_the_interpreter_panic(text in "(def run\\(\\):\n    )?[a-z\\[\\](){}:=+*'\" \n0-9.,%]{0,60}") {
        let _ = compiled(&[("states/a.star", &text)], PILLAR);
    }
}

#[test]
fn an_unknown_grain_is_an_error_also_with_a_default() {
    insta::assert_snapshot!(wrong("def run():\n    return {} if __grains__['os'] == 'Ubuntu' else {}\n"), @r"
    error: states/a.star:2: `grains.os` does not exist
    caused by: column 18: return {} if __grains__['os'] == 'Ubuntu' else {}
    hint: Salt means the distribution, which an Engine does not tell; `host.os` is the kernel's name, `linux`. For anything else give the Engine a label, and ask for it: host.labels.NAME
    ");
    insta::assert_snapshot!(wrong("def run():\n    return {} if grains.get('roles', []) else {}\n"), @r"
    error: states/a.star:2: `grains.roles` does not exist
    caused by: column 18: return {} if grains.get('roles', []) else {}
    hint: grains has arch, cpuarch, cpus, engine_version, fqdn, group_hosts, groups, host, hostname, id, kernel, labels, localhost, mem_total, memory, name, nodename, num_cpus, osarch, zone; for anything else give the Engine a label, and ask for it: host.labels.NAME
    ");
    for ask in [
        "__salt__['grains.get']('os_family')",
        "grains.get('roles:web')",
        "host.get('gpu', 0)",
        "grains['datacenter']",
    ] {
        let said = wrong(&format!("def run():\n    x = {ask}\n    return {{}}\n"));
        assert!(said.contains("does not exist") && said.contains("host.labels.NAME"), "{ask}: {said}");
    }
    star("def run():\n    x = host.get('labels:zone', 'b') + grains['os' if 'os' in grains else 'kernel'] + host['os']\n    return {}\n").expect("it compiles");
}

#[test]
fn ports_under_names_of_salt_are_exposed_and_published_only_with_a_port_of_the_host() {
    for function in ["docker.running", "dockerng.running", "docker_container.running"] {
        let state = format!(
            "def run():\n    return {{'db': {{'{function}': [{{'image': 'db:1'}}, {{'ports': [5432, '53/udp', '8080:80']}}, {{'tty': True}}]}}}}\n"
        );
        let options = &star(&state).expect("it compiles").to_json()["items"][0]["options"];
        assert_eq!(options["expose"], serde_json::json!(["53/udp", "5432/tcp"]), "{function}");
        let published = serde_json::json!({ "80/tcp": [{ "HostIp": "", "HostPort": "8080" }] });
        assert_eq!(options["ports"], published, "{function}");
    }
}
