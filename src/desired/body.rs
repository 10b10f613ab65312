//! A spec in the form of the Engine's API, and compared with what the Engine reports.

use super::Spec;
use super::option::{self, Body, Kind, OPTIONS};
use crate::inspect::Inspect;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

impl Spec {
    /// The body of `POST /containers/create` with `HostConfig` and `NetworkingConfig`, which names
    /// the first network at most (below API 1.44 an Engine refuses two); without `Image` and `Env`,
    /// and without labels of pillarbox. The restart policy is the declared one.
    pub fn create_body(&self) -> Value {
        let mut body = Body::default();
        for option in OPTIONS {
            if let Some(canonical) = self.canonical(option) {
                option.write(&canonical, &mut body);
            }
        }
        body.set("/HostConfig/RestartPolicy", self.restart_policy());
        body.into_value()
    }

    /// Every declared network with its `EndpointSettings`. Empty if none is declared: then the
    /// container's networks are not compared.
    pub fn networks(&self) -> BTreeMap<String, Value> {
        self.live.get("networks").map(option::endpoints).unwrap_or_default()
    }

    /// Whether a container can be kept: the declared networks include the one that it was created in, the
    /// first. If it has to leave that network, another container replaces it.
    pub fn may_stay(&self, first: Option<&str>) -> bool {
        let declared = self.networks();
        declared.is_empty() || first.is_none_or(|first| declared.contains_key(first))
    }

    /// The networks that [`Spec::create_body`] leaves out, to be connected before the start.
    pub fn further_networks(&self) -> Vec<(String, Value)> {
        self.networks().into_iter().skip(1).collect()
    }

    /// `RestartPolicy` of the Engine; `no` where none is declared.
    pub fn restart_policy(&self) -> Value {
        option::policy(self.live.get("restart"))
    }

    /// The body of `POST /containers/{id}/update`: all declared limits and the restart policy. Memory
    /// always comes with swap, since the Engine refuses memory without swap.
    pub fn update_body(&self) -> Value {
        let mut body = Body::default();
        for option in OPTIONS.iter().filter(|option| option.kind == Kind::Limit && option.name != "networks")
        {
            if let Some(canonical) = self.live.get(option.name) {
                option.write(canonical, &mut body);
            }
        }
        let Value::Object(mut whole) = body.into_value() else { return Value::Null };
        let mut limits = match whole.remove("HostConfig") {
            Some(Value::Object(limits)) => limits,
            _ => Map::new(),
        };
        if let Some(memory) = limits.get("Memory").and_then(Value::as_i64) {
            limits.entry("MemorySwap").or_insert_with(|| json!(option::swap(memory)));
        }
        limits.insert("RestartPolicy".to_owned(), self.restart_policy());
        Value::Object(limits)
    }

    /// The same for a container, without what its kernel lacks: the Engine discarded that at creation, and
    /// would warn again.
    pub fn update_body_of(&self, inspect: &Inspect) -> Value {
        let mut body = self.update_body();
        for option in OPTIONS.iter().filter(|option| option.kind == Kind::Limit) {
            let option::Api::Weak(pointer) = option.api else { continue };
            let discarded = inspect.compare(pointer).is_none_or(super::compare::is_empty);
            if let (true, Some(field), Some(body)) =
                (discarded, pointer.rsplit('/').next(), body.as_object_mut())
            {
                body.shift_remove(field);
            }
        }
        body
    }

    /// Names of live fields in which a container differs: limits where declared, `restart` always
    /// (not declared is `no`), and where networks are declared each `networks.NAME` that it is not in
    /// as declared, or is in without being declared (then it is not in [`Spec::networks`]).
    pub fn live_differences(&self, inspect: &Inspect) -> Vec<String> {
        let mut found = Vec::new();
        for option in OPTIONS.iter().filter(|option| matches!(option.kind, Kind::Limit | Kind::Live)) {
            match (option.name, self.live.get(option.name)) {
                ("networks", Some(canonical)) => {
                    let names = option::differing_networks(canonical, inspect);
                    found.extend(names.into_iter().map(|name| format!("networks.{name}")));
                }
                (name, Some(canonical)) if option.differs(canonical, inspect) => found.push(name.to_owned()),
                (name, None) if option.kind == Kind::Live && option.differs(&Value::Null, inspect) => {
                    found.push(name.to_owned());
                }
                _ => {}
            }
        }
        found
    }

    /// Names of declared fixed fields in which a container differs: it was changed by hand, or it
    /// was created from another declaration. Variables with secrets are left out.
    pub fn drift(&self, inspect: &Inspect) -> Vec<String> {
        let mut found = Vec::new();
        let inspect = &*option::as_declared(self.fixed.get("volumes"), self.fixed.get("mounts"), inspect);
        for option in OPTIONS.iter().filter(|option| matches!(option.kind, Kind::Fixed | Kind::FixedParts)) {
            let Some(canonical) = self.canonical(option) else { continue };
            match (option.kind, canonical) {
                (Kind::FixedParts, Value::Object(parts)) => {
                    for (part, value) in parts {
                        let alone = json!({ part.as_str(): value });
                        if option.differs(&alone, inspect) {
                            found.push(format!("{}.{part}", option.name));
                        }
                    }
                }
                (_, canonical) if option.differs(&canonical, inspect) => found.push(option.name.to_owned()),
                _ => {}
            }
        }
        for (network, mac) in self.live.get("networks").into_iter().flat_map(option::macs) {
            if option::mac_differs(mac, network, inspect) {
                found.push(super::fields::mac_field(network));
            }
        }
        let lines = inspect.compare("/Config/Env").and_then(Value::as_array);
        for (name, text) in &self.env {
            let Some(clear) = text.as_clear() else { continue };
            let wanted = format!("{name}={clear}");
            let there = lines.into_iter().flatten().any(|line| line.as_str() == Some(wanted.as_str()));
            if !there {
                found.push(format!("env.{name}"));
            }
        }
        found
    }

    /// Fields that not every Engine has: each as it is written, with the version of the API that
    /// added it, major and minor. An older Engine would silently ignore it.
    pub fn needs_api(&self) -> Vec<(String, (u16, u16))> {
        option::needed(self).into_iter().map(|needed| (needed.field, needed.api)).collect()
    }

    /// The platform that is declared, `linux/arm64`.
    pub fn platform(&self) -> Option<&str> {
        self.fixed.get("platform").and_then(Value::as_str)
    }

    /// The canonical value of an option, put together again where its parts are fields.
    fn canonical(&self, option: &option::ContainerOption) -> Option<Value> {
        match option.kind {
            Kind::Limit | Kind::Live => self.live.get(option.name).cloned(),
            Kind::Aside => self.aside.get(option.name).cloned(),
            Kind::Fixed => self.fixed.get(option.name).cloned(),
            Kind::FixedParts => {
                let parts: Map<String, Value> = self
                    .fixed
                    .iter()
                    .filter_map(|(field, value)| {
                        let part = field.strip_prefix(option.name)?.strip_prefix('.')?;
                        Some((part.to_owned(), value.clone()))
                    })
                    .collect();
                (!parts.is_empty()).then_some(Value::Object(parts))
            }
        }
    }
}

#[cfg(test)]
mod tests;
