//! A plan as one page to look at, attach to a review and print: HTML with its style in it, no script,
//! nothing loaded from anywhere.
//!
//! `escape` (the only way in for text) → `layout` (where steps stand) → `graph` (drawn as SVG) and
//! `changes` (what differs) → the page.

mod changes;
mod escape;
mod graph;
mod layout;
mod many;
mod steps;
#[cfg(test)]
mod tests;

use super::plan::many::FEW;
use super::plan::{count, notes, order, receivers};
use crate::plan::{HostPlan, Plan, Verb};
use escape::Html;

/// What a browser may do with the page: show it, with the style that is in it.
const HEAD: &str = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
    <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
    base-uri 'none'; form-action 'none'\">\n\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
    <meta name=\"color-scheme\" content=\"light dark\">\n";

/// The page of a plan; the same plan gives the same bytes. Holds no secret, as the plan holds none.
pub(in crate::cli) fn page(plan: &Plan) -> String {
    let mut page = Html::default();
    page.markup(HEAD).markup("<title>Plan of ").text(plan.workspace.as_str()).markup("</title>\n<style>\n");
    page.markup(include_str!("html/page.css")).markup("</style>\n</head>\n<body>\n<header>\n<h1>Plan of ");
    page.text(plan.workspace.as_str()).markup("</h1>\n");
    if plan.hosts.len() > FEW {
        many::push(&mut page, plan);
    } else {
        each(&mut page, plan);
    }
    page.markup("</main>\n<footer>\n");
    legend(&mut page);
    page.markup("</footer>\n</body>\n</html>\n");
    page.finish()
}

/// Each host by itself.
fn each(page: &mut Html, plan: &Plan) {
    summary(page, plan);
    page.markup("</header>\n<main>\n");
    list(page, "Order", "notes", &order_of(plan));
    list(page, "Paused", "notes", &paused(plan));
    list(page, "Notes", "notes", &notes(plan));
    for (index, host) in plan.hosts.iter().enumerate() {
        section(page, index, host);
    }
    list(page, "Secrets, who receives them", "receivers", &receivers(plan));
}

/// In which order hosts are changed.
fn order_of(plan: &Plan) -> Vec<String> {
    order::of(&plan.batches).into_iter().collect()
}

/// The hosts that are paused, each with the reason.
fn paused(plan: &Plan) -> Vec<String> {
    plan.paused.iter().map(|one| format!("{}: {}", one.host, one.reason)).collect()
}

/// What becomes of how much on each host, with the way to its section.
fn summary(page: &mut Html, plan: &Plan) {
    if plan.hosts.is_empty() && !plan.paused.is_empty() {
        return;
    }
    if let Some((up_to_date, hosts)) = count::no_changes(plan) {
        page.markup("<p class=\"nothing\"><strong>No changes:</strong> ").text(&up_to_date);
        page.text(" ").text(&hosts.join(", ")).markup("</p>\n");
        return;
    }
    page.markup("<ul class=\"summary\">\n");
    for (index, host) in plan.hosts.iter().enumerate() {
        page.markup("<li><a href=\"#host-").number(index).markup("\">").text(host.host.as_str());
        page.markup("</a>");
        for count in count::counts(host) {
            page.markup(" <span class=\"count ").markup(count.verb.map_or("v-unchanged", class));
            page.markup("\">").text(&count.words).markup("</span>");
        }
        page.markup("</li>\n");
    }
    page.markup("</ul>\n");
}

fn section(page: &mut Html, index: usize, host: &HostPlan) {
    page.markup("<section class=\"host\" id=\"host-").number(index).markup("\">\n<h2>");
    page.text(host.host.as_str()).markup(" <span class=\"engine\">").text(&host.engine);
    page.markup("</span></h2>\n");
    changes::push(page, &host.changes);
    if !host.steps.is_empty() {
        steps::push(page, host);
    }
    page.markup("</section>\n");
}

fn list(page: &mut Html, title: &'static str, class: &'static str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    page.markup("<section class=\"").markup(class).markup("\">\n<h2>").markup(title).markup("</h2>\n<ul>\n");
    for line in lines {
        page.markup("<li>").text(line).markup("</li>\n");
    }
    page.markup("</ul>\n</section>\n");
}

/// What the symbols mean, all of them: a page is often the first plan that its reader sees.
fn legend(page: &mut Html) {
    page.markup("<ul class=\"legend\">\n");
    for verb in [
        Verb::Create,
        Verb::Remove,
        Verb::Update,
        Verb::ReplaceStopFirst,
        Verb::ReplaceStartFirst,
        Verb::Unchanged,
        Verb::Held,
    ] {
        page.markup("<li><span class=\"symbol ").markup(class(verb)).markup("\">").text(verb.symbol());
        page.markup("</span> ").markup(meaning(verb)).markup("</li>\n");
    }
    page.markup("</ul>\n");
}

fn class(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "v-create",
        Verb::Remove => "v-remove",
        Verb::Update => "v-update",
        Verb::ReplaceStopFirst | Verb::ReplaceStartFirst => "v-replace",
        Verb::Unchanged => "v-unchanged",
        Verb::Held => "v-held",
    }
}

fn meaning(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "created",
        Verb::Remove => "removed",
        Verb::Update => "changed in place, started or stopped",
        Verb::ReplaceStopFirst => "replaced: the old one stops first",
        Verb::ReplaceStartFirst => "replaced: the new one works first",
        Verb::Unchanged => "unchanged",
        Verb::Held => "held back",
    }
}
