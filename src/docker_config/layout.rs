//! New properties of a JSON object as its neighbours are written, and properties taken out.

use super::splice::Splice;
use jsonc_parser::ast::{Object, ObjectProp};
use jsonc_parser::common::Ranged;
use std::ops::Range;

/// How a file is written.
pub(super) struct Layout<'t> {
    text: &'t str,
    newline: &'t str,
    /// One step of indentation.
    unit: &'t str,
    /// Between a name and its value.
    colon: &'t str,
    /// Whether objects have a line for each property.
    tall: bool,
}

impl<'t> Layout<'t> {
    /// That of a file; one without properties is written as docker writes it, with tabs.
    pub(super) fn of(text: &'t str, root: Option<&Object<'_>>) -> Self {
        let first = root.and_then(|root| Some((root, root.properties.first()?)));
        let gap = first.map_or("\n\t", |(root, first)| &text[root.range.start + 1..first.range.start]);
        let tall = gap.contains('\n');
        let colon = first.map_or(": ", |(_, first)| &text[first.name.range().end..start(first)]);
        let unit = if tall { gap.rsplit('\n').next().unwrap_or("\t") } else { "" };
        let newline = if gap.contains("\r\n") { "\r\n" } else { "\n" };
        Self { text, newline, unit, colon, tall }
    }

    /// One step of indentation.
    pub(super) fn unit(&self) -> &'t str {
        self.unit
    }

    /// `name: value` pairs in braces; `indent` is that of the line on which the braces stand.
    pub(super) fn object(&self, indent: &str, pairs: &[(String, String)]) -> String {
        format!("{{{}}}", self.inside(indent, pairs))
    }

    fn inside(&self, indent: &str, pairs: &[(String, String)]) -> String {
        let inner = format!("{indent}{}", self.unit);
        let pairs: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{name}{}{value}", self.colon)).collect();
        match (self.tall, self.newline) {
            (true, end) => {
                let between = format!(",{end}{inner}");
                format!("{end}{inner}{}{end}{indent}", pairs.join(&between))
            }
            (false, _) => pairs.join(if self.colon.ends_with(' ') { ", " } else { "," }),
        }
    }

    /// The indentation that a new property of an object gets.
    pub(super) fn indent_in(&self, object: &Object<'_>) -> String {
        match object.properties.last() {
            Some(last) => {
                self.gap(object, last).rsplit_once('\n').map_or("", |(_, indent)| indent).to_owned()
            }
            None => format!("{}{}", self.indent_of(object.range.start), self.unit),
        }
    }

    /// Adds properties at the end of an object.
    pub(super) fn append(&self, object: &Object<'_>, pairs: &[(String, String)]) -> Splice {
        let Some(last) = object.properties.last() else {
            let inside = object.range.start + 1..object.range.end - 1;
            let inserted = self.inside(self.indent_of(object.range.start), pairs);
            return Splice { at: inside.start, removed: self.text[inside].to_owned(), inserted };
        };
        let gap = match self.gap(object, last) {
            "" if object.properties.len() == 1 && self.colon.ends_with(' ') => " ",
            gap => gap,
        };
        let inserted =
            pairs.iter().map(|(name, value)| format!(",{gap}{name}{}{value}", self.colon)).collect();
        Splice { at: last.range.end, removed: String::new(), inserted }
    }

    /// White space before a property.
    fn gap(&self, object: &Object<'_>, property: &ObjectProp<'_>) -> &'t str {
        let before = &self.text[object.range.start + 1..property.range.start];
        &before[before.trim_end().len()..]
    }

    /// The indentation of the line of a byte.
    fn indent_of(&self, at: usize) -> &'t str {
        let line = self.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let rest = &self.text[line..];
        &rest[..rest.len() - rest.trim_start_matches([' ', '\t']).len()]
    }
}

/// Takes properties out of an object, with the commas that go with them. Those that stay must not be none:
/// else the whole object is taken out.
pub(super) fn cuts(text: &str, object: &Object<'_>, goes: impl Fn(&ObjectProp<'_>) -> bool) -> Vec<Splice> {
    let all = &object.properties;
    let first_kept = all.iter().position(|property| !goes(property)).unwrap_or(all.len());
    let range = |(index, property): (usize, &ObjectProp<'_>)| -> Range<usize> {
        match (index < first_kept, all.get(index + 1)) {
            (true, Some(next)) => property.range.start..next.range.start,
            (true, None) => property.range.start..property.range.end,
            (false, _) => all[index - 1].range.end..property.range.end,
        }
    };
    let cut = |range: Range<usize>| Splice {
        at: range.start,
        removed: text[range].to_owned(),
        inserted: String::new(),
    };
    all.iter().enumerate().filter(|(_, property)| goes(property)).map(range).map(cut).collect()
}

fn start(property: &ObjectProp<'_>) -> usize {
    property.value.range().start
}
