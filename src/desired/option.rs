//! The options of a container, one table: adding one is adding an entry here (and, where it is more
//! than a plain field, a file beside).
//!
//! An option is read from an argument into its canonical form, the only one that enters fingerprints, and
//! written from there into the Engine's create body (Docker API 1.41 to 1.51).

mod blkio;
mod capabilities;
mod commands;
mod devices;
mod endpoint;
mod health;
mod labels;
mod limits;
mod logs;
mod mounted;
mod mounts;
mod namespaces;
mod network;
mod platform;
mod ports;
mod references;
mod requests;
mod restart;
mod security;
mod signal;
mod simple;
mod since;
mod table;
mod ulimits;
mod volumes;

pub(crate) use endpoint::{mac_differs, macs};
pub(crate) use limits::{FIELD as LIMITS, swap};
pub(crate) use mounted::as_declared;
pub(crate) use namespaces::SHARED;
pub(crate) use network::{differing as differing_networks, endpoints};
pub(crate) use restart::policy;
pub(crate) use since::{NEWEST as NEWEST_API, needed};
pub(crate) use table::{ENV, GROUPS, OPTIONS};

use super::compare;
use crate::inspect::Inspect;
use crate::problem::Result;
use crate::state::Arg;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// One option.
pub(crate) struct ContainerOption {
    /// Its name, also of its field in a spec.
    pub(crate) name: &'static str,
    /// Other names that are understood: of Compose, Salt, docker run.
    pub(crate) aliases: &'static [&'static str],
    /// Whether it can be changed in place.
    pub(crate) kind: Kind,
    /// From an argument that is not None to its canonical form, with the name for errors;
    /// `Value::Null`: as if it had not been written.
    pub(crate) read: fn(&str, &Arg) -> Result<Value>,
    /// Its place in the Engine's API.
    pub(crate) api: Api,
}

/// What a changed option means for a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Fixed when it is created: replaces it.
    Fixed,
    /// Fixed, and each of its parts is a field of its own (`labels.team`).
    FixedParts,
    /// Changed in place. That it is declared at all is fixed: the Engine reads "no limit" as "leave".
    Limit,
    /// Changed in place and always declared: what is not written has the Engine's own default.
    Live,
    /// Written at creation, and a difference changes nothing by itself.
    Aside,
}

/// The place of an option in `GET /containers/{id}/json`; the create body has the same fields, those
/// of `Config` at its top.
pub(crate) enum Api {
    /// The canonical value is there as it is.
    Field(&'static str),
    /// The same, as a list whose order does not count.
    Set(&'static str),
    /// The same. If the kernel lacks the feature, the Engine discards the value at creation, with a warning;
    /// a missing value is not a difference.
    Weak(&'static str),
    /// The same, as a table to which others may add entries.
    Table(&'static str),
    /// Its own shape.
    Own {
        /// Puts the canonical value into a create body.
        write: fn(&Value, &mut Body),
        /// Whether a container differs from the canonical value.
        differs: fn(&Value, &Inspect) -> bool,
    },
}

impl ContainerOption {
    /// Puts a canonical value into a create body.
    pub(crate) fn write(&self, canonical: &Value, body: &mut Body) {
        match self.api {
            Api::Field(pointer) | Api::Set(pointer) | Api::Weak(pointer) | Api::Table(pointer) => {
                body.set(pointer, canonical.clone());
            }
            Api::Own { write, .. } => write(canonical, body),
        }
    }

    /// Whether a container differs from a canonical value.
    pub(crate) fn differs(&self, canonical: &Value, inspect: &Inspect) -> bool {
        let gaps = inspect.gaps();
        if gaps.unsaid.contains(&self.name) || (gaps.ignores_limits && self.is_left_out(inspect)) {
            return false;
        }
        match self.api {
            Api::Field(pointer) => !compare::same(canonical, inspect.compare(pointer)),
            Api::Set(pointer) => {
                let texts = |value| compare::texts(value).collect::<BTreeSet<String>>();
                texts(Some(canonical)) != texts(inspect.compare(pointer))
            }
            Api::Weak(pointer) => {
                inspect.compare(pointer).is_some_and(|found| !compare::is_empty(found) && found != canonical)
            }
            Api::Table(pointer) => {
                !compare::within(canonical, inspect.compare(pointer).unwrap_or(&Value::Null))
            }
            Api::Own { differs, .. } => differs(canonical, inspect),
        }
    }

    /// A limit that is not reported.
    fn is_left_out(&self, inspect: &Inspect) -> bool {
        let pointer = match (self.name, &self.api) {
            ("cpuset", _) => "/HostConfig/CpusetCpus",
            ("cpuset_mems", _) => "/HostConfig/CpusetMems",
            ("pids_limit", _) => "/HostConfig/PidsLimit",
            (_, Api::Field(pointer) | Api::Weak(pointer)) if self.kind == Kind::Limit => pointer,
            _ => return false,
        };
        inspect.compare(pointer).is_none_or(compare::is_empty)
    }
}

/// A create body while it is put together.
#[derive(Default)]
pub(crate) struct Body(Map<String, Value>);

impl Body {
    /// Sets `/Config/User` or `/HostConfig/Memory`.
    pub(crate) fn set(&mut self, pointer: &str, value: Value) {
        match pointer.trim_start_matches('/').split_once('/') {
            Some(("Config", field)) => drop(self.0.insert(field.to_owned(), value)),
            Some((part, fields)) => {
                let mut part = self.0.entry(part).or_insert_with(|| json!({}));
                for field in fields.split('/') {
                    part = &mut part[field];
                }
                *part = value;
            }
            None => {}
        }
    }

    /// Adds entries to a table, to which others add too.
    fn add(&mut self, pointer: &str, more: Map<String, Value>) {
        let field = pointer.trim_start_matches("/Config/");
        let table = self.0.entry(field).or_insert_with(|| json!({}));
        if let Some(table) = table.as_object_mut() {
            table.extend(more);
        }
    }

    /// The whole body.
    pub(crate) fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

/// An option by its name or an alias; `docker run` writes `-` for `_`.
pub(crate) fn find(name: &str) -> Option<&'static ContainerOption> {
    let name = &*name.replace('-', "_");
    OPTIONS.iter().find(|option| option.name == name || option.aliases.contains(&name))
}

/// Every name that is understood.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let options =
        OPTIONS.iter().flat_map(|option| std::iter::once(option.name).chain(option.aliases.iter().copied()));
    options.chain(GROUPS.iter().map(|(name, _)| *name)).chain(ENV.iter().copied())
}

#[cfg(test)]
mod tests;
