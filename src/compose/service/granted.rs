//! What entries of `secrets` and `configs` have in common: a service is granted a source that the file declares at its
//! top level, with an owner and a mode.

use crate::compose::scalar::{Resolved, resolve};
use crate::compose::value::{arg, clear, text_at};
use crate::compose::yaml::{Map, Node};
use crate::problem::Problem;
use crate::state::Arg;
use std::collections::BTreeMap;

/// The source of an entry, in the short or the long form.
pub(super) fn source(key: &str, node: &Node) -> Result<String, Problem> {
    match node.map().map(|map| map.get("source")) {
        None => clear(key, node),
        Some(Some(source)) => clear(&format!("{key}.source"), source),
        Some(None) => Err(Problem::failed(format!("an entry of `{key}` has no `source`"))
            .at(&node.place)
            .hint(format!("write `source: NAME`, where NAME is one of the `{key}` at the top level"))),
    }
}

/// Owner and mode of an entry, as options of a file.
pub(super) fn owner_and_mode(map: &Map) -> BTreeMap<String, Arg> {
    let mut fields = BTreeMap::new();
    for key in ["uid", "gid"] {
        if let Some(node) = map.get(key) {
            fields.insert(key.to_owned(), arg(node));
        }
    }
    if let Some(node) = map.get("mode") {
        let mode = match node.scalar().map(resolve) {
            // `0440` is octal already, and `"0440"` is meant so.
            Some(Resolved::Integer(mode)) => text_at(node, format!("{mode:04o}")),
            _ => arg(node),
        };
        fields.insert("mode".to_owned(), mode);
    }
    fields
}
