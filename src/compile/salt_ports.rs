//! `ports` under Salt's names: there a port without one of the host is exposed, and not published.

use crate::state::{Arg, ArgValue};
use std::collections::BTreeMap;

/// The modules of Salt with containers.
const MODULES: [&str; 3] = ["docker.", "docker_container.", "dockerng."];

/// Moves those of `ports` that name no port of the host to `expose`, if the function has one of Salt's names.
pub(super) fn expose(function: &str, args: &mut BTreeMap<String, Arg>) {
    if !MODULES.iter().any(|module| function.starts_with(module)) {
        return;
    }
    let Some(ports) = args.remove("ports") else { return };
    let whole = match &ports.value {
        ArgValue::Array(items) => items.clone(),
        _ => vec![ports.clone()],
    };
    let (exposed, published): (Vec<Arg>, Vec<Arg>) = whole.into_iter().partition(is_bare);
    let of = |items| Arg { value: ArgValue::Array(items), ..ports.clone() };
    if !exposed.is_empty() {
        let expose = args.entry("expose".to_owned()).or_insert_with(|| of(Vec::new()));
        match &mut expose.value {
            ArgValue::Array(items) => items.extend(exposed),
            _ => {
                let one = expose.clone();
                expose.value = ArgValue::Array(std::iter::once(one).chain(exposed).collect());
            }
        }
    }
    if !published.is_empty() {
        args.insert("ports".to_owned(), of(published));
    }
}

/// `5432`, `"53/udp"`, `"8000-8002"`.
fn is_bare(port: &Arg) -> bool {
    match &port.value {
        ArgValue::Integer(_) => true,
        ArgValue::Text(text) => text.as_clear().is_some_and(|text| !text.contains(':')),
        _ => false,
    }
}
