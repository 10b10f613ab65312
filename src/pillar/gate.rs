//! Gates: entries `deploy.APP` that name exactly what may run.

mod allow;
mod read;

pub use allow::Constraint;
pub use read::{Gate, Gates, Hold, Sourced};

use super::Value;
use super::schema::{Field, Schema};
use crate::name::KeyPath;
use crate::problem::{Result, escaped, quoted};

/// Name of the table.
pub const TABLE: &str = "deploy";

const TEXT: &[&str] = &["string"];

static SCHEMA: Schema = Schema {
    table: TABLE,
    entry: "a gate",
    shape: "a gate is deploy.APP.FIELD; an application with a dot in its name needs quotes",
    elsewhere: Some("other values of an application go into a table of their own, say [api]"),
    name: |_| Ok(()),
    fields: &[
        Field { name: "image", kinds: TEXT },
        Field { name: "version", kinds: TEXT },
        Field { name: "digest", kinds: TEXT },
        Field { name: "hold", kinds: &["string", "boolean"] },
        Field { name: "allow", kinds: TEXT },
    ],
};

/// The key of a gate, or of one of its fields; `None` if the name is empty.
pub fn key(app: &str, field: Option<&str>) -> Option<KeyPath> {
    let parts = [Some(TABLE), Some(app), field].into_iter().flatten().map(str::to_owned);
    KeyPath::from_parts(parts.collect()).filter(|_| !app.is_empty())
}

/// Checks a key of `deploy` that is to be written; see [`Schema::check_key`].
///
/// # Errors
/// If it is not `deploy.APP.FIELD` with a field that there is, or the value is of another type than
/// the field.
pub fn check_key(key: &KeyPath, value: Option<&Value>) -> Result<()> {
    SCHEMA.check_key(key, value)
}

/// The key that was meant where a shell ate the quotes: `deploy.my.app.version` is
/// `deploy."my.app".version`.
pub fn unquoted_key(typed: &str) -> Option<KeyPath> {
    SCHEMA.unquoted_key(typed)
}

/// What to write where an expression or a program reads `pillar.deploy.APP.version`, and there is none.
pub fn no_version(path: &str) -> Option<String> {
    let app = match path.strip_prefix("pillar.")?.strip_prefix(TABLE)? {
        "" => "APP",
        below => below.strip_prefix('.')?,
    };
    let app = escaped(app.strip_suffix(".version").unwrap_or(app));
    let is_one = !app.contains('.') || app.starts_with('"');
    is_one.then(|| {
        format!(
            "say in the pillar which version runs: [{TABLE}.{app}] version = \"…\", or: pillarbox gate set {} VERSION",
            quoted(app.trim_matches('"'))
        )
    })
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
    fn a_gate_has_five_fields_and_nothing_deeper() {
        for (key, toml) in [
            ("deploy.nginx.version", "'1.10'"),
            ("deploy.nginx.hold", "true"),
            ("deploy.nginx.hold", "'a bad night'"),
            ("deploy.nginx.allow", "'>=1.4, <2'"),
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
