use super::change::plain;
use super::*;
use crate::name::{HostName, ImageRef, WorkspaceName};
use crate::plan::{Action, Cause, PlanBody, Step, Target, Verb};
use crate::problem::Place;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn fields(pairs: &[(&str, Value)]) -> Option<BTreeMap<String, Value>> {
    Some(pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

pub(in crate::cli::output) fn change(address: &str, verb: Verb, cause: Cause) -> Change {
    Change {
        address: address.to_owned(),
        actions: vec![verb],
        cause: vec![cause],
        before: None,
        after: None,
        files: Vec::new(),
    }
}

pub(in crate::cli::output) fn host(name: &str, changes: Vec<Change>) -> HostPlan {
    let engine = format!("ssh://deploy@{name}.example.com");
    let body = PlanBody { changes, ..PlanBody::default() };
    HostPlan::new(HostName::parse(name).expect("a name"), engine, "ID".to_owned(), body)
}

pub(in crate::cli::output) fn plan(hosts: Vec<HostPlan>) -> Plan {
    Plan::new(WorkspaceName::parse("shop").expect("a name"), hosts)
}

fn step(id: u32, action: Action, needs: &[u32]) -> Step {
    let cause = Cause::Missing;
    let (group, expects, undo) = ("replace nginx".to_owned(), Vec::new(), Vec::new());
    Step { id, group, action, needs: needs.to_vec(), cause, expects, undo }
}

pub(in crate::cli::output) fn upgrade() -> Plan {
    let digest = |c: &str| format!("registry.example.com/web/nginx@sha256:{}", c.repeat(64));
    let mut web1 = host(
        "web1",
        vec![
            change("image registry.example.com/web/nginx:1.9.0", Verb::Create, Cause::ImageNeeded),
            Change {
                before: fields(&[("image", json!("registry.example.com/web/nginx:1.8.2"))]),
                after: fields(&[
                    ("image", json!("registry.example.com/web/nginx:1.9.0")),
                    ("env.LOG", json!("debug")),
                    ("env.DB_URL", json!("postgres://(sealed 9f2c)@db")),
                ]),
                cause: vec![
                    Cause::Version {
                        from: "1.8.2".to_owned(),
                        to: "1.9.0".to_owned(),
                        at: Some(Place::new("pillar/apps.toml", 12)),
                    },
                    Cause::Fields(vec![("env.LOG".to_owned(), Some(Place::new("states/nginx.toml", 31)))]),
                ],
                ..change("container nginx", Verb::ReplaceStopFirst, Cause::Missing)
            },
            Change {
                before: fields(&[("memory", json!(268_435_456))]),
                after: fields(&[("memory", json!(536_870_912))]),
                ..change("container api", Verb::Update, Cause::Fields(vec![("memory".to_owned(), None)]))
            },
            change("container db", Verb::Unchanged, Cause::AsWanted),
            change("container old", Verb::Remove, Cause::Unwanted),
        ],
    );
    let new = || Target::CreatedBy(2);
    web1.steps = vec![
        step(
            1,
            Action::Pull {
                image: ImageRef::parse(&digest("a")).expect("a reference"),
                platform: None,
                runs_on: None,
            },
            &[],
        ),
        step(2, Action::Start { container: new(), name: "nginx".to_owned() }, &[1]),
    ];
    web1.receivers = vec![Receiver {
        secret: "api.db_password".to_owned(),
        container: "nginx".to_owned(),
        field: "env DB_URL".to_owned(),
    }];
    web1.notes = vec!["nginx is replaced stop-first: it has the fixed host port 8080".to_owned()];
    plan(vec![web1, host("web22", vec![change("container nginx", Verb::Unchanged, Cause::AsWanted)])])
}

fn shown(plan: &Plan, verbose: bool, width: Option<usize>) -> String {
    anstream::adapter::strip_str(&text(plan, View { verbose, width })).to_string()
}

#[test]
fn an_upgrade_reads_line_by_line_with_its_causes() {
    insta::assert_snapshot!(shown(&upgrade(), false, None), @r"
    web1  ssh://deploy@web1.example.com
      +   image registry.example.com/web/nginx:1.9.0  image is not on the host
      -/+ container nginx                             version 1.8.2 → 1.9.0, pillar/apps.toml:12
                                                      env.LOG changed (states/nginx.toml:31)
            env.LOG  debug
            image    registry.example.com/web/nginx:1.8.2 → registry.example.com/web/nginx:1.9.0
      ~   container api                               memory changed
            memory  256.00 MiB → 512.00 MiB
      -   container old                               declared absent

    Secrets, who receives them
      api.db_password → web1, nginx, env DB_URL

    Notes
      web1: nginx is replaced stop-first: it has the fixed host port 8080

    web1:   1 to create, 1 to replace, 1 to change, 1 to remove, 1 unchanged
    web22:  1 unchanged
    ");
}

#[test]
fn verbose_adds_what_stays_and_the_steps() {
    insta::assert_snapshot!(shown(&upgrade(), true, None), @r"
    web1  ssh://deploy@web1.example.com
      +   image registry.example.com/web/nginx:1.9.0  image is not on the host
      -/+ container nginx                             version 1.8.2 → 1.9.0, pillar/apps.toml:12
                                                      env.LOG changed (states/nginx.toml:31)
            env.DB_URL  postgres://(sealed 9f2c)@db
            env.LOG     debug
            image       registry.example.com/web/nginx:1.8.2 → registry.example.com/web/nginx:1.9.0
      ~   container api                               memory changed
            memory  256.00 MiB → 512.00 MiB
      =   container db                                up to date
      -   container old                               declared absent
      steps
         #1 pull registry.example.com/web/nginx@aaaaaaaaaaaa
         #2 start nginx after #1

    web22  ssh://deploy@web22.example.com
      = container nginx  up to date

    Secrets, who receives them
      api.db_password → web1, nginx, env DB_URL

    Notes
      web1: nginx is replaced stop-first: it has the fixed host port 8080

    web1:   1 to create, 1 to replace, 1 to change, 1 to remove, 1 unchanged
    web22:  1 unchanged
    ");
}

#[test]
fn narrow_terminals_get_hanging_lines_never_broken_words() {
    let text = shown(&upgrade(), false, Some(60));
    let (body, _) = text.rsplit_once("\n\n").expect("a footer");
    assert!(body.lines().all(|line| columns(line) <= 60), "{text}");
    insta::assert_snapshot!(text, @r"
    web1  ssh://deploy@web1.example.com
      +   image registry.example.com/web/nginx:1.9.0
                           image is not on the host
      -/+ container nginx  version 1.8.2 → 1.9.0,
                           pillar/apps.toml:12
                           env.LOG changed
                           (states/nginx.toml:31)
            env.LOG  debug
            image    registry.example.com/web/nginx:1.8.2
                   → registry.example.com/web/nginx:1.9.0
      ~   container api    memory changed
            memory  256.00 MiB → 512.00 MiB
      -   container old    declared absent

    Secrets, who receives them
      api.db_password → web1, nginx, env DB_URL

    Notes
      web1: nginx is replaced stop-first: it has the fixed
        host port 8080

    web1:   1 to create, 1 to replace, 1 to change, 1 to remove, 1 unchanged
    web22:  1 unchanged
    ");
}

#[test]
fn no_changes_are_said_in_one_line() {
    let done = plan(vec![
        host("web1", vec![change("container nginx", Verb::Unchanged, Cause::AsWanted)]),
        host("web2", vec![change("container nginx", Verb::Unchanged, Cause::AsWanted)]),
    ]);
    insta::assert_snapshot!(shown(&done, false, None), @r"
    no changes: 2 resources up to date on web1, web2
    ");
}

#[test]
fn what_is_held_is_not_nothing() {
    let held = Cause::Other("held since the last incident".to_owned());
    let held = plan(vec![host("web1", vec![change("container nginx", Verb::Held, held)])]);
    insta::assert_snapshot!(shown(&held, false, None), @r"
    web1  ssh://deploy@web1.example.com
      ! container nginx  held since the last incident

    web1:  1 held
    ");
}

#[test]
fn control_characters_from_outside_are_escaped() {
    let mut bad =
        plan(vec![host("web1", vec![change("container a\u{1b}[2Jb", Verb::Remove, Cause::Unwanted)])]);
    bad.hosts[0].notes.push("line\r\nfeed".to_owned());
    let text = shown(&bad, true, None);
    assert!(text.contains(r"a\u{1b}[2Jb") && text.contains(r"line\r\nfeed"), "{text}");
}

#[test]
fn ports_read_as_they_are_written() {
    let ports = json!({"80/tcp": [{"HostIp": "", "HostPort": "8080"}], "53/udp": [{"HostIp": "127.0.0.1", "HostPort": "53"}]});
    assert_eq!(plain("ports", &ports), "8080:80/tcp, 127.0.0.1:53:53/udp");
}
