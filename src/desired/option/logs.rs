//! Log driver and its options.

use super::Body;
use crate::desired::{compare, read};
use crate::inspect::Inspect;
use crate::problem::Result;
use crate::state::Arg;
use serde_json::{Value, json};

const DRIVER: &str = "/HostConfig/LogConfig/Type";
const OPTIONS: &str = "/HostConfig/LogConfig/Config";

pub(super) fn options(option: &str, arg: &Arg) -> Result<Value> {
    let options = read::pairs(option, arg, '=')?;
    Ok(if options.is_empty() { Value::Null } else { json!(options) })
}

pub(super) fn write_driver(canonical: &Value, body: &mut Body) {
    body.set(DRIVER, canonical.clone());
}

pub(super) fn write_options(canonical: &Value, body: &mut Body) {
    body.set(OPTIONS, canonical.clone());
}

pub(super) fn driver_differs(canonical: &Value, inspect: &Inspect) -> bool {
    !compare::same(canonical, inspect.compare(DRIVER))
}

pub(super) fn options_differ(canonical: &Value, inspect: &Inspect) -> bool {
    !compare::same(canonical, inspect.compare(OPTIONS))
}
