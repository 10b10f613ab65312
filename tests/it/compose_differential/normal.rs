//! What Compose and pillarbox print of a project, in one form.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// One that is not there is null.
fn take(map: &mut Map<String, Value>, key: &str) -> Value {
    map.remove(key).unwrap_or_default()
}

fn object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = json!({});
    }
    value.as_object_mut().expect("an object")
}

/// What `docker compose config --format json` prints.
pub(super) fn theirs(mut config: Value, project: &str, project_files: &[(String, String)]) -> Value {
    dollars(&mut config);
    let top = object(&mut config).clone();
    let named = |part: &str, key: &str| -> String {
        top.get(part).and_then(|all| all[key]["name"].as_str()).unwrap_or(key).to_owned()
    };
    let mut services = Map::new();
    for (name, service) in top.get("services").and_then(Value::as_object).into_iter().flatten() {
        let mut service = service.clone();
        let map = object(&mut service);
        deploy(map);
        if let Some(image) = map.get("image").and_then(Value::as_str) {
            // What the Hub is called, and what is meant without a tag.
            let image = image.strip_prefix("docker.io/").unwrap_or(image);
            let image = image.strip_prefix("library/").unwrap_or(image);
            let tagged = image.rsplit('/').next().unwrap_or_default().contains([':', '@']);
            let image = if tagged { image.to_owned() } else { format!("{image}:latest") };
            map.insert("image".to_owned(), json!(image));
        }
        let networks = take(map, "networks");
        let networks = networks.as_object().into_iter().flatten();
        let mut networks: Map<String, Value> =
            networks.map(|(key, value)| (named("networks", key), value.clone())).collect();
        // It is that of the endpoint.
        if let (Some(mac), Some(endpoint)) = (take(map, "mac_address").as_str(), networks.values_mut().next())
        {
            object(endpoint).insert("mac_address".to_owned(), json!(mac.replace('-', ":").to_lowercase()));
        }
        map.insert("networks".to_owned(), networks.into());
        for mount in map.get_mut("volumes").and_then(Value::as_array_mut).into_iter().flatten() {
            if mount["type"] == "volume"
                && let Some(source) = mount["source"].as_str().map(str::to_owned)
            {
                mount["source"] = json!(named("volumes", &source));
            }
        }
        for key in ["network_mode", "pid", "ipc"] {
            let other = map.get(key).and_then(Value::as_str).and_then(|text| text.strip_prefix("service:"));
            if let Some(other) = other.map(|other| container(project, other, &top)) {
                map.insert(key.to_owned(), json!(format!("container:{other}")));
            }
        }
        if let Some(from) = map.get_mut("volumes_from").and_then(Value::as_array_mut) {
            for item in from {
                let text = item.as_str().unwrap_or_default().to_owned();
                let (other, mode) = text.split_once(':').unwrap_or((&text, ""));
                let mode = if mode == "ro" { ":ro" } else { "" };
                *item = json!(format!("{}{mode}", container(project, other, &top)));
            }
        }
        let links = take(map, "links");
        let links = links.as_array().into_iter().flatten().filter_map(Value::as_str);
        // `up` adds the numbered names, which `config` does not show.
        let mut links: Vec<String> = links
            .flat_map(|link| {
                let (other, alias) = link.split_once(':').unwrap_or((link, link));
                let to = container(project, other, &top);
                [alias.to_owned(), format!("{other}-1"), format!("{project}-{other}-1")]
                    .map(|name| format!("{to}:{name}"))
            })
            .collect();
        links.sort();
        links.dedup();
        // Where `up` joins no network, it makes no link.
        if map.contains_key("network_mode") {
            links.clear();
        }
        map.insert("links".to_owned(), json!(links));
        let files = take(map, "configs");
        map.insert("configs".to_owned(), configs(&files, &top, project_files));
        if let Some(first) = take(map, "pre_stop").get(0) {
            map.insert("pre_stop".to_owned(), first["command"].clone());
        }
        secrets(map, |secret| {
            let target = secret["target"].as_str().or(secret["source"].as_str()).unwrap_or_default();
            target.rsplit('/').next().unwrap_or_default().to_owned()
        });
        if map.get("scale") == Some(&json!(0)) {
            map.retain(|key, _| key == "scale");
        } else if awaited(&top, name) {
            map.insert("x-pillarbox".to_owned(), json!({ "task": true }));
        }
        services.insert(name.clone(), normal(name, service));
    }
    let (mut networks, mut volumes) = (resources(&top, "networks"), resources(&top, "volumes"));
    // What others make is looked for where a container uses it.
    for service in services.values() {
        if service["scale"] == 0 {
            let used = |name: &str| {
                services.values().any(|service| {
                    let mounts = service["volumes"].as_array().into_iter().flatten();
                    service["networks"].get(name).is_some()
                        || mounts.into_iter().any(|mount| mount["source"] == name)
                })
            };
            let external = |value: &Value| value["external"] == true;
            object(&mut networks).retain(|name, value| !external(value) || used(name));
            object(&mut volumes).retain(|name, value| !external(value) || used(name));
        }
    }
    json!({ "services": services, "networks": networks, "volumes": volumes })
}

/// Files of a service by their paths: size, digest, owner and mode.
fn configs(list: &Value, top: &Map<String, Value>, project_files: &[(String, String)]) -> Value {
    let mut found = Map::new();
    for one in list.as_array().into_iter().flatten() {
        let source = one["source"].as_str().unwrap_or_default();
        let from = top.get("configs").map(|all| &all[source]).unwrap_or(&Value::Null);
        let content = match (&from["content"], &from["environment"], &from["file"]) {
            (Value::String(content), ..) => content.clone(),
            (_, Value::String(name), _) => super::grammar::variable(name).to_owned(),
            (.., Value::String(path)) => {
                let file = project_files.iter().find(|(name, _)| path.ends_with(&format!("/{name}")));
                file.map(|(_, text)| text.clone()).unwrap_or_default()
            }
            _ => String::new(),
        };
        let target = one["target"].as_str().unwrap_or(source);
        let target = format!("/{}", target.trim_start_matches('/'));
        let text = |key: &str, without: &str| one[key].as_str().unwrap_or(without).to_owned();
        let digest = Sha256::digest(content.as_bytes());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        found.insert(
            target,
            json!({
                "size": content.len(), "sha256": digest, "uid": text("uid", "0"), "gid": text("gid", "0"),
                "mode": text("mode", "0444"),
            }),
        );
    }
    found.into()
}

/// Whether another service waits for the end of this one.
fn awaited(top: &Map<String, Value>, service: &str) -> bool {
    let services = top.get("services").and_then(Value::as_object).into_iter().flatten();
    let mut all = services.map(|(_, other)| &other["depends_on"][service]["condition"]);
    all.any(|condition| condition == "service_completed_successfully")
}

/// What `pillarbox compose show --json` prints.
pub(super) fn ours(mut config: Value) -> Value {
    let top = object(&mut config).clone();
    let named = |part: &str, key: &str| -> String {
        top.get(part).and_then(|all| all[key]["name"].as_str()).unwrap_or(key).to_owned()
    };
    let mut services = Map::new();
    for (name, service) in top.get("services").and_then(Value::as_object).into_iter().flatten() {
        let mut service = service.clone();
        let map = object(&mut service);
        let mut links = Vec::new();
        let networks = take(map, "networks");
        let mut found = Map::new();
        for (key, endpoint) in networks.as_object().into_iter().flatten() {
            let mut endpoint = endpoint.clone();
            for link in take(object(&mut endpoint), "links").as_array().into_iter().flatten() {
                links.extend(link.as_str().map(str::to_owned));
            }
            found.insert(named("networks", key), endpoint);
        }
        links.sort();
        links.dedup();
        map.insert("links".to_owned(), json!(links));
        map.insert("networks".to_owned(), found.into());
        for mount in map.get_mut("volumes").and_then(Value::as_array_mut).into_iter().flatten() {
            if mount["type"] == "volume"
                && let Some(source) = mount["source"].as_str().map(str::to_owned)
            {
                mount["source"] = json!(named("volumes", &source));
            }
        }
        let mut files = Map::new();
        for one in take(map, "configs").as_array_mut().into_iter().flatten() {
            let target = one["target"].as_str().unwrap_or_default().to_owned();
            let number = |value: &Value| json!(value.as_i64().unwrap_or_default().to_string());
            let mode = one["mode"].as_str().unwrap_or("0444").to_owned();
            let digest = one["sha256"].as_str().unwrap_or_default().trim_start_matches("sha256:").to_owned();
            files.insert(
                target,
                json!({
                    "size": one["size"], "sha256": digest, "uid": number(&one["uid"]),
                    "gid": number(&one["gid"]), "mode": mode,
                }),
            );
        }
        map.insert("configs".to_owned(), files.into());
        if let Some(words) = map.get("x-pillarbox").and_then(|ours| ours["update"]["before_stop"].get("exec"))
        {
            let words = words.clone();
            map.insert("pre_stop".to_owned(), words);
        }
        secrets(map, |secret| {
            secret["target"]
                .as_str()
                .and_then(|target| target.rsplit('/').next())
                .unwrap_or_default()
                .to_owned()
        });
        services.insert(name.clone(), normal(name, service));
    }
    json!({ "services": services, "networks": resources(&top, "networks"), "volumes": resources(&top, "volumes") })
}

/// The first container of a service.
fn container(project: &str, service: &str, top: &Map<String, Value>) -> String {
    let own = top.get("services").and_then(|all| all[service]["container_name"].as_str());
    own.map_or_else(|| format!("{project}-{service}-1"), str::to_owned)
}

/// `config` writes every `$` twice.
fn dollars(value: &mut Value) {
    match value {
        Value::String(text) => *text = text.replace("$$", "$"),
        Value::Array(items) => items.iter_mut().for_each(dollars),
        Value::Object(map) => map.values_mut().for_each(dollars),
        _ => {}
    }
}

/// `deploy` as the keys that stand for it.
fn deploy(map: &mut Map<String, Value>) {
    let deploy = take(map, "deploy");
    let limits = &deploy["resources"]["limits"];
    for (from, to) in [("cpus", "cpus"), ("memory", "mem_limit"), ("pids", "pids_limit")] {
        if !limits[from].is_null() {
            map.insert(to.to_owned(), limits[from].clone());
        }
    }
    let reserved = &deploy["resources"]["reservations"];
    if !reserved["memory"].is_null() {
        map.insert("mem_reservation".to_owned(), reserved["memory"].clone());
    }
    if !reserved["devices"].is_null() {
        let mut all = map.get("gpus").and_then(Value::as_array).cloned().unwrap_or_default();
        all.extend(reserved["devices"].as_array().cloned().unwrap_or_default());
        map.insert("gpus".to_owned(), all.into());
    }
    if !deploy["replicas"].is_null() {
        map.insert("scale".to_owned(), deploy["replicas"].clone());
    }
    let policy = &deploy["restart_policy"];
    if policy.is_object() {
        let word = match (policy["condition"].as_str().unwrap_or("any"), policy["max_attempts"].as_u64()) {
            ("none", _) => "no".to_owned(),
            ("on-failure", Some(tries)) => format!("on-failure:{tries}"),
            ("on-failure", None) => "on-failure".to_owned(),
            _ => "always".to_owned(),
        };
        map.insert("restart".to_owned(), json!(word));
    }
}

fn secrets(map: &mut Map<String, Value>, name: impl Fn(&Value) -> String) {
    let mut found = Map::new();
    for secret in take(map, "secrets").as_array().into_iter().flatten() {
        let text = |key: &str, without: &str| match &secret[key] {
            Value::Null => without.to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let one = json!({ "uid": text("uid", "0"), "gid": text("gid", "0"), "mode": text("mode", "0444") });
        found.insert(name(secret), one);
    }
    map.insert("secrets".to_owned(), found.into());
}

fn resources(top: &Map<String, Value>, part: &str) -> Value {
    let mut found = Map::new();
    for (key, value) in top.get(part).and_then(Value::as_object).into_iter().flatten() {
        let name = value["name"].as_str().unwrap_or(key).to_owned();
        let mut value = value.clone();
        let map = object(&mut value);
        map.retain(|key, value| !key.starts_with("x-") && !is_nothing(value));
        found.insert(name, value);
    }
    found.into()
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(truth) => !truth,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.values().all(is_nothing),
        _ => false,
    }
}

/// A service in which nothing depends on who printed it.
fn normal(name: &str, mut service: Value) -> Value {
    let map = object(&mut service);
    let is_task = map.get("x-pillarbox").is_some_and(|ours| ours["task"] == true);
    for key in ["build", "attach", "develop", "profiles", "extends", "cpu_count", "cpu_percent"] {
        map.remove(key);
    }
    if map.get("pull_policy") != Some(&json!("never")) {
        map.remove("pull_policy");
    }
    if map.get("scale") != Some(&json!(0)) {
        map.entry("restart").or_insert_with(|| json!("no"));
    }
    // Compose restarts those too that share something; here they are replaced with it.
    let shared: Vec<String> = ["network_mode", "pid", "ipc", "links"]
        .iter()
        .filter_map(|key| map.get(*key).map(Value::to_string))
        .collect();
    for (other, one) in map.get_mut("depends_on").and_then(Value::as_object_mut).into_iter().flatten() {
        let container = [format!("-{other}-1"), format!("{other}-own")];
        if shared.iter().any(|text| container.iter().any(|container| text.contains(container.as_str()))) {
            one["restart"] = json!(false);
        }
    }
    for (key, value) in map.iter_mut() {
        match key.as_str() {
            "environment" => object(value).retain(|_, value| !value.is_null()),
            "depends_on" => {
                for one in object(value).values_mut() {
                    *one = json!({ "restart": one["restart"] == true });
                }
            }
            "expose" => *value = exposed(value),
            "extra_hosts" => {
                let hosts = texts(value).into_iter();
                *value = sorted(hosts.map(|host| host.replacen('=', ":", 1)).collect());
            }
            "cap_add" | "cap_drop" => {
                let capabilities = texts(value).into_iter().map(|text| text.to_uppercase());
                let prefixed = |text: String| match text.as_str() {
                    "ALL" => text,
                    _ if text.starts_with("CAP_") => text,
                    _ => format!("CAP_{text}"),
                };
                *value = sorted(capabilities.map(prefixed).collect());
            }
            "group_add" | "volumes_from" | "device_cgroup_rules" => {
                let letters = |text: String| match text.rsplit_once(' ') {
                    Some((before, letters)) if before.contains(':') => {
                        let mut letters: Vec<char> = letters.chars().collect();
                        letters.sort_unstable();
                        format!("{before} {}", letters.into_iter().collect::<String>())
                    }
                    _ => text,
                };
                *value = sorted(texts(value).into_iter().map(letters).collect());
            }
            "security_opt" => {
                let options = texts(value).into_iter();
                *value = sorted(
                    options.map(|text| text.replacen(":true", "", 1).replacen("=true", "", 1)).collect(),
                );
            }
            "cpuset" => *value = processors(value),
            "tmpfs" => *value = sorted(texts(value)),
            "gpus" => *value = requests(value),
            "healthcheck" => health(value),
            "mem_limit" | "mem_reservation" | "memswap_limit" | "shm_size" | "cpus" | "mem_swappiness" => {
                *value = number(value);
            }
            "networks" => {
                for endpoint in object(value).values_mut() {
                    let endpoint = object(endpoint);
                    endpoint.remove("priority");
                    let mut aliases = texts(&take(endpoint, "aliases"));
                    aliases.retain(|alias| alias != name);
                    endpoint.insert("aliases".to_owned(), sorted(aliases));
                    endpoint.retain(|key, value| !key.starts_with("x-") && !is_nothing(value));
                }
            }
            "ports" => *value = ports(value),
            "stop_grace_period" => *value = json!(seconds(value)),
            "stop_signal" => {
                let signal = value.as_str().unwrap_or_default().to_owned();
                *value = json!(if signal.starts_with("SIG") { signal } else { format!("SIG{signal}") });
            }
            "ulimits" => {
                for limit in object(value).values_mut() {
                    if !limit.is_object() {
                        *limit = json!({ "soft": limit, "hard": limit });
                    }
                }
            }
            "volumes" => *value = volumes(value),
            "blkio_config" => blocks(value),
            _ => {}
        }
    }
    if is_task {
        for key in ["restart", "container_name", "scale"] {
            map.remove(key);
        }
        map.insert("task".to_owned(), json!(true));
    }
    if map.get("scale") == Some(&json!(1)) {
        map.remove("scale");
    }
    // Taken away is more than not said.
    map.retain(|key, value| {
        !key.starts_with("x-")
            && (!is_nothing(value) || (["command", "entrypoint"].contains(&key.as_str()) && value.is_array()))
    });
    service
}

fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items.map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)).collect()
}

fn sorted(mut texts: Vec<String>) -> Value {
    texts.sort();
    texts.dedup();
    json!(texts)
}

fn number(value: &Value) -> Value {
    let number = match value {
        Value::String(text) => text.parse::<f64>().unwrap_or(f64::NAN),
        other => other.as_f64().unwrap_or(f64::NAN),
    };
    if number == 0.0 { Value::Null } else { json!(number) }
}

/// A time in Go's form, in seconds.
fn seconds(value: &Value) -> f64 {
    let text = value.as_str().unwrap_or_default();
    let (mut total, mut digits, mut rest) = (0.0, String::new(), text);
    while let Some(c) = rest.chars().next() {
        if c.is_ascii_digit() || c == '.' {
            digits.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let (unit, factor) =
            [("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)]
                .into_iter()
                .find(|(unit, _)| rest.starts_with(unit))
                .unwrap_or((&rest[..c.len_utf8()], f64::NAN));
        total += digits.parse::<f64>().unwrap_or_default() * factor;
        digits.clear();
        rest = &rest[unit.len()..];
    }
    (total * 1e6).round() / 1e6
}

/// `0-2` is `0,1,2`.
fn processors(value: &Value) -> Value {
    let text = value.as_str().unwrap_or_default();
    let each = text.split(',').filter_map(|part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse::<u32>().ok()?..=last.parse::<u32>().ok()?)
    });
    each.flatten().collect::<Vec<_>>().into()
}

fn exposed(value: &Value) -> Value {
    let mut all = Vec::new();
    for text in texts(value) {
        let (ports, protocol) = text.split_once('/').unwrap_or((&text, "tcp"));
        let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
        let (first, last): (u16, u16) = (first.parse().unwrap_or_default(), last.parse().unwrap_or_default());
        all.extend((first..=last).map(|port| format!("{port}/{protocol}")));
    }
    sorted(all)
}

/// Requests of devices in the form of the Engine.
fn requests(value: &Value) -> Value {
    let items = value.as_array().into_iter().flatten();
    let normal = items.map(|one| {
        let field = |theirs: &str, engine: &str| {
            if one[theirs].is_null() { one[engine].clone() } else { one[theirs].clone() }
        };
        let capabilities = field("capabilities", "Capabilities");
        let capabilities = if capabilities[0].is_array() { capabilities[0].clone() } else { capabilities };
        let capabilities = if capabilities.is_null() { json!(["gpu"]) } else { capabilities };
        json!({
            "capabilities": capabilities,
            "count": field("count", "Count").as_i64().unwrap_or_default(),
            "driver": field("driver", "Driver").as_str().unwrap_or_default(),
            "ids": field("device_ids", "DeviceIDs").as_array().cloned().unwrap_or_default(),
        })
    });
    // Asked for in both places, they are the same devices.
    let mut all: Vec<Value> = normal.collect();
    all.dedup();
    all.into()
}

fn health(value: &mut Value) {
    let map = object(value);
    if map.get("disable") == Some(&json!(true)) || map.get("test") == Some(&json!(["NONE"])) {
        *value = json!("off");
        return;
    }
    for key in ["interval", "timeout", "start_period", "start_interval"] {
        if let Some(time) = map.get(key) {
            let time = seconds(time);
            map.insert(key.to_owned(), if time == 0.0 { Value::Null } else { json!(time) });
        }
    }
    // Not said.
    map.retain(|key, value| !key.starts_with("x-") && !is_nothing(value) && *value != json!(0));
}

fn ports(value: &Value) -> Value {
    let mut all: Vec<String> = Vec::new();
    for port in value.as_array().into_iter().flatten() {
        let text = |key: &str| match &port[key] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let address = text("host_ip");
        all.push(format!("{address} {} {}/{}", text("published"), text("target"), text("protocol")));
    }
    sorted(all)
}

fn volumes(value: &Value) -> Value {
    let mut all: Vec<Value> = value.as_array().cloned().unwrap_or_default();
    for mount in &mut all {
        let map = object(mount);
        map.remove("consistency");
        for key in ["source", "target"] {
            if let Some(path) = map.get(key).and_then(Value::as_str)
                && path.starts_with('/')
            {
                let path = path.trim_end_matches('/').to_owned();
                map.insert(key.to_owned(), json!(path));
            }
        }
        if let Some(bind) = map.get_mut("bind").and_then(Value::as_object_mut) {
            bind.remove("create_host_path");
            bind.remove("create_mountpoint");
            let field = match take(bind, "recursive").as_str() {
                Some("disabled") => Some("non_recursive"),
                Some("writable") => Some("read_only_non_recursive"),
                Some("readonly") => Some("read_only_force_recursive"),
                _ => None,
            };
            if let Some(field) = field {
                bind.insert(field.to_owned(), json!(true));
            }
        }
        if let Some(size) = map.get_mut("tmpfs").and_then(|tmpfs| tmpfs.get_mut("size")) {
            *size = number(size);
        }
        map.retain(|key, value| !key.starts_with("x-") && !is_nothing(value));
    }
    all.sort_by_key(|mount| mount["target"].to_string());
    all.into()
}

/// Limits of block devices by their paths.
fn blocks(value: &mut Value) {
    for (key, list) in object(value) {
        if !list.is_array() {
            if let Some(map) = list.as_object_mut() {
                map.values_mut().for_each(|value| *value = number(value));
            }
            continue;
        }
        let mut found = Map::new();
        for one in list.as_array().into_iter().flatten() {
            let field = if key == "weight_device" { "Weight" } else { "Rate" };
            found.insert(one["Path"].as_str().unwrap_or_default().to_owned(), number(&one[field]));
        }
        *list = found.into();
    }
}
