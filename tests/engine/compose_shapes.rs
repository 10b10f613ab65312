//! One file with every shape of Compose: what Compose 2 makes of it on a real Engine, beside what pillarbox makes;
//! and what Compose made is adopted with nothing left to do.

use crate::env::{Output, repository};
use crate::testbed::EngineEnv;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

struct Shapes {
    bed: EngineEnv,
    services: BTreeSet<String>,
    /// The variable that names a version of Compose.
    compose: &'static str,
}

impl Shapes {
    fn new(compose: &'static str) -> Option<Self> {
        let bed = EngineEnv::initialised(&[])?;
        bed.add_registry();
        let (image, _) = bed.push("serve", "web", "1.0.0");
        let folder = bed.env.workspace().join("folder");
        bed.env.write("folder/file", "text\n");
        let subnet = 64 + bed.port() % 128;
        let services = repository().join("tests/data/compose-shapes.yaml");
        let services = fs::read_to_string(services).expect("the shapes");
        let services = services
            .replace("FOLDER", &folder.display().to_string())
            .replace("SUBNET", &format!("10.{subnet}.7"))
            .replace("NAME", &bed.name)
            .replace("PORT1", &bed.port().to_string())
            .replace("PORT2", &bed.port().to_string())
            .replace("PORT3", &bed.port().to_string());
        let names = services.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        let names: Vec<String> = names.map(|line| line.trim().trim_end_matches(':').to_owned()).collect();
        let of = names.iter().position(|name| name == "networks-end").unwrap_or(names.len());
        let names: BTreeSet<String> = names[..of].iter().cloned().collect();
        let file =
            services.replace("    IMAGE", &format!("    image: {image}:1.0.0\n    stop_grace_period: 1s\n    x-pillarbox: {{update: {{monitor: 1s}}}}"));
        bed.env.write("compose.yaml", file.replace("  networks-end:\n", ""));
        let pulled = format!("[i.image.pulled]\nname = \"{image}\"\ntag = \"1.0.0\"\n");
        bed.env.write("states/images.toml", pulled);
        let shapes = Self { bed, services: names, compose };
        shapes.inventory("states = [\"images\"]");
        shapes.bed.env.run(&["apply", "-y"]).ok();
        Some(shapes)
    }

    fn inventory(&self, of_host: &str) {
        let (name, engine) = (&self.bed.name, self.bed.engine.address());
        let before = self.bed.env.read("pillarbox.toml");
        let kept = before.split("[groups.").next().unwrap_or_default();
        let kept = kept.split("[compose.").next().unwrap_or_default();
        self.bed.env.write(
            "pillarbox.toml",
            format!(
                "{kept}[compose.{name}]\n[groups.all]\npillar = [\"registries/*\"]\n{of_host}\n\
                 [hosts.local]\nengine = \"{engine}\"\ngroups = [\"all\"]\n"
            ),
        );
    }

    fn compose(&self, arguments: &[&str]) -> Output {
        let program = std::env::var(self.compose).expect("scripts/testbed up sets it");
        let all = [["-p", &self.bed.name, "-f", "compose.yaml"].as_slice(), arguments].concat();
        self.bed.env.program(&program, &all).var("DOCKER_HOST", self.bed.engine.address()).run()
    }

    /// What the Engine says of each container, without what differs from one run to the next.
    fn inspected(&self) -> BTreeMap<String, Value> {
        let of = |service: &String| {
            let name = format!("{}-{service}-1", self.bed.name);
            let inspect = self.bed.engine.container(&name);
            (service.clone(), self.normal(&inspect))
        };
        self.services.iter().map(of).collect()
    }

    fn normal(&self, inspect: &Value) -> Value {
        let id = inspect["Id"].as_str().unwrap_or_default();
        let short = id.get(..12).unwrap_or(id);
        let mut config = inspect["Config"].clone();
        config["Image"] = Value::Null;
        // Its own id, or that of the one whose network it has.
        let is_id = |name: &str| name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if config["Hostname"].as_str().is_some_and(is_id) {
            config["Hostname"] = Value::Null;
        }
        // An anonymous volume: Compose gives it as a mount. They are compared as what is mounted.
        config["Volumes"] = Value::Null;
        // As a list: an empty object in an object would say nothing.
        config["ExposedPorts"] = keys(&config["ExposedPorts"]);
        if let Some(labels) = config["Labels"].as_object_mut() {
            labels.retain(|label, _| {
                !label.starts_with("com.docker.compose.") && !label.starts_with("io.pillarbox.")
            });
        }
        // `docker run -a`; nothing that runs in the background is different with it.
        for attach in ["AttachStdin", "AttachStdout", "AttachStderr", "StdinOnce"] {
            config[attach] = Value::Null;
        }
        let mut host = inspect["HostConfig"].clone();
        for mounted in ["Binds", "Mounts", "ConsoleSize"] {
            host[mounted] = Value::Null;
        }
        // Written otherwise, and the same: no policy, a capability, an option of security.
        if host["RestartPolicy"]["Name"] == "no" {
            host["RestartPolicy"] = Value::Null;
        }
        for (list, same) in [("CapAdd", ("CAP_", "")), ("SecurityOpt", (":true", ""))] {
            for one in host[list].as_array_mut().into_iter().flatten() {
                *one = json!(one.as_str().unwrap_or_default().replace(same.0, same.1));
            }
        }
        for field in ["NetworkMode", "IpcMode", "PidMode"] {
            if host[field].as_str().is_some_and(|mode| mode.starts_with("container:")) {
                host[field] = json!("container:base");
            }
        }
        if let Some(from) = host["VolumesFrom"].as_array_mut() {
            for one in from {
                let mode = one.as_str().and_then(|one| one.split(':').nth(1)).unwrap_or("rw").to_owned();
                *one = json!(format!("base:{mode}"));
            }
        }
        let mounts = inspect["Mounts"].as_array().cloned().unwrap_or_default();
        let mut mounts: Vec<Value> = mounts
            .into_iter()
            .map(|mut mount| {
                let anonymous = mount["Name"].as_str().is_some_and(|name| name.len() == 64);
                if mount["Type"] == "volume" {
                    mount["Source"] = Value::Null;
                }
                if anonymous {
                    mount["Name"] = json!("anonymous");
                }
                // What `:rw` and `:z` were written as.
                mount["Mode"] = Value::Null;
                mount
            })
            .collect();
        mounts.sort_by_key(|mount| mount["Destination"].to_string());
        let networks = inspect["NetworkSettings"]["Networks"].as_object().cloned().unwrap_or_default();
        let networks: Map<String, Value> = networks
            .into_iter()
            .map(|(name, endpoint)| {
                let aliases = endpoint["Aliases"].as_array().cloned().unwrap_or_default();
                let mut aliases: Vec<Value> = aliases.into_iter().filter(|alias| *alias != short).collect();
                aliases.sort_by_key(ToString::to_string);
                aliases.dedup();
                let mut links = endpoint["Links"].as_array().cloned().unwrap_or_default();
                links.sort_by_key(ToString::to_string);
                links.dedup();
                let kept = json!({
                    "Aliases": aliases, "IPAMConfig": endpoint["IPAMConfig"], "Links": links,
                    "DriverOpts": endpoint["DriverOpts"],
                });
                (name, kept)
            })
            .collect();
        bare(json!({ "Config": config, "HostConfig": host, "Mounts": mounts, "Networks": networks }))
    }
}

impl Drop for Shapes {
    fn drop(&mut self) {
        let _ = self.compose(&["down", "-v", "-t", "0"]);
    }
}

/// The keys of an object, sorted; a port without a protocol is one of TCP.
fn keys(object: &Value) -> Value {
    let keys = object.as_object().into_iter().flatten().map(|(key, _)| key.clone());
    let mut keys: Vec<String> =
        keys.map(|key| if key.contains('/') { key } else { format!("{key}/tcp") }).collect();
    keys.sort();
    json!(keys)
}

/// Without what says nothing: null, false, 0, and what is empty; lists whose order says nothing are sorted.
fn bare(value: Value) -> Value {
    let says = |value: &Value| match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
    };
    match value {
        Value::Object(map) => {
            let sorted = ["Env", "CapAdd", "CapDrop", "ExtraHosts", "GroupAdd", "Ulimits", "SecurityOpt"];
            let each = map.into_iter().map(|(key, value)| {
                let mut value = bare(value);
                if let (true, Some(list)) = (sorted.contains(&key.as_str()), value.as_array_mut()) {
                    list.sort_by_key(ToString::to_string);
                }
                (key, value)
            });
            Value::Object(each.filter(|(_, value)| says(value)).collect())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(bare).collect()),
        value => value,
    }
}

/// Paths at which two values differ, with both.
fn differences(path: &str, ours: &Value, theirs: &Value, found: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
                let one = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or_default();
                differences(&format!("{path}/{key}"), &one(a), &one(b), found);
            }
        }
        _ if ours == theirs => {}
        _ => found.push(format!("{path}: pillarbox {ours}, Compose {theirs}")),
    }
}

#[test]
fn a_container_of_ours_is_made_as_compose_makes_it_and_what_compose_made_is_adopted_as_it_is() {
    compare("PILLARBOX_TEST_COMPOSE");
}

/// It gives volumes in the long form to the Engine in another way.
#[test]
fn the_same_of_compose_2_40() {
    compare("PILLARBOX_TEST_COMPOSE_CONFIG");
}

#[track_caller]
fn compare(compose: &'static str) {
    let Some(shapes) = Shapes::new(compose) else { return };
    let name = shapes.bed.name.clone();
    assert!(shapes.services.len() > 20, "{:?}", shapes.services);
    shapes.inventory(&format!("compose = [\"{name}\"]"));
    shapes.bed.env.run(&["apply", "-y"]).ok();
    shapes.bed.env.run(&["plan", "--detailed-exitcode"]).ok().says("no changes");
    let ours = shapes.inspected();
    shapes.inventory("");
    shapes.bed.env.run(&["apply", "-y", "--prune"]).ok();
    for volume in shapes.bed.engine.volumes() {
        let named = volume["Name"].as_str().unwrap_or_default();
        if named.starts_with(&format!("{name}_")) {
            shapes.bed.engine.delete(&format!("/volumes/{named}"));
        }
    }
    shapes.compose(&["up", "-d"]).ok();
    let theirs = shapes.inspected();
    let mut found = Vec::new();
    for (service, made) in &ours {
        differences(service, made, &theirs[service], &mut found);
    }
    shapes.inventory(&format!("compose = [\"{name}\"]"));
    let adopted =
        shapes.bed.env.run(&["adopt", "--compose", &name, "--host", "local", "-y", "--anyway"]).ok();
    assert!(found.is_empty(), "{}\n{}", found.join("\n"), adopted.stdout());
    adopted.says("All that is declared agrees").lacks("≠");
    shapes.bed.env.run(&["plan", "--detailed-exitcode"]).ok().says("no changes");
}
