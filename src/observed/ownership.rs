//! Our labels on a container, and when they count.

use crate::desired::Fingerprint;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Names of the labels on what we create.
pub struct Label;

impl Label {
    /// The workspace.
    pub const WORKSPACE: &'static str = "io.pillarbox.workspace";
    /// The container's plain name, or the service it is an instance of.
    pub const SERVICE: &'static str = "io.pillarbox.service";
    /// Unique on the host: `service.g<generation>`.
    pub const INSTANCE: &'static str = "io.pillarbox.instance";
    /// Decimal number, counts the deployments of a service on a host from 1.
    pub const GENERATION: &'static str = "io.pillarbox.generation";
    /// Fingerprint of the fixed part of the spec.
    pub const SPEC: &'static str = "io.pillarbox.spec";
    /// `field=fingerprint` for each field of the spec, sorted, joined by `,`: lets a plan say which one changed.
    pub const FIELDS: &'static str = "io.pillarbox.fields";
    /// `repo@sha256:…` as its registry names it, or `id:sha256:…`.
    pub const IMAGE: &'static str = "io.pillarbox.image";
    /// The tag, for people.
    pub const VERSION: &'static str = "io.pillarbox.version";
    /// `option=instance` for each container that it was made with, sorted, joined by `,`; absent where there
    /// is none.
    pub const SHARES: &'static str = "io.pillarbox.shares";
}

/// What our labels say of a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ownership {
    /// Its plain name, or the service it is an instance of.
    pub service: String,
    /// Unique on the host.
    pub instance: String,
    /// Counts from 1.
    pub generation: u64,
    /// Fingerprint it was made from.
    pub spec: Fingerprint,
    /// Field fingerprints it was made from.
    pub fields: BTreeMap<String, String>,
    /// `repo@sha256:…` or `id:sha256:…`.
    pub image: String,
    /// The tag it was made from, for people.
    pub version: String,
}
