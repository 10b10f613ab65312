//! `deploy`, `scale`, `pre_stop`, and the update policy in `x-pillarbox`.

use super::{Reading, Service};
use crate::compose::value::{arg, clear, of, text_at, wants};
use crate::compose::yaml::{Map, Node};
use crate::problem::{Problem, escaped};
use crate::state::{Arg, ArgValue};
use std::collections::BTreeMap;

/// Keys of `x-pillarbox` that are arguments of `service.deployed`.
const OURS: [&str; 6] = ["update", "retain", "images", "shared", "onlyif", "unless"];

/// The keys of `deploy`.
const KEYS: [&str; 9] = [
    "replicas",
    "resources",
    "restart_policy",
    "update_config",
    "rollback_config",
    "mode",
    "placement",
    "endpoint_mode",
    "labels",
];

impl Service<'_> {
    pub(super) fn deploy(&mut self, reading: &mut Reading) -> Result<(), Problem> {
        let mut update = BTreeMap::new();
        let scale = self.get("scale").cloned();
        let mut replicas = None;
        if let Some(node) = self.get("deploy").cloned() {
            let map = node.map().ok_or_else(|| wants("deploy", "a mapping", &node))?;
            for entry in map.iter().filter(|entry| !entry.key.starts_with("x-") && !entry.node.is_null()) {
                match entry.key.as_str() {
                    "replicas" => replicas = Some(entry.node.clone()),
                    "resources" => self.resources(&entry.node, reading)?,
                    "restart_policy" => self.policy(&entry.node, reading)?,
                    "update_config" => {
                        let map = entry
                            .node
                            .map()
                            .ok_or_else(|| wants("update_config", "a mapping", &entry.node))?;
                        updated(map, &mut update, reading)?;
                    }
                    "mode" | "placement" | "endpoint_mode" | "rollback_config" | "labels" => {
                        reading.ignored(&format!("deploy.{}", entry.key), &entry.place, "it is for a swarm");
                    }
                    other => {
                        let what = format!("`deploy` has no key `{}` in Compose", escaped(other));
                        return Err(Problem::failed(what).at(&entry.place).nearest(other, KEYS));
                    }
                }
            }
        }
        let differ = |one: &Node, other: &Node| arg(one).value != arg(other).value;
        match (scale, replicas) {
            (Some(scale), Some(replicas)) if differ(&scale, &replicas) => {
                return Err(Problem::failed("`scale` and `deploy.replicas` differ")
                    .at(&scale.place)
                    .cause(format!("the other one is in {}", replicas.place))
                    .hint("keep one of them"));
            }
            (Some(node), _) | (None, Some(node)) => self.put("replicas", arg(&node)),
            (None, None) => {}
        }
        if let Some(node) = self.get("pre_stop").cloned()
            && let Some(command) = before_stop(&node)?
        {
            update.insert("before_stop".to_owned(), command);
        }
        self.extension(&mut update)?;
        if !update.is_empty() {
            let place = self.place.clone();
            self.put("update", Arg { value: ArgValue::Table(update), place, read: Vec::new() });
        }
        Ok(())
    }

    /// The limits; what stands beside them with another value is a contradiction.
    fn resources(&mut self, node: &Node, reading: &mut Reading) -> Result<(), Problem> {
        let map = node.map().ok_or_else(|| wants("deploy.resources", "a mapping", node))?;
        known("deploy.resources", map, ["limits", "reservations"])?;
        let keys = ["cpus", "memory", "pids", "devices", "generic_resources"];
        let part = |name: &str| -> Result<Map, Problem> {
            let Some(node) = map.get(name).filter(|node| !node.is_null()) else { return Ok(Map::default()) };
            let name = format!("deploy.resources.{name}");
            let part = node.map().ok_or_else(|| wants(&name, "a mapping", node))?;
            known(&name, part, keys).map(|()| part.clone())
        };
        let (limited, reserved) = (part("limits")?, part("reservations")?);
        let limits = [("cpus", "cpus"), ("memory", "mem_limit"), ("pids", "pids_limit")];
        for (theirs, ours) in limits {
            if let Some(node) = limited.get(theirs) {
                let value = arg(node);
                self.agrees(ours, &format!("deploy.resources.limits.{theirs}"), &value)?;
                self.put(ours, value);
            }
        }
        if let Some(node) = reserved.get("memory") {
            let value = arg(node);
            self.agrees("mem_reservation", "deploy.resources.reservations.memory", &value)?;
            self.put("mem_reservation", value);
        }
        for key in ["cpus", "generic_resources", "pids"] {
            if let Some(entry) = reserved.entry(key) {
                let key = format!("deploy.resources.reservations.{key}");
                reading.ignored(&key, &entry.place, "it is for a swarm");
            }
        }
        if let Some(node) = reserved.get("devices") {
            self.put("device_requests", devices(node)?);
        }
        Ok(())
    }

    /// That what stands in `deploy` is what the key beside it says: `64M` is 67108864, `"0.5"` is 0.5.
    fn agrees(&self, ours: &str, theirs: &str, value: &Arg) -> Result<(), Problem> {
        let Some(before) = self.args.get(ours) else { return Ok(()) };
        let same = |read: fn(&str, &Arg) -> crate::problem::Result<i64>| matches!((read(ours, before), read(ours, value)), (Ok(one), Ok(other)) if one == other);
        let alike = match ours {
            "mem_limit" | "mem_reservation" => same(crate::desired::read::bytes),
            _ => billionths(before).is_some_and(|one| billionths(value) == Some(one)),
        };
        // Compose takes 0 for: not said.
        if alike || before.value == value.value || billionths(before) == Some(0) {
            return Ok(());
        }
        Err(Problem::failed(format!("`{ours}` and `{theirs}` differ"))
            .at(&value.place)
            .cause(format!("the other one is in {}", before.place))
            .hint("keep one of them"))
    }

    fn policy(&mut self, node: &Node, reading: &mut Reading) -> Result<(), Problem> {
        let map = node.map().ok_or_else(|| wants("deploy.restart_policy", "a mapping", node))?;
        known("deploy.restart_policy", map, ["condition", "max_attempts", "delay", "window"])?;
        let condition = map.get("condition").map(|node| clear("condition", node)).transpose()?;
        let condition = condition.unwrap_or_else(|| "any".to_owned());
        let tries = map.get("max_attempts").map(|node| arg(node).value);
        let word = match (condition.as_str(), tries) {
            ("none", _) => "no".to_owned(),
            ("on-failure", Some(ArgValue::Integer(tries))) => format!("on-failure:{tries}"),
            ("on-failure", _) => "on-failure".to_owned(),
            ("any", _) => "always".to_owned(),
            (other, _) => {
                let what = format!("there is no condition `{}` for a restart", escaped(other));
                let place = map.get("condition").map_or(&node.place, |node| &node.place);
                return Err(Problem::failed(what).at(place).hint("there are none, on-failure and any"));
            }
        };
        for key in ["delay", "window"] {
            if let Some(entry) = map.entry(key) {
                reading.ignored(&format!("deploy.restart_policy.{key}"), &entry.place, "it is for a swarm");
            }
        }
        self.put("restart", text_at(node, word));
        Ok(())
    }

    fn extension(&mut self, update: &mut BTreeMap<String, Arg>) -> Result<(), Problem> {
        let Some(node) = self.map.get("x-pillarbox") else { return Ok(()) };
        let map = node.map().ok_or_else(|| wants("x-pillarbox", "a mapping", node))?;
        for entry in map.iter() {
            let value = arg(&entry.node);
            match (entry.key.as_str(), value) {
                ("gate" | "ship", _) => {}
                ("update", Arg { value: ArgValue::Table(fields), .. }) => update.extend(fields),
                ("drain", value) => drop(update.insert("drain".to_owned(), value)),
                (key, value) if OURS.contains(&key) => self.put(key, value),
                (key, _) => {
                    let what = format!("`x-pillarbox` has no key `{}`", escaped(key));
                    let known = OURS.into_iter().chain(["gate", "drain", "ship"]);
                    return Err(Problem::failed(what).at(&entry.place).nearest(key, known));
                }
            }
        }
        Ok(())
    }
}

/// A number as whole billionths, so that two of them can be compared.
fn billionths(arg: &Arg) -> Option<i64> {
    let number = match &arg.value {
        ArgValue::Integer(number) => *number as f64,
        ArgValue::Float(number) => number.value,
        ArgValue::Text(text) => text.as_clear()?.trim().parse().ok()?,
        _ => return None,
    };
    Some((number * 1e9).round() as i64)
}

/// That a mapping has no other keys: a misspelt one would do nothing.
fn known<const N: usize>(what: &str, map: &Map, known: [&str; N]) -> Result<(), Problem> {
    let other = |key: &str| !key.starts_with("x-") && !known.contains(&key);
    match map.iter().find(|entry| other(&entry.key)) {
        Some(entry) => {
            let what = format!("`{what}` has no key `{}` in Compose", escaped(&entry.key));
            Err(Problem::failed(what).at(&entry.place).nearest(&entry.key, known))
        }
        None => Ok(()),
    }
}

fn updated(map: &Map, update: &mut BTreeMap<String, Arg>, reading: &mut Reading) -> Result<(), Problem> {
    let keys = ["order", "parallelism", "monitor", "failure_action", "delay", "max_failure_ratio"];
    known("deploy.update_config", map, keys)?;
    for entry in map.iter().filter(|entry| !entry.key.starts_with("x-")) {
        match entry.key.as_str() {
            "order" => drop(update.insert("order".to_owned(), arg(&entry.node))),
            "parallelism" => drop(update.insert("batch".to_owned(), arg(&entry.node))),
            "monitor" => drop(update.insert("monitor".to_owned(), arg(&entry.node))),
            "failure_action" => {
                let word = clear("failure_action", &entry.node)?;
                if word != "rollback" {
                    let key = "deploy.update_config.failure_action";
                    reading.ignored(key, &entry.place, "a failed replacement is always rolled back");
                }
            }
            key => reading.ignored(&format!("deploy.update_config.{key}"), &entry.place, "it is for a swarm"),
        }
    }
    Ok(())
}

fn devices(node: &Node) -> Result<Arg, Problem> {
    let items = node.list().ok_or_else(|| wants("devices", "a list", node))?;
    let mut requests = Vec::new();
    for item in items {
        let mut request = arg(item);
        if let ArgValue::Table(fields) = &mut request.value
            && let Some(ArgValue::Text(text)) = fields.get("count").map(|count| &count.value)
            && text.as_clear() == Some("all")
        {
            fields.insert("count".to_owned(), of(item, ArgValue::Integer(-1)));
        }
        requests.push(request);
    }
    Ok(of(node, ArgValue::Array(requests)))
}

/// One command, as itself.
fn before_stop(node: &Node) -> Result<Option<Arg>, Problem> {
    let items = node.list().ok_or_else(|| wants("pre_stop", "a list", node))?;
    let wrong = |what: &str, node: &Node| {
        Problem::failed(what.to_owned())
            .at(&node.place)
            .hint("write pre_stop: [{ command: [\"cmd\", \"…\"] }]")
    };
    let one = match items {
        [] => return Ok(None),
        [one] => one,
        _ => return Err(wrong("`pre_stop` has more than one command", node)),
    };
    let map = one.map().ok_or_else(|| wants("pre_stop", "a mapping", one))?;
    if let Some(entry) = map.iter().find(|entry| entry.key != "command" && !entry.key.starts_with("x-")) {
        return Err(wrong(&format!("`{}` of `pre_stop` cannot be done", escaped(&entry.key)), &entry.node));
    }
    let command = map.get("command").ok_or_else(|| wrong("`pre_stop` has no command", one))?;
    let fields = BTreeMap::from([("exec".to_owned(), arg(command))]);
    Ok(Some(of(one, ArgValue::Table(fields))))
}
