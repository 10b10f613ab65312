//! Command and entrypoint. Unset inherits the image's; an empty list clears it.

use super::Body;
use crate::desired::{compare, read};
use crate::inspect::Inspect;
use crate::problem::Result;
use crate::state::Arg;
use serde_json::{Value, json};

pub(super) fn read(option: &str, arg: &Arg) -> Result<Value> {
    let words = read::words(option, arg)?;
    // `[""]` is how some clients spell "clear it".
    Ok(if words == [""] { json!([]) } else { json!(words) })
}

pub(super) fn write_command(canonical: &Value, body: &mut Body) {
    body.set("/Config/Cmd", canonical.clone());
}

/// An empty list clears the entrypoint and leaves the image's command; `[""]` would clear that too, and a
/// container without either is refused (moby `daemon/commit.go`, merge).
pub(super) fn write_entrypoint(canonical: &Value, body: &mut Body) {
    body.set("/Config/Entrypoint", canonical.clone());
}

pub(super) fn command_differs(canonical: &Value, inspect: &Inspect) -> bool {
    // An empty command inherits the image's unless there is an entrypoint: nothing to compare with.
    !compare::is_empty(canonical) && !compare::same(canonical, inspect.compare("/Config/Cmd"))
}

pub(super) fn entrypoint_differs(canonical: &Value, inspect: &Inspect) -> bool {
    let found = inspect.compare("/Config/Entrypoint");
    let found_cleared = found.is_none_or(|found| compare::is_empty(found) || *found == json!([""]));
    match compare::is_empty(canonical) {
        true => !found_cleared,
        false => !compare::same(canonical, found),
    }
}
