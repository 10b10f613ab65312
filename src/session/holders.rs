//! Which hosts and containers hold a secret, as far as the workspace tells.

use super::declared::{Declared, declared_for};
use super::vault::{Vault, merged};
use crate::pillar::{Node, Origin, Value};
use crate::problem::Result;
use std::collections::{BTreeMap, BTreeSet};

/// A container that is given a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The host.
    pub host: String,
    /// `container api`.
    pub resource: String,
    /// The application whose gate says what it runs, if there is one.
    pub app: Option<String>,
}

/// Hosts and containers by secret.
#[derive(Debug, Default)]
pub struct Holders {
    hosts: BTreeMap<Origin, BTreeSet<String>>,
    uses: BTreeMap<Origin, BTreeSet<Use>>,
    /// Hosts whose containers cannot be told: their pillar or states do not compile, or ask for facts.
    pub unknown: BTreeSet<String>,
}

impl Holders {
    /// As the workspace stands. No host is asked.
    pub fn of(vault: &Vault<'_>) -> Self {
        let mut all = Self::default();
        for (name, host) in &vault.inventory().hosts {
            match merged(vault, host) {
                Ok(tree) => all.add_host(name.as_str(), &tree),
                Err(_) => drop(all.unknown.insert(name.to_string())),
            }
        }
        if vault.inventory().hosts.is_empty() {
            return all;
        }
        // One broken file must not hide what the other hosts hold.
        match declared_for(vault, vault.inventory().hosts.values().collect()) {
            Ok(hosts) => hosts.iter().for_each(|host| all.add_uses(host)),
            Err(_) => {
                for (name, host) in &vault.inventory().hosts {
                    let one: Result<Vec<Declared<'_>>> = declared_for(vault, vec![host]);
                    match one {
                        Ok(hosts) => hosts.iter().for_each(|host| all.add_uses(host)),
                        Err(_) => drop(all.unknown.insert(name.to_string())),
                    }
                }
            }
        }
        all
    }

    /// The hosts whose pillar has the secret of a place.
    pub fn hosts(&self, origin: &Origin) -> Vec<&str> {
        self.hosts.get(origin).into_iter().flatten().map(String::as_str).collect()
    }

    /// The containers that are given it.
    pub fn uses(&self, origin: &Origin) -> Vec<&Use> {
        self.uses.get(origin).into_iter().flatten().collect()
    }

    fn add_host(&mut self, host: &str, node: &Node) {
        match &node.value {
            Value::Sealed(sealed) => {
                self.hosts.entry(sealed.origin.clone()).or_default().insert(host.to_owned());
            }
            Value::Table(table) => table.into_iter().for_each(|(_, node)| self.add_host(host, node)),
            _ => {}
        }
    }

    fn add_uses(&mut self, declared: &Declared<'_>) {
        let host = declared.host.name.to_string();
        let Some(desired) = declared.desired() else {
            self.unknown.insert(host);
            return;
        };
        for item in &desired.items {
            let texts = item.want.container().into_iter().flat_map(|want| want.spec.texts());
            for secret in texts.flat_map(|(_, text)| text.secrets()) {
                let app = item.gate.as_ref().map(|gate| gate.app.clone());
                let used = Use { host: host.clone(), resource: item.address.to_string(), app };
                self.uses.entry(secret.origin.clone()).or_default().insert(used);
            }
        }
    }
}
