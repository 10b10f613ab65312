//! Gates: entries `deploy.APP` that name exactly what may run.

use super::Value;
use crate::name::KeyPath;
use crate::problem::{Problem, Problems, Result, escaped};

/// Name of the table.
pub const TABLE: &str = "deploy";

/// What a gate may hold: `hold` stops changes, and says why if it is a text.
pub const FIELDS: [&str; 4] = ["image", "version", "digest", "hold"];

/// Checks a key of `deploy` that is to be written; other keys are fine. `value` is what shall stand
/// there, where that is known already.
///
/// # Errors
/// Where it is not `deploy.APP.FIELD` with a field that there is, or the value is of another type than
/// the field.
pub fn check_key(key: &KeyPath, value: Option<&Value>) -> Result<()> {
    let mut found = Vec::new();
    match key.parts() {
        [top] | [top, _] if top == TABLE => match value {
            None => {}
            Some(Value::Table(inner)) => {
                for (name, node) in inner {
                    let checked = check_key(&key.child(name.as_str()), Some(&node.value));
                    found.extend(checked.err().into_iter().flat_map(Problems::into_vec));
                }
            }
            Some(other) => found.push(mistyped(key, "table", other)),
        },
        [top, _, name] if top == TABLE => match name.as_str() {
            known if FIELDS.contains(&known) => {
                let fits = |value: &Value| match value {
                    Value::String(_) => true,
                    Value::Boolean(_) => known == "hold",
                    _ => false,
                };
                found.extend(
                    value.filter(|value| !fits(value)).map(|value| mistyped(key, "string", value)),
                );
            }
            _ => found.push(
                Problem::usage(format!("`{}` is not a field of a gate", escaped(name)))
                    .cause(format!("fields are {}; other values of an application go into a table of their own, say [{}]", FIELDS.join(", "), key.parts()[1]))
                    .nearest(name, FIELDS),
            ),
        },
        [top, ..] if top == TABLE => found.push(
            Problem::usage(format!("`{key}` is deeper than a gate"))
                .cause(format!("a gate is {TABLE}.APP.FIELD; an application with a dot in its name needs quotes")),
        ),
        _ => {}
    }
    Problems::check(found)
}

fn mistyped(key: &KeyPath, wanted: &str, value: &Value) -> Problem {
    Problem::usage(format!("`{key}` must be a {wanted}, not {}", value.a_kind()))
}

/// The key that was meant where a shell ate the quotes: `deploy.my.app.version` is
/// `deploy."my.app".version`.
pub fn unquoted_key(typed: &str) -> Option<KeyPath> {
    let (app, name) = typed.strip_prefix(TABLE)?.strip_prefix('.')?.rsplit_once('.')?;
    let parts = [TABLE, app, name].map(str::to_owned).to_vec();
    (FIELDS.contains(&name) && !app.is_empty()).then(|| KeyPath::from_parts(parts)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pillar::document::Document;

    fn fits(key: &str, toml: &str) -> Result<()> {
        let document = Document::parse("x.toml", format!("v = {toml}\n")).expect("TOML");
        let value = &document.get(&KeyPath::parse("v").expect("a key")).expect("a value").value;
        check_key(&KeyPath::parse(key).expect("a key"), Some(value))
    }

    #[test]
    fn a_gate_has_four_fields_and_nothing_deeper() {
        for (key, toml) in [
            ("deploy.nginx.version", "'1.10'"),
            ("deploy.nginx.hold", "true"),
            ("deploy.nginx.hold", "'a bad night'"),
            ("deploy.nginx", "{ image = 'x', version = '1' }"),
            ("nginx.deploy.x.y.z", "1"),
        ] {
            fits(key, toml).unwrap_or_else(|problems| panic!("{key}: {problems}"));
        }
        for (key, toml) in [
            ("deploy.nginx.verion", "'1'"),
            ("deploy.nginx.version", "1.1"),
            ("deploy.nginx.version", "true"),
            ("deploy.nginx", "'1'"),
            ("deploy.nginx", "{ port = 1 }"),
            ("deploy.my.app.version", "'1'"),
            ("deploy.nginx.version", "{ sealed = \"YQ==\", id = \"9f2c41d70b6e83aa\" }"),
        ] {
            assert!(fits(key, toml).is_err(), "{key} = {toml}");
        }
        let meant = unquoted_key("deploy.my.app.version").map(|key| key.to_string());
        assert_eq!(meant.as_deref(), Some("deploy.\"my.app\".version"));
    }
}
