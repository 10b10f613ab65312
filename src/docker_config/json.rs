//! Strict JSON with positions. Both clients read it with Go's encoding/json: no comments, no commas at the
//! end, and names of fields match in any case.

use crate::problem::{Place, Problem, Result, escaped};
use jsonc_parser::ast::{Object, ObjectProp, StringLit, Value};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde::de::IgnoredAny;

/// The object that a file holds. A file without anything in it counts as one without fields.
///
/// # Errors
/// Where it is not JSON, with line and column, or not an object.
pub(super) fn object<'t>(text: &'t str, file: &str) -> Result<Option<Object<'t>>> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    // It bounds how deep a text may nest, which the parser with positions does not.
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        let line = u32::try_from(error.line()).unwrap_or(u32::MAX);
        let mut said = error.to_string();
        said.truncate(said.find(" at line ").unwrap_or(said.len()));
        return Err(broken(file, line, error.column(), &said).into());
    }
    let strict = ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let parsed = parse_to_ast(text, &CollectOptions::default(), &strict).map_err(|error| {
        let (line, column) = position(text, error.range().start);
        broken(file, line, column, &error.kind().to_string())
    })?;
    match parsed.value {
        Some(Value::Object(object)) => Ok(Some(object)),
        _ => Err(Problem::failed("this is JSON, but not an object").at(&Place::new(file, 1)).into()),
    }
}

fn broken(file: &str, line: u32, column: usize, why: &str) -> Problem {
    Problem::failed(format!("this is not JSON: line {line}, column {column}"))
        .at(&Place::new(file, line))
        .cause(why.to_owned())
        .hint("nothing was changed; fix the file, or move it away")
}

/// Where the lines of a text begin: for files in which many places are looked up.
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(ends.map(|(at, _)| at).collect())
    }

    /// The line of a byte, counted from 1.
    pub(super) fn line(&self, at: usize) -> u32 {
        u32::try_from(self.0.partition_point(|end| *end < at) + 1).unwrap_or(u32::MAX)
    }
}

/// The line of a byte, counted from 1.
pub(super) fn line_of(text: &str, at: usize) -> u32 {
    position(text, at).0
}

fn position(text: &str, at: usize) -> (u32, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), column)
}

/// A field by its name in any case, as Go finds it.
///
/// # Errors
/// Where it stands more than once: the clients would take one of them, or both.
pub(super) fn field<'o, 't>(
    text: &str,
    file: &str,
    object: &'o Object<'t>,
    name: &str,
) -> Result<Option<&'o ObjectProp<'t>>> {
    let mut found = object.properties.iter().filter(|field| field.name.as_str().eq_ignore_ascii_case(name));
    let first = found.next();
    match found.next() {
        Some(second) => {
            let place = Place::new(file, line_of(text, second.range.start));
            Err(Problem::failed(format!("`{name}` appears twice")).at(&place).hint("keep one of them").into())
        }
        None => Ok(first),
    }
}

/// A field that holds an object; `null` counts as absent, as in Go.
pub(super) fn table<'o, 't>(
    text: &str,
    file: &str,
    object: &'o Object<'t>,
    name: &str,
) -> Result<Option<&'o Object<'t>>> {
    match field(text, file, object, name)?.map(|field| &field.value) {
        None | Some(Value::NullKeyword(_)) => Ok(None),
        Some(Value::Object(inner)) => Ok(Some(inner)),
        Some(other) => {
            let place = Place::new(file, line_of(text, start(other)));
            Err(Problem::failed(format!("`{}` is not an object", escaped(name))).at(&place).into())
        }
    }
}

/// A field that holds a text; an empty one and `null` count as absent.
pub(super) fn string<'o, 't>(
    text: &str,
    file: &str,
    object: &'o Object<'t>,
    name: &str,
) -> Result<Option<&'o StringLit<'t>>> {
    match field(text, file, object, name)?.map(|field| &field.value) {
        None | Some(Value::NullKeyword(_)) => Ok(None),
        Some(Value::StringLit(found)) => Ok(Some(found).filter(|found| !found.value.is_empty())),
        Some(other) => {
            let place = Place::new(file, line_of(text, start(other)));
            Err(Problem::failed(format!("`{}` is not a string", escaped(name))).at(&place).into())
        }
    }
}

/// Where a value begins.
pub(super) fn start(value: &Value<'_>) -> usize {
    use jsonc_parser::common::Ranged;
    value.range().start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_would_not_read_is_refused_with_line_and_column() {
        for (text, at) in [
            ("{\n  \"auths\": {},\n}", "line 3, column 1"),
            ("{ // no\n}", "line 1, column 3"),
            ("{'a': 1}", "line 1, column 2"),
            ("{\"a\": 0x1}", "line 1"),
            ("{\"a\": 1} x", "line 1, column 10"),
            ("{\"a\": \"", "line 1"),
            ("\u{feff}{}", "line 1, column 1"),
        ] {
            let problems = object(text, "config.json").expect_err(text);
            assert!(problems.to_string().contains(at), "{text:?}: {problems}");
        }
        assert!(object("[]", "config.json").is_err());
        assert!(object(&"[".repeat(1_000_000), "config.json").is_err());
        assert!(object(&"{\"a\":".repeat(100_000), "config.json").is_err());
        assert!(object(" \n", "config.json").expect("nothing").is_none());
    }

    #[test]
    fn fields_are_found_in_any_case_and_twice_is_refused() {
        let text = "{\"CredHelpers\": {}, \"credsstore\": \"pass\", \"x\": null}";
        let root = object(text, "f").expect("JSON").expect("an object");
        assert!(table(text, "f", &root, "credHelpers").expect("one").is_some());
        assert_eq!(string(text, "f", &root, "credsStore").expect("one").expect("pass").value, "pass");
        assert!(table(text, "f", &root, "x").expect("null").is_none());
        let text = "{\"auths\": {},\n\"Auths\": {}}";
        let root = object(text, "f").expect("JSON").expect("an object");
        assert!(table(text, "f", &root, "auths").expect_err("twice").to_string().contains("f:2"));
    }
}
