//! Files of a container: put into it between its creation and its start, or mounted out of a volume of its own.

use crate::desired::{ContainerFile, Spec};
use std::collections::BTreeMap;

/// Files by their path.
pub(in crate::planner) type Files = BTreeMap<String, ContainerFile>;

/// Those that are mounted, and those that are written into the container.
pub(in crate::planner) fn apart(spec: &Spec, is_mounted: impl Fn(&str) -> bool) -> (Files, Files) {
    let files = spec.files.iter().map(|(path, file)| (path.clone(), file.clone()));
    files.partition(|(path, _)| is_mounted(path))
}
