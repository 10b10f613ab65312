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

/// One spelling of each signal, of those that the Engine knows: 3, QUIT and SIGQUIT are SIGQUIT.
fn normal(name: &str) -> String {
    let name = name.trim().to_ascii_uppercase();
    if let Ok(number) = name.parse::<u8>() {
        return numbered(number).unwrap_or(name);
    }
    let bare = name.strip_prefix("SIG").unwrap_or(&name);
    let first = ALIASES.iter().find(|(alias, _)| *alias == bare).map_or(bare, |(_, first)| first);
    format!("SIG{first}")
}

/// Signals by their numbers on Linux (x86, ARM), from 1.
const NUMBERED: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// Second names of signals.
const ALIASES: [(&str, &str); 4] = [("CLD", "CHLD"), ("IOT", "ABRT"), ("POLL", "IO"), ("UNUSED", "SYS")];

fn numbered(number: u8) -> Option<String> {
    Some(match number {
        1..=31 => format!("SIG{}", NUMBERED.get(usize::from(number) - 1)?),
        34 => "SIGRTMIN".to_owned(),
        35..=49 => format!("SIGRTMIN+{}", number - 34),
        50..=63 => format!("SIGRTMAX-{}", 64 - number),
        64 => "SIGRTMAX".to_owned(),
        _ => return None,
    })
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
