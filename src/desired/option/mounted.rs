//! An Engine takes a volume or a path of the host in two ways, `Binds` and `Mounts`, and what is mounted is the same.
//! Which of them is used differs between versions of Compose, so each mount is compared in the way it is declared in.

use super::mounts::each_entry;
use super::simple::trimmed;
use crate::desired::compare;
use crate::inspect::Inspect;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// What a container mounts, each mount in the way in which `volumes` or `mounts` declares its path.
pub(crate) fn as_declared<'a>(
    volumes: Option<&Value>,
    mounts: Option<&Value>,
    inspect: &'a Inspect,
) -> Cow<'a, Inspect> {
    let list = |field: &str| -> Vec<Value> {
        let pointer = format!("/HostConfig/{field}");
        inspect.compare(&pointer).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let (binds, found) = (list("Binds"), list("Mounts"));
    let is_in = |declared: Option<&Value>, path: &str| {
        declared.into_iter().flat_map(each_entry).any(|(declared, _)| declared == trimmed(path))
    };
    let (mut binds_now, mut found_now, mut unnamed) = (Vec::new(), Vec::new(), Map::new());
    for bind in &binds {
        let target = bind.as_str().and_then(|bind| bind.split(':').nth(1)).unwrap_or_default();
        let is_there_too = found.iter().any(|mount| mount["Target"] == target);
        match as_mount(bind).filter(|_| is_in(mounts, target) && !is_there_too) {
            Some(mount) => found_now.push(mount),
            None => binds_now.push(bind.clone()),
        }
    }
    for mount in &found {
        let target = mount["Target"].as_str().unwrap_or_default();
        let declared = volumes.into_iter().flat_map(each_entry).find(|(path, _)| *path == trimmed(target));
        match declared {
            // Whichever volume it is: none is declared by name.
            Some((path, wanted)) if wanted["source"] == "" && mount["Type"] == "volume" => {
                unnamed.insert(path.clone(), json!({}));
            }
            Some(_) => match as_bind(mount) {
                Some(bind) => binds_now.push(json!(bind)),
                None => found_now.push(mount.clone()),
            },
            None => found_now.push(mount.clone()),
        }
    }
    if found_now == found && binds_now == binds {
        return Cow::Borrowed(inspect);
    }
    let mut answer = inspect.compare("").cloned().unwrap_or_default();
    answer["HostConfig"]["Binds"] = binds_now.into();
    answer["HostConfig"]["Mounts"] = found_now.into();
    for (path, volume) in unnamed {
        answer["Config"]["Volumes"][path] = volume;
    }
    Cow::Owned(Inspect::with_gaps(answer, inspect.gaps()))
}

/// `data:/data:ro` as a mount; `None` where it has an option that a mount lacks.
fn as_mount(bind: &Value) -> Option<Value> {
    let mut parts = bind.as_str()?.splitn(3, ':');
    let (source, target) = (parts.next()?, parts.next()?);
    let is_path = source.starts_with('/');
    let mut mount = json!({ "Type": if is_path { "bind" } else { "volume" }, "Target": trimmed(target) });
    mount["Source"] = json!(if is_path { trimmed(source) } else { source });
    if is_path {
        // It always makes the folder on the host.
        mount["BindOptions"]["CreateMountpoint"] = json!(true);
    }
    for option in parts.next().unwrap_or_default().split(',') {
        match option {
            "" | "rw" => {}
            "ro" => mount["ReadOnly"] = json!(true),
            "nocopy" if !is_path => mount["VolumeOptions"]["NoCopy"] = json!(true),
            _ if is_path && is_propagation(option) => mount["BindOptions"]["Propagation"] = json!(option),
            _ => return None,
        }
    }
    Some(mount)
}

/// The other way round.
fn as_bind(mount: &Value) -> Option<String> {
    let source = mount["Source"].as_str().filter(|source| !source.is_empty())?;
    let mut options = Vec::new();
    if mount["ReadOnly"] == true {
        options.push("ro");
    }
    let part = match mount["Type"].as_str()? {
        "volume" => "VolumeOptions",
        "bind" => "BindOptions",
        _ => return None,
    };
    for (field, value) in mount[part].as_object().into_iter().flatten() {
        match (part, field.as_str()) {
            _ if compare::is_empty(value) => {}
            ("BindOptions", "CreateMountpoint") => {}
            ("BindOptions", "Propagation") => options.push(value.as_str()?),
            ("VolumeOptions", "NoCopy") => options.push("nocopy"),
            _ => return None,
        }
    }
    let target = mount["Target"].as_str()?;
    let options = if options.is_empty() { String::new() } else { format!(":{}", options.join(",")) };
    Some(format!("{source}:{target}{options}"))
}

fn is_propagation(word: &str) -> bool {
    matches!(word, "shared" | "rshared" | "slave" | "rslave" | "private" | "rprivate")
}

#[cfg(test)]
mod tests;
