//! Our labels on a container, and when they count.

use super::Container;
use crate::desired::Fingerprint;
use crate::name::Owner;
use crate::problem::{Problem, escaped};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Names of the labels on what we create.
pub struct Label;

impl Label {
    /// The workspace.
    pub const WORKSPACE: &'static str = "io.pillarbox.workspace";
    /// Its id: what carries another one belongs to another workspace of the same name. In no fingerprint.
    pub const WORKSPACE_ID: &'static str = "io.pillarbox.workspace-id";
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
    /// On the volume that remembers that a task ran: the host that it ran on, by its name in the inventory.
    pub const RAN_ON: &'static str = "io.pillarbox.ran-on";
    /// On a container that is never started, through which files are put into a volume: for whom.
    pub const FILLS: &'static str = "io.pillarbox.fills";
    /// On the container of a one-off command (`pillarbox run`): the service that it is made like.
    pub const RUN: &'static str = "io.pillarbox.run";
    /// On a volume of secrets: the instance or task whose they are.
    pub const SECRETS: &'static str = "io.pillarbox.secrets";
    /// On the volume that records an adoption: the workspace, once more, so that such volumes can be listed.
    pub const ADOPTED: &'static str = "io.pillarbox.adopted";
    /// There too: the full id of the container.
    pub const CONTAINER: &'static str = "io.pillarbox.container";
    /// On the volume that records that a service was stopped by request: the service.
    pub const STOPPED: &'static str = "io.pillarbox.stopped";
    /// There too: who stopped it.
    pub const STOPPED_BY: &'static str = "io.pillarbox.stopped-by";
    /// There too: why, in people's words; absent where nothing was said.
    pub const STOPPED_WHY: &'static str = "io.pillarbox.stopped-why";
    /// There too: until when, seconds since 1970 by the Engine's clock; absent where it has no end.
    pub const STOPPED_UNTIL: &'static str = "io.pillarbox.stopped-until";
    /// `option=instance` for each container that it was made with, sorted, joined by `,`; absent where there
    /// is none.
    pub const SHARES: &'static str = "io.pillarbox.shares";
}

impl Label {
    /// The labels that say whose something is.
    pub fn of(owner: &Owner) -> impl Iterator<Item = (&'static str, String)> {
        let id = owner.id.as_ref().map(|id| (Self::WORKSPACE_ID, id.to_string()));
        std::iter::once((Self::WORKSPACE, owner.name.to_string())).chain(id)
    }

    /// Whether labels say that something is this workspace's.
    pub fn is_of(owner: &Owner, labels: &BTreeMap<String, String>) -> bool {
        let id = labels.get(Self::WORKSPACE_ID).map(String::as_str);
        labels.get(Self::WORKSPACE).is_some_and(|name| owner.owns(name, id))
    }
}

/// What to say of something that carries the name of a workspace and is not its own; `None` of anything else.
pub fn namesake(owner: &Owner, labels: &serde_json::Value) -> Option<Problem> {
    let text = |label: &str| labels.get(label).and_then(serde_json::Value::as_str);
    let (name, id) = (text(Label::WORKSPACE)?, text(Label::WORKSPACE_ID));
    if name != owner.name.as_str() || owner.owns(name, id) {
        return None;
    }
    Some(match id {
        Some(id) => Problem::failed(format!(
            "belongs to another workspace that is also named {name}, with the id {}",
            escaped(id)
        )),
        None => Problem::failed(format!("carries the name of workspace {name}, and no id"))
            .cause("it was made before this workspace had an id, or by another of the same name")
            .hint("if it is this workspace's: write 'owns_without_id = true' below 'id' in pillarbox.toml"),
    })
}

impl Container {
    /// What to say of it where it carries the name of this workspace and is not its own.
    pub fn namesake(&self, owner: &Owner) -> Option<Problem> {
        let labels = self.inspect.compare("/Config/Labels").filter(|_| self.ours.is_none());
        labels.and_then(|labels| namesake(owner, labels))
    }
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
    pub fn labels(&self, owner: &Owner) -> BTreeMap<String, String> {
        let fields: Vec<String> =
            self.fields.iter().map(|(field, print)| format!("{field}={print}")).collect();
        let labels = [
            (Label::SERVICE, self.service.clone()),
            (Label::INSTANCE, self.instance.clone()),
            (Label::GENERATION, self.generation.to_string()),
            (Label::SPEC, self.spec.0.clone()),
            (Label::FIELDS, fields.join(",")),
            (Label::IMAGE, self.image.clone()),
            (Label::VERSION, self.version.clone()),
        ];
        Label::of(owner).chain(labels).map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
