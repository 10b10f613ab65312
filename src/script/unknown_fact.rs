//! A fact that a program or an expression asks for and that no Engine tells.

use crate::problem::{escaped, nearest};

/// What to write instead of `tree.key`; `known` are the facts that there are.
pub fn unknown_fact<'k>(tree: &str, key: &str, known: impl Iterator<Item = &'k str> + Clone) -> String {
    if key == "os" {
        return "Salt means the distribution, which an Engine does not tell; `host.os` is the kernel's name, \
                `linux`. For anything else give the Engine a label, and ask for it: host.labels.NAME"
            .to_owned();
    }
    match nearest(key, known.clone()) {
        Some(near) => format!("did you mean `{tree}.{}`?", escaped(near)),
        None => format!(
            "{tree} has {}; for anything else give the Engine a label, and ask for it: host.labels.NAME",
            known.map(escaped).collect::<Vec<_>>().join(", ")
        ),
    }
}
