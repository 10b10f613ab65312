//! Which variables of a file go into the pillar, and which of them are sealed.

use super::AddOptions;
use crate::problem::{Place, Problem, Problems, Result, escaped};
use std::collections::{BTreeMap, BTreeSet};

/// Words in a name that mean a secret, wherever they stand.
const PARTS: [&str; 6] = ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "CREDENTIAL", "PRIVATE"];

/// Words of a name that mean one by themselves.
const WORDS: [&str; 9] = ["DSN", "KEY", "KEYS", "PASS", "PASSPHRASE", "PAT", "PEPPER", "PWD", "SALT"];

/// Words at the end of a name of something that is no secret itself.
const ENDS: [&str; 8] = ["FILE", "PATH", "DIR", "LENGTH", "TTL", "EXPIRY", "NAME", "ID"];

/// A variable that goes into the pillar.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) sealed: bool,
    /// It has a value there already, which stays.
    pub(super) is_there: bool,
}

/// Variables that a project asks for, of those that are given.
///
/// # Errors
/// Where `--seal` or `--clear` name what is not there, or both the same.
pub(super) fn rows(
    given: &BTreeMap<String, (String, Place)>,
    asked: &BTreeSet<String>,
    is_there: impl Fn(&str) -> bool,
    options: &AddOptions,
) -> Result<Vec<Row>> {
    let mut problems = Vec::new();
    for name in options.seal.iter().chain(&options.clear) {
        let names = || given.keys().filter(|name| asked.contains(*name)).map(String::as_str);
        if !names().any(|known| known == name) {
            problems.push(
                Problem::usage(format!("there is no variable {} that the files refer to", escaped(name)))
                    .nearest(name, names()),
            );
        }
        if options.seal.contains(name) && options.clear.contains(name) {
            let what = format!("the variable {} is to be sealed and in clear", escaped(name));
            problems.push(Problem::usage(what));
        }
    }
    problems.dedup();
    Problems::check(problems)?;
    let wanted = given.iter().filter(|(name, _)| asked.contains(*name));
    Ok(wanted
        .map(|(name, (value, _))| Row {
            sealed: !value.is_empty()
                && !options.clear.contains(name)
                && (options.seal.contains(name) || is_secret(name, value)),
            is_there: is_there(name),
            name: name.clone(),
            value: value.clone(),
        })
        .collect())
}

/// Whether a variable looks like a secret.
fn is_secret(name: &str, value: &str) -> bool {
    let upper = name.to_uppercase();
    let words: Vec<&str> = upper.split(['_', '-', '.']).collect();
    let named =
        PARTS.iter().any(|part| upper.contains(part)) || words.iter().any(|word| WORDS.contains(word));
    let other = words.last().is_some_and(|last| ENDS.contains(last)) || words.contains(&"PUBLIC");
    (named && !other) || holds_password(value)
}

/// An address with a user and a password: `postgres://shop:pw@db/shop`.
fn holds_password(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    user.and_then(|user| user.split_once(':')).is_some_and(|(_, password)| !password.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_that_look_like_secrets_are_told_from_others() {
        for name in [
            "DB_PASSWORD",
            "db_password",
            "POSTGRES_PASSWD",
            "API_TOKEN",
            "S3_SECRET_KEY",
            "APP_KEY",
            "SENTRY_DSN",
            "MYSQL_PASS",
            "AUTH_SALT",
            "APIKEYSECRET",
            "RESTIC_PASSWORD2",
        ] {
            assert!(is_secret(name, "x"), "{name}");
        }
        for name in [
            "API_TAG",
            "KEYCLOAK_URL",
            "MONKEY",
            "PASSENGER_WORKERS",
            "DB_PASSWORD_FILE",
            "KEY_PATH",
            "PUBLIC_KEY",
            "TOKEN_TTL",
            "SECRET_NAME",
            "AWS_ACCESS_KEY_ID",
            "COMPASS",
        ] {
            assert!(!is_secret(name, "x"), "{name}");
        }
        assert!(is_secret("DATABASE_URL", "postgres://shop:pw@db:5432/shop"));
        for value in ["postgres://shop@db/shop", "http://db:80/a@b:c", "a:b@c", ""] {
            assert!(!is_secret("DATABASE_URL", value), "{value}");
        }
    }
}
