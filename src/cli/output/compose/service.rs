//! A container in the keys of a service.

use super::Items;
use crate::desired::{BeforeStop, DesiredState, Item, Kind, Order, PullPolicy, Reaction};
use serde_json::{Map, Value, json};

/// The key of Compose for an option that it calls otherwise.
const RENAMED: [(&str, &str); 9] = [
    ("cgroupns", "cgroup"),
    ("device_requests", "gpus"),
    ("dns_options", "dns_opt"),
    ("memory", "mem_limit"),
    ("memory_reservation", "mem_reservation"),
    ("memory_swap", "memswap_limit"),
    ("memory_swappiness", "mem_swappiness"),
    ("log_driver", "driver"),
    ("log_options", "options"),
];

/// Limits of block devices, which Compose has in one mapping.
const BLOCKS: [&str; 6] = [
    "blkio_weight",
    "blkio_weight_device",
    "device_read_bps",
    "device_read_iops",
    "device_write_bps",
    "device_write_iops",
];

/// The service of a container, of which there are so many.
pub(super) fn config(item: &Item, items: &Items, count: usize) -> Value {
    let mut found = Map::new();
    let Some(want) = item.want.container() else { return Value::Null };
    found.insert("image".to_owned(), json!(want.image.to_string()));
    if want.pull == PullPolicy::Never {
        found.insert("pull_policy".to_owned(), json!("never"));
    }
    if count != 1 {
        found.insert("scale".to_owned(), json!(count));
    }
    let pattern = format!("{}-1", want.service());
    if item.address.kind == Kind::Container && want.name.as_str() != pattern && count == 1 {
        found.insert("container_name".to_owned(), json!(want.name.as_str()));
    }
    if !want.spec.env.is_empty() {
        let env = want.spec.env.iter().map(|(name, text)| (name.clone(), json!(text.to_string())));
        found.insert("environment".to_owned(), env.collect());
    }
    for (name, value) in want.spec.fixed.iter().chain(&want.spec.live).chain(&want.spec.aside) {
        option(name, value, items, &mut found);
    }
    let secrets = want.spec.secrets.iter().map(|(name, file)| {
        let value = file.value.to_string();
        let mut one = json!({ "target": format!("/run/secrets/{name}"), "value": value });
        if let Some(fields) = file.shown(value.into()).as_object() {
            for (name, value) in fields {
                one[name] = value.clone();
            }
        }
        one
    });
    let secrets: Vec<Value> = secrets.collect();
    if !secrets.is_empty() {
        found.insert("secrets".to_owned(), secrets.into());
    }
    let files = want.spec.files.iter().map(|(path, file)| {
        let mut one = json!({ "target": path });
        if let Some(fields) = file.shown().as_object() {
            for (name, value) in fields {
                one[name] = value.clone();
            }
        }
        one
    });
    let files: Vec<Value> = files.collect();
    if !files.is_empty() {
        found.insert("configs".to_owned(), files.into());
    }
    let depends = depends(item, items);
    if !depends.is_empty() {
        found.insert("depends_on".to_owned(), depends.into());
    }
    let ours = ours(item);
    super::sort(&mut found);
    let mut ordered = Map::new();
    // What is run stands first.
    ordered.extend(found.shift_remove_entry("image"));
    ordered.extend(found);
    if !ours.is_empty() {
        ordered.insert("x-pillarbox".to_owned(), ours.into());
    }
    ordered.into()
}

fn option(name: &str, value: &Value, items: &Items, found: &mut Map<String, Value>) {
    let key = RENAMED.iter().find(|(ours, _)| *ours == name).map_or(name, |(_, theirs)| theirs);
    let mut below = |table: &str, key: &str, value: &Value| {
        found.entry(table).or_insert_with(|| json!({}))[key] = value.clone();
    };
    match name {
        // Only say that a limit or an address is declared.
        _ if name.starts_with("limits.") || name.starts_with("networks.") => {}
        "log_driver" | "log_options" => below("logging", key, value),
        _ if BLOCKS.contains(&name) => below("blkio_config", name.trim_start_matches("blkio_"), value),
        "networks" => drop(found.insert(key.to_owned(), networks(value, items))),
        "volumes" => mounts(value, found, |target, bind| volume(target, bind, items)),
        "mounts" => mounts(value, found, |target, mount| long(target, mount, items)),
        "ports" => drop(found.insert(key.to_owned(), ports(value))),
        "cpus" => drop(found.insert(key.to_owned(), json!(value.as_f64().unwrap_or_default() / 1e9))),
        "stop_timeout" => {
            found.insert("stop_grace_period".to_owned(), json!(format!("{value}s")));
        }
        "healthcheck" => drop(found.insert(key.to_owned(), health(value))),
        "tmpfs" | "devices" => drop(found.insert(key.to_owned(), listed(name, value))),
        _ => match name.split_once('.') {
            Some(("labels", label)) => below("labels", label, value),
            _ => drop(found.insert(key.to_owned(), value.clone())),
        },
    }
}

fn health(value: &Value) -> Value {
    let fields = value.as_object().into_iter().flatten();
    let time = |nanoseconds: f64| format!("{}s", nanoseconds / 1e9);
    let shown = fields.map(|(name, value)| match (name.as_str(), value.as_f64()) {
        ("interval" | "timeout" | "start_period" | "start_interval", Some(number)) => {
            (name.clone(), json!(time(number)))
        }
        _ => (name.clone(), value.clone()),
    });
    shown.collect()
}

/// One entry for each path.
fn listed(name: &str, value: &Value) -> Value {
    let entries = value.as_object().into_iter().flatten();
    let all = entries.map(|(path, entry)| match (name, entry.as_str()) {
        ("tmpfs", Some("") | None) => json!(path),
        ("tmpfs", Some(options)) => json!(format!("{path}:{options}")),
        _ => {
            let mut device = json!({ "source": entry["source"], "target": path });
            device["permissions"] = entry["permissions"].clone();
            device
        }
    });
    all.collect()
}

fn networks(value: &Value, items: &Items) -> Value {
    let mut found = Map::new();
    for (name, endpoint) in value.as_object().into_iter().flatten() {
        let mut one = Map::new();
        for (field, value) in endpoint.as_object().into_iter().flatten() {
            match field.as_str() {
                "Aliases" => drop(one.insert("aliases".to_owned(), value.clone())),
                "DriverOpts" => drop(one.insert("driver_opts".to_owned(), value.clone())),
                "GwPriority" => drop(one.insert("gw_priority".to_owned(), value.clone())),
                "Links" => drop(one.insert("links".to_owned(), value.clone())),
                "MacAddress" => drop(one.insert("mac_address".to_owned(), value.clone())),
                "IPAMConfig" => {
                    for (theirs, ours) in [
                        ("IPv4Address", "ipv4_address"),
                        ("IPv6Address", "ipv6_address"),
                        ("LinkLocalIPs", "link_local_ips"),
                    ] {
                        if let Some(value) = value.get(theirs) {
                            one.insert(ours.to_owned(), value.clone());
                        }
                    }
                }
                _ => {}
            }
        }
        let key = items.key_of(Kind::Network, name).unwrap_or(name);
        found.insert(key.to_owned(), one.into());
    }
    found.into()
}

fn mounts(value: &Value, found: &mut Map<String, Value>, one: impl Fn(&str, &Value) -> Value) {
    let list = found.entry("volumes").or_insert_with(|| json!([]));
    let Some(list) = list.as_array_mut() else { return };
    let entries = value.as_object().into_iter().flatten();
    list.extend(entries.map(|(target, entry)| one(target, entry)));
    list.sort_by(|one, other| one["target"].as_str().cmp(&other["target"].as_str()));
}

fn volume(target: &str, bind: &Value, items: &Items) -> Value {
    let source = bind["source"].as_str().unwrap_or_default();
    let kind = if source.starts_with('/') { "bind" } else { "volume" };
    let mut one = json!({ "type": kind, "target": target });
    if !source.is_empty() {
        let key = items.key_of(Kind::Volume, source).filter(|_| kind == "volume");
        one["source"] = json!(key.unwrap_or(source));
    }
    for option in bind["options"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        match option {
            "ro" => one["read_only"] = json!(true),
            "z" | "Z" => one["bind"]["selinux"] = json!(option),
            "nocopy" => one["volume"]["nocopy"] = json!(true),
            other => one["bind"]["propagation"] = json!(other),
        }
    }
    one
}

fn long(target: &str, mount: &Value, items: &Items) -> Value {
    let mut one = json!({ "type": mount["type"], "target": target });
    let kind = mount["type"].as_str().unwrap_or_default().to_owned();
    for (field, value) in mount.as_object().into_iter().flatten() {
        match field.as_str() {
            "type" => {}
            "source" => {
                let source = value.as_str().unwrap_or_default();
                let key = items.key_of(Kind::Volume, source).filter(|_| kind == "volume");
                one["source"] = json!(key.unwrap_or(source));
            }
            "read_only" => one["read_only"] = value.clone(),
            "no_copy" => one[&kind]["nocopy"] = value.clone(),
            field => one[&kind][field] = value.clone(),
        }
    }
    one
}

/// One entry for each pair of ports.
fn ports(value: &Value) -> Value {
    let mut found = Vec::new();
    for (port, hosts) in value.as_object().into_iter().flatten() {
        let (target, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
        for host in hosts.as_array().into_iter().flatten() {
            let mut one =
                json!({ "target": target.parse::<u16>().unwrap_or_default(), "protocol": protocol });
            for (theirs, ours) in [("HostPort", "published"), ("HostIp", "host_ip")] {
                if let Some(text) = host[theirs].as_str().filter(|text| !text.is_empty()) {
                    one[ours] = json!(text);
                }
            }
            found.push(one);
        }
    }
    found.sort_by_key(|one| one["target"].as_u64());
    found.into()
}

/// Services that are there before this one, and what is waited for.
fn depends(item: &Item, items: &Items) -> Map<String, Value> {
    let mut found = Map::new();
    let watched = item
        .requisites
        .watch
        .iter()
        .flat_map(|watch| watch.things.iter().map(|thing| (thing, watch.reaction == Reaction::Restart)));
    for (address, restart) in item.needs.iter().map(|address| (address, false)).chain(watched) {
        let Some((key, other)) = items.service_of(address) else { continue };
        if items.service_of(&item.address).is_some_and(|(own, _)| own == key) {
            continue;
        }
        let checked = other.want.container().is_some_and(|want| {
            let test = &want.spec.fixed.get("healthcheck").map(|health| health["test"][0].clone());
            test.as_ref().is_some_and(|test| test != "NONE")
        });
        let condition = match (&other.want, checked) {
            (DesiredState::Task(_), _) => "service_completed_successfully",
            (_, true) => "service_healthy",
            (_, false) => "service_started",
        };
        let mut one = json!({ "condition": condition });
        if restart {
            one["restart"] = json!(true);
        }
        found.insert(key.to_owned(), one);
    }
    super::sort(&mut found);
    found
}

/// What Compose has no key for.
fn ours(item: &Item) -> Map<String, Value> {
    let mut found = Map::new();
    if let Some(gate) = &item.gate {
        found.insert("gate".to_owned(), json!(gate.app));
    }
    if matches!(item.want, DesiredState::Task(_)) {
        found.insert("task".to_owned(), json!(true));
    }
    let Some(replica) = item.want.container().and_then(|want| want.replica.as_ref()) else { return found };
    let mut update = Map::new();
    if replica.order == Order::StopFirst {
        update.insert("order".to_owned(), json!("stop-first"));
    }
    match &replica.before_stop {
        Some(BeforeStop::Exec(words)) => {
            update.insert("before_stop".to_owned(), json!({ "exec": words }));
        }
        Some(BeforeStop::Signal(signal)) => {
            update.insert("before_stop".to_owned(), json!({ "signal": signal }));
        }
        None => {}
    }
    if !update.is_empty() {
        found.insert("update".to_owned(), update.into());
    }
    if !replica.shared.is_empty() {
        found.insert("shared".to_owned(), json!(replica.shared));
    }
    found
}
