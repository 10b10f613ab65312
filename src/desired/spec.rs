//! The canonical spec of a container: only what was declared, normalised, and its fingerprint.

use super::container_file::{Content, FILES, FOLDER, OnChange, field_of, lies_in};
use super::{ContainerFile, SecretFile};
use crate::problem::{Place, escaped};
use crate::state::Text;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt;

/// Declared options in canonical form, by option name. What is not declared is not here: an Engine's
/// or image's default is never compared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spec {
    /// Options that are fixed when a container is created; a difference replaces it. By field:
    /// options whose parts a plan shows separately have a field each (`labels.team`).
    pub fixed: BTreeMap<String, serde_json::Value>,
    /// Environment, also fixed at creation; it, `secrets` and `files` are the only parts of a container that may
    /// contain secrets.
    pub env: BTreeMap<String, Text>,
    /// Files of secrets by name (`secrets.NAME`), also fixed at creation.
    pub secrets: BTreeMap<String, SecretFile>,
    /// Files by their path in the container (`files.PATH`). Which there are is fixed at creation, and what is in
    /// them as well, but for those that are rewritten in place.
    pub files: BTreeMap<String, ContainerFile>,
    /// Options that can be changed in place. That a limit is declared at all is also in `fixed`, as
    /// `limits.memory`: the Engine reads "no limit" as "leave", so declaring one for the first time, or
    /// no more, replaces the container, and another value changes it in place.
    pub live: BTreeMap<String, serde_json::Value>,
    /// Options that are written at creation and are in no fingerprint: a difference changes nothing by
    /// itself (`stop_timeout`, which is also given with each stop).
    pub aside: BTreeMap<String, serde_json::Value>,
}

/// `v1:sha256…` over the fixed part of a spec. The version is that of the canonical form: a newer
/// pillarbox must give the same for the same declaration, or replace nothing because of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub String);

impl Spec {
    /// Fingerprint of everything that is fixed at creation.
    pub fn fingerprint(&self) -> Fingerprint {
        let fields: BTreeMap<String, serde_json::Value> = self.fields().collect();
        Fingerprint(format!("v1:sha256:{}", hex(&Sha256::digest(canonical(&fields).as_bytes()))))
    }

    /// A short fingerprint for each field, for the label that lets a plan say which field changed.
    pub fn field_fingerprints(&self) -> BTreeMap<String, String> {
        self.fields()
            .map(|(field, value)| {
                let print = Self::field_fingerprint(&field, value);
                (field, print)
            })
            .collect()
    }

    /// The short fingerprint of one field.
    pub fn field_fingerprint(field: &str, value: serde_json::Value) -> String {
        let text = canonical(&BTreeMap::from([(field.to_owned(), value)]));
        hex(&Sha256::digest(text.as_bytes()))[..8].to_owned()
    }

    /// The fields that are declared otherwise than when something was made whose labels have these fingerprints,
    /// each with its line; `spec` where no field says why.
    pub fn changed_since(
        &self,
        whole: &Fingerprint,
        fields: &BTreeMap<String, String>,
        place: impl Fn(&str) -> Option<Place>,
    ) -> Vec<(String, Option<Place>)> {
        if *whole == self.fingerprint() {
            return Vec::new();
        }
        let wanted = self.field_fingerprints();
        let changed = wanted.iter().filter(|(field, print)| fields.get(*field) != Some(print));
        let changed = changed.map(|(field, _)| (field.clone(), place(field)));
        let gone = fields.keys().filter(|field| !wanted.contains_key(*field));
        let mut all: Vec<_> = changed.chain(gone.map(|field| (escaped(field), None))).collect();
        all.sort();
        if all.is_empty() {
            all.push(("spec".to_owned(), None));
        }
        all
    }

    fn fields(&self) -> impl Iterator<Item = (String, serde_json::Value)> + '_ {
        let env = self.env.iter().map(|(name, text)| (format!("env.{name}"), text.canonical()));
        let secrets = self.secrets.iter().map(|(name, file)| (format!("secrets.{name}"), file.canonical()));
        let files = self.files.iter().map(|(path, file)| (field_of(path), file.canonical()));
        let fixed = self.fixed.iter().map(|(name, value)| (name.clone(), value.clone()));
        fixed.chain(env).chain(secrets).chain(files)
    }

    /// Every text that may contain secrets, each with the field that it is in: `env.NAME`,
    /// `secrets.NAME`, `files.PATH`.
    pub fn texts(&self) -> impl Iterator<Item = (String, &Text)> {
        let env = self.env.iter().map(|(name, text)| (format!("env.{name}"), text));
        let secrets = self.secrets.iter().map(|(name, file)| (format!("secrets.{name}"), &file.value));
        let files = self.files.iter().filter_map(|(path, file)| Some((field_of(path), file.sealed()?)));
        env.chain(secrets).chain(files)
    }

    /// Whether something whose labels have these fingerprints was made from this declaration, but perhaps for what
    /// is in files that are rewritten in place.
    pub fn has_made(&self, whole: &Fingerprint, fields: &BTreeMap<String, String>) -> bool {
        let changed = self.changed_since(whole, fields, |_| None);
        changed.iter().all(|(field, _)| fields.contains_key(field) && self.in_place(field))
    }

    fn in_place(&self, field: &str) -> bool {
        let path = field.strip_prefix(FILES);
        path.and_then(|path| self.files.get(path)).is_some_and(|file| file.on_change != OnChange::Replace)
    }

    /// The file that says for which content of other files a signal was sent, if there are any that want one: its path
    /// in the container, and what it is.
    pub fn signalled(&self) -> Option<(String, ContainerFile)> {
        let signals = self.files.iter().filter(|(_, file)| matches!(file.on_change, OnChange::Signal(_)));
        let lines: String = signals.map(|(path, file)| format!("{} {path}\n", file.time())).collect();
        let content = Content::of(Text::clear(lines.as_str()));
        (!lines.is_empty()).then(|| (format!("{FOLDER}/signalled"), ContainerFile::of(content)))
    }

    /// Whether a file must be mounted, one by one: it holds a secret, which belongs into no layer of a container and
    /// in no volume that others read; the root is read-only, so that an Engine puts nothing into it; or something else is
    /// mounted over the place.
    pub fn is_mounted(&self, path: &str) -> bool {
        let sealed = self.files.get(path).is_some_and(|file| file.sealed().is_some());
        let over = ["volumes", "mounts", "tmpfs"].iter().filter_map(|option| self.fixed.get(*option));
        let mut over = over.filter_map(|value| value.as_object()).flat_map(|places| places.keys());
        sealed
            || self.fixed.get("read_only").is_some_and(|value| value == true)
            || self.fixed.contains_key("volumes_from")
            || over.any(|place| lies_in(path, place))
    }

    /// Whether something of it lies in a volume of its own, wherever it is made.
    pub fn has_volume(&self) -> bool {
        !self.secrets.is_empty() || self.files.keys().any(|path| self.is_mounted(path))
    }

    /// Where its secrets are stored; `None` if it has none. All secrets of a container have the same store.
    pub fn store(&self) -> Option<super::Store> {
        self.secrets.values().map(|file| file.store).next()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// JSON with sorted keys and no white space.
fn canonical(fields: &BTreeMap<String, serde_json::Value>) -> String {
    fn write(value: &serde_json::Value, out: &mut String) {
        match value {
            serde_json::Value::Object(map) => {
                let sorted: BTreeMap<_, _> = map.iter().collect();
                out.push('{');
                for (index, (key, value)) in sorted.into_iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    out.push_str(&serde_json::Value::from(key.as_str()).to_string());
                    out.push(':');
                    write(value, out);
                }
                out.push('}');
            }
            serde_json::Value::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write(item, out);
                }
                out.push(']');
            }
            leaf => out.push_str(&leaf.to_string()),
        }
    }
    let map = fields.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    let mut out = String::new();
    write(&serde_json::Value::Object(map), &mut out);
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
