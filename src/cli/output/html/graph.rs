//! The steps of a host as a drawing in SVG.

use super::escape::Html;
use super::layout::{BETWEEN, HEIGHT, Layout, Line, WIDTH, layout};
use super::steps::about;
use crate::cli::output::words;
use crate::plan::{Action, HostPlan, Step};
use crate::problem::escaped;

/// Characters on a line of a box; the font is one of fixed width.
const COLUMNS: usize = 27;
/// Characters of the smaller line above it.
const COLUMNS_SMALL: usize = 32;
/// Lines of text that fit into a box below the small one.
const LINES: usize = 2;

/// Draws the steps of a host.
pub(super) fn push(page: &mut Html, host: &HostPlan) {
    let place = |id: &u32| host.steps.iter().position(|step| step.id == *id);
    let needs: Vec<Vec<usize>> =
        host.steps.iter().map(|step| step.needs.iter().filter_map(place).collect()).collect();
    let layout = layout(&needs);
    page.markup("<div class=\"graph\" tabindex=\"0\" role=\"region\" aria-label=\"steps on ");
    page.text(host.host.as_str()).markup("\">\n<svg role=\"img\" aria-label=\"step graph of ");
    page.text(host.host.as_str()).markup("; the same in words is below\" width=\"").number(layout.width);
    page.markup("\" height=\"").number(layout.height).markup("\" viewBox=\"0 0 ").number(layout.width);
    page.markup(" ").number(layout.height).markup("\">\n");
    for line in &layout.lines {
        push_line(page, &layout, line);
    }
    for (step, (x, y)) in host.steps.iter().zip(&layout.boxes) {
        push_box(page, step, *x, *y);
    }
    page.markup("</svg>\n</div>\n");
}

/// A curve in the room between layers, straight where it passes one, and an arrow at its end.
fn push_line(page: &mut Html, layout: &Layout, line: &Line) {
    let ((from, top), (to, bottom)) = (layout.boxes[line.from], layout.boxes[line.to]);
    let (mut x, mut y) = (from + WIDTH / 2, top + HEIGHT);
    page.markup("<path class=\"line\" d=\"M").number(x).markup(" ").number(y);
    for (next, edge) in line.passes.iter().copied().chain([(to + WIDTH / 2, bottom)]) {
        page.markup(" C").number(x).markup(" ").number(y + BETWEEN / 2).markup(" ").number(next);
        page.markup(" ").number(edge - BETWEEN / 2).markup(" ").number(next).markup(" ").number(edge);
        (x, y) = (next, edge);
        if y < bottom {
            y += HEIGHT;
            page.markup(" V").number(y);
        }
    }
    page.markup("\"/><path class=\"arrow\" d=\"M").number(x - 4).markup(" ").number(y - 7);
    page.markup(" H").number(x + 4).markup(" L").number(x).markup(" ").number(y).markup("Z\"/>\n");
}

/// A box cuts off whatever does not fit into it; all of it is in its title.
fn push_box(page: &mut Html, step: &Step, x: i32, y: i32) {
    let action = words::action(&step.action);
    let lines = fitted(&escaped(&action), COLUMNS, LINES);
    page.markup("<svg class=\"box ").markup(kind(&step.action)).markup("\" x=\"").number(x);
    page.markup("\" y=\"").number(y).markup("\" width=\"").number(WIDTH).markup("\" height=\"");
    page.number(HEIGHT).markup("\"><title>#").number(step.id).markup(" ").text(&action).markup(" ");
    page.text(&about(step)).markup("</title><rect x=\"1\" y=\"1\" width=\"").number(WIDTH - 2);
    page.markup("\" height=\"").number(HEIGHT - 2).markup("\" rx=\"6\"/>");
    page.markup("<path class=\"mark\" d=\"M4 9V").number(HEIGHT - 9).markup("\"/>");
    page.markup("<text class=\"small\" x=\"13\" y=\"17\">");
    let small = escaped(&format!("#{} {}", step.id, step.group));
    page.text(&fitted(&small, COLUMNS_SMALL, 1).concat()).markup("</text>");
    let first = if lines.len() == 1 { 39 } else { 34 };
    for (line, baseline) in lines.iter().zip((first..).step_by(15)) {
        page.markup("<text x=\"13\" y=\"").number(baseline).markup("\">").text(line).markup("</text>");
    }
    page.markup("</svg>\n");
}

/// What a step does to the host, as a colour; the words of the box say it too.
fn kind(action: &Action) -> &'static str {
    match action {
        one if one.prepares() => "k-prepare",
        one if one.waits() => "k-wait",
        Action::Create(_)
        | Action::Start { .. }
        | Action::Connect { .. }
        | Action::CreateNetwork { .. }
        | Action::CreateVolume { .. } => "k-up",
        Action::Stop { .. }
        | Action::Remove { .. }
        | Action::Disconnect { .. }
        | Action::Untag { .. }
        | Action::RemoveNetwork { .. }
        | Action::RemoveVolume { .. } => "k-down",
        _ => "k-change",
    }
}

/// Text in lines of so many columns, broken at spaces and slashes if there are any; what does not fit
/// is cut off, which is shown. Characters beyond ASCII count two: many of them are as wide as that.
fn fitted(text: &str, columns: usize, lines: usize) -> Vec<String> {
    let wide = |c: char| if c.is_ascii() { 1 } else { 2 };
    let chars: Vec<char> = text.chars().collect();
    let mut rest = chars.as_slice();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let mut used = 0;
        let fits = rest
            .iter()
            .take_while(|c| {
                used += wide(**c);
                used <= columns
            })
            .count()
            .max(1);
        if fits == rest.len() {
            found.push(rest.iter().collect());
            break;
        }
        if found.len() + 1 == lines {
            found.push(rest[..fits - 1].iter().chain(&['…']).collect());
            break;
        }
        let nice = rest[..fits].iter().rposition(|c| matches!(c, ' ' | '/'));
        let at = nice.filter(|at| *at > columns / 3).map_or(fits, |at| at + 1);
        found.push(rest[..at].iter().collect::<String>().trim_end().to_owned());
        rest = &rest[at..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_break_at_spaces_and_slashes_and_what_is_too_long_is_cut() {
        assert_eq!(fitted("stop nginx", 27, 2), ["stop nginx"]);
        assert_eq!(
            fitted("pull registry.example.com/web/nginx@aaaaaaaaaaaa", 27, 2),
            ["pull registry.example.com/", "web/nginx@aaaaaaaaaaaa"]
        );
        assert_eq!(fitted("abcdefghijkl", 4, 2), ["abcd", "efg…"]);
    }

    proptest! {
        #[test]
        fn no_line_is_longer_and_none_is_too_many(text in "[a-zß/ ]{0,200}", columns in 4_usize..40, lines in 1_usize..4) {
            let found = fitted(&text, columns, lines);
            prop_assert!(found.len() <= lines);
            for line in &found {
                prop_assert!(line.chars().count() <= columns, "{}", line);
            }
        }
    }
}
