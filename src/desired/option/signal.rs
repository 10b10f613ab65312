//! The signal that stops a container. It must be in the container: the one given with a stop call is
//! ignored by Engine 20.10.

use super::Body;
use crate::desired::read;
use crate::inspect::Inspect;
use crate::problem::Result;
use crate::state::Arg;
use serde_json::Value;

const FIELD: &str = "/Config/StopSignal";

pub(super) fn read(option: &str, arg: &Arg) -> Result<Value> {
    let name = normal(&read::word(option, arg)?);
    let number = name.parse::<u8>().is_ok_and(|number| (1..=64).contains(&number));
    let rest = name.strip_prefix("SIG").unwrap_or_default();
    let named = (2..=9).contains(&rest.len())
        && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'+' | b'-'));
    if number || named {
        return Ok(Value::from(name));
    }
    let why = format!("is `{}`, which is not a signal", crate::problem::escaped(&name));
    Err(read::wrong(option, arg, &why).hint("write it like \"SIGQUIT\"").into())
}

fn normal(name: &str) -> String {
    let name = name.trim().to_ascii_uppercase();
    let bare = name.parse::<u8>().is_ok() || name.starts_with("SIG");
    if bare { name } else { format!("SIG{name}") }
}

pub(super) fn write(canonical: &Value, body: &mut Body) {
    body.set(FIELD, canonical.clone());
}

pub(super) fn differs(canonical: &Value, inspect: &Inspect) -> bool {
    let found = inspect.compare(FIELD).and_then(Value::as_str).unwrap_or_default();
    canonical.as_str() != Some(normal(found).as_str())
}
