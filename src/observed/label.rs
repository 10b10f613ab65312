//! Our labels on a container, and when they count.

use crate::desired::Fingerprint;
use crate::name::WorkspaceName;
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
    /// `name=fingerprint` for each task that had run before it was made and that it requires, sorted, joined
    /// by `,`; a fingerprint is sixteen hexadecimal digits (`task.ran`).
    pub const TASKS: &'static str = "io.pillarbox.tasks";
    /// On the container of a task, and on the volume that remembers that it ran: the task's name.
    pub const TASK: &'static str = "io.pillarbox.task";
    /// Beside [`Label::TASK`]: the fingerprint of image and spec that it ran, or runs, as.
    pub const RAN: &'static str = "io.pillarbox.ran";
    /// On a container that is never started, through which files are put into a volume: for whom.
    pub const FILLS: &'static str = "io.pillarbox.fills";
    /// On a volume of secrets: the instance or task whose they are.
    pub const SECRETS: &'static str = "io.pillarbox.secrets";
    /// On the volume that records an adoption: the workspace, once more, so that such volumes can be listed.
    pub const ADOPTED: &'static str = "io.pillarbox.adopted";
    /// There too: the full id of the container.
    pub const CONTAINER: &'static str = "io.pillarbox.container";
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
    /// Tasks that had run before it was made and that it requires, by name: the fingerprint that each ran as.
    #[serde(default)]
    pub tasks: BTreeMap<String, String>,
}

impl Ownership {
    /// As labels, with those of the workspace.
    pub fn labels(&self, workspace: &WorkspaceName) -> BTreeMap<String, String> {
        let fields: Vec<String> =
            self.fields.iter().map(|(field, print)| format!("{field}={print}")).collect();
        let labels = [
            (Label::WORKSPACE, workspace.to_string()),
            (Label::SERVICE, self.service.clone()),
            (Label::INSTANCE, self.instance.clone()),
            (Label::GENERATION, self.generation.to_string()),
            (Label::SPEC, self.spec.0.clone()),
            (Label::FIELDS, fields.join(",")),
            (Label::IMAGE, self.image.clone()),
            (Label::VERSION, self.version.clone()),
        ];
        labels.map(|(name, value)| (name.to_owned(), value)).into()
    }
}
