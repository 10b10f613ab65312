//! `configs`: files that are brought along, and relative mounts that `x-pillarbox: {ship: […]}` names.

use super::{Reading, Service, granted};
use crate::compose::value::{clear, of, text, text_at, texts, wants};
use crate::compose::yaml::{Map, Node};
use crate::problem::{Problem, escaped};
use crate::state::{Arg, ArgValue, Text};
use std::collections::BTreeMap;

impl Service<'_> {
    pub(super) fn configs(&mut self, reading: &mut Reading) -> Result<(), Problem> {
        let Some(node) = self.get("configs") else { return Ok(()) };
        let items = node.list().ok_or_else(|| wants("configs", "a list", node))?;
        for item in items {
            match self.config(item, reading) {
                Ok((path, file)) => self.bring(path, file),
                Err(problem) => reading.problems.push(problem),
            }
        }
        Ok(())
    }

    /// A file of the container.
    pub(super) fn bring(&mut self, path: String, file: Arg) {
        let empty = || Arg { value: ArgValue::Table(BTreeMap::new()), ..file.clone() };
        let files = self.args.entry("files".to_owned()).or_insert_with(empty);
        if let ArgValue::Table(files) = &mut files.value {
            files.insert(path, file);
        }
    }

    fn config(&self, node: &Node, reading: &mut Reading) -> Result<(String, Arg), Problem> {
        let empty = Map::default();
        let map = node.map().unwrap_or(&empty);
        let source = granted::source("configs", node)?;
        // As Compose has it.
        let target =
            map.get("target").map_or(Ok(format!("/{source}")), |node| clear("configs.target", node))?;
        let path = if target.starts_with('/') { target } else { format!("/{target}") };
        let mut fields = granted::owner_and_mode(map);
        let (key, value) = self.config_value(&source, node, reading)?;
        fields.insert(key.to_owned(), value);
        Ok((path, of(node, ArgValue::Table(fields))))
    }

    /// What is in it: `source` of the workspace, or `content`.
    fn config_value(
        &self,
        source: &str,
        node: &Node,
        reading: &mut Reading,
    ) -> Result<(&'static str, Arg), Problem> {
        let entry = self.project.configs.entry(source).ok_or_else(|| {
            Problem::failed(format!("there is no config {}", escaped(source)))
                .at(&node.place)
                .nearest(source, self.project.configs.iter().map(|entry| entry.key.as_str()))
                .hint(format!("declare it at the top level: configs: {{ {source}: {{ file: ./{source} }} }}"))
        })?;
        let map = entry.node.map();
        let get = |key: &str| map.and_then(|map| map.get(key)).filter(|node| !node.is_null());
        if let Some(node) = get("content") {
            return Ok(("content", of(node, ArgValue::Text(text("configs.content", node)?))));
        }
        if let Some(node) = get("environment") {
            let name = clear("configs.environment", node)?;
            let (value, read) = reading.variable(&name).ok_or_else(|| {
                Problem::failed(format!("the variable `{}` has no value", escaped(&name)))
                    .at(&node.place)
                    .hint(reading.variables.hint(&name))
            })?;
            return Ok(("content", Arg { value: ArgValue::Text(value), place: node.place.clone(), read }));
        }
        if let Some(node) = get("file") {
            let written = clear("configs.file", node)?;
            let folder = reading.folder_of(node, self.project.folder()).to_owned();
            return Ok(("source", text_at(node, reading.beside(&folder, &written, node)?)));
        }
        Err(Problem::failed(format!(
            "the config {} has no `file`, `content` or `environment`",
            escaped(source)
        ))
        .at(&entry.place)
        .cause("nothing else is brought along: `external` is for a swarm"))
    }

    /// Whether a relative path is one that is brought along: its path in the workspace.
    pub(super) fn shipped(
        &self,
        written: &str,
        node: &Node,
        reading: &Reading,
    ) -> Result<Option<String>, Problem> {
        let Some(ship) = self.ours("ship") else { return Ok(None) };
        let path = |written: &str, node: &Node| {
            let folder = reading.folder_of(node, self.project.folder()).to_owned();
            reading.beside(&folder, written, node)
        };
        let wanted = path(written, node)?;
        for (item, text) in texts("x-pillarbox.ship", ship)? {
            let Some(text) = text.as_clear() else {
                return Err(Problem::failed("a secret is in `x-pillarbox.ship`").at(&item.place));
            };
            let top = path(text, ship)?;
            if wanted == top || wanted.strip_prefix(&top).is_some_and(|rest| rest.starts_with('/')) {
                return Ok(Some(wanted));
            }
        }
        Ok(None)
    }

    /// Brings a file along, or all that are in a folder.
    pub(super) fn ship(
        &mut self,
        source: &str,
        target: &str,
        node: &Node,
        reading: &mut Reading,
    ) -> Result<(), Problem> {
        let found = (reading.list)(source).map_err(|found| {
            let why = found.into_vec().into_iter().next().map(|problem| problem.what);
            let problem = Problem::failed(format!("{} cannot be read", escaped(source))).at(&node.place);
            match why {
                Some(why) => problem.cause(why),
                None => problem,
            }
        })?;
        if found.is_empty() {
            let what = format!("there is no file in {}", escaped(source));
            return Err(Problem::failed(what)
                .at(&node.place)
                .hint("`ship` brings files of the workspace along"));
        }
        for (below, executable) in found {
            let join = |top: &str| match below.as_str() {
                "" => top.to_owned(),
                below => format!("{}/{below}", top.trim_end_matches('/')),
            };
            let mode = if executable { "0555" } else { "0444" };
            let field = |text: &str| of(node, ArgValue::Text(Text::clear(text)));
            let fields = BTreeMap::from([
                ("source".to_owned(), field(&join(source))),
                ("mode".to_owned(), field(mode)),
            ]);
            self.bring(join(target), of(node, ArgValue::Table(fields)));
        }
        Ok(())
    }
}
