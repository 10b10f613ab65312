//! Lines of a plan: what becomes of a resource, and how it was and will be.

use super::causes::status;
use crate::desired::container_file::field_of;
use crate::desired::{Address, DesiredContainer, Kind};
use crate::observed::Container;
use crate::plan::{Cause, Change, Verb};
use crate::planner::decide::instances::runs;
use crate::planner::decide::source::Source;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The field with the ports that a container opens, and to whom.
pub(super) const PUBLISHES: &str = "publishes";

/// A change without fields.
pub(super) fn plain(address: &Address, verb: Verb, cause: Cause) -> Change {
    Change {
        address: address.to_string(),
        actions: vec![verb],
        cause: vec![cause],
        before: None,
        after: None,
        files: Vec::new(),
    }
}

/// A tag that goes and kept an image.
pub(super) fn tag_removed(name: &str, cause: Cause) -> Change {
    plain(&Address { kind: Kind::Image, name: name.to_owned() }, Verb::Remove, cause)
}

/// A container that goes.
pub(super) fn removed(name: &str, container: &Container, cause: Cause) -> Change {
    Change {
        address: Address { kind: Kind::Container, name: name.to_owned() }.to_string(),
        actions: vec![Verb::Remove],
        cause: vec![cause],
        before: Some(before(container)),
        after: None,
        files: Vec::new(),
    }
}

/// How a container is: by its labels, nothing else that an Engine says.
pub(super) fn before(container: &Container) -> BTreeMap<String, Value> {
    let mut fields = BTreeMap::from([("status".to_owned(), json!(status(container)))]);
    if let Some(labels) = &container.ours {
        fields.insert("image".to_owned(), json!(labels.image));
        fields.insert("version".to_owned(), json!(labels.version));
        fields.insert("generation".to_owned(), json!(labels.generation));
        fields.insert("running".to_owned(), json!(runs(container)));
    }
    fields
}

/// The fields that are declared, image and version; a secret is `(sealed 9f2c)`.
pub(super) fn declared(desired: &DesiredContainer, source: &Source) -> BTreeMap<String, Value> {
    let mut fields: BTreeMap<String, Value> = BTreeMap::new();
    fields.extend(
        desired
            .spec
            .fixed
            .iter()
            .chain(&desired.spec.live)
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    fields
        .extend(desired.spec.env.iter().map(|(name, text)| (format!("env.{name}"), json!(text.to_string()))));
    fields.extend(
        desired
            .spec
            .secrets
            .iter()
            .map(|(name, file)| (format!("secrets.{name}"), file.shown(json!(file.value.to_string())))),
    );
    let files = desired.spec.files.iter();
    fields.extend(files.map(|(path, file)| (field_of(path), file.shown())));
    fields.insert("image".to_owned(), json!(source.label));
    fields.insert("version".to_owned(), json!(source.version));
    fields
}
