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

/// Signals of Linux by their numbers, from 1.
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// Podman reports the number of what Docker reports as it was written. A name that is not known is itself.
fn number(name: &str) -> String {
    let bare = name.strip_prefix("SIG").unwrap_or(name);
    match NAMES.iter().position(|known| *known == bare) {
        Some(at) => (at + 1).to_string(),
        None => name.to_owned(),
    }
}

pub(super) fn write(canonical: &Value, body: &mut Body) {
    body.set(FIELD, canonical.clone());
}

pub(super) fn differs(canonical: &Value, inspect: &Inspect) -> bool {
    let found = inspect.compare(FIELD).and_then(Value::as_str).unwrap_or_default();
    number(canonical.as_str().unwrap_or_default()) != number(&normal(found))
}
