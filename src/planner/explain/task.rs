//! What a plan says of a task.

use super::{causes, change};
use crate::desired::{Address, On};
use crate::name::HostName;
use crate::plan::{Cause, Change, Verb};
use crate::planner::context::PlanContext;
use crate::planner::decide::task::{Here, TaskRun, TaskState, runs_as};
use crate::planner::options::Part;
use crate::problem::escaped;
use serde_json::json;

/// A task: made where it runs, changed where it is only remembered.
pub(super) fn change(address: &Address, task: &TaskRun<'_>, causes: Vec<Cause>) -> Change {
    let verb = match (task.is_created() || task.is_begun(), task.clears_or_remembers()) {
        (true, _) => Verb::Create,
        (false, true) => Verb::Update,
        (false, false) => Verb::Unchanged,
    };
    let after = task.is_created().then(|| {
        let mut fields = change::declared(&task.desired.container, &task.source);
        fields.insert("timeout".to_owned(), json!(task.desired.timeout));
        let publishes = task.desired.container.spec.publishes();
        if !publishes.is_empty() {
            fields.insert(change::PUBLISHES.to_owned(), json!(publishes));
        }
        fields
    });
    Change {
        address: address.to_string(),
        actions: vec![verb],
        cause: causes,
        before: None,
        after,
        files: Vec::new(),
    }
}

/// Why it runs, or what is known of it.
pub(super) fn causes(context: &PlanContext<'_>, task: &TaskRun<'_>) -> Vec<Cause> {
    let said = |text: &str| vec![Cause::Other(text.to_owned())];
    match &task.state {
        TaskState::Known => {
            let on = match task.ran_on(context).filter(|on| !on.is_empty()) {
                _ if task.desired.on == On::Each => " here, as on each host,".to_owned(),
                Some(on) => format!(" on {}", escaped(on)),
                None => String::new(),
            };
            said(&format!("it ran{on} with this image and these options"))
        }
        TaskState::Labelled => said("it ran, as containers made after it say: remembered again"),
        TaskState::Part(Part::Here(_)) => Vec::new(),
        TaskState::Part(Part::Elsewhere(host)) => said(&format!("it runs on {host}, and is remembered here")),
        TaskState::Part(Part::Ran(host)) => said(&format!("it ran on {host}, and is remembered here")),
        TaskState::Here(Here::Runs) => vec![Cause::Once("it runs already, and is waited for".to_owned())],
        TaskState::Here(Here::Ended) => {
            vec![Cause::Once("it ended well after its apply was cut off, and is remembered".to_owned())]
        }
        TaskState::Here(Here::Anew) => why(context, task),
    }
}

fn why(context: &PlanContext<'_>, task: &TaskRun<'_>) -> Vec<Cause> {
    let failed = task.found.iter().find(|container| runs_as(container, &task.fingerprint));
    if let Some(failed) = failed {
        let status = causes::status(failed);
        return vec![Cause::Once(format!("the last attempt is {status}"))];
    }
    match context.ran(task.name()).last() {
        None if task.desired.on == On::Each => {
            vec![Cause::Once("it has not run here yet, and each host runs its own".to_owned())]
        }
        None => vec![Cause::Once(format!("it has not run yet{}", also_for(context, task)))],
        Some(last) if last.version == task.source.version => {
            vec![Cause::Once(format!(
                "its image or options are others than when it ran{}",
                also_for(context, task)
            ))]
        }
        Some(last) => {
            let (from, to) = (escaped(&last.version), task.source.version.clone());
            let version = Cause::Version { from, to, at: causes::version_place(&task.desired.container) };
            vec![Cause::Once(format!("it has not run with this version{}", also_for(context, task))), version]
        }
    }
}

/// The hosts that it runs for beside this one.
fn also_for(context: &PlanContext<'_>, task: &TaskRun<'_>) -> String {
    match context.options.tasks.get(task.name()) {
        Some(Part::Here(others)) => {
            let names: Vec<&str> = others.iter().map(HostName::as_str).collect();
            format!("; it runs here, for {} too", names.join(", "))
        }
        _ => String::new(),
    }
}
