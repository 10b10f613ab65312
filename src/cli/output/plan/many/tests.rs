use super::*;
use crate::cli::output::plan::tests::{change, host, plan, upgrade};
use crate::cli::output::plan::text as shown_text;
use crate::plan::{Cause, PausedHost, Verb};

fn shown(plan: &Plan, verbose: bool) -> String {
    anstream::adapter::strip_str(&shown_text(plan, View { verbose, width: None })).to_string()
}

/// A thousand hosts: most are upgraded, each with a container of its own, some get one, some are up to date.
fn fleet() -> Plan {
    let upgrade = upgrade().hosts.remove(0);
    let hosts = (0..1000_usize).map(|at| {
        let name = format!("web{at:04}");
        let mut one = match at {
            922..930 => host(&name, vec![change("container api", Verb::Create, Cause::Missing)]),
            980.. => host(&name, vec![change("container api", Verb::Unchanged, Cause::AsWanted)]),
            _ => {
                let mut body = (*upgrade.body).clone();
                body.changes[1].actions = vec![Verb::ReplaceStartFirst];
                HostPlan::new(
                    crate::name::HostName::parse(&name).expect("a name"),
                    format!("ssh://{name}"),
                    format!("ID{at}"),
                    body,
                )
            }
        };
        if (922..930).contains(&at) {
            one.steps.clone_from(&upgrade.steps);
        }
        one
    });
    let mut fleet = plan(hosts.collect());
    fleet.paused.push(PausedHost {
        host: crate::name::HostName::parse("web1555").expect("a name"),
        reason: "disk is being replaced".to_owned(),
    });
    fleet
}

#[test]
fn a_plan_of_a_thousand_hosts_shows_equal_plans_once() {
    insta::assert_snapshot!(shown(&fleet(), false), @r"
    plan for 1,000 hosts, 3 different plans

    A  972 hosts  web0000..0921 web0930..0979
      +   image registry.example.com/web/nginx:1.9.0
                           image is not on the host
      +/- container nginx  version 1.8.2 → 1.9.0, pillar/apps.toml:12
                           env.LOG changed (states/nginx.toml:31)
            env.LOG  debug
            image    registry.example.com/web/nginx:1.8.2 → registry.example.com/web/nginx:1.9.0
      ~   container api    memory changed
            memory  256.00 MiB → 512.00 MiB
      -   container old    declared absent
    B    8 hosts  web0922..0929
      + container api  will be created
    C   20 hosts  web0980..0999
      nothing to do

    Secrets, who receives them
      api.db_password → 972 hosts, nginx, env DB_URL

    Notes
      972 hosts: nginx is replaced stop-first: it has the fixed host port 8080

    web1555:  paused, disk is being replaced
    order:  web0000, then 979 × 1 hosts
    980 to change, 20 up to date, 1 paused  details: -v, --host web0000
    ");
}

#[test]
fn every_host_is_shown_with_v_and_where_they_are_few() {
    let all = shown(&fleet(), true);
    assert!((0..1000).all(|at| all.contains(&format!("web{at:04}"))), "every host is there");
    let few = plan(
        (0..FEW)
            .map(|at| host(&format!("web{at}"), vec![change("container api", Verb::Create, Cause::Missing)]))
            .collect(),
    );
    let few = shown(&few, false);
    assert!(few.contains("web7  ssh://") && !few.contains("plan for"), "{few}");
}

#[test]
fn where_nothing_is_to_do_on_many_hosts_this_takes_one_line() {
    let unchanged =
        |at| host(&format!("web{at}"), vec![change("container api", Verb::Unchanged, Cause::AsWanted)]);
    assert_eq!(
        shown(&plan((0..1000).map(unchanged).collect()), false),
        "no changes: 1000 resources up to date on 1,000 hosts\n"
    );
    let empty = |at| host(&format!("web{at}"), Vec::new());
    assert_eq!(
        shown(&plan((0..1000).map(empty).collect()), false),
        "no changes: no resource is declared for 1,000 hosts\n"
    );
}

#[test]
fn a_thousand_different_plans_are_bounded_and_no_line_is_long() {
    let hosts = (0..1000).map(|at| {
        let mut one = host(
            &format!("web{at}"),
            vec![change(&format!("container api{at}"), Verb::Create, Cause::Missing)],
        );
        one.notes.push(format!("a note of api{at}"));
        one
    });
    let plan = plan(hosts.collect());
    let text = shown(&plan, false);
    assert!(text.lines().count() < 200, "{text}");
    assert!(text.lines().all(|line| columns(line) <= WIDTH), "{text}");
    assert!(
        text.contains("… and 940 more plans of 940 hosts: -v") && text.contains("and 970 more: -v"),
        "{text}"
    );
}

#[test]
fn groups_have_letters_and_numbers_have_commas() {
    assert_eq!([0, 25, 26, 27, 701, 702].map(letter), ["A", "Z", "AA", "AB", "ZZ", "AAA"]);
    assert_eq!([1, 999, 1000, 1_234_567].map(thousands), ["1", "999", "1,000", "1,234,567"]);
}
