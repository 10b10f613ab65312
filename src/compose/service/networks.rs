//! `networks` and `network_mode`.

use super::{Reading, Service};
use crate::compose::merge::named;
use crate::compose::value::{arg, clear, wants};
use crate::problem::{Problem, escaped};
use crate::state::{Arg, ArgValue, Text};
use std::collections::BTreeMap;

impl Service<'_> {
    /// The service's own name is an alias in each of its networks; without a word it is in `default`.
    pub(super) fn networks(&mut self, reading: &mut Reading) -> Result<(), Problem> {
        if let Some(mode) = self.get("network_mode") {
            if let Some(entry) = self.map.entry("networks") {
                return Err(
                    Problem::failed("`network_mode` and `networks` exclude each other").at(&entry.place)
                );
            }
            let written = clear("network_mode", mode)?;
            let value = self.reference("network_mode", &written, mode, reading)?;
            self.put("network_mode", value);
            return Ok(());
        }
        let place = self.place.clone();
        let mut joined = BTreeMap::new();
        match self.get("networks") {
            None => {
                let network = self.network("default", &place, reading)?;
                joined.insert(network, self.endpoint(None, reading)?);
            }
            Some(node) => {
                let all = named(node).ok_or_else(|| wants("networks", "a list, or a mapping", node))?;
                for entry in all {
                    let name = self.network(&entry.key, &entry.place, reading)?;
                    let below = (!entry.node.is_null()).then_some(&entry.node);
                    joined.insert(name, self.endpoint(below, reading)?);
                }
            }
        }
        if let Some(node) = self.get("mac_address")
            && let Some(Arg { value: ArgValue::Table(fields), .. }) = joined.values_mut().next()
        {
            fields.entry("mac_address".to_owned()).or_insert(arg(node));
        }
        self.put("networks", Arg { value: ArgValue::Table(joined), place, read: Vec::new() });
        Ok(())
    }

    fn network(
        &self,
        key: &str,
        place: &crate::problem::Place,
        reading: &mut Reading,
    ) -> Result<String, Problem> {
        let name = self.project.network(key).ok_or_else(|| {
            Problem::failed(format!("there is no network {}", escaped(key)))
                .at(place)
                .nearest(key, self.project.network_keys())
                .hint(format!("declare it at the top level: networks: {{ {key}: }}"))
        })?;
        reading.used_networks.insert(key.to_owned());
        Ok(name)
    }

    fn endpoint(
        &self,
        node: Option<&crate::compose::yaml::Node>,
        reading: &mut Reading,
    ) -> Result<Arg, Problem> {
        let place = node.map_or(self.place, |node| &node.place).clone();
        let mut fields = BTreeMap::new();
        let own =
            Arg { value: ArgValue::Text(Text::clear(self.name)), place: place.clone(), read: Vec::new() };
        let mut aliases = vec![own];
        if let Some(node) = node {
            let map = node.map().ok_or_else(|| wants("networks", "a mapping", node))?;
            for entry in map.iter().filter(|entry| !entry.key.starts_with("x-") && !entry.node.is_null()) {
                match entry.key.as_str() {
                    "aliases" => {
                        for item in
                            entry.node.list().ok_or_else(|| wants("aliases", "a list", &entry.node))?
                        {
                            let alias = arg(item);
                            if !aliases.iter().any(|before| before.value == alias.value) {
                                aliases.push(alias);
                            }
                        }
                    }
                    "priority" => reading.ignored(
                        "networks.priority",
                        &entry.place,
                        "networks are joined by their names",
                    ),
                    "interface_name" => {
                        return Err(Problem::failed("`interface_name` cannot be chosen")
                            .at(&entry.place)
                            .hint("take it out"));
                    }
                    _ => drop(fields.insert(entry.key.clone(), arg(&entry.node))),
                }
            }
        }
        fields.insert(
            "aliases".to_owned(),
            Arg { value: ArgValue::Array(aliases), place: place.clone(), read: Vec::new() },
        );
        Ok(Arg { value: ArgValue::Table(fields), place, read: Vec::new() })
    }
}
