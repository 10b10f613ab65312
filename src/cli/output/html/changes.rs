//! What becomes of each resource, why, and its fields before and after.

use super::escape::Html;
use super::{class, meaning};
use crate::cli::output::plan::change::{diff_lines, differences, file_line, is_unchanged, main_verb, symbol};
use crate::plan::{Change, FileChange};

/// A field, its old value if it is known, its new one.
type Field<'a> = (&'a str, Option<String>, String);

/// All changes of a host; what stays is folded away.
pub(super) fn push(page: &mut Html, changes: &[Change]) {
    let (stay, change): (Vec<&Change>, Vec<&Change>) = changes.iter().partition(|one| is_unchanged(one));
    for one in &change {
        push_one(page, one);
    }
    if stay.is_empty() {
        return;
    }
    page.markup("<details class=\"stay\"><summary>").number(stay.len());
    page.markup(" unchanged</summary>\n<ul>\n");
    for one in stay {
        page.markup("<li><span class=\"symbol v-unchanged\">=</span> <code>").text(&one.address);
        page.markup("</code></li>\n");
    }
    page.markup("</ul></details>\n");
}

/// The changes of a host without what stays.
pub(super) fn push_changing(page: &mut Html, changes: &[Change]) {
    let changing: Vec<&Change> = changes.iter().filter(|one| !is_unchanged(one)).collect();
    if changing.is_empty() {
        page.markup("<p>nothing to do</p>\n");
    }
    changing.into_iter().for_each(|one| push_one(page, one));
}

fn push_one(page: &mut Html, change: &Change) {
    let verb = main_verb(change);
    page.markup("<article class=\"change ").markup(class(verb)).markup("\">\n<h3><span class=\"symbol\">");
    page.text(&symbol(change)).markup("</span> <code>").text(&change.address).markup("</code> ");
    page.markup("<span class=\"meaning\">").markup(meaning(verb)).markup("</span></h3>\n");
    page.markup("<ul class=\"causes\">\n");
    for cause in &change.cause {
        page.markup("<li>").text(&cause.to_string()).markup("</li>\n");
    }
    page.markup("</ul>\n");
    let (first, all) = (differences(change, false), differences(change, true));
    push_fields(page, &first);
    if all.len() > first.len() {
        page.markup("<details><summary>every field, ").number(all.len()).markup("</summary>\n");
        push_fields(page, &all);
        page.markup("</details>\n");
    }
    change.files.iter().for_each(|file| push_file(page, file));
    page.markup("</article>\n");
}

/// A file that changes, with its difference.
fn push_file(page: &mut Html, file: &FileChange) {
    page.markup("<p class=\"file\"><code>").text(&file.path).markup("</code> ");
    page.text(&file_line(file)).markup("</p>\n");
    let lines = diff_lines(file);
    if lines.is_empty() {
        return;
    }
    page.markup("<pre class=\"diff\">");
    for (sign, line) in lines {
        let class = match sign {
            '+' => "comes",
            '-' => "goes",
            '@' => "at",
            _ => "stays",
        };
        page.markup("<span class=\"").markup(class).markup("\">").text(&line).markup("</span>\n");
    }
    page.markup("</pre>\n");
}

fn push_fields(page: &mut Html, fields: &[Field<'_>]) {
    if fields.is_empty() {
        return;
    }
    let compared = fields.iter().any(|(_, old, _)| old.is_some());
    page.markup("<table>\n<thead><tr><th scope=\"col\">field</th>");
    page.markup(if compared {
        "<th scope=\"col\">before</th><th scope=\"col\">after</th>"
    } else {
        "<th scope=\"col\">value</th>"
    });
    page.markup("</tr></thead>\n<tbody>\n");
    for (field, old, new) in fields {
        page.markup("<tr><th scope=\"row\">").text(field).markup("</th>");
        if compared {
            page.markup("<td class=\"before\">").text(old.as_deref().unwrap_or_default()).markup("</td>");
        }
        page.markup("<td class=\"after\">").text(new).markup("</td></tr>\n");
    }
    page.markup("</tbody>\n</table>\n");
}
