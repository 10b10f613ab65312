//! What Salt means by its names: the options of its docker modules in our terms, functions of its other modules,
//! and its requisites. The one place for that: states in TOML and Starlark pass through it, and so does an import.

mod foreign;
mod options;
mod ports;
mod requisite;
mod translate;
mod values;
mod volumes;

pub(crate) use foreign::{Foreign, foreign, stays_with_salt};
pub(crate) use requisite::{Turned, by_name, turn_round, without_host_services};
pub(crate) use translate::{Translated, translate};

/// The modules of Salt with images, containers, networks and volumes.
const MODULES: [&str; 6] =
    ["docker", "docker_container", "docker_image", "docker_network", "docker_volume", "dockerng"];

/// Whether a function is written with one of Salt's names, `docker_container.running`.
pub(crate) fn is_salts(word: &str) -> bool {
    word.split_once('.').is_some_and(|(module, _)| MODULES.contains(&module))
}

/// Whether a word is one of Salt's modules for what is managed here.
pub(crate) fn is_module(word: &str) -> bool {
    MODULES.contains(&word)
}
