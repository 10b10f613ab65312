//! `secrets`: files below `/run/secrets`, whose values come from variables or from the pillar.

use super::{Reading, Service, granted};
use crate::compose::value::{clear, of, wants};
use crate::compose::yaml::{Map, Node};
use crate::problem::{Place, Problem, escaped};
use crate::state::{Arg, ArgValue, Text};
use std::collections::BTreeMap;

/// Where Compose puts them.
const FOLDER: &str = "/run/secrets/";

impl Service<'_> {
    pub(super) fn secrets(&mut self, reading: &mut Reading) -> Result<(), Problem> {
        let Some(node) = self.get("secrets") else { return Ok(()) };
        let items = node.list().ok_or_else(|| wants("secrets", "a list", node))?;
        let mut files = BTreeMap::new();
        for item in items {
            match self.secret(item, reading) {
                Ok((name, file)) => drop(files.insert(name, file)),
                Err(problem) => reading.problems.push(problem),
            }
        }
        self.put("secrets", of(node, ArgValue::Table(files)));
        Ok(())
    }

    fn secret(&self, node: &Node, reading: &mut Reading) -> Result<(String, Arg), Problem> {
        let empty = Map::default();
        let map = node.map().unwrap_or(&empty);
        let source = granted::source("secrets", node)?;
        let target = map.get("target").map_or(Ok(source.clone()), |node| clear("secrets.target", node))?;
        let name = target.strip_prefix(FOLDER).unwrap_or(&target);
        if name.contains('/') {
            return Err(Problem::failed(format!(
                "the secret {} is to be at {}",
                escaped(&source),
                escaped(&target)
            ))
            .at(&node.place)
            .cause(format!("secrets are files in {FOLDER}"))
            .hint("let the program read it there"));
        }
        let (value, read) = self.secret_value(&source, node, reading)?;
        let value = Arg { value: ArgValue::Text(value), place: node.place.clone(), read };
        let mut fields = granted::owner_and_mode(map);
        fields.insert("value".to_owned(), value);
        Ok((name.to_owned(), of(node, ArgValue::Table(fields))))
    }

    fn secret_value(
        &self,
        source: &str,
        node: &Node,
        reading: &mut Reading,
    ) -> Result<(Text, Vec<Place>), Problem> {
        let entry = self.project.secrets.entry(source).ok_or_else(|| {
            Problem::failed(format!("there is no secret {}", escaped(source)))
                .at(&node.place)
                .nearest(source, self.project.secrets.iter().map(|entry| entry.key.as_str()))
                .hint(format!(
                    "declare it at the top level: secrets: {{ {source}: {{ environment: NAME }} }}"
                ))
        })?;
        let map = entry.node.map();
        if let Some(node) = map.and_then(|map| map.get("x-pillarbox")?.map()?.get("value")) {
            let key = clear("x-pillarbox.value", node)?;
            return reading.variables.pillar(&key).ok_or_else(|| {
                Problem::failed(format!("the pillar has no text {}", escaped(&key)))
                    .at(&node.place)
                    .hint(format!("pillarbox seal {key}"))
            });
        }
        if let Some(node) = map.and_then(|map| map.get("environment")) {
            let name = clear("environment", node)?;
            return reading.variable(&name).ok_or_else(|| {
                Problem::failed(format!("the variable `{}` has no value", escaped(&name)))
                    .at(&node.place)
                    .hint(reading.variables.hint(&name))
            });
        }
        let what = format!("the value of the secret {} is not in the pillar", escaped(source));
        Err(Problem::failed(what)
            .at(&entry.place)
            .cause("a secret in a file beside the Compose file is in clear")
            .hint(format!(
                "seal it, and write x-pillarbox: {{ value: KEY }} or environment: NAME below {source}"
            )))
    }
}
