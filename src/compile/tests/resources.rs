//! Networks, volumes, requisites and conditions, from text to items.

use super::*;
use crate::desired::{DesiredResource, Reaction};
use crate::observed::Inspect;
use serde_json::json;

fn one(state: &str) -> String {
    problems(&[("states/a.toml", state)], "")
}

fn resource(state: &str) -> DesiredResource {
    let desired = compiled(&[("states/a.toml", state)], "").expect("it compiles");
    match desired.items.into_iter().next().map(|item| item.want) {
        Some(DesiredState::Network(want) | DesiredState::Volume(want)) => *want,
        other => panic!("no network or volume: {other:?}"),
    }
}

const FULL: &str = "[front.network.present]
driver = 'bridge'
driver_opts = { 'com.docker.network.bridge.name' = 'front0' }
internal = true
attachable = false
enable_ipv6 = true
labels.team = 'shop'
scope = 'local'
[front.network.present.ipam]
driver = 'default'
options = { x = 'y' }
config = [
  { subnet = 'FD00:0:0::/64' },
  { subnet = '10.20.0.0/16', gateway = '10.20.0.1', ip_range = '10.20.4.0/24', aux_addresses = { router = '10.20.0.2' } },
]
";

#[test]
fn a_network_in_full_as_the_engine_takes_it() {
    let body = resource(FULL).network_body();
    insta::assert_snapshot!(serde_json::to_string_pretty(&body).expect("JSON"), @r#"
    {
      "Name": "front",
      "CheckDuplicate": true,
      "Labels": {
        "team": "shop"
      },
      "Attachable": false,
      "Driver": "bridge",
      "Internal": true,
      "EnableIPv6": true,
      "Scope": "local",
      "Options": {
        "com.docker.network.bridge.name": "front0"
      },
      "IPAM": {
        "Driver": "default",
        "Options": {
          "x": "y"
        },
        "Config": [
          {
            "Subnet": "10.20.0.0/16",
            "Gateway": "10.20.0.1",
            "IPRange": "10.20.4.0/24",
            "AuxiliaryAddresses": {
              "router": "10.20.0.2"
            }
          },
          {
            "Subnet": "fd00::/64"
          }
        ]
      }
    }
    "#);
}

#[test]
fn other_spellings_are_the_same_network() {
    let flat =
        "[front.docker_network.present]\nsubnet = '10.20.0.0/16'\ngateway = '10.20.0.1'\nipv6 = false\n";
    let listed = "[front.network.present]\nenable_ipv6 = false\nipam = { config = [{ subnet = '10.20.0.0/16', gateway = '10.20.0.1' }] }\n";
    let pools = "[front.network.present]\nipv6 = false\nipam_pools = [{ subnet = '10.20.0.0/16', gateway = '10.20.0.1' }]\n";
    let print = |state| resource(state).spec.fingerprint();
    assert_eq!(print(flat), print(listed));
    assert_eq!(print(flat), print(pools));
}

#[test]
fn only_what_is_declared_is_compared() {
    let found = Inspect::new(json!({
        "Name": "front", "Driver": "bridge", "Scope": "local", "EnableIPv6": true, "Internal": true,
        "Attachable": false, "Options": { "com.docker.network.bridge.name": "front0", "more": "1" },
        "Labels": { "team": "shop", "theirs": "x" },
        "IPAM": { "Driver": "default", "Options": { "x": "y" }, "Config": [
            { "Subnet": "10.20.0.0/16", "IPRange": "10.20.4.0/24", "Gateway": "10.20.0.1",
              "AuxiliaryAddresses": { "router": "10.20.0.2" } },
            { "Subnet": "fd00::/64", "Gateway": "fd00::1" },
        ] },
    }));
    assert!(resource(FULL).network_differences(&found).is_empty());
    assert!(resource("[front.network.present]\n").network_differences(&found).is_empty());
    let differs =
        |state: &str| resource(&format!("[front.network.present]\n{state}\n")).network_differences(&found);
    for (state, field) in [
        ("driver = 'macvlan'", "driver"),
        ("internal = false", "internal"),
        ("attachable = true", "attachable"),
        ("ipv6 = false", "ipv6"),
        ("labels.team = 'ops'", "labels.team"),
        ("driver_opts = { more = '2' }", "driver_opts.more"),
        ("ipam_driver = 'null'", "ipam.driver"),
        ("ipam_opts = { x = 'z' }", "ipam.options.x"),
        ("subnet = '10.21.0.0/16'", "ipam.pools"),
        ("subnet = '10.20.0.0/16'\ngateway = '10.20.0.9'", "ipam.pools"),
        ("subnet = '10.20.0.0/16'\nip_range = '10.20.5.0/24'", "ipam.pools"),
        ("subnet = '10.20.0.0/16'\naux_addresses = { router = '10.20.0.3' }", "ipam.pools"),
    ] {
        assert_eq!(differs(state), [field], "{state}");
    }
    // The other family is the Engine's own.
    assert!(differs("subnet = '10.20.0.0/16'").is_empty());
    let volume = resource(
        "[data.volume.present]\ndriver = 'local'\ndriver_opts = { type = 'tmpfs', device = 'tmpfs' }\nlabels.a = '1'\n",
    );
    let found = |kind: &str| {
        Inspect::new(
            json!({ "Driver": "local", "Options": { "type": kind, "device": "tmpfs", "o": "x" }, "Labels": { "a": "1" } }),
        )
    };
    assert!(volume.volume_differences(&found("tmpfs")).is_empty());
    assert_eq!(volume.volume_differences(&found("nfs")), ["driver_opts.type"]);
}

#[test]
fn what_cannot_be_is_said() {
    insta::assert_snapshot!(one("
[a.network.present]
subnet = '10.0.0.1/8'
[b.network.present]
gateway = '10.0.0.1'
[c.network.present]
subnet = '10.0.0.0/8'
gateway = '11.0.0.1'
ip_range = '10.0.0.0/7'
[d.network.present]
ipam = { config = [{ subnet = '10.0.0.0/8' }, { subnet = '10.1.0.0/16' }] }
[e.network.present]
subnet = '10.0.0.0/8'
ipam_pools = [{ subnet = '10.0.0.0/8' }]
[f.network.present]
scope = 'world'
labels.'io.pillarbox.workspace' = 'x'
containers = ['web']
[bridge.network.present]
['pillarbox-lock.shop.00000001'.volume.absent]
[x.volume.present]
[y.volume.present]
name = 'data'
force = true
sizee = 1
[z.volume.absent]
name = 'data'
"), @r#"
    error: states/a.toml:3: `subnet` is 10.0.0.1/8, which is an address within a range
    hint: write "10.0.0.0/8"
    error: states/a.toml:5: an address range of a network has no `subnet`
    error: states/a.toml:8: `gateway` is 11.0.0.1, which is not within 10.0.0.0/8
    error: states/a.toml:9: `ip_range` is 10.0.0.0/7, which is not within 10.0.0.0/8
    error: states/a.toml:11: `ipam.config` has 10.0.0.0/8 and 10.1.0.0/16, which overlap
    error: states/a.toml:13: address ranges are declared twice, in a list and by themselves
    hint: put them all into `ipam`
    error: states/a.toml:16: `scope` is `world`, but can be local, swarm or global
    error: states/a.toml:17: `labels` names `io.pillarbox.workspace`: labels under `io.pillarbox.` are reserved for pillarbox
    error: states/a.toml:18: `containers` is refused
    hint: declare it in the containers, networks = ["NAME"]: they join the network by themselves
    error: states/a.toml:19: the network bridge exists on every Engine and is not managed by pillarbox
    error: states/a.toml:20: the volume pillarbox-lock.shop.00000001 is reserved: pillarbox uses it to lock hosts, or to record what was adopted
    hint: give the volume another name
    error: states/a.toml:21: `x` is not a volume name
    hint: use two or more letters, digits, `_`, `.` and `-`
    error: states/a.toml:24: `force` is refused
    caused by: a volume that differs is never recreated: its data would be lost
    hint: give the volume another name, and copy the data
    error: states/a.toml:25: volume.present has no field `sizee`
    hint: it has name, onchanges, onlyif, order, require, unless, driver, driver_opts, labels, options
    error: states/a.toml:26: volume data is declared twice
    caused by: the other one is in states/a.toml:22
    "#);
}

#[test]
fn containers_need_what_they_use_without_saying_so() {
    let desired = compiled(
        &[(
            "states/a.toml",
            "
[web.container.running]
image = 'w'
networks = ['front', 'elsewhere']
volumes = ['data:/data', '/srv:/srv', 'other:/other:ro']
mounts = [{ type = 'volume', source = 'more', target = '/more' }]
[front.network.present]
[data.volume.present]
[more.volume.present]
[unused.volume.present]
[old.network.absent]
[away.volume.absent]
",
        )],
        "",
    )
    .expect("it compiles");
    let shown: Vec<String> = desired
        .items
        .iter()
        .map(|item| {
            let needs: Vec<String> = item.needs.iter().map(ToString::to_string).collect();
            format!("{} [{}]", item.address, needs.join(", "))
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    network front []
    volume data []
    volume more []
    container web [network front, volume data, volume more]
    volume unused []
    network old []
    volume away []
    "#);
    insta::assert_snapshot!(one("
[web.container.running]
image = 'w'
networks = ['front']
volumes = ['data:/data']
[front.network.absent]
[data.volume.absent]
"), @r#"
    error: states/a.toml:6: network front is declared absent and used
    caused by: container web joins it
    error: states/a.toml:7: volume data is declared absent and used
    caused by: container web mounts it
    "#);
}

#[test]
fn watches_in_every_spelling() {
    let desired = compiled(
        &[(
            "states/a.toml",
            "
[db.service.deployed]
image = 'd'
replicas = 2
[front.network.present]
[a.container.running]
image = 'w'
watch = ['db', 'front']
[b.container.running]
image = 'w'
watch = { db = 'restart', front = 'signal:hup' }
[c.docker.running]
image = 'w'
watch = [{ docker_network = 'front' }]
watch_action = 'SIGUSR1'
onchanges = ['db']
",
        )],
        "",
    )
    .expect("it compiles");
    let shown: Vec<String> = desired
        .items
        .iter()
        .filter(|item| !item.requisites.watch.is_empty())
        .map(|item| {
            let watch: Vec<String> = item
                .requisites
                .watch
                .iter()
                .map(|watch| {
                    let things: Vec<String> = watch.things.iter().map(ToString::to_string).collect();
                    format!("{:?} {}", watch.reaction, things.join(", "))
                })
                .collect();
            let waits: Vec<String> = item.requisites.onchanges.iter().map(ToString::to_string).collect();
            format!("{}: {}; onchanges {}", item.address, watch.join("; "), waits.join(", "))
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    container a: Replace container db, container db-2, service db; Replace network front; onchanges 
    container b: Restart container db, container db-2, service db; Signal("SIGHUP") network front; onchanges 
    container c: Signal("SIGUSR1") network front; onchanges container db, container db-2, service db
    "#);
    assert!(matches!(Reaction::Replace.cmp(&Reaction::Restart), std::cmp::Ordering::Greater));
}

#[test]
fn requisites_that_cannot_be_are_said() {
    insta::assert_snapshot!(one("
[i.image.pulled]
name = 'w'
[a.container.running]
image = 'w'
watch = { i = 'restart', missing = 'replace' }
[j.container.running]
image = 'w'
watch = { a = 'jump' }
[b.container.running]
image = 'w'
watch = ['missing']
onfail = ['a']
retry = { attempts = 3 }
prereq = ['a']
listen = ['a']
watch_in = ['a']
[n.network.present]
watch = ['a']
[x.container.running]
image = 'w'
watch = ['y']
[y.container.running]
image = 'w'
onchanges = ['x']
"), @r#"
    error: states/a.toml:6: container a watches image w:latest, and `restart` or a signal does not give it the new image
    caused by: a container keeps the image that it was created from until it is replaced
    hint: write watch = { i = "replace" }
    error: states/a.toml:6: no state of this host has the id `missing`
    error: states/a.toml:9: `watch.a` is `jump`, but can be replace, restart or signal:NAME
    hint: for example watch = { conf = "signal:HUP" }
    error: states/a.toml:12: no state of this host has the id `missing`
    error: states/a.toml:13: `onfail` is not offered
    hint: a failed replacement is rolled back automatically; for anything else, act on the exit code of apply
    error: states/a.toml:14: `retry` is not offered
    hint: run 'pillarbox apply' again: it continues from the current state
    error: states/a.toml:15: `prereq` is not offered
    hint: use `require` for order, and `update = { before_stop = … }` for what precedes a replacement
    error: states/a.toml:16: `listen` is not offered
    hint: use `watch = { ID = "restart" }` or `{ ID = "signal:HUP" }`
    error: states/a.toml:17: `watch_in` is not offered
    hint: write it the other way round, in the other declaration
    error: states/a.toml:19: network.present has no `watch`
    caused by: only containers can be replaced, restarted or sent a signal
    hint: use `require` for order, or `onchanges`
    error: states/a.toml:22: dependency cycle: container x → container y → container x
    caused by: container x requires container y, states/a.toml:22
    caused by: container y requires container x, states/a.toml:25
    "#);
    insta::assert_snapshot!(one("
[x.container.running]
image = 'w'
watch = ['y']
[y.container.running]
image = 'w'
onchanges = ['x']
"), @r#"
    error: states/a.toml:4: dependency cycle: container x → container y → container x
    caused by: container x requires container y, states/a.toml:4
    caused by: container y requires container x, states/a.toml:7
    "#);
}

#[test]
fn conditions_leave_declarations_out() {
    let desired = compiled(
        &[(
            "states/a.toml",
            "
[arm.container.running]
image = '{{ pillar.no.such.value }}'
onlyif = '{{ host.arch == \"arm64\" }}'
[amd.container.running]
image = 'w'
onlyif = [true, '{{ host.arch == \"amd64\" }}']
unless = ['{{ host.cpus > 64 }}', false]
require = ['arm']
[off.network.present]
unless = '{{ pillar.off }}'
[web.container.running]
image = 'w'
watch = ['off', 'amd']
",
        )],
        "off = true\n",
    )
    .expect("it compiles");
    let shown: Vec<String> = desired
        .items
        .iter()
        .map(|item| {
            let why = match &item.want {
                DesiredState::LeftOut { why } => why.as_str(),
                _ => "wanted",
            };
            let needs: Vec<String> = item.needs.iter().map(ToString::to_string).collect();
            format!("{}: {why} [{}]", item.address, needs.join(", "))
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    state arm.container.running: `onlyif` is false, states/a.toml:4 []
    container amd: wanted [state arm.container.running]
    state off.network.present: `unless` is true, pillar/apps.toml:1 []
    container web: wanted [container amd, state off.network.present]
    "#);
}

#[test]
fn conditions_are_true_or_false() {
    insta::assert_snapshot!(one("
[a.container.absent]
onlyif = 'test -e /etc/debian_version'
unless = ['{{ host.cpus }}', { fun = 'x' }]
"), @r#"
    error: states/a.toml:3: `onlyif` must be true or false, not a string
    caused by: commands are not run on a host to decide what is declared there
    hint: write an expression over facts and pillar: onlyif = "{{ host.arch == 'amd64' }}"
    error: states/a.toml:4: `unless` must be true or false, not an integer
    hint: write an expression over facts and pillar: unless = "{{ host.arch == 'amd64' }}"
    error: states/a.toml:4: `unless` must be true or false, not a table
    caused by: commands are not run on a host to decide what is declared there
    hint: write an expression over facts and pillar: unless = "{{ host.arch == 'amd64' }}"
    "#);
}

#[test]
fn an_image_that_containers_mount_is_pulled_once_before_them() {
    let states = "
[a.container.running]
image = 'r.example.com/web:1'
mounts = [{ type = 'image', source = 'r.example.com/assets:1', target = '/assets' }]
[b.container.running]
image = 'r.example.com/web:1'
mounts = [{ type = 'image', source = 'r.example.com/assets:1', target = '/assets' }]
[c.container.running]
image = 'r.example.com/web:1'
pull = 'never'
mounts = [{ type = 'image', source = 'r.example.com/other:1', target = '/assets' }]
";
    let desired = compiled(&[("states/a.toml", states)], "").expect("it compiles");
    let shown = desired.items.iter().map(|item| {
        let needs: Vec<String> = item.needs.iter().map(ToString::to_string).collect();
        format!("{} [{}]", item.address, needs.join(", "))
    });
    insta::assert_snapshot!(shown.collect::<Vec<_>>().join("\n"), @r"
    image r.example.com/assets:1 []
    container a [image r.example.com/assets:1]
    container b [image r.example.com/assets:1]
    container c []
    ");
}
