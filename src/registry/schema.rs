//! What may stand below `registries`, looked at key by key: an entry may be made in several steps, so
//! it need not be whole.

use super::{FIELDS, Scope, TABLE};
use crate::name::KeyPath;
use crate::pillar::Value;
use crate::problem::{Problem, Problems, Result, escaped};

/// Checks a key of `registries` that is to be written; other keys are fine. `value` is what shall stand
/// there, where that is known already.
///
/// # Errors
/// Where it is not `registries.HOST.FIELD` with a field that there is, or the value is of another type
/// than the field.
pub fn check_key(key: &KeyPath, value: Option<&Value>) -> Result<()> {
    let mut found = Vec::new();
    match key.parts() {
        [top] if top == TABLE => tables(key, value, &mut found),
        [top, scope] if top == TABLE => {
            found.extend(Scope::parse(scope).err().into_iter().flat_map(Problems::into_vec));
            tables(key, value, &mut found);
        }
        [top, scope, name] if top == TABLE => {
            found.extend(Scope::parse(scope).err().into_iter().flat_map(Problems::into_vec));
            found.extend(field(key, name, value));
        }
        [top, ..] if top == TABLE => found.push(
            Problem::usage(format!("`{key}` is deeper than an entry of `{TABLE}`"))
                .cause(format!("an entry is {TABLE}.\"HOST\".FIELD; a host needs quotes")),
        ),
        _ => {}
    }
    Problems::check(found)
}

fn tables(key: &KeyPath, value: Option<&Value>, found: &mut Vec<Problem>) {
    match value {
        None => {}
        Some(Value::Table(inner)) => {
            for (name, node) in inner {
                let checked = check_key(&key.child(name.as_str()), Some(&node.value));
                found.extend(checked.err().into_iter().flat_map(Problems::into_vec));
            }
        }
        Some(other) => found.push(mistyped(key, "table", other)),
    }
}

fn field(key: &KeyPath, name: &str, value: Option<&Value>) -> Option<Problem> {
    let wanted = match name {
        "password" | "identity_token" => "sealed value",
        "anonymous" => "boolean",
        known if FIELDS.contains(&known) => "string",
        _ => {
            return Some(
                Problem::usage(format!("`{}` is not a field of a registry", escaped(name)))
                    .cause(format!("fields are {}", FIELDS.join(", ")))
                    .nearest(name, FIELDS),
            );
        }
    };
    value.filter(|value| value.kind() != wanted).map(|value| mistyped(key, wanted, value))
}

fn mistyped(key: &KeyPath, wanted: &str, value: &Value) -> Problem {
    Problem::usage(format!("`{key}` must be a {wanted}, not {}", value.a_kind()))
}

/// The key that was meant where a shell ate the quotes: `registries.ghcr.io/acme.username` is
/// `registries."ghcr.io/acme".username`.
pub fn unquoted_key(typed: &str) -> Option<KeyPath> {
    let (scope, name) = typed.strip_prefix(TABLE)?.strip_prefix('.')?.rsplit_once('.')?;
    let meant = FIELDS.contains(&name) && Scope::parse(scope).is_ok();
    let parts = [TABLE, scope, name].map(str::to_owned).to_vec();
    meant.then(|| KeyPath::from_parts(parts)).flatten()
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
    fn fields_of_an_entry_have_their_types() {
        const SEALED: &str = "{ sealed = \"YQ==\", id = \"9f2c41d70b6e83aa\" }";
        for (key, toml) in [
            (r#"registries."ghcr.io".username"#, "'u'"),
            (r#"registries."ghcr.io/acme".anonymous"#, "true"),
            (r#"registries."ghcr.io".password"#, SEALED),
            (r#"registries."ghcr.io""#, "{ username = 'u', email = 'e' }"),
            ("registries", "{ 'ghcr.io' = { anonymous = true } }"),
            ("api.registries.x.y.z", "1"),
        ] {
            fits(key, toml).unwrap_or_else(|problems| panic!("{key}: {problems}"));
        }
        for (key, toml) in [
            (r#"registries."ghcr.io".username"#, "1"),
            (r#"registries."ghcr.io".username"#, SEALED),
            (r#"registries."ghcr.io".anonymous"#, "'yes'"),
            (r#"registries."ghcr.io".usename"#, "'u'"),
            ("registries.ghcr.username", "'u'"),
            ("registries.ghcr.io.username", "'u'"),
            (r#"registries."ghcr.io""#, "{ user = 'u' }"),
            (r#"registries."ghcr.io""#, "'u'"),
            ("registries", "1"),
        ] {
            assert!(fits(key, toml).is_err(), "{key} = {toml}");
        }
    }

    #[test]
    fn quotes_that_a_shell_ate_are_put_back() {
        let meant = |typed: &str| unquoted_key(typed).map(|key| key.to_string());
        assert_eq!(meant("registries.ghcr.io.username").as_deref(), Some(r#"registries."ghcr.io".username"#));
        assert_eq!(
            meant("registries.localhost:5000/a.password").as_deref(),
            Some(r#"registries."localhost:5000/a".password"#)
        );
        assert_eq!(meant("registries.ghcr.io.user"), None);
        assert_eq!(meant("deploy.ghcr.io.username"), None);
    }
}
