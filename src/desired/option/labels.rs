//! Labels of a container. Those of its image are merged in by the Engine, so more labels than
//! declared are no difference.

use super::Body;
use crate::desired::read;
use crate::inspect::Inspect;
use crate::problem::{Result, escaped};
use crate::state::Arg;
use serde_json::{Value, json};

/// Labels under this prefix are pillarbox's own: they decide what it manages.
const OURS: &str = "io.pillarbox.";

pub(super) fn read(option: &str, arg: &Arg) -> Result<Value> {
    let labels = read::pairs(option, arg, '=')?;
    if let Some(ours) = labels.keys().find(|key| key.starts_with(OURS)) {
        let why = format!("names `{}`: labels under `{OURS}` are reserved for pillarbox", escaped(ours));
        return Err(read::wrong(option, arg, &why).into());
    }
    if labels.contains_key("") {
        return Err(read::wrong(option, arg, "has a label without a name").into());
    }
    Ok(json!(labels))
}

pub(super) fn write(canonical: &Value, body: &mut Body) {
    body.set("/Config/Labels", canonical.clone());
}

pub(super) fn differs(canonical: &Value, inspect: &Inspect) -> bool {
    let found = inspect.compare("/Config/Labels");
    let wanted = canonical.as_object().into_iter().flatten();
    wanted.into_iter().any(|(key, value)| found.and_then(|found| found.get(key)) != Some(value))
}
