//! What is wanted of a host, told in the keys of a Compose file.

mod service;
mod yaml;

pub(in crate::cli) use yaml::yaml;

use crate::desired::{Address, Desired, DesiredState, Item, Kind};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A project as `docker compose config` would print it: services, and the networks and volumes that they use. A
/// secret is `(sealed 9f2c)`.
pub(in crate::cli) fn config(desired: &Desired, project: &str) -> Value {
    let items = Items { desired, project };
    let mut services = Map::new();
    for (key, item) in items.services() {
        let is_more = services.contains_key(key);
        if is_more {
            continue;
        }
        services.insert(key.to_owned(), service::config(item, &items, items.count(key)));
    }
    for (key, _) in items.named("") {
        // Of a service without a container nothing else is known.
        services.entry(key).or_insert_with(|| json!({ "scale": 0 }));
    }
    sort(&mut services);
    let mut config = json!({ "name": project, "services": services });
    for (kind, part) in [(Kind::Network, "networks"), (Kind::Volume, "volumes")] {
        let all = items.resources(kind, part, &services);
        if !all.is_empty() {
            config[part] = all.into();
        }
    }
    config
}

fn sort(map: &mut Map<String, Value>) {
    let sorted: BTreeMap<String, Value> = std::mem::take(map).into_iter().collect();
    map.extend(sorted);
}

/// The items of one project.
struct Items<'a> {
    desired: &'a Desired,
    project: &'a str,
}

impl<'a> Items<'a> {
    /// Items whose id is `PROJECT.` and this before a key, by that key.
    fn named(&self, part: &str) -> impl Iterator<Item = (&'a str, &'a Item)> {
        let prefix = format!("{}.{part}", self.project);
        self.desired.items.iter().filter_map(move |item| {
            let key = item.declared.iter().find_map(|(id, place)| {
                // States have ids of their own.
                id.strip_prefix(&prefix).filter(|_| !place.file.starts_with("states/"))
            })?;
            let is_service = !matches!(item.address.kind, Kind::Network | Kind::Volume);
            (is_service == part.is_empty()).then_some((key, item))
        })
    }

    /// Containers by their service.
    fn services(&self) -> impl Iterator<Item = (&'a str, &'a Item)> {
        self.named("").filter(|(_, item)| item.want.container().is_some())
    }

    fn count(&self, service: &str) -> usize {
        self.services().filter(|(key, _)| *key == service).count()
    }

    /// The service that a container or task belongs to.
    fn service_of(&self, address: &Address) -> Option<(&'a str, &'a Item)> {
        self.services().find(|(_, item)| item.address == *address)
    }

    /// The key of a network or volume.
    fn key_of(&self, kind: Kind, name: &str) -> Option<&'a str> {
        let part = if kind == Kind::Network { "networks." } else { "volumes." };
        self.named(part)
            .find(|(_, item)| item.address == Address { kind, name: name.to_owned() })
            .map(|it| it.0)
    }

    /// Networks or volumes: those that are made, and those of others that services use.
    fn resources(&self, kind: Kind, part: &str, services: &Map<String, Value>) -> Map<String, Value> {
        let mut found = Map::new();
        for (key, item) in self.named(&format!("{part}.")) {
            let (DesiredState::Network(want) | DesiredState::Volume(want)) = &item.want else { continue };
            let mut one = Map::from_iter([("name".to_owned(), json!(want.name.as_str()))]);
            one.extend(nested(want.spec.fixed.iter().chain(&want.spec.live)));
            found.insert(key.to_owned(), one.into());
        }
        for name in used(kind, services) {
            found.entry(name.clone()).or_insert_with(|| json!({ "name": name, "external": true }));
        }
        sort(&mut found);
        found
    }
}

/// Keys of networks or volumes that services name.
fn used(kind: Kind, services: &Map<String, Value>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for service in services.values() {
        if kind == Kind::Network {
            let networks = service["networks"].as_object().into_iter().flatten();
            found.extend(networks.map(|(name, _)| name.clone()));
            continue;
        }
        for mount in service["volumes"].as_array().into_iter().flatten() {
            if mount["type"] == "volume"
                && let Some(source) = mount["source"].as_str()
            {
                found.insert(source.to_owned());
            }
        }
    }
    found
}

/// Fields whose names are paths, `labels.team`, as mappings in mappings.
fn nested<'a>(fields: impl Iterator<Item = (&'a String, &'a Value)>) -> Map<String, Value> {
    let mut found = Map::new();
    for (field, value) in fields {
        match field.split_once('.') {
            None => drop(found.insert(renamed(field).to_owned(), value.clone())),
            Some(("ipam", "pools")) => {
                found.entry("ipam").or_insert_with(|| json!({}))["config"] = value.clone();
            }
            Some((table, key)) => {
                found.entry(table).or_insert_with(|| json!({}))[key] = value.clone();
            }
        }
    }
    found
}

fn renamed(field: &str) -> &str {
    if field == "ipv6" { "enable_ipv6" } else { field }
}
