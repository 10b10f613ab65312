//! Keys as they are typed in a shell, which may have removed the quotes.

use crate::name::KeyPath;
use crate::problem::{Problem, Result, escaped, quoted};

/// The key that was typed: a TOML dotted key, or, where no such key is there, the one existing key
/// whose parts joined by dots are what was typed: the shell hands `registries."ghcr.io".username`
/// over as `registries.ghcr.io.username`.
///
/// # Errors
/// If the text is no key, or several keys fit.
pub fn resolve_key<'a>(typed: &str, existing: impl IntoIterator<Item = &'a KeyPath>) -> Result<KeyPath> {
    let parsed = KeyPath::parse(typed);
    let mut fits: Vec<&KeyPath> = Vec::new();
    for key in existing {
        if parsed.as_ref().is_ok_and(|parsed| parsed == key) {
            return Ok(key.clone());
        }
        if key.parts().join(".") == typed && !fits.contains(&key) {
            fits.push(key);
        }
    }
    match fits.as_slice() {
        [] => parsed,
        [one] => Ok((*one).clone()),
        several => Err(several
            .iter()
            .fold(Problem::usage(format!("`{}` fits several keys", escaped(typed))), |problem, key| {
                problem.hint(format!("write {}", quoted(&key.to_string())))
            })
            .into()),
    }
}
