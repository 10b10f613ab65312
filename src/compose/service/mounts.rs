//! `volumes`: named ones are those of the project, paths those of the host.

use super::{Reading, Service, binds};
use crate::compose::scalar::{Resolved, resolve};
use crate::compose::value::{arg, clear, of, text, text_at, wants};
use crate::compose::yaml::{Map, Node, Scalar, Value};
use crate::problem::{Problem, escaped};
use crate::state::{Arg, ArgValue, Text};

/// What follows the last `:` of a mount.
const MODES: [&str; 16] = [
    "rw",
    "ro",
    "z",
    "Z",
    "nocopy",
    "copy",
    "rprivate",
    "private",
    "rshared",
    "shared",
    "rslave",
    "slave",
    "cached",
    "consistent",
    "delegated",
    "volume-nocopy",
];

impl Service<'_> {
    pub(super) fn volumes(&mut self, reading: &mut Reading) -> Result<(), Problem> {
        let Some(node) = self.get("volumes") else { return Ok(()) };
        let Some(items) = node.list() else { return Err(wants("volumes", "a list", node)) };
        let mut mounts = Vec::new();
        for item in items {
            match self.brought(item, reading) {
                Ok(true) => continue,
                Ok(false) => {}
                Err(problem) => {
                    reading.problems.push(problem);
                    continue;
                }
            }
            let read = match item.map() {
                Some(map) => self.long(item, map, reading),
                None => self.short(item, reading),
            };
            match read {
                Ok(mount) => mounts.push(mount),
                Err(problem) => reading.problems.push(problem),
            }
        }
        let mounts = of(node, ArgValue::Array(mounts));
        self.put("volumes", mounts);
        Ok(())
    }

    /// Whether a mount is brought along as files: of a relative path that `x-pillarbox.ship` names.
    fn brought(&mut self, node: &Node, reading: &mut Reading) -> Result<bool, Problem> {
        let (source, target) = match node.map() {
            Some(map) => {
                let get = |key: &str| map.get(key)?.scalar()?.text.as_clear().map(str::to_owned);
                match (get("type").as_deref(), get("source"), get("target")) {
                    (Some("bind"), Some(source), Some(target)) => (source, target),
                    _ => return Ok(false),
                }
            }
            None => {
                let Some(written) = node.scalar().and_then(|scalar| scalar.text.as_clear()) else {
                    return Ok(false);
                };
                match written.split(':').collect::<Vec<_>>().as_slice() {
                    [source, target] | [source, target, _] if source.starts_with('.') => {
                        ((*source).to_owned(), (*target).to_owned())
                    }
                    _ => return Ok(false),
                }
            }
        };
        if source.starts_with(['/', '~']) {
            return Ok(false);
        }
        let Some(path) = self.shipped(&source, node, reading)? else { return Ok(false) };
        self.ship(&path, &target, node, reading)?;
        Ok(true)
    }

    fn short(&self, node: &Node, reading: &mut Reading) -> Result<Arg, Problem> {
        let text = text("volumes", node)?;
        let Some(written) = text.as_clear() else {
            return Err(
                Problem::failed("a secret is in `volumes`, and a mount is no place for it").at(&node.place)
            );
        };
        let parts: Vec<&str> = written.split(':').collect();
        let (source, target, modes) = match parts.as_slice() {
            [target] => (None, *target, ""),
            [source, target] if target.starts_with('/') => (Some(*source), *target, ""),
            [target, modes] => (None, *target, *modes),
            [source, target, modes] => (Some(*source), *target, *modes),
            _ => return Err(malformed(written, node)),
        };
        if let Some(source) = source
            && source.len() == 1
            && source.starts_with(|c: char| c.is_ascii_alphabetic())
        {
            return Err(Problem::failed(format!(
                "`{}` is read as a drive of Windows by Compose",
                escaped(written)
            ))
            .at(&node.place)
            .hint("give the volume a longer name"));
        }
        if !target.starts_with('/') {
            return Err(malformed(written, node));
        }
        if let Some(mode) = modes.split(',').find(|mode| !mode.is_empty() && !MODES.contains(mode)) {
            return Err(Problem::failed(format!("`{}` is no mode of a mount", escaped(mode)))
                .at(&node.place)
                .cause("Compose drops it without a word")
                .hint("there are ro, rw, z, Z, nocopy and the kinds of propagation"));
        }
        let Some(source) = source else { return Ok(text_at(node, target)) };
        let source = self.source(source, node, reading)?;
        let modes: Vec<&str> = modes
            .split(',')
            .filter(|mode| !matches!(*mode, "" | "rw" | "copy" | "cached" | "consistent" | "delegated"))
            .collect();
        let modes = if modes.is_empty() { String::new() } else { format!(":{}", modes.join(",")) };
        Ok(text_at(node, format!("{source}:{target}{modes}")))
    }

    fn long(&self, node: &Node, map: &Map, reading: &mut Reading) -> Result<Arg, Problem> {
        let kind = match map.get("type") {
            Some(node) => clear("volumes.type", node)?,
            None => return Err(Problem::failed("an entry of `volumes` has no `type`").at(&node.place)),
        };
        let mut kept = Map::default();
        for entry in map.iter().filter(|entry| !entry.key.starts_with("x-")) {
            let mut entry = entry.clone();
            let names_source = entry.key == "source" && matches!(kind.as_str(), "bind" | "volume");
            if names_source
                && let Some(source) = entry.node.scalar().and_then(|scalar| scalar.text.as_clear())
            {
                let source = match kind.as_str() {
                    // A bind names no volume: `conf` is `./conf`.
                    "bind" if !source.starts_with(['/', '~']) => {
                        self.project.relative(source, &entry.node, reading)?
                    }
                    _ => self.source(source, &entry.node, reading)?,
                };
                if let Value::Scalar(scalar) = &mut entry.node.value {
                    scalar.text = Text::clear(source);
                    scalar.variable = false;
                    scalar.plain = false;
                }
            }
            kept.put(entry);
        }
        if kind == "bind" {
            binds::recursive(&mut kept)?;
            if let Some(short) = binds::short(node, &kept)? {
                return Ok(short);
            }
        }
        if let Some(Value::Map(tmpfs)) = kept.value_mut("tmpfs")
            && let Some(mode) = tmpfs.iter_mut().find(|entry| entry.key == "mode")
        {
            tmpfs_mode(&mut mode.node)?;
        }
        Ok(arg(&Node { value: Value::Map(kept), ..node.clone() }))
    }

    /// A path of the host, or the name of a volume.
    fn source(&self, written: &str, node: &Node, reading: &mut Reading) -> Result<String, Problem> {
        if written.starts_with('/') {
            return Ok(written.to_owned());
        }
        if written.starts_with('~') {
            return Err(Problem::failed(format!("`{}` is a path in a home folder", escaped(written)))
                .at(&node.place)
                .cause("the hosts do not have yours")
                .hint("write the whole path of the host"));
        }
        if written.starts_with('.') {
            return self.project.relative(written, node, reading);
        }
        if written.contains('/') {
            return Err(malformed(written, node));
        }
        let name = self.project.volume(written).ok_or_else(|| {
            Problem::failed(format!("there is no volume {}", escaped(written)))
                .at(&node.place)
                .nearest(written, self.project.volume_keys())
                .hint(format!("declare it at the top level: volumes: {{ {written}: }}"))
        })?;
        reading.used_volumes.insert(written.to_owned());
        Ok(name)
    }
}

fn malformed(written: &str, node: &Node) -> Problem {
    Problem::failed(format!("`{}` is no mount", escaped(written)))
        .at(&node.place)
        .hint("write NAME:/path, /path/of/the/host:/path, or /path, with :ro after it")
}

/// `01777` is octal already; in quotes Compose takes none.
fn tmpfs_mode(node: &mut Node) -> Result<(), Problem> {
    match node.scalar().map(resolve) {
        Some(Resolved::Integer(mode)) => {
            node.value = Value::Scalar(Scalar::written(format!("{mode:04o}"), false));
            Ok(())
        }
        _ => Err(wants("volumes.tmpfs.mode", "a number", node).hint("write it without quotes: 01777")),
    }
}
