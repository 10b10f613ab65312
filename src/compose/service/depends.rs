//! `depends_on`: order, and a restart where it says so.

use super::{Reading, Service};
use crate::compose::merge::named;
use crate::compose::value::{clear, text_at, truth, wants};
use crate::compose::yaml::{Map, Node};
use crate::problem::{Problem, escaped};
use crate::state::{Arg, ArgValue};
use std::collections::BTreeMap;

impl Service<'_> {
    pub(super) fn depends(&mut self, reading: &mut Reading) -> Result<(), Problem> {
        let mut require = Vec::new();
        let mut watch = BTreeMap::new();
        let written = match self.get("depends_on") {
            None => Map::default(),
            Some(node) => named(node).ok_or_else(|| wants("depends_on", "a list, or a mapping", node))?,
        };
        for (other, node) in self.shared_with() {
            if written.get(&other).is_none() && self.project.is_on(&other) {
                require.push(text_at(node, self.project.id(&other)));
            }
        }
        for entry in written {
            let field = |name: &str| -> Option<&Node> { entry.node.map()?.get(name) };
            let required = field("required").map_or(Ok(true), |node| truth("depends_on.required", node))?;
            let restart = field("restart").map_or(Ok(false), |node| truth("depends_on.restart", node))?;
            if !self.project.declares(&entry.key) {
                return Err(Problem::failed(format!("there is no service {}", escaped(&entry.key)))
                    .at(&entry.place)
                    .nearest(&entry.key, self.project.services()));
            }
            if !self.project.is_on(&entry.key) {
                if !required {
                    continue;
                }
                return Err(self.project.off(&entry.key, &entry.place));
            }
            match field("condition").map(|node| clear("depends_on.condition", node)).transpose()? {
                None => {}
                Some(condition) => match condition.as_str() {
                    "service_started" | "service_completed_successfully" => {}
                    "service_healthy" => {
                        if self.project.has_no_health(&entry.key) {
                            reading.notes.push(format!(
                                "{}: {} has no healthcheck in the file: its image must have one",
                                entry.place,
                                escaped(&entry.key)
                            ));
                        }
                    }
                    other => {
                        let what = format!("there is no condition `{}`", escaped(other));
                        return Err(Problem::failed(what).at(&entry.place).hint(
                            "there are service_started, service_healthy and service_completed_successfully",
                        ));
                    }
                },
            }
            let id = self.project.id(&entry.key);
            if restart {
                watch.insert(id, text_at(&entry.node, "restart"));
            } else {
                require.push(text_at(&entry.node, id));
            }
        }
        let place = self.map.entry("depends_on").map_or(self.place, |entry| &entry.place).clone();
        let put = |value: ArgValue| Arg { value, place: place.clone(), read: Vec::new() };
        if !require.is_empty() {
            let require = put(ArgValue::Array(require));
            self.put("require", require);
        }
        if !watch.is_empty() {
            let watch = put(ArgValue::Table(watch));
            self.put("watch", watch);
        }
        Ok(())
    }

    /// Services of which this one has a namespace or a link: they are there first.
    fn shared_with(&self) -> Vec<(String, &Node)> {
        let mut found = Vec::new();
        for key in ["network_mode", "pid", "ipc"] {
            let text =
                |node: &Node| node.scalar()?.text.as_clear()?.strip_prefix("service:").map(str::to_owned);
            if let Some(node) = self.get(key) {
                found.extend(text(node).map(|other| (other, node)));
            }
        }
        for item in self.get("links").and_then(Node::list).into_iter().flatten() {
            let text = item.scalar().and_then(|scalar| scalar.text.as_clear()).unwrap_or_default();
            found.push((text.split(':').next().unwrap_or_default().to_owned(), item));
        }
        found
    }
}
