//! Limits, all changed in place by one `POST /containers/{id}/update`.
//!
//! The Engine reads 0 and "" there as "leave it", so a limit cannot be taken away in place. Therefore
//! the fact that a limit is declared is part of the fixed spec (`limits.memory`): declaring one for
//! the first time, or no more, replaces the container; another value changes it in place.

use super::Body;
use crate::desired::{compare, read};
use crate::inspect::Inspect;
use crate::problem::Result;
use crate::state::{Arg, ArgValue};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Prefix of the fixed fields that say which limits are declared.
pub(crate) const FIELD: &str = "limits.";

/// The Engine refuses less than 6 MiB.
const LEAST_MEMORY: i64 = 6 << 20;

/// A size of which 0 is none.
pub(super) fn size(option: &str, arg: &Arg) -> Result<Value> {
    Ok(Some(read::bytes(option, arg)?).filter(|bytes| *bytes != 0).map_or(Value::Null, Value::from))
}

pub(super) fn memory(option: &str, arg: &Arg) -> Result<Value> {
    match read::bytes(option, arg)? {
        0 => Ok(Value::Null),
        bytes if bytes < LEAST_MEMORY => {
            Err(read::wrong(option, arg, "is less than 6 MiB, which the Engine refuses").into())
        }
        bytes => Ok(Value::from(bytes)),
    }
}

/// -1 is unlimited.
pub(super) fn memory_swap(option: &str, arg: &Arg) -> Result<Value> {
    let unlimited = match &arg.value {
        ArgValue::Integer(number) => *number == -1,
        ArgValue::Text(text) => text.as_clear().map(str::trim) == Some("-1"),
        _ => false,
    };
    if unlimited { Ok(Value::from(-1)) } else { size(option, arg) }
}

/// What the Engine itself takes where only memory is declared; sent along, because it refuses memory
/// without swap in an update.
pub(crate) fn swap(memory: i64) -> i64 {
    memory.saturating_mul(2)
}

/// Processors in billionths.
pub(super) fn cpus(option: &str, arg: &Arg) -> Result<Value> {
    let wrong = || read::wrong(option, arg, "must be a number of processors, for example 1.5");
    let cpus = match &arg.value {
        // docker-py's name for it counts billionths.
        ArgValue::Integer(nano) if option == "nano_cpus" && *nano >= 10_000_000 => *nano as f64 / 1e9,
        ArgValue::Integer(number) => *number as f64,
        ArgValue::Float(number) => number.value,
        ArgValue::Text(text) => {
            let text = text.as_clear().ok_or_else(|| read::secret_here(option, arg))?;
            text.trim().parse().map_err(|_| wrong())?
        }
        _ => return Err(wrong().into()),
    };
    if !(0.0..=100_000.0).contains(&cpus) {
        return Err(wrong().into());
    }
    let nano = (cpus * 1e9).round() as i64;
    match nano {
        0 => Ok(Value::Null),
        nano if nano < 10_000_000 => {
            Err(read::wrong(option, arg, "is less than 0.01, which the Engine refuses").into())
        }
        nano => Ok(Value::from(nano)),
    }
}

pub(super) fn shares(option: &str, arg: &Arg) -> Result<Value> {
    match read::integer(option, arg, 0, 262_144)? {
        0 => Ok(Value::Null),
        // The kernel's least; the Engine would raise it silently.
        shares => Ok(Value::from(shares.max(2))),
    }
}

/// Microseconds from 1 ms to 1 s, as the kernel takes them; 0 is its default.
pub(super) fn period(option: &str, arg: &Arg) -> Result<Value> {
    microseconds(option, arg, 1_000_000)
}

/// Microseconds in each period, at least 1 ms; -1 is no limit.
pub(super) fn quota(option: &str, arg: &Arg) -> Result<Value> {
    match read::integer(option, arg, -1, i64::MAX)? {
        -1 => Ok(Value::from(-1)),
        _ => microseconds(option, arg, i64::MAX),
    }
}

/// Microseconds of real time scheduling.
pub(super) fn real_time(option: &str, arg: &Arg) -> Result<Value> {
    match read::integer(option, arg, 0, 1_000_000_000)? {
        0 => Ok(Value::Null),
        time => Ok(Value::from(time)),
    }
}

fn microseconds(option: &str, arg: &Arg, most: i64) -> Result<Value> {
    match read::integer(option, arg, 0, most)? {
        0 => Ok(Value::Null),
        short @ 1..1000 => {
            let why = format!("is {short} microseconds, and the Engine refuses less than 1000");
            Err(read::wrong(option, arg, &why).into())
        }
        time => Ok(Value::from(time)),
    }
}

/// 0 and -1 are both "no limit".
pub(super) fn pids(option: &str, arg: &Arg) -> Result<Value> {
    match read::integer(option, arg, -1, i64::from(i32::MAX))? {
        0 => Ok(Value::from(-1)),
        limit => Ok(Value::from(limit)),
    }
}

const PIDS: &str = "/HostConfig/PidsLimit";

pub(super) fn write_pids(canonical: &Value, body: &mut Body) {
    body.set(PIDS, canonical.clone());
}

pub(super) fn pids_differ(canonical: &Value, inspect: &Inspect) -> bool {
    let found = inspect.compare(PIDS).and_then(Value::as_i64).filter(|limit| *limit > 0).unwrap_or(-1);
    canonical.as_i64() != Some(found)
}

/// Processors, or nodes of memory: `0,1,2` and `0-2` are the same: ranges, ascending.
pub(super) fn cpuset(option: &str, arg: &Arg) -> Result<Value> {
    let text = match &arg.value {
        ArgValue::Array(_) => read::list(option, arg)?.join(","),
        _ => read::text(option, arg)?,
    };
    match ranges(&text) {
        Some(ranges) if ranges.is_empty() => Ok(Value::Null),
        Some(ranges) => Ok(Value::from(ranges)),
        None => {
            let what = if option.contains("mems") { "memory nodes" } else { "processors" };
            Err(read::wrong(option, arg, &format!("must be {what} like \"0-3\" or \"0,2\"")).into())
        }
    }
}

fn ranges(text: &str) -> Option<String> {
    let mut cpus = BTreeSet::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        if first > last || last > 65_535 {
            return None;
        }
        cpus.extend(first..=last);
    }
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for cpu in cpus {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == cpu => *last = cpu,
            _ => ranges.push((cpu, cpu)),
        }
    }
    let shown = ranges.iter().map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    });
    Some(shown.collect::<Vec<_>>().join(","))
}

pub(super) fn cpuset_differs(canonical: &Value, inspect: &Inspect, pointer: &str) -> bool {
    let found = inspect.compare(pointer).and_then(Value::as_str).unwrap_or_default();
    !compare::same(canonical, Some(&json!(ranges(found).unwrap_or_else(|| found.to_owned()))))
}
