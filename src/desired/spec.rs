//! The canonical spec of a container: only what was declared, normalised, and its fingerprint.

use crate::observed::Inspect;
use crate::state::Text;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt;

/// Declared options in canonical form, by option name. What is not declared is not here: an Engine's
/// or image's default is never compared with a wish.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spec {
    /// Options that are fixed when a container is created; a difference replaces it. By field:
    /// options whose parts are told apart in plans have a field each (`labels.team`).
    pub fixed: BTreeMap<String, serde_json::Value>,
    /// Environment, also fixed at creation; the only place of a container where secrets may end.
    pub env: BTreeMap<String, Text>,
    /// Options that can be changed in place.
    pub live: BTreeMap<String, serde_json::Value>,
}

/// `v1:sha256…` over the fixed part of a spec. The version is that of the canonical form: a newer
/// pillarbox must print the same for the same declaration, or replace nothing because of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub String);

impl Spec {
    /// Fingerprint of everything that is fixed at creation.
    pub fn fingerprint(&self) -> Fingerprint {
        let fields: BTreeMap<String, serde_json::Value> = self.fields().collect();
        Fingerprint(format!("v1:sha256:{}", hex(&Sha256::digest(canonical(&fields).as_bytes()))))
    }

    /// A short fingerprint for each field, for the label that lets a plan say which field changed.
    pub fn field_fingerprints(&self) -> BTreeMap<String, String> {
        self.fields()
            .map(|(field, value)| {
                let text = canonical(&BTreeMap::from([(field.clone(), value)]));
                (field, hex(&Sha256::digest(text.as_bytes()))[..8].to_owned())
            })
            .collect()
    }

    /// The Engine's create body without `Env`, `Image` and our labels.
    pub fn create_body(&self) -> serde_json::Value {
        let mut body = serde_json::json!({ "HostConfig": {} });
        for (name, value) in &self.fixed {
            match name.as_str() {
                "ports" => body["HostConfig"]["PortBindings"] = value.clone(),
                "binds" => body["HostConfig"]["Binds"] = value.clone(),
                "healthcheck" => body["Healthcheck"] = value.clone(),
                _ => body[name.as_str()] = value.clone(),
            }
        }
        if let Some(memory) = self.live.get("memory") {
            body["HostConfig"]["Memory"] = memory.clone();
        }
        if let Some((network, endpoint)) = self.networks().into_iter().next() {
            body["HostConfig"]["NetworkMode"] = serde_json::json!(network);
            body["NetworkingConfig"] = serde_json::json!({ "EndpointsConfig": { network: endpoint } });
        }
        body["HostConfig"]["RestartPolicy"] = self.restart_policy();
        body
    }

    /// Networks that are joined after creation.
    pub fn further_networks(&self) -> Vec<(String, serde_json::Value)> {
        self.networks().into_iter().skip(1).collect()
    }

    /// All declared networks.
    pub fn networks(&self) -> BTreeMap<String, serde_json::Value> {
        let map = self.live.get("networks").and_then(serde_json::Value::as_object);
        map.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Names of live fields that differ.
    pub fn live_differences(&self, inspect: &Inspect) -> Vec<String> {
        let mut found = Vec::new();
        if let Some(memory) = self.live.get("memory")
            && inspect.compare("/HostConfig/Memory") != Some(memory)
        {
            found.push("memory".to_owned());
        }
        if self.live.contains_key("restart")
            && inspect.compare("/HostConfig/RestartPolicy/Name") != self.restart_policy().get("Name")
        {
            found.push("restart".to_owned());
        }
        found
    }

    /// Body of an update with all live fields.
    pub fn update_body(&self) -> serde_json::Value {
        let mut body = serde_json::json!({ "RestartPolicy": self.restart_policy() });
        if let Some(memory) = self.live.get("memory").and_then(serde_json::Value::as_i64) {
            body["Memory"] = memory.into();
            body["MemorySwap"] = (2 * memory).into();
        }
        body
    }

    /// The declared restart policy, `no` where none is.
    pub fn restart_policy(&self) -> serde_json::Value {
        let name = self.live.get("restart").and_then(serde_json::Value::as_str).unwrap_or("no");
        serde_json::json!({ "Name": name, "MaximumRetryCount": 0 })
    }

    /// Fixed fields that differ from the container.
    pub fn drift(&self, inspect: &Inspect) -> Vec<String> {
        let hostname = self.fixed.get("Hostname");
        let differs = hostname.is_some_and(|wanted| inspect.compare("/Config/Hostname") != Some(wanted));
        differs.then(|| "hostname".to_owned()).into_iter().collect()
    }

    fn fields(&self) -> impl Iterator<Item = (String, serde_json::Value)> + '_ {
        let env = self.env.iter().map(|(name, text)| (format!("env.{name}"), text.canonical()));
        self.fixed.iter().map(|(name, value)| (name.clone(), value.clone())).chain(env)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// JSON with sorted keys and no white space.
fn canonical(fields: &BTreeMap<String, serde_json::Value>) -> String {
    fn write(value: &serde_json::Value, out: &mut String) {
        match value {
            serde_json::Value::Object(map) => {
                let sorted: BTreeMap<_, _> = map.iter().collect();
                out.push('{');
                for (index, (key, value)) in sorted.into_iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    out.push_str(&serde_json::Value::from(key.as_str()).to_string());
                    out.push(':');
                    write(value, out);
                }
                out.push('}');
            }
            serde_json::Value::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write(item, out);
                }
                out.push(']');
            }
            leaf => out.push_str(&leaf.to_string()),
        }
    }
    let map = fields.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    let mut out = String::new();
    write(&serde_json::Value::Object(map), &mut out);
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
