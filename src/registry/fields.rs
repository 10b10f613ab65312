//! What may stand below `registries`: the one table of its fields.

use super::scope::Scope;
use crate::name::KeyPath;
use crate::pillar::Value;
use crate::pillar::schema::{Field, Schema};
use crate::problem::Result;

/// Name of the table.
pub const TABLE: &str = "registries";

/// The user, in clear.
pub const USERNAME: &str = "username";
/// The password, sealed.
pub const PASSWORD: &str = "password";
/// A token, sealed, as `docker login` gets from some registries.
pub const IDENTITY_TOKEN: &str = "identity_token";
/// The external credential helper that is asked.
pub const HELPER: &str = "helper";
/// Nothing is sent.
pub const ANONYMOUS: &str = "anonymous";
/// What `docker login` once asked for; it is not sent.
pub const EMAIL: &str = "email";
/// When the secret beside it ends, if it says so or is of a kind that lasts for hours; it is not sent.
pub const EXPIRES: &str = "expires";

const TEXT: &[&str] = &["string"];
const SEALED: &[&str] = &["sealed value"];

static SCHEMA: Schema = Schema {
    table: TABLE,
    entry: "a registry",
    shape: "an entry is registries.\"HOST\".FIELD; a host needs quotes",
    elsewhere: None,
    name: |scope| Scope::parse(scope).map(drop),
    fields: &[
        Field { name: USERNAME, kinds: TEXT },
        Field { name: PASSWORD, kinds: SEALED },
        Field { name: IDENTITY_TOKEN, kinds: SEALED },
        Field { name: HELPER, kinds: TEXT },
        Field { name: ANONYMOUS, kinds: &["boolean"] },
        Field { name: EMAIL, kinds: TEXT },
        Field { name: EXPIRES, kinds: &["datetime"] },
    ],
};

/// Names of the fields.
pub fn fields() -> impl Iterator<Item = &'static str> + Clone {
    SCHEMA.fields()
}

/// The key of a registry, or of a field of it.
pub(super) fn key_path(registry: &str, field: Option<&str>) -> String {
    let parts = [Some(TABLE), Some(registry), field].into_iter().flatten();
    KeyPath::from_parts(parts.map(str::to_owned).collect()).map(|path| path.to_string()).unwrap_or_default()
}

/// Checks a key of `registries` that is to be written; see [`Schema::check_key`].
///
/// # Errors
/// Where it is not `registries.HOST.FIELD` with a field that there is, or the value is of another type
/// than the field.
pub fn check_key(key: &KeyPath, value: Option<&Value>) -> Result<()> {
    SCHEMA.check_key(key, value)
}

/// The key that was meant where a shell ate the quotes: `registries.ghcr.io/acme.username` is
/// `registries."ghcr.io/acme".username`.
pub fn unquoted_key(typed: &str) -> Option<KeyPath> {
    SCHEMA.unquoted_key(typed)
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
