//! Paths of the host in the long form of `volumes`.

use crate::compose::value::{clear, text_at, truth, wants};
use crate::compose::yaml::{Entry, Map, Node, Scalar, Value};
use crate::problem::Problem;
use crate::state::Arg;

/// Fields that both forms have.
const IN_BOTH: [&str; 6] = ["type", "source", "target", "read_only", "consistency", "bind"];

/// The short form of a bind, where it is one: it makes the folder on the host, as Compose does unless `bind` says
/// otherwise, and only there has an Engine `selinux`.
pub(super) fn short(node: &Node, map: &Map) -> Result<Option<Arg>, Problem> {
    let text = |key: &str| map.get(key).and_then(Node::scalar).and_then(|scalar| scalar.text.as_clear());
    let (Some(source), Some(target)) = (text("source"), text("target")) else { return Ok(None) };
    let fits = |path: &str| path.starts_with('/') && !path.contains(':');
    let known = |entry: &Entry| IN_BOTH.contains(&entry.key.as_str());
    if !fits(source) || !fits(target) || !map.iter().all(known) {
        return Ok(None);
    }
    let of_bind = map.get("bind").filter(|node| !node.is_null());
    let of_bind =
        of_bind.map(|node| node.map().ok_or_else(|| wants("volumes.bind", "a mapping", node))).transpose()?;
    let mut modes = Vec::new();
    if let Some(node) = map.get("read_only")
        && truth("volumes.read_only", node)?
    {
        modes.push("ro".to_owned());
    }
    // Without `bind` it is made.
    let mut is_short = of_bind.is_none();
    for entry in of_bind.into_iter().flat_map(Map::iter) {
        let key = format!("volumes.bind.{}", entry.key);
        match entry.key.as_str() {
            "create_host_path" => is_short |= truth(&key, &entry.node)?,
            "propagation" => modes.push(clear(&key, &entry.node)?),
            "selinux" => {
                is_short = true;
                modes.push(clear(&key, &entry.node)?);
            }
            extension if extension.starts_with("x-") => {}
            _ => return Ok(None),
        }
    }
    modes.retain(|mode| !mode.is_empty());
    let modes = if modes.is_empty() { String::new() } else { format!(":{}", modes.join(",")) };
    Ok(is_short.then(|| text_at(node, format!("{source}:{target}{modes}"))))
}

/// `recursive` in the words of the Engine.
pub(super) fn recursive(map: &mut Map) -> Result<(), Problem> {
    let Some(Value::Map(of_bind)) = map.value_mut("bind") else { return Ok(()) };
    let Some(entry) = of_bind.remove("recursive") else { return Ok(()) };
    let key = match clear("volumes.bind.recursive", &entry.node)?.as_str() {
        "enabled" => return Ok(()),
        "disabled" => "non_recursive",
        "writable" => "read_only_non_recursive",
        "readonly" => "read_only_force_recursive",
        _ => {
            let what = "enabled, disabled, writable or readonly";
            return Err(wants("volumes.bind.recursive", what, &entry.node));
        }
    };
    let node = Node { value: Value::Scalar(Scalar::written("true", true)), ..entry.node.clone() };
    of_bind.put(Entry { key: key.to_owned(), node, ..entry });
    Ok(())
}
