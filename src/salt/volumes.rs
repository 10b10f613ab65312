//! `volumes` are paths in the container, and `binds` what is mounted at them; both may stand side by side.

use super::values::{derived, listed, printed, repacked, text};
use crate::state::{Arg, ArgValue};
use std::collections::BTreeMap;

/// Puts both under our name, `volumes`.
pub(super) fn volumes(args: &mut BTreeMap<String, Arg>) {
    let written = ["binds", "volumes", "volume"].map(|name| args.remove(name));
    let Some(place) = written.iter().flatten().next().cloned() else { return };
    let mut all: Vec<Arg> = Vec::new();
    for item in written.iter().flatten().flat_map(entries) {
        let twice = |other: &Arg| {
            let (Some(one), Some(other)) = (printed(&item), printed(other)) else { return false };
            one == other || (!one.contains(':') && target(&other) == one)
        };
        if !all.iter().any(twice) {
            all.push(item);
        }
    }
    if !all.is_empty() {
        args.insert("volumes".to_owned(), derived(&place, ArgValue::Array(all)));
    }
}

/// The path in the container of `/srv:/www:ro`.
fn target(bind: &str) -> &str {
    bind.split(':').nth(1).unwrap_or(bind)
}

/// The entries of a list, and of a table from sources to `{ bind, mode }`, `{ bind, ro }` or a path.
fn entries(arg: &Arg) -> Vec<Arg> {
    let packed = repacked(arg.clone());
    let ArgValue::Table(table) = &packed.value else { return listed(&packed) };
    let mut found = Vec::new();
    for (source, how) in table {
        match &how.value {
            ArgValue::Table(fields) => {
                let of = |name: &str| fields.get(name).and_then(printed);
                let mode = match fields.get("ro").map(|ro| &ro.value) {
                    Some(ArgValue::Boolean(true)) => Some("ro".to_owned()),
                    _ => of("mode").filter(|mode| mode != "rw"),
                };
                let mode = mode.map(|mode| format!(":{mode}")).unwrap_or_default();
                found.push(text(how, format!("{source}:{}{mode}", of("bind").unwrap_or_default())));
            }
            _ => match printed(how) {
                Some(target) => found.push(text(how, format!("{source}:{target}"))),
                None => found.push(text(how, source.as_str())),
            },
        }
    }
    found
}
