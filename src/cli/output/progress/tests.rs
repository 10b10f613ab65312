use super::*;
use crate::engine::PullProgress;
use crate::name::{ImageRef, WorkspaceName};
use crate::plan::{Action, Cause, Change, PlanBody, Target, Verb};
use serde_json::json;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

const IMAGE: &str = "registry.example.com/web/nginx";

fn plan() -> Plan {
    let step = |id, group: &str, action| Step {
        id,
        group: group.to_owned(),
        action,
        needs: Vec::new(),
        cause: Cause::Missing,
        expects: Vec::new(),
        undo: Vec::new(),
    };
    let image = ImageRef::parse(&format!("{IMAGE}:1.9.0")).expect("a reference");
    let name = || "nginx.g2".to_owned();
    let start = Action::Start { container: Target::CreatedBy(1), name: name() };
    let kept = Action::Tag { source: image.to_string(), name: "pillarbox.invalid/shop/nginx:g2".to_owned() };
    let version = |version: &str| Some(BTreeMap::from([("version".to_owned(), json!(version))]));
    Plan::new(
        WorkspaceName::parse("shop").expect("a name"),
        vec![HostPlan::new(
            HostName::parse("web1").expect("a name"),
            "unix:///run/docker.sock".to_owned(),
            "ID".to_owned(),
            PlanBody {
                changes: vec![Change {
                    files: Vec::new(),
                    address: "container nginx".to_owned(),
                    actions: vec![Verb::ReplaceStopFirst],
                    cause: Vec::new(),
                    before: version("1.8.2"),
                    after: version("1.9.0"),
                }],
                steps: vec![
                    step(1, "pull nginx", Action::Pull { image, platform: None, runs_on: None }),
                    step(2, "replace nginx", kept),
                    step(3, "replace nginx", start),
                    step(4, "create network back", Action::RemoveOwnVolume { name: name() }),
                ],
                ..PlanBody::default()
            },
        )],
    )
}

fn pulled() -> Vec<EventKind> {
    let progress = PullProgress { done: 10, total: 100, layers_done: 0, layers: 1 };
    vec![
        EventKind::StepStarted { step: 1 },
        EventKind::PullProgress { step: 1, progress },
        EventKind::StepDone { step: 1, took: Duration::from_millis(1_234) },
        EventKind::GroupEnded {
            group: "pull nginx".to_owned(),
            end: GroupEnd::Done,
            took: Duration::from_millis(1_234),
        },
        EventKind::StepStarted { step: 2 },
        EventKind::StepDone { step: 2, took: Duration::from_millis(2) },
        EventKind::StepStarted { step: 3 },
    ]
}

fn replaced() -> Vec<EventKind> {
    let took = Duration::from_millis(4_100);
    let end = GroupEnd::Done;
    let mut all = pulled();
    all.extend([
        EventKind::Warned { step: 3, text: "no swap limit".to_owned() },
        EventKind::StepDone { step: 3, took },
        EventKind::GroupEnded { group: "replace nginx".to_owned(), end, took },
        EventKind::GroupEnded { group: "create network back".to_owned(), end, took },
    ]);
    all
}

fn rolled_back() -> Vec<EventKind> {
    let (action, end) = ("start nginx".to_owned(), GroupEnd::RolledBack);
    let mut all = pulled();
    all.extend([
        EventKind::StepFailed { step: 3, why: "port 8080 is taken\u{1b}[2J".to_owned() },
        EventKind::ContainerLog { container: "nginx.g2".to_owned(), lines: vec!["bind failed".to_owned()] },
        EventKind::UndoStarted { step: 3, action: action.clone() },
        EventKind::UndoDone { step: 3, action, failed: None },
        EventKind::GroupEnded { group: "replace nginx".to_owned(), end, took: Duration::from_secs(12) },
    ]);
    all
}

/// The lines that stay.
fn lines(level: Level, bars: bool, happened: Vec<EventKind>) -> String {
    let plan = plan();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let keep = Rc::clone(&seen);
    let line: Box<dyn Fn(&str)> = Box::new(move |line| keep.borrow_mut().push(line.to_owned()));
    let progress = Progress::with(&plan, level, bars.then(|| Bars::new(&plan)), line);
    for kind in happened {
        progress.show(&Event { host: plan.hosts[0].host.clone(), kind });
    }
    progress.finish();
    drop(progress);
    anstream::adapter::strip_str(&seen.take().join("\n")).to_string()
}

#[test]
fn each_resource_is_one_line_when_it_is_done() {
    insta::assert_snapshot!(lines(Level::Normal, false, replaced()), @r"
    web1: image registry.example.com/web/nginx:1.9.0  pulled  1.2s
    web1: container nginx: the Engine warns: no swap limit
    web1: container nginx                             replaced (1.8.2 → 1.9.0)  4.1s
    web1: network back                                created  4.1s
    ");
}

#[test]
fn what_failed_says_why_at_once_and_how_it_ended() {
    insta::assert_snapshot!(lines(Level::Normal, false, rolled_back()), @r"
    web1: image registry.example.com/web/nginx:1.9.0  pulled  1.2s
    web1: container nginx: failed: port 8080 is taken\u{1b}[2J
    web1: last log lines of nginx.g2:
    web1:   | bind failed
    web1: container nginx                             failed, rolled back  12s
    ");
}

#[test]
fn with_v_each_step_is_a_line_too() {
    insta::assert_snapshot!(lines(Level::Verbose, false, rolled_back()), @r"
    web1: pull registry.example.com/web/nginx:1.9.0 …
    web1: pull registry.example.com/web/nginx:1.9.0  1.2s
    web1: image registry.example.com/web/nginx:1.9.0  pulled  1.2s
    web1: container nginx: tag registry.example.com/web/nginx:1.9.0 as pillarbox.invalid/shop/nginx:g2  0.0s
    web1: container nginx: failed: port 8080 is taken\u{1b}[2J
    web1: last log lines of nginx.g2:
    web1:   | bind failed
    web1: container nginx: rolling back: start nginx  done
    web1: container nginx                             failed, rolled back  12s
    ");
}

#[test]
fn quiet_still_says_what_failed_and_how_it_ended() {
    insta::assert_snapshot!(lines(Level::Quiet, false, rolled_back()), @r"
    web1: container nginx: failed: port 8080 is taken\u{1b}[2J
    web1: last log lines of nginx.g2:
    web1:   | bind failed
    web1: container nginx                             failed, rolled back  12s
    ");
    assert!(lines(Level::Quiet, false, replaced()).contains("no swap limit"));
}

#[test]
fn a_rollback_that_fails_is_always_told() {
    let failed = Some("no route".to_owned());
    let undone = EventKind::UndoDone { step: 3, action: "start nginx".to_owned(), failed };
    let ended = EventKind::GroupEnded {
        group: "replace nginx".to_owned(),
        end: GroupEnd::RollbackFailed,
        took: Duration::from_secs(65),
    };
    insta::assert_snapshot!(lines(Level::Quiet, false, vec![undone, ended]), @r"
    web1: container nginx: rolling back: start nginx  failed: no route
    web1: container nginx                             failed, rollback incomplete  1m05s
    ");
}

#[test]
fn bars_come_and_go_without_a_line_of_their_own() {
    assert!(lines(Level::Normal, true, rolled_back()).is_empty());
}

#[test]
fn times_are_short() {
    let shown = |ms| time(Duration::from_millis(ms));
    assert_eq!([shown(40), shown(9_990), shown(12_345), shown(185_000)], ["0.0s", "10.0s", "12s", "3m05s"]);
}
