//! A plan: an ordered set of steps with causes and expectations; data, printable, storable, free of
//! secrets.

mod action;
mod alike;
mod batch;
mod body;
mod cause;
mod compare;
mod diff;
mod file_change;
mod keep;
mod text;
mod verb;

pub use action::{Action, Create, Expect, FILLED, FileText, KEEP, MountedFile, STOPPED, Target, mounted_as};
pub use alike::alike;
pub use batch::Batch;
pub use body::Bodies;
pub use cause::{Cause, changed_fields};
pub use compare::compare;
pub use file_change::{FileChange, FileForm};
pub use keep::{Kept, keep_folder, keep_repository, keep_tag, kept_by, kept_for};
pub use text::{text, text_with_undo};
pub use verb::Verb;

use crate::name::{HostName, WorkspaceName};
use crate::problem::Problems;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// Version of the stored form; an unknown major is refused.
pub const FORMAT_VERSION: &str = "1.0";

/// What will be done, on all selected hosts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// [`FORMAT_VERSION`].
    pub format_version: String,
    /// Whose hosts these are.
    pub workspace: WorkspaceName,
    /// Sorted by name.
    pub hosts: Vec<HostPlan>,
    /// Those where something is done, in the order in which they are changed. Each is in one batch.
    pub batches: Vec<Batch>,
    /// Chosen hosts that are paused: nothing is asked of them, and nothing done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paused: Vec<PausedHost>,
}

/// A host that its inventory pauses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PausedHost {
    /// The host.
    pub host: HostName,
    /// Why, in one line of the inventory.
    pub reason: String,
}

/// What will be done on one host.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HostPlan {
    /// The host.
    pub host: HostName,
    /// Its Engine's address as in the inventory.
    pub engine: String,
    /// Its Engine's id: another Engine behind the same address makes the plan stale.
    pub engine_id: String,
    /// What is done there; hosts with equal bodies can share one ([`Bodies`]).
    #[serde(flatten, serialize_with = "body::stored")]
    pub body: Arc<PlanBody>,
}

/// What will be done on a host, whichever host it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PlanBody {
    /// What changes, for people and `--json`; unchanged resources are listed too.
    pub changes: Vec<Change>,
    /// What is done, in an order that respects `needs`.
    pub steps: Vec<Step>,
    /// Who receives which secret.
    pub receivers: Vec<Receiver>,
    /// What was not planned and why, and warnings.
    pub notes: Vec<String>,
    /// Resources that are held because their image cannot be had. The problems are told beside the plan.
    #[serde(skip)]
    pub without_image: Vec<WithoutImage>,
    /// Ids of images that would be removed if the observed state had all their names.
    #[serde(skip)]
    pub unread_images: BTreeSet<String>,
}

/// A resource of which nothing is done because its image cannot be had.
#[derive(Clone, Debug, PartialEq)]
pub struct WithoutImage {
    /// `container nginx`.
    pub address: String,
    /// Why, and what to do.
    pub problems: Problems,
}

/// One resource and what becomes of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// `container nginx`.
    pub address: String,
    /// What becomes of it.
    pub actions: Vec<Verb>,
    /// Why.
    pub cause: Vec<Cause>,
    /// How it is, fields by name; values that came from an Engine are left out.
    pub before: Option<BTreeMap<String, serde_json::Value>>,
    /// How it will be; a secret is `(sealed 9f2c)`.
    pub after: Option<BTreeMap<String, serde_json::Value>>,
    /// Its files that change, each with the difference.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileChange>,
}

/// One call to an Engine, or one wait.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Unique within the host's plan, counts from 1.
    pub id: u32,
    /// What it is a part of (`replace nginx`): steps of a group run one after another, and a group
    /// that was begun is ended or rolled back.
    pub group: String,
    /// The call.
    pub action: Action,
    /// Steps that must be done before.
    pub needs: Vec<u32>,
    /// Why, for people; nothing may branch on it.
    pub cause: Cause,
    /// What must still be so just before the call.
    pub expects: Vec<Expect>,
    /// If this step fails, or the run is interrupted before it: done in this order, each whatever
    /// became of the one before.
    pub undo: Vec<Action>,
}

/// A secret and who will see it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Receiver {
    /// Key of the secret in the pillar.
    pub secret: String,
    /// The container.
    pub container: String,
    /// `env DB_URL`.
    pub field: String,
}

impl HostPlan {
    /// A plan of a host, with a body of its own.
    pub fn new(host: HostName, engine: String, engine_id: String, body: PlanBody) -> Self {
        Self { host, engine, engine_id, body: Arc::new(body) }
    }
}

impl Deref for HostPlan {
    type Target = PlanBody;
    fn deref(&self) -> &PlanBody {
        &self.body
    }
}

impl DerefMut for HostPlan {
    /// A body that is shared is copied first.
    fn deref_mut(&mut self) -> &mut PlanBody {
        Arc::make_mut(&mut self.body)
    }
}

impl Plan {
    /// A plan of hosts that are changed one after another.
    pub fn new(workspace: WorkspaceName, hosts: Vec<HostPlan>) -> Self {
        let busy = hosts.iter().filter(|host| !host.steps.is_empty());
        let batches = busy.map(|host| Batch { wave: 0, hosts: vec![host.host.clone()] }).collect();
        Self { format_version: FORMAT_VERSION.to_owned(), workspace, hosts, batches, paused: Vec::new() }
    }

    /// Whether there is nothing to do anywhere.
    pub fn is_empty(&self) -> bool {
        self.hosts.iter().all(|host| host.steps.is_empty())
    }
}
