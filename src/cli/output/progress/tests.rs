use super::*;
use crate::engine::PullProgress;
use crate::name::{HostName, ImageRef, WorkspaceName};
use crate::plan::{Cause, PlanBody, Step, Target};
use std::cell::RefCell;
use std::rc::Rc;

fn plan() -> Plan {
    let step = |id, action| Step {
        id,
        group: "replace nginx".to_owned(),
        action,
        needs: Vec::new(),
        cause: Cause::Missing,
        expects: Vec::new(),
        undo: Vec::new(),
    };
    let image = ImageRef::parse("registry.example.com/web/nginx:1.9.0").expect("a reference");
    let start = Action::Start { container: Target::CreatedBy(1), name: "nginx".to_owned() };
    Plan {
        format_version: "1.0".to_owned(),
        workspace: WorkspaceName::parse("shop").expect("a name"),
        hosts: vec![HostPlan::new(
            HostName::parse("web1").expect("a name"),
            "unix:///run/docker.sock".to_owned(),
            "ID".to_owned(),
            PlanBody {
                steps: vec![step(1, Action::Pull { image, platform: None }), step(2, start)],
                ..PlanBody::default()
            },
        )],
    }
}

/// The lines that stay for a run that fails and is taken back.
fn lines(level: Level, bars: Option<Bars>) -> Vec<String> {
    let plan = plan();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let keep = Rc::clone(&seen);
    let line: Box<dyn Fn(&str)> = Box::new(move |line| keep.borrow_mut().push(line.to_owned()));
    let progress = Progress { plan: &plan, level, bars, line };
    let happened = [
        Happened::StepStarted { step: 1 },
        Happened::PullProgress {
            step: 1,
            progress: PullProgress { done: 10, total: 100, layers_done: 0, layers: 1 },
        },
        Happened::StepDone { step: 1, took: Duration::from_millis(1_234) },
        Happened::StepStarted { step: 2 },
        Happened::StepFailed { step: 2, why: "port 8080 is taken\u{1b}[2J".to_owned() },
        Happened::ContainerLog { container: "nginx".to_owned(), lines: vec!["bind failed".to_owned()] },
        Happened::UndoStarted { step: 2, action: "start nginx".to_owned() },
        Happened::UndoDone { step: 2, action: "start nginx".to_owned(), failed: None },
    ];
    for what in happened {
        progress.show(&Event { host: plan.hosts[0].host.clone(), what });
    }
    progress.finish();
    drop(progress);
    seen.take()
}

#[test]
fn without_a_terminal_every_step_is_a_line() {
    insta::assert_snapshot!(lines(Level::Normal, None).join("\n"), @r"
    web1: pull registry.example.com/web/nginx:1.9.0 …
    web1: pull registry.example.com/web/nginx:1.9.0 … done 1.2s
    web1: start nginx … failed: port 8080 is taken\u{1b}[2J
    web1: last log lines of nginx:
    web1:   | bind failed
    web1: way back: start nginx … done
    ");
}

#[test]
fn quiet_still_says_what_failed_and_how_it_was_taken_back() {
    let lines = lines(Level::Quiet, None);
    assert!(lines[0].starts_with("web1: start nginx … failed"), "{lines:?}");
    assert_eq!(lines.len(), 4);
}

#[test]
fn bars_come_and_go_without_a_line_of_their_own() {
    assert!(lines(Level::Normal, Some(Bars::new())).is_empty());
}

#[test]
fn times_are_short() {
    let shown = |ms| time(Duration::from_millis(ms));
    assert_eq!([shown(40), shown(9_990), shown(12_345), shown(185_000)], ["0.0s", "10.0s", "12s", "3m05s"]);
}
