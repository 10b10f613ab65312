//! `depends_on`: order, and a restart where it says so.

use super::{Reading, Service};
use crate::compose::merge::named;
use crate::compose::value::{clear, of, text_at, truth, wants};
use crate::compose::yaml::Node;
use crate::problem::{Problem, escaped};
use crate::state::ArgValue;
use std::collections::BTreeMap;

impl Service<'_> {
    pub(super) fn depends(&mut self, reading: &mut Reading) -> Result<(), Problem> {
        let mut require = Vec::new();
        let mut watch = BTreeMap::new();
        let Some(node) = self.get("depends_on") else { return Ok(()) };
        for entry in named(node).ok_or_else(|| wants("depends_on", "a list, or a mapping", node))? {
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
        let node = node.clone();
        if !require.is_empty() {
            self.put("require", of(&node, ArgValue::Array(require)));
        }
        if !watch.is_empty() {
            self.put("watch", of(&node, ArgValue::Table(watch)));
        }
        Ok(())
    }
}
