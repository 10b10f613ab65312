//! Variables that sh (`. FILE`), `docker-compose` (python-dotenv) and `docker compose` (compose-go's dotenv) read
//! as the same text. Their escapes differ, so a value is quoted and never escaped:
//!
//! | quotes | sh | python-dotenv | compose-go |
//! |---|---|---|---|
//! | `'…'` | as it is | `\\` and `\'` are escapes, `${…}` is replaced | `\'` is an escape |
//! | `"…"` | `$`, backtick and `\` mean something | `\` and `${` mean something | `\` and `$` mean something |

use super::{Exported, cannot};
use crate::problem::{Problem, Problems, Result};
use crate::registry::{How, Scope};
use crate::secret::Secret;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// The first part of the names of all variables of a registry: `REGISTRY_GHCR_IO_ACME`.
pub(super) fn name(scope: &Scope) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("REGISTRY_{}", scope.to_string().chars().map(letter).collect::<String>())
}

/// All variables, a line each.
///
/// # Errors
/// Where a value cannot be quoted so that all readers read the same, or two registries have one name.
pub(super) fn text(all: &[Exported<'_>]) -> Result<Secret> {
    let (mut lines, mut wrong) = (Vec::new(), Vec::new());
    let mut names: BTreeMap<String, &Scope> = BTreeMap::new();
    for Exported { entry, secret } in all {
        let name = name(&entry.scope);
        if let Some(other) = names.insert(name.clone(), &entry.scope) {
            wrong.push(
                Problem::failed(format!("{other} and {} would both be {name}_…", entry.scope))
                    .at(&entry.place)
                    .hint("export them one by one: --registry HOST"),
            );
        }
        let secret = secret.as_ref().and_then(Secret::reveal_text);
        let values = match (&entry.how, secret) {
            (How::Basic { username, .. }, Some(secret)) => {
                vec![("USERNAME", username.as_str()), ("PASSWORD", secret)]
            }
            (How::IdentityToken(_), Some(secret)) => vec![("IDENTITY_TOKEN", secret)],
            (_, _) => {
                wrong.push(cannot(entry, "it is not UTF-8 text"));
                continue;
            }
        };
        for (field, value) in values {
            match quote(value) {
                Ok(quote) => lines.push(Zeroizing::new(format!("{name}_{field}={quote}{value}{quote}\n"))),
                Err(why) => wrong.push(
                    cannot(entry, why).hint("other formats carry it: --format docker, podman or kubernetes"),
                ),
            }
        }
    }
    Problems::check(wrong)?;
    let mut text = Zeroizing::new(String::with_capacity(lines.iter().map(|line| line.len()).sum()));
    lines.iter().for_each(|line| text.push_str(line));
    Ok(Secret::from(std::mem::take(&mut *text)))
}

/// The quotes in which all readers read a value as it is.
fn quote(value: &str) -> Result<char, &'static str> {
    if value.contains(['\n', '\r']) {
        return Err("it has more than one line, which readers of .env files do not agree on");
    }
    if value.contains(char::is_control) {
        return Err("it has a control character");
    }
    let is_single = !["'", r"\\", "${"].iter().any(|part| value.contains(part)) && !value.ends_with('\\');
    match is_single {
        true => Ok('\''),
        false if !value.contains(['"', '$', '`', '\\']) => Ok('"'),
        false => Err("its quotes, backslashes or `${` mean something else to sh than to Compose"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_gets_the_quotes_in_which_every_reader_reads_the_same() {
        for (value, expected) in [
            ("p", Some('\'')),
            ("a b#c$D`e`\"f\"!é~", Some('\'')),
            ("a\\b", Some('\'')),
            ("it's", Some('"')),
            ("it's $5", None),
            ("a${b}", None),
            ("it's \"x\"", None),
            ("a\\\\b", None),
            ("a\\", None),
            ("a\\'b", None),
            ("a\nb", None),
            ("a\u{1b}b", None),
        ] {
            assert_eq!(quote(value).ok(), expected, "{value:?}");
        }
    }

    #[test]
    fn the_name_of_a_variable_is_one_for_every_registry() {
        for (scope, expected) in [
            ("ghcr.io/acme", "REGISTRY_GHCR_IO_ACME"),
            ("https://index.docker.io/v1/", "REGISTRY_DOCKER_IO"),
            ("123.dkr.ecr.eu-west-1.amazonaws.com", "REGISTRY_123_DKR_ECR_EU_WEST_1_AMAZONAWS_COM"),
            ("localhost:5000", "REGISTRY_LOCALHOST_5000"),
        ] {
            assert_eq!(name(&Scope::parse(scope).expect("a scope")), expected);
        }
    }
}
