//! The page of a plan of many hosts: a section for each different plan, with the hosts that it is for.

use super::escape::Html;
use super::{changes, class, list, steps};
use crate::cli::output::plan::count;
use crate::cli::output::plan::many::{self, Group, groups};
use crate::name::ranges;
use crate::plan::Plan;

/// Bytes from which on plans are named with their counts alone, and those from which on they are only counted: a page
/// of many hosts stays below 2 MB.
const DETAILED: usize = 1_200_000;
const NAMED: usize = 1_600_000;
/// Notes and receivers that are listed.
const LINES: usize = 300;
/// Names of hosts that stand in a heading.
const HEADING: usize = 60;

/// What becomes of how many hosts, with the way to each section, and then the sections.
pub(super) fn push(page: &mut Html, plan: &Plan) {
    let groups = groups(plan);
    page.markup("<ul class=\"summary\">\n");
    groups.iter().enumerate().for_each(|(at, group)| push_line(page, at, group));
    page.markup("</ul>\n</header>\n<main>\n");
    list(page, "Order", "notes", &super::order_of(plan));
    list(page, "Paused", "notes", &bounded(super::paused(plan)));
    list(page, "Notes", "notes", &bounded(many::notes(plan)));
    let mut left = 0;
    for (at, group) in groups.iter().enumerate() {
        if page.length() > NAMED {
            left += 1;
        } else {
            push_section(page, at, group);
        }
    }
    if left > 0 {
        page.markup("<p>")
            .number(left)
            .markup(" more plans are not on this page; pillarbox plan --json has all.</p>\n");
    }
    list(page, "Secrets, who receives them", "receivers", &bounded(many::receivers(plan)));
}

fn push_line(page: &mut Html, at: usize, group: &Group<'_>) {
    page.markup("<li><a href=\"#plan-").number(at).markup("\">").text(&group.letter).text(" ");
    page.text(&group.size()).markup("</a>");
    for count in count::counts(group.hosts[0]) {
        page.markup(" <span class=\"count ").markup(count.verb.map_or("v-unchanged", class)).markup("\">");
        page.text(&count.words).markup("</span>");
    }
    page.markup("</li>\n");
}

fn push_section(page: &mut Html, at: usize, group: &Group<'_>) {
    page.markup("<section class=\"host\" id=\"plan-").number(at).markup("\">\n<h2>").text(&group.letter);
    page.markup(" ").text(&group.size()).markup(" <span class=\"engine\">");
    let names = group.names();
    let short = crate::name::in_ranges(&names, HEADING);
    page.text(&short).markup("</span></h2>\n");
    if short.ends_with(')') {
        page.markup("<details><summary>all of them</summary>\n<p>");
        let all: Vec<String> = ranges(&names).into_iter().map(|(text, _)| text).collect();
        page.text(&all.join(" ")).markup("</p></details>\n");
    }
    let first = group.hosts[0];
    if page.length() < DETAILED {
        changes::push_changing(page, &first.changes);
        if !first.steps.is_empty() {
            if group.hosts.len() > 1 {
                page.markup("<p class=\"back\">The steps of ").text(first.host.as_str());
                page.markup("; those of the others differ in their containers alone.</p>\n");
            }
            steps::push(page, first);
        }
    } else {
        page.markup("<p>Not shown here, for the size of the page: pillarbox plan --host ");
        page.text(first.host.as_str()).markup("</p>\n");
    }
    page.markup("</section>\n");
}

fn bounded(mut lines: Vec<String>) -> Vec<String> {
    let more = lines.len().saturating_sub(LINES);
    if more > 0 {
        lines.truncate(LINES);
        lines.push(format!("and {more} more, which pillarbox plan --json has"));
    }
    lines
}
