//! The operating system and architecture of the image.

use super::Body;
use crate::desired::read;
use crate::inspect::Inspect;
use crate::problem::{Result, escaped};
use crate::state::Arg;
use serde_json::Value;

/// `linux/arm64`, `linux/arm/v7`, or only the architecture, in any of its usual names.
pub(super) fn read(option: &str, arg: &Arg) -> Result<Value> {
    let text = read::word(option, arg)?;
    match normal(&text) {
        Some(platform) => Ok(Value::from(platform)),
        None => Err(read::wrong(option, arg, &format!("is `{}`, which is not a platform", escaped(&text)))
            .hint("write it like \"linux/amd64\" or \"linux/arm/v7\"")
            .into()),
    }
}

/// In the names that images have.
fn normal(text: &str) -> Option<String> {
    let lower = text.trim().to_ascii_lowercase();
    let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let parts: Vec<&str> = lower.split('/').collect();
    if !parts.iter().all(|part| word(part)) {
        return None;
    }
    let (os, processor, variant) = match parts.as_slice() {
        ["linux" | "windows" | "freebsd", processor] => (parts[0], *processor, None),
        [processor] if !matches!(*processor, "linux" | "windows" | "freebsd") => ("linux", *processor, None),
        [os, processor, variant] => (*os, *processor, Some(*variant)),
        _ => return None,
    };
    let (processor, variant) = match (processor, variant) {
        ("x86_64" | "amd64", None | Some("v1")) => ("amd64", None),
        ("aarch64" | "arm64", None | Some("v8" | "8")) => ("arm64", None),
        ("armhf", None) | ("arm", Some("7")) => ("arm", Some("v7")),
        ("armel", None) | ("arm", Some("6")) => ("arm", Some("v6")),
        ("arm", None) => ("arm", Some("v7")),
        ("i386" | "i486" | "i586" | "i686" | "386", None) => ("386", None),
        other => other,
    };
    let variant = variant.map(|variant| format!("/{variant}")).unwrap_or_default();
    Some(format!("{os}/{processor}{variant}"))
}

/// It is no field of the Engine's body but of the call's query; the call takes it out again.
pub(super) fn write(canonical: &Value, body: &mut Body) {
    body.set("/Config/Platform", canonical.clone());
}

/// A container does not say for which platform it was made; its image does.
pub(super) fn differs(_: &Value, _: &Inspect) -> bool {
    false
}
