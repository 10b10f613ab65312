//! `workspace` in `~/.config/pillarbox/config.toml`: the one that the helper answers from, whatever the
//! current folder is.

use crate::docker_config::Splice;
use crate::problem::{Problem, Result};
use std::path::{Path, PathBuf};

/// What becomes of the file.
pub(super) enum Named {
    /// It names this workspace.
    This,
    /// It names another one, which stays.
    Other(PathBuf),
    /// It shall be written.
    Write(Vec<Splice>),
}

/// The change that makes a config name a workspace; `named` is the one that it names now, which stays
/// unless `replace`.
///
/// # Errors
/// Where the file cannot be changed.
pub(super) fn name(text: Option<&str>, named: Option<PathBuf>, root: &Path, replace: bool) -> Result<Named> {
    let value = toml_edit::Value::from(root.display().to_string());
    let value = value.decorated("", "").to_string();
    let text = text.unwrap_or_default();
    match named {
        Some(named) if named.canonicalize().is_ok_and(|named| named == root) => Ok(Named::This),
        Some(named) if !replace => Ok(Named::Other(named)),
        Some(_) => {
            let parsed = toml_edit::Document::parse(text)
                .map_err(|error| Problem::failed("config.toml is not TOML").cause(error.message()))?;
            let range = parsed.get("workspace").and_then(toml_edit::Item::span);
            let range = range.ok_or_else(|| Problem::failed("`workspace` was not found in config.toml"))?;
            let removed = text.get(range.clone()).unwrap_or_default().to_owned();
            Ok(Named::Write(vec![Splice { at: range.start, removed, inserted: value }]))
        }
        // Before any table, where a key is one of the file itself.
        None => {
            let inserted = format!("workspace = {value}\n");
            Ok(Named::Write(vec![Splice { at: 0, removed: String::new(), inserted }]))
        }
    }
}
