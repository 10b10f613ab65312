//! Secrets in what Salt has rendered: found by the values of the pillar, and put back as expressions.

use super::pillar::{LeafValue, PillarLeaf};
use crate::name::KeyPath;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Words in a name that mean a secret, wherever they stand.
const PARTS: [&str; 6] = ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "CREDENTIAL", "PRIVATE"];

/// Words of a name that mean one by themselves.
const WORDS: [&str; 9] = ["DSN", "KEY", "KEYS", "PASS", "PASSPHRASE", "PAT", "PEPPER", "PWD", "SALT"];

/// Words at the end of a name of something that is no secret itself.
const ENDS: [&str; 8] = ["FILE", "PATH", "DIR", "LENGTH", "TTL", "EXPIRY", "NAME", "ID"];

/// The least bytes of a secret that is looked for within longer texts: a shorter one is found by accident.
const LEAST_PART: usize = 6;

/// Whether a value looks like a secret by what it is called, or what is in it.
pub fn looks_secret(name: &str, value: &str) -> bool {
    let upper = name.to_uppercase();
    let words: Vec<&str> = upper.split(['_', '-', '.']).collect();
    let named =
        PARTS.iter().any(|part| upper.contains(part)) || words.iter().any(|word| WORDS.contains(word));
    let other = words.last().is_some_and(|last| ENDS.contains(last)) || words.contains(&"PUBLIC");
    (named && !other) || holds_password(value) || is_private_key(value)
}

/// An address with a user and a password: `postgres://shop:pw@db/shop`.
fn holds_password(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    user.and_then(|user| user.split_once(':')).is_some_and(|(_, password)| !password.is_empty())
}

fn is_private_key(value: &str) -> bool {
    value.contains("PRIVATE KEY-----")
}

/// The secrets of a minion.
#[derive(Debug, Default)]
pub struct Secrets {
    /// By their whole values; those that are sealed, and others, which are if a state says that they are secret.
    whole: HashMap<String, KeyPath>,
    /// Sealed ones that are looked for within texts, the longest first.
    parts: Vec<(String, KeyPath)>,
    /// Values of the pillar that look harmless there and are secret for a state.
    promoted: BTreeSet<KeyPath>,
    /// Secrets that are in no pillar.
    new: BTreeMap<KeyPath, String>,
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    Clear(&'t str),
    Secret(KeyPath),
}

impl Secrets {
    /// Those of a pillar.
    pub fn of(leaves: &[PillarLeaf]) -> Self {
        let mut secrets = Self::default();
        let texts =
            leaves.iter().filter(|leaf| leaf.left_out.is_none()).filter_map(|leaf| match &leaf.value {
                LeafValue::Text(text) if !text.is_empty() => Some((leaf, text)),
                _ => None,
            });
        for (leaf, text) in texts {
            let before = secrets.whole.get(text);
            if before.is_none() || leaf.is_sealed {
                secrets.whole.insert(text.clone(), leaf.key.clone());
            }
            if leaf.is_sealed && text.len() >= LEAST_PART {
                secrets.parts.push((text.clone(), leaf.key.clone()));
            }
            if leaf.is_sealed {
                secrets.promoted.insert(leaf.key.clone());
            }
        }
        secrets.parts.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.1.cmp(&b.1)));
        secrets
    }

    /// Keys of the pillar that are to be sealed.
    pub fn sealed(&self) -> &BTreeSet<KeyPath> {
        &self.promoted
    }

    /// Secrets that are in no pillar, with the keys that they get.
    pub fn new_ones(&self) -> &BTreeMap<KeyPath, String> {
        &self.new
    }

    /// A text without secrets of the pillar, or cut at them.
    pub(super) fn cut<'t>(&self, text: &'t str) -> Vec<Piece<'t>> {
        if let Some(key) = self.whole.get(text).filter(|key| self.promoted.contains(*key)) {
            return vec![Piece::Secret(key.clone())];
        }
        let mut pieces = vec![Piece::Clear(text)];
        for (secret, key) in &self.parts {
            if !text.contains(secret.as_str()) {
                continue;
            }
            let mut cut = Vec::with_capacity(pieces.len() + 2);
            for piece in pieces {
                let Piece::Clear(text) = piece else {
                    cut.push(piece);
                    continue;
                };
                let mut rest = text;
                while let Some((before, after)) = rest.split_once(secret.as_str()) {
                    cut.extend((!before.is_empty()).then_some(Piece::Clear(before)));
                    cut.push(Piece::Secret(key.clone()));
                    rest = after;
                }
                cut.extend((!rest.is_empty()).then_some(Piece::Clear(rest)));
            }
            pieces = cut;
        }
        pieces
    }

    /// A variable that is secret by its name or value: the value of the pillar that it is, or a new one at `key`.
    pub(super) fn variable<'t>(&mut self, name: &str, text: &'t str, key: &KeyPath) -> Vec<Piece<'t>> {
        let pieces = self.cut(text);
        if pieces != [Piece::Clear(text)] || text.is_empty() || !looks_secret(name, text) {
            return pieces;
        }
        match self.whole.get(text).cloned() {
            Some(known) if text.len() >= LEAST_PART => {
                self.promoted.insert(known.clone());
                vec![Piece::Secret(known)]
            }
            _ => {
                self.new.insert(key.clone(), text.to_owned());
                vec![Piece::Secret(key.clone())]
            }
        }
    }
}

/// The expression for a value of the pillar.
pub(super) fn expression(keys: &[String]) -> String {
    let mut written = "pillar".to_owned();
    for key in keys {
        let first = key.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        if first && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            written.push('.');
            written.push_str(key);
        } else {
            let quoted = key.replace('\\', "\\\\").replace('"', "\\\"");
            written.push_str(&format!("[\"{quoted}\"]"));
        }
    }
    format!("{{{{ {written} }}}}")
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
            assert!(looks_secret(name, "x"), "{name}");
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
            assert!(!looks_secret(name, "x"), "{name}");
        }
        assert!(looks_secret("DATABASE_URL", "postgres://shop:pw@db:5432/shop"));
        for value in ["postgres://shop@db/shop", "http://db:80/a@b:c", "a:b@c", ""] {
            assert!(!looks_secret("DATABASE_URL", value), "{value}");
        }
    }
}
