//! What a service shares with another one: namespaces, volumes, links.

use super::{Reading, Service};
use crate::compose::value::{clear, of, text_at, texts};
use crate::compose::yaml::Node;
use crate::problem::{Problem, escaped};
use crate::state::{Arg, ArgValue, Text};
use std::collections::BTreeSet;

impl Service<'_> {
    pub(super) fn references(&mut self, reading: &mut Reading) -> Result<(), Problem> {
        for key in ["pid", "ipc"] {
            if let Some(node) = self.get(key) {
                let written = clear(key, node)?;
                let value = self.reference(key, &written, node, reading)?;
                self.put(key, value);
            }
        }
        if let Some(node) = self.get("volumes_from") {
            let mut from = Vec::new();
            for (item, _) in texts("volumes_from", node)? {
                let written = clear("volumes_from", item)?;
                let (kind, rest) = match written.split_once(':') {
                    Some(("container", rest)) => ("container", rest),
                    _ => ("service", written.as_str()),
                };
                let (named, mode) = rest.split_once(':').unwrap_or((rest, ""));
                let container = match kind {
                    "service" => self.container("volumes_from", named, item)?,
                    _ => named.to_owned(),
                };
                let mode = if mode.is_empty() { String::new() } else { format!(":{mode}") };
                from.push(text_at(item, format!("{container}{mode}")));
            }
            let from = of(node, ArgValue::Array(from));
            self.put("volumes_from", from);
        }
        if let Some(node) = self.get("links") {
            self.links(node)?;
        }
        Ok(())
    }

    /// `service:NAME` is the first container of that service.
    pub(super) fn reference(
        &self,
        key: &str,
        written: &str,
        node: &Node,
        _: &mut Reading,
    ) -> Result<Arg, Problem> {
        match written.strip_prefix("service:") {
            Some(named) => Ok(text_at(node, format!("container:{}", self.container(key, named, node)?))),
            None => Ok(of(node, ArgValue::Text(Text::clear(written)))),
        }
    }

    fn container(&self, key: &str, named: &str, node: &Node) -> Result<String, Problem> {
        self.project.container_of(named).ok_or_else(|| {
            Problem::failed(format!("`{key}` names the service {}, and there is none", escaped(named)))
                .at(&node.place)
                .nearest(named, self.project.services())
        })
    }

    /// Links are other names for a container in the networks that both are in: the one that is written, and
    /// `SERVICE-1` and `PROJECT-SERVICE-1`, as Compose adds (docker/compose, `getLinks`; measured with 2.26.1).
    fn links(&mut self, node: &Node) -> Result<(), Problem> {
        let (mut links, mut known) = (Vec::new(), BTreeSet::new());
        for (item, _) in texts("links", node)? {
            let written = clear("links", item)?;
            let (named, alias) = written.split_once(':').unwrap_or((&written, &written));
            let container = self.container("links", named, item)?;
            let numbered = [format!("{named}-1"), format!("{}-1", self.project.name_of(named))];
            for name in std::iter::once(alias.to_owned()).chain(numbered) {
                let link = format!("{container}:{name}");
                if known.insert(link.clone()) {
                    links.push(text_at(item, link));
                }
            }
        }
        if let Some(ArgValue::Table(networks)) = self.args.get_mut("networks").map(|arg| &mut arg.value) {
            for endpoint in networks.values_mut() {
                if let ArgValue::Table(fields) = &mut endpoint.value {
                    fields.insert("links".to_owned(), of(node, ArgValue::Array(links.clone())));
                }
            }
        }
        Ok(())
    }
}
