//! A plan as lines that do not change from run to run: for tests and for looking into a plan.

use super::{Action, HostPlan, Step};
use std::fmt::Write as _;

/// One line a step: `#3 [1,2] stop nginx (replace nginx): version 1.8.2 → 1.9.0`.
pub fn text(plan: &HostPlan) -> String {
    let mut out = String::new();
    for step in &plan.steps {
        let _ = writeln!(out, "{}", line(step));
    }
    out
}

/// The same, each step followed by its rollback, if it has one.
pub fn text_with_undo(plan: &HostPlan) -> String {
    let mut out = String::new();
    for step in &plan.steps {
        let _ = writeln!(out, "{}", line(step));
        let undo: Vec<String> = step.undo.iter().map(detailed).collect();
        if !undo.is_empty() {
            let _ = writeln!(out, "     undo: {}", undo.join("; "));
        }
    }
    out
}

fn line(step: &Step) -> String {
    let needs: Vec<String> = step.needs.iter().map(u32::to_string).collect();
    format!("#{} [{}] {} ({}): {}", step.id, needs.join(","), detailed(&step.action), step.group, step.cause)
}

/// The action with the values that tell it apart from its like.
fn detailed(action: &Action) -> String {
    match action {
        Action::Update { body, .. } => {
            let fields = body.as_object().into_iter().flatten();
            let fields: Vec<String> = fields
                .map(|(field, value)| match value.get("Name").and_then(|name| name.as_str()) {
                    Some(name) => format!("{field}={name}"),
                    None => format!("{field}={value}"),
                })
                .collect();
            format!("{action} {}", fields.join(" "))
        }
        other => other.to_string(),
    }
}
