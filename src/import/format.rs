//! Which format a text has, told by its content.

use super::key::Keys;
use super::{env_file, kubernetes, salt};
use crate::docker_config::Entries;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// The format of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `config.json` of docker.
    Docker,
    /// `auth.json` of podman: the same, where `HOST/PREFIX` is a part of a registry.
    Podman,
    /// `.dockercfg`: entries without `auths` around them.
    Dockercfg,
    /// Secrets of Kubernetes for pulling images, in YAML or JSON.
    Kubernetes,
    /// Lines `NAME=VALUE`, and what CI systems keep in `DOCKER_AUTH_CONFIG`.
    Env,
    /// A pillar of Salt, in YAML or JSON.
    Salt,
}

/// Fields that docker alone writes.
const OF_DOCKER: [&str; 12] = [
    "credsStore",
    "HttpHeaders",
    "psFormat",
    "imagesFormat",
    "detachKeys",
    "currentContext",
    "cliPluginsExtraDirs",
    "plugins",
    "aliases",
    "proxies",
    "experimental",
    "features",
];

impl Format {
    /// Tells it; `file` is the path of the source. `None` where it is none of them.
    pub fn told(text: &str, file: &str) -> Option<Self> {
        let name = file.rsplit('/').next().unwrap_or(file);
        if text.trim_start().starts_with('{') {
            return json(text, name);
        }
        match () {
            () if kubernetes::is_one(text) => Some(Self::Kubernetes),
            () if salt::is_one(text) => Some(Self::Salt),
            () if env_file::is_one(text) => Some(Self::Env),
            // What is empty is what its name says.
            () if text.trim().is_empty() => named(name),
            () => None,
        }
    }

    /// Where its own entries stand, if entries can be taken out of it.
    pub fn entries(self) -> Option<Entries> {
        match self {
            Self::Docker | Self::Podman => Some(Entries::Auths),
            Self::Dockercfg => Some(Entries::Flat),
            Self::Kubernetes | Self::Env | Self::Salt => None,
        }
    }

    pub(super) fn keys(self) -> Keys {
        match self {
            Self::Docker | Self::Dockercfg => Keys::Hosts,
            Self::Podman | Self::Kubernetes | Self::Env | Self::Salt => Keys::Prefixes,
        }
    }
}

fn named(name: &str) -> Option<Format> {
    match name {
        "config.json" => Some(Format::Docker),
        "auth.json" => Some(Format::Podman),
        ".dockercfg" => Some(Format::Dockercfg),
        _ => None,
    }
}

fn json(text: &str, name: &str) -> Option<Format> {
    // A text that is broken is told by its words: the one who reads it says where it is broken.
    let Ok(fields) = serde_json::from_str::<BTreeMap<String, IgnoredAny>>(text) else {
        return match () {
            () if salt::is_one(text) => Some(Format::Salt),
            () if text.contains("\"auths\"") => Some(named(name).unwrap_or(Format::Podman)),
            () => named(name),
        };
    };
    let has = |wanted: &str| fields.keys().any(|field| field.eq_ignore_ascii_case(wanted));
    if has("kind") && has("apiVersion") {
        return Some(Format::Kubernetes);
    }
    if OF_DOCKER.iter().any(|field| has(field)) {
        return Some(if name == "auth.json" { Format::Podman } else { Format::Docker });
    }
    if has("auths") || has("credHelpers") || fields.is_empty() {
        return Some(named(name).unwrap_or(Format::Podman));
    }
    let flat = serde_json::from_str::<BTreeMap<String, BTreeMap<String, IgnoredAny>>>(text);
    let is_entry = |fields: &BTreeMap<String, IgnoredAny>| {
        ["auth", "identitytoken", "username"].iter().any(|known| fields.contains_key(*known))
    };
    match flat {
        _ if salt::is_one(text) => Some(Format::Salt),
        Ok(entries) if entries.values().any(is_entry) => Some(Format::Dockercfg),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_told_by_its_content_and_clients_by_the_name_of_their_file() {
        let auths = "{\"auths\": {}}";
        for (text, file, format) in [
            (auths, "~/.docker/config.json", Some(Format::Docker)),
            (auths, "/run/user/0/containers/auth.json", Some(Format::Podman)),
            (auths, "standard input", Some(Format::Podman)),
            ("{\"auths\": {}, \"credsStore\": \"desktop\"}", "x.json", Some(Format::Docker)),
            ("{\"currentContext\": \"x\"}", "x.json", Some(Format::Docker)),
            ("{\"a.io\": {\"auth\": \"dTpw\", \"email\": \"e\"}}", "x", Some(Format::Dockercfg)),
            ("{\"apiVersion\": \"v1\", \"kind\": \"Secret\"}", "x", Some(Format::Kubernetes)),
            ("# x\napiVersion: v1\nkind: List\n", "x", Some(Format::Kubernetes)),
            ("docker-registries:\n", "x", Some(Format::Salt)),
            ("{\"local\": {\"docker-registries\": {}}}", "x", Some(Format::Salt)),
            ("# x\nexport REGISTRY=a.io\n", "x", Some(Format::Env)),
            ("eyJhdXRocyI6e319", "x", Some(Format::Env)),
            ("", "config.json", Some(Format::Docker)),
            ("{", "config.json", Some(Format::Docker)),
            ("", "x", None),
            ("{\"name\": \"app\", \"version\": \"1\"}", "package.json", None),
            ("{\"scripts\": {\"build\": \"x\"}}", "package.json", None),
            ("hello", "x", None),
            ("a: b\n", "x", None),
            ("[1]", "x", None),
        ] {
            assert_eq!(Format::told(text, file), format, "{text:?} in {file}");
        }
    }
}
