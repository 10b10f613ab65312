//! Networks and volumes as they were found.

use super::Label;
use crate::desired::Fingerprint;
use crate::inspect::Inspect;
use crate::name::Owner;
use std::collections::BTreeMap;

/// A network that is ours, or has a wanted name.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Its id.
    pub id: String,
    /// Its name; several may have it.
    pub name: String,
    /// What our labels say, if they are there.
    pub ours: Option<Made>,
    /// When it was created, as the Engine prints it.
    pub created_at: String,
    /// Everything that the Engine says of it.
    pub inspect: Inspect,
    /// Containers that are in it, running or not.
    pub users: Vec<User>,
}

/// A volume that is ours, or has a wanted name.
#[derive(Clone, Debug, PartialEq)]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// What our labels say, if they are there.
    pub ours: Option<Made>,
    /// When it was created, seconds since 1970 by the Engine's clock.
    pub created_at: i64,
    /// Everything that the Engine says of it.
    pub inspect: Inspect,
    /// Containers that mount it, running or not.
    pub users: Vec<User>,
}

/// A container that uses a network or a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its full id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// A process of it runs, or is about to.
    pub running: bool,
}

/// What our labels say of a network or a volume that a state made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Fingerprint it was made from.
    pub spec: Fingerprint,
    /// Field fingerprints it was made from.
    pub fields: BTreeMap<String, String>,
}

impl Made {
    /// Our labels, if they name this workspace and are complete. Volumes of a container's own name its
    /// service: they come and go with it, and no state declares them.
    pub fn of(owner: &Owner, labels: &BTreeMap<String, String>) -> Option<Self> {
        if !Label::is_of(owner, labels) || labels.contains_key(Label::SERVICE) {
            return None;
        }
        let spec = labels.get(Label::SPEC).filter(|spec| !spec.is_empty())?;
        let fields = labels.get(Label::FIELDS).map(String::as_str).unwrap_or_default();
        Some(Self { spec: Fingerprint(spec.clone()), fields: super::ownership::field_fingerprints(fields) })
    }
}
