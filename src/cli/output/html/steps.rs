//! The steps of a host: drawn, and in words for readers who do not see the drawing.

use super::escape::Html;
use super::graph;
use crate::cli::output::words;
use crate::plan::{HostPlan, Step};

/// More are listed and not drawn: a drawing of so many lines cannot be followed.
const DRAWN_MAX: usize = 300;

/// Steps that are folded away where they are drawn as well.
pub(super) fn push(page: &mut Html, host: &HostPlan) {
    let steps = &host.steps;
    page.markup("<h3 class=\"steps\">").number(steps.len());
    page.markup(if steps.len() == 1 { " step</h3>\n" } else { " steps, and what each waits for</h3>\n" });
    let drawn = steps.len() <= DRAWN_MAX;
    if drawn {
        graph::push(page, host);
    } else {
        page.markup("<p>Too many to be drawn; here they are in words.</p>\n");
    }
    if let Some(words) = rollbacks(steps) {
        page.markup("<p class=\"back\">").text(&words).markup("</p>\n");
    }
    page.markup(if drawn { "<details><summary>" } else { "<details open><summary>" });
    page.markup("the steps in words</summary>\n<ol class=\"steps\">\n");
    for step in steps {
        push_step(page, step);
    }
    page.markup("</ol></details>\n");
}

fn push_step(page: &mut Html, step: &Step) {
    page.markup("<li value=\"").number(step.id).markup("\">").text(&words::action(&step.action));
    page.markup(" <span class=\"faint\">").text(&about(step)).markup("</span>");
    if !step.undo.is_empty() {
        let undo: Vec<String> = step.undo.iter().map(words::action).collect();
        page.markup("<br><span class=\"faint\">if it fails: ").text(&undo.join("; ")).markup("</span>");
    }
    page.markup("</li>\n");
}

/// What a step is part of, what it waits for, and why it is done.
pub(super) fn about(step: &Step) -> String {
    let needs: Vec<String> = step.needs.iter().map(|id| format!("#{id}")).collect();
    let after = if needs.is_empty() { String::new() } else { format!(", after {}", needs.join(", ")) };
    format!("({}{after}): {}", step.group, step.cause)
}

/// What is done where a step fails: said, not drawn.
fn rollbacks(steps: &[Step]) -> Option<String> {
    let with = steps.iter().filter(|step| !step.undo.is_empty()).count();
    let which = match with {
        0 => return None,
        1 => "1 step has".to_owned(),
        _ => format!("{with} steps have"),
    };
    Some(format!(
        "The rollback is not drawn. {which} one, for when that step fails or the run is interrupted there: \
         see the steps in words."
    ))
}
