//! What holds for every option, by the samples that the tests with an Engine have too.

use super::*;
use crate::inspect::Inspect;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// A sample of `tests/data/options.toml`.
struct Sample {
    name: String,
    spellings: Vec<String>,
    other: String,
    refused: Vec<String>,
    with: String,
}

fn samples() -> Vec<Sample> {
    let text = include_str!("../../../../tests/data/options.toml");
    let text = text.replace("@db@", "db").replace("@network@", "back").replace("@volume@", "data");
    let text = text.replace("@port@", "8080").replace("@arch@", "amd64");
    let document: toml_edit::DocumentMut = text.parse().expect("TOML");
    let tables = document["option"].as_array_of_tables().expect("options");
    tables
        .iter()
        .map(|table| {
            let text = |key: &str| table.get(key).and_then(|item| item.as_str()).unwrap_or("").to_owned();
            let list = |key: &str| {
                let items = table[key].as_array().expect(key).iter();
                items.map(|item| item.as_str().expect("text").to_owned()).collect()
            };
            Sample {
                name: text("name"),
                spellings: list("spellings"),
                other: if text("other") == "none" { String::new() } else { text("other") },
                refused: list("refused"),
                with: text("with"),
            }
        })
        .collect()
}

/// What an Engine would report of such a container if it kept every value as it is.
fn as_engine(spec: &Spec) -> Inspect {
    let mut body = spec.create_body();
    let body = body.as_object_mut().expect("a body");
    let host = body.remove("HostConfig").unwrap_or(json!({}));
    let networks = json!({ "Networks": spec.networks() });
    Inspect::new(json!({ "Config": body, "HostConfig": host, "NetworkSettings": networks }))
}

fn differences(spec: &Spec, inspect: &Inspect) -> Vec<String> {
    let mut found = spec.drift(inspect);
    found.extend(spec.live_differences(inspect));
    found
}

#[test]
fn every_option_has_a_sample() {
    let names: Vec<String> = samples().into_iter().map(|sample| sample.name).collect();
    let options: Vec<&str> = OPTIONS.iter().map(|option| option.name).collect();
    assert_eq!(names, options);
}

#[test]
fn all_spellings_of_an_option_mean_the_same() {
    for sample in samples() {
        let spellings: Vec<&str> = sample.spellings.iter().map(String::as_str).collect();
        same(&spellings);
    }
}

#[test]
fn every_name_of_an_option_is_used_in_its_spellings() {
    for sample in samples() {
        let option = find(&sample.name).expect("an option");
        for alias in option.aliases {
            let used = sample.spellings.iter().any(|spelling| spelling.starts_with(&format!("{alias} =")));
            assert!(used, "`{alias}` of {} is in no spelling", option.name);
        }
    }
}

#[test]
fn docker_runs_dashes_are_as_good_as_underscores() {
    for sample in samples() {
        let (name, value) = sample.spellings[0].split_once(" = ").expect("a spelling");
        let dashed = format!("{} = {value}", name.replace('_', "-"));
        assert_eq!(read(&dashed), read(&sample.spellings[0]), "{dashed}");
    }
}

#[test]
fn canonical_forms_and_create_bodies() {
    let all =
        samples().into_iter().map(|sample| format!("# {}\n{}", sample.name, shown(&sample.spellings[0])));
    insta::assert_snapshot!(all.collect::<Vec<_>>().join("\n"));
}

#[test]
fn wrong_types_and_values_are_refused_in_words() {
    let all = samples().into_iter().flat_map(|sample| {
        assert!(!sample.refused.is_empty(), "{}", sample.name);
        sample.refused.into_iter().map(|text| format!("{text}\n  {}", refused(&text).replace('\n', "\n  ")))
    });
    insta::assert_snapshot!(all.collect::<Vec<_>>().join("\n"));
}

#[test]
fn what_is_created_does_not_differ_and_another_value_does() {
    // The timeout is passed with each stop; a container does not report its platform; a kernel without
    // support for `oom_kill_disable` reports it as off.
    let silent = ["oom_kill_disable", "platform", "stop_timeout"];
    for sample in samples() {
        let spec = read(&format!("{}\n{}", sample.spellings[0], sample.with));
        assert_eq!(differences(&spec, &as_engine(&spec)), Vec::<String>::new(), "{}", sample.name);
        let other = as_engine(&read(&sample.other));
        let found = differences(&read(&sample.spellings[0]), &other);
        let named = found.iter().any(|field| field.split('.').next() == Some(&*sample.name));
        assert_eq!(named, !silent.contains(&&*sample.name), "{}: {found:?}", sample.name);
    }
}

#[test]
fn what_an_engine_makes_of_it_is_no_difference() {
    let made = |text: &str, pointer: &str, value: Value| {
        let spec = read(text);
        let mut body = Body::default();
        body.set(pointer, value);
        let body = body.into_value();
        let inspect = Inspect::new(json!({ "Config": body, "HostConfig": body["HostConfig"] }));
        assert_eq!(differences(&spec, &inspect), Vec::<String>::new(), "{text}");
    };
    let id = "container:3f2a0c";
    made("network_mode = 'container:db'", "/HostConfig/NetworkMode", json!(id));
    made("network_mode = 'bridge'", "/HostConfig/NetworkMode", json!("default"));
    made("ipc = 'container:db'", "/HostConfig/IpcMode", json!(id));
    made("pid = 'container:db'", "/HostConfig/PidMode", json!(id));
    made("isolation = 'default'", "/HostConfig/Isolation", json!(""));
    made("links = 'db:database'", "/HostConfig/Links", json!(["/db.g1:/web.g2/database"]));
    made("volumes_from = ['a', 'b:ro']", "/HostConfig/VolumesFrom", json!(["b:ro", "a:rw"]));
    made("volumes_from = ['a', 'b:ro']", "/HostConfig/VolumesFrom", json!(["0a".repeat(32), "b:ro"]));
    made("blkio_weight = 300", "/HostConfig/BlkioWeight", json!(0));
    made("device_read_bps = '/dev/sda:1m'", "/HostConfig/BlkioDeviceReadBps", json!([]));
    made("memory_swappiness = 10", "/HostConfig/MemorySwappiness", Value::Null);
    made("oom_kill_disable = true", "/HostConfig/OomKillDisable", json!(false));
    let default =
        json!([{ "Name": "core", "Soft": 0, "Hard": 0 }, { "Name": "nofile", "Soft": 9, "Hard": 9 }]);
    made("ulimits = { nofile = 9 }", "/HostConfig/Ulimits", default);
    let opts = json!(["label=disable", "no-new-privileges:true", "seccomp={ \"b\": [], \"a\": 1 }"]);
    let written = "security_opt = ['no-new-privileges', 'seccomp={\"a\":1,\"b\":[]}']";
    made(written, "/HostConfig/SecurityOpt", opts);
    made("expose = 80", "/Config/ExposedPorts", json!({ "80/tcp": {}, "443/tcp": {} }));
    // As Compose writes them.
    made("expose = ['90', '95-96']", "/Config/ExposedPorts", json!({ "90": {}, "95-96": {}, "91/udp": {} }));
    made("annotations = { a = 'b' }", "/HostConfig/Annotations", json!({ "a": "b", "runtime": "x" }));
    made("cpuset_mems = '0,1'", "/HostConfig/CpusetMems", json!("0-1"));
    made(
        "devices = '/dev/null::mr'",
        "/HostConfig/Devices",
        json!([
            { "PathOnHost": "/dev/null", "PathInContainer": "/dev/null", "CgroupPermissions": "rm" }
        ]),
    );
}

#[test]
fn what_needs_a_newer_api_is_known() {
    for (text, needed) in [
        ("annotations = { a = 'b' }", "annotations 1.43"),
        ("healthcheck = { test = 'true', start_interval = '1s' }", "healthcheck.start_interval 1.44"),
        (
            "mounts = [{ type = 'bind', source = '/a', target = '/a', create_mountpoint = true }]",
            "mounts.create_mountpoint 1.42",
        ),
        ("mounts = [{ source = 'a', target = '/a', subpath = 'b' }]", "mounts.subpath 1.45"),
        ("mounts = [{ type = 'tmpfs', target = '/a', options = ['noexec'] }]", "mounts.options 1.46"),
        ("mounts = [{ type = 'image', source = 'a', target = '/a' }]", "mounts of type image 1.48"),
        ("networks = { a = { gw_priority = 1 } }", "networks.a.gw_priority 1.48"),
        ("networks = { a = { mac_address = '02:42:ac:11:00:02' }, b = {} }", ""),
        ("networks = { a = {}, b = { mac_address = '02:42:ac:11:00:02' } }", "networks.b.mac_address 1.54"),
        ("memory = '8m'\nhealthcheck = { test = 'true' }\nmounts = [{ source = 'a', target = '/a' }]", ""),
    ] {
        let shown = read(text).needs_api().into_iter().map(|(field, (a, b))| format!("{field} {a}.{b}"));
        assert_eq!(shown.collect::<Vec<_>>().join(", "), needed, "{text}");
    }
}

#[test]
fn fingerprints_of_a_version_stay_what_they_are() {
    // If one changed, an upgrade would replace containers. A line may be added, none may change.
    let shown = samples().into_iter().map(|sample| {
        let spec = read(&sample.spellings[0]);
        format!("{} {}", sample.name, spec.fingerprint())
    });
    let recorded = include_str!("../../../../tests/data/fingerprints-0.1.txt");
    let recorded: BTreeSet<&str> = recorded.lines().filter(|line| !line.starts_with('#')).collect();
    let new: Vec<String> = shown.filter(|line| !recorded.contains(line.as_str())).collect();
    assert!(new.is_empty(), "not as recorded:\n{}", new.join("\n"));
    assert_eq!(recorded.len(), OPTIONS.len(), "a line for each option, no more");
}

#[test]
fn the_page_has_the_same_table() {
    let page = include_str!("../../../../docs/options.md");
    let rows: BTreeMap<String, Vec<String>> = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells = line.trim_matches('|').split(" | ").map(|cell| cell.trim().replace('`', ""));
            let cells: Vec<String> = cells.collect();
            (cells[0].clone(), cells[1..].to_vec())
        })
        .collect();
    let words = |cell: &str| -> BTreeSet<String> {
        cell.split(", ").filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    for sample in samples() {
        let option = find(&sample.name).expect("an option");
        let row = rows.get(option.name).unwrap_or_else(|| panic!("docs/options.md has no {}", option.name));
        let aliases = option.aliases.iter().map(|alias| (*alias).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(words(&row[0]), aliases, "other names of {}", option.name);
        assert_eq!(words(&row[1]), written(&sample.spellings[0]), "fields of {}", option.name);
        let change = match option.kind {
            Kind::Fixed | Kind::FixedParts => "replaces",
            Kind::Limit | Kind::Live => "in place",
            Kind::Aside => "nothing",
        };
        assert_eq!(row[2], change, "what a change of {} does", option.name);
    }
    for (group, parts) in GROUPS {
        let row = rows.get(*group).unwrap_or_else(|| panic!("docs/options.md has no {group}"));
        let parts = parts.iter().map(|(part, option)| format!("{part} = {option}"));
        assert_eq!(words(&row[0]), parts.collect::<BTreeSet<_>>(), "parts of {group}");
    }
    let known: BTreeSet<&str> =
        OPTIONS.iter().map(|option| option.name).chain(GROUPS.iter().map(|(name, _)| *name)).collect();
    let extra: Vec<&String> = rows.keys().filter(|name| !known.contains(name.as_str())).collect();
    assert_eq!(extra, ["env"], "docs/options.md has rows of no option");
}

/// The fields of the Engine's API that a spelling sets.
fn written(text: &str) -> BTreeSet<String> {
    let spec = read(text);
    let mut body = spec.create_body();
    if let (Some(host), false) = (body["HostConfig"].as_object_mut(), spec.live.contains_key("restart")) {
        host.shift_remove("RestartPolicy");
    }
    let fields = body.as_object().into_iter().flatten().flat_map(|(field, value)| match field.as_str() {
        "HostConfig" | "NetworkingConfig" => {
            let below = value.as_object().into_iter().flatten();
            below.map(|(name, _)| format!("{field}.{name}")).collect::<Vec<_>>()
        }
        "Platform" => vec!["?platform".to_owned()],
        _ => vec![field.clone()],
    });
    fields.collect()
}

/// Any argument, of any shape.
fn any_arg() -> impl Strategy<Value = Arg> {
    let text = prop_oneof![
        "[ -~]{0,12}",
        "[a-z/.:=,0-9-]{0,16}",
        prop::sample::select(vec![
            "container:db",
            "/a:/b:ro",
            "80-90:80-90/udp",
            "1:2:3:4",
            "device=0,1",
            "{\"a\":1}"
        ])
        .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        text.prop_map(|text| ArgValue::Text(Text::clear(text))),
        any::<i64>().prop_map(ArgValue::Integer),
        (-5i64..5000).prop_map(ArgValue::Integer),
        any::<f64>().prop_map(|number| ArgValue::Float(number.into())),
        any::<bool>().prop_map(ArgValue::Boolean),
        Just(ArgValue::Unset),
    ];
    let arg = |value| Arg { value, place: Place::new("states/a.toml", 1), read: Vec::new() };
    let key = prop_oneof![
        "[a-z/_]{0,8}",
        prop::sample::select(vec![
            "type", "source", "target", "path", "rate", "weight", "count", "driver", "name", "soft", "hard",
            "/dev/sda", "nofile"
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_map(arg).prop_recursive(3, 12, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(move |items| arg(ArgValue::Array(items))),
            prop::collection::btree_map(key.clone(), inner, 0..4)
                .prop_map(move |table| arg(ArgValue::Table(table))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// Any argument is either refused with a message, or does not differ from the container that it creates.
    #[test]
    fn whatever_is_written_is_refused_or_taken(
        index in 0..OPTIONS.len(),
        alias in any::<prop::sample::Index>(),
        arg in any_arg(),
    ) {
        let option = &OPTIONS[index];
        let names: Vec<&str> = std::iter::once(option.name).chain(option.aliases.iter().copied()).collect();
        let name = names[alias.index(names.len())];
        let mut problems = Vec::new();
        let fields = read_fields([(name, &arg)], &mut problems);
        for problem in &problems {
            prop_assert!(problem.what.contains(name), "{}", problem.what);
            prop_assert!(problem.place.is_some());
        }
        if problems.is_empty() {
            let spec = spec(&fields);
            prop_assert_eq!(differences(&spec, &as_engine(&spec)), Vec::<String>::new());
        }
    }
}
