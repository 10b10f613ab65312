//! Declarations of one resource.

use super::*;
use crate::desired::{PullPolicy, Run};
use crate::state::Text;

fn one(state: &str) -> String {
    problems(&[("states/a.toml", state)], "")
}

#[test]
fn installed_and_running_add_up() {
    let want = container(
        "[made.container.installed]\nname = 'web'\nimage = 'a:1'\nenv = { A = 1 }\nports = ['80:80']\n\
         [up.container.running]\nname = 'web'\nimage = 'a:1'\nenvironment = { B = 2 }\nmem_limit = '1g'\nmonitor = '1m'\nstart_timeout = 5\npull = 'never'\n\
         [old.docker.absent]\nname = 'web'\nwhen = 'outdated'\ntimeout = '45s'\nstop_signal = 'QUIT'\n",
        "",
    );
    assert_eq!(want.run, Run::Running);
    assert_eq!(want.spec.env["A"], Text::clear("1"));
    assert_eq!(want.spec.env["B"], Text::clear("2"));
    assert_eq!((want.monitor, want.start_timeout, want.stop_timeout), (60, Some(5), Some(45)));
    assert_eq!(want.pull, PullPolicy::Never);
    assert_eq!(want.spec.fixed["stop_signal"], "SIGQUIT");
    let lines = |field: &str| want.sources[field].iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(lines("image"), ["states/a.toml:3", "states/a.toml:8"]);
    assert_eq!(lines("env.B"), ["states/a.toml:9"]);
    assert_eq!(lines("limits.memory"), lines("memory"));
}

#[test]
fn the_id_is_the_name_where_none_is_written_and_aliases_are_understood() {
    let desired = compiled(
        &[("states/a.toml", "[web.docker.running]\nimage = 'a'\n[db.container.stopped]\nimage = 'b'\n[gone.docker.absent]\nstop_timeout = 5\n['x/y'.docker.pulled]\n[job.docker.installed]\nimage = 'j'\n")],
        "",
    )
    .expect("it compiles");
    let shown: Vec<String> = desired
        .items
        .iter()
        .map(|item| match &item.want {
            DesiredState::Container(want) => format!("{} {:?}", item.address, want.run),
            DesiredState::ContainerAbsent { stop_timeout, .. } => {
                format!("{} absent {stop_timeout:?}", item.address)
            }
            DesiredState::ImagePulled { force, .. } => format!("{} {force}", item.address),
            DesiredState::Task(_) => format!("{} ran", item.address),
            _ => format!("{} absent", item.address),
        })
        .collect();
    assert_eq!(
        shown,
        [
            "container web Running",
            "container db Stopped",
            "container gone absent Some(5)",
            "image x/y:latest false",
            "container job Created"
        ]
    );
}

#[test]
fn contradictions_name_both_lines() {
    insta::assert_snapshot!(one("[a.container.installed]\nname = 'web'\nimage = 'a:1'\nenv.A = '1'\n[b.container.running]\nname = 'web'\nimage = 'a:2'\nenv.A = '2'\n"), @r#"
    error: states/a.toml:7: `image` is declared twice with different values
    caused by: the other one is in states/a.toml:3
    hint: keep one of them: declarations of one container are merged
    error: states/a.toml:8: `env.A` is declared twice with different values
    caused by: the other one is in states/a.toml:4
    hint: keep one of them: declarations of one container are merged
    "#);
    insta::assert_snapshot!(one("[a.container.running]\nname = 'web'\nimage = 'a'\n[b.container.stopped]\nname = 'web'\n"), @r#"
    error: states/a.toml:4: container web is declared both running and stopped
    caused by: running is in states/a.toml:1
    "#);
    insta::assert_snapshot!(one("[a.container.absent]\nname = 'web'\n[b.container.running]\nname = 'web'\nimage = 'a'\n"), @r#"
    error: states/a.toml:3: container web is declared both absent and running
    caused by: absent is in states/a.toml:1
    "#);
    insta::assert_snapshot!(one("[a.image.pulled]\nname = 'x'\n[b.image.absent]\nname = 'docker.io/library/x:latest'\n"), @r#"
    error: states/a.toml:3: image x:latest is declared both pulled and absent
    caused by: pulled is in states/a.toml:1
    "#);
    insta::assert_snapshot!(one("[a.image.absent]\nname = 'x'\n[b.container.running]\nimage = 'x:latest'\n"), @r#"
    error: states/a.toml:1: image x:latest is declared absent and used
    caused by: container b is created from it
    "#);
    insta::assert_snapshot!(one("[a.container.running]\nimage = 'a'\nmemory = '1g'\nmem_limit = '2g'\n"), @r#"
    error: states/a.toml:4: `memory` is declared twice with different values
    caused by: the other one is in states/a.toml:3
    hint: keep one of them: declarations of one container are merged
    "#);
}

#[test]
fn outdated_alone_says_nothing() {
    insta::assert_snapshot!(one("[a.container.absent]\nname = 'web'\nwhen = 'outdated'\n"), @r#"
    error: states/a.toml:1: container web is absent when outdated, but no other state says what it should be
    hint: declare what it should be created from, for example `[web.container.running]` with `image`; or leave `when` out to remove it
    "#);
    insta::assert_snapshot!(one("[a.container.absent]\nname = 'web'\nwhen = 'old'\n"), @r#"error: states/a.toml:3: `when` is `old`, but can be "outdated" only"#);
}

#[test]
fn an_id_stands_in_one_file() {
    let two = [
        ("states/a.toml", "[web.container.running]\nimage = 'a'\n"),
        ("states/b.toml", "[web.image.pulled]\n"),
    ];
    insta::assert_snapshot!(problems(&two, ""), @r#"
    error: states/b.toml:1: the id `web` is declared in another file too
    caused by: the other one is in states/a.toml:1
    "#);
    let one = "[web.image.pulled]\n[web.container.running]\nimage = 'web'\n";
    assert_eq!(compiled(&[("states/a.toml", one)], "").expect("it compiles").items.len(), 2);
}

#[test]
fn the_desired_state_as_data_names_secrets_by_place_and_id() {
    let desired = compiled(
        &[("states/a.toml", "[web_image.image.pulled]\nname = 'web'\n[web.container.running]\nimage = 'web'\nmemory = '1g'\nenv.URL = 'x:{{ pillar.pw | urlencode }}@y'\nenv.LOG = 'info'\n[old.container.absent]\n[x.image.absent]\n")],
        "pw = { sealed = 'Q0FOQVJZ', id = '9f2c41d70b6e83aa' }\n",
    )
    .expect("it compiles");
    let text = serde_json::to_string_pretty(&desired.to_json()).expect("JSON");
    assert!(!text.contains("Q0FOQVJZ"));
    insta::assert_snapshot!(text, @r#"
    {
      "format_version": "1.0",
      "workspace": "shop",
      "host": "web1",
      "items": [
        {
          "address": "image web:latest",
          "state": "pulled",
          "image": "web:latest",
          "force": false,
          "declared": [
            {
              "id": "web_image",
              "at": "states/a.toml:1"
            }
          ],
          "needs": []
        },
        {
          "address": "container web",
          "state": "running",
          "name": "web",
          "image": "web:latest",
          "pull": "missing",
          "options": {
            "memory": 1073741824
          },
          "env": {
            "LOG": "info",
            "URL": {
              "sealed": "x:(sealed 9f2c)@y",
              "secrets": [
                {
                  "key": "pw",
                  "file": "pillar/apps.toml",
                  "id": "9f2c41d70b6e83aa",
                  "encoders": [
                    "urlencode"
                  ]
                }
              ]
            }
          },
          "secrets": {},
          "files": {},
          "stop_timeout": null,
          "monitor": 3,
          "start_timeout": null,
          "fingerprint": "v1:sha256:6624fc37a4b6e1c7099cb24661b6d714208240a5cb12f550b3b7d81508bf8146",
          "sources": {
            "env.LOG": [
              "states/a.toml:7"
            ],
            "env.URL": [
              "pillar/apps.toml:1",
              "states/a.toml:6"
            ],
            "image": [
              "states/a.toml:4"
            ],
            "memory": [
              "states/a.toml:5"
            ]
          },
          "declared": [
            {
              "id": "web",
              "at": "states/a.toml:3"
            }
          ],
          "needs": [
            "image web:latest"
          ]
        },
        {
          "address": "container old",
          "state": "absent",
          "name": "old",
          "stop_timeout": null,
          "declared": [
            {
              "id": "old",
              "at": "states/a.toml:8"
            }
          ],
          "needs": []
        },
        {
          "address": "image x:latest",
          "state": "absent",
          "image": "x:latest",
          "declared": [
            {
              "id": "x",
              "at": "states/a.toml:9"
            }
          ],
          "needs": []
        }
      ],
      "notes": []
    }
    "#);
}

#[test]
fn a_port_of_the_host_is_published_once() {
    insta::assert_snapshot!(one("[a.container.running]\nimage = 'a'\nports = ['80:80', '80:81']\n[b.container.installed]\nimage = 'b'\nports = ['127.0.0.1:80:80', '80:80/udp', '80']\n"), @r#"
    error: states/a.toml:3: port 80/tcp of the host is published twice
    caused by: for port 80/tcp of container a, states/a.toml:3
    caused by: and for port 81/tcp of container a
    error: states/a.toml:6: port 80/tcp of the host is published twice
    caused by: for port 80/tcp of container a, states/a.toml:3
    caused by: and for port 80/tcp of container b
    "#);
    let fine = "[a.container.running]\nimage = 'a'\nports = ['127.0.0.1:80:80', '80:80/udp']\n\
                [b.container.running]\nimage = 'b'\nports = ['127.0.0.2:80:80', '[::1]:80:80', '443']\n\
                [c.container.stopped]\nimage = 'c'\nports = ['80:80']\n";
    assert_eq!(compiled(&[("states/a.toml", fine)], "").expect("it compiles").items.len(), 3);
}

#[test]
fn a_signal_for_what_is_absent_is_refused() {
    insta::assert_snapshot!(one("[a.container.absent]\nstop = { signal = 'QUIT', timeout = 5 }\n"), @"error: states/a.toml:2: a signal cannot be chosen for `absent`: the Engine sends the signal of the container");
}
