//! `environment`, `env_file` and `label_file`: the files are those of the workspace.

use super::{Reading, Service};
use crate::compose::env_file::{self, Beside, Format};
use crate::compose::interpolate::Variables;
use crate::compose::merge::pairs;
use crate::compose::value::{clear, of, printed, truth, wants};
use crate::compose::yaml::{Map, Node};
use crate::problem::{Place, Problem, escaped};
use crate::state::{Arg, ArgValue, Text};
use std::collections::BTreeMap;

/// A file that a service names.
struct Named {
    path: String,
    required: bool,
    format: Format,
}

/// No variable at all.
struct Nothing;

impl Variables for Nothing {
    fn value(&self, _: &str) -> Option<(Text, Vec<Place>)> {
        None
    }

    fn hint(&self, _: &str) -> String {
        "write the value itself".to_owned()
    }

    fn pillar(&self, _: &str) -> Option<(Text, Vec<Place>)> {
        None
    }
}

impl Service<'_> {
    pub(super) fn environment(&mut self, reading: &mut Reading) -> Result<(), Problem> {
        let own = self.own_variables(reading)?;
        let values = own.iter().filter_map(|(name, arg)| {
            let ArgValue::Text(text) = &arg.as_ref()?.value else { return None };
            Some((name.clone(), (text.clone(), arg.as_ref()?.read.clone())))
        });
        let mut beside = Beside { own: values.collect(), ..Beside::default() };
        let mut found = self.files("env_file", &mut beside, reading)?;
        for (name, arg) in own {
            match arg {
                Some(arg) => drop(found.insert(name, arg)),
                None => drop(found.remove(&name)),
            }
        }
        if !found.is_empty() {
            let place = self.map.entry("environment").map_or(self.place, |entry| &entry.place).clone();
            self.put("environment", Arg { value: ArgValue::Table(found), place, read: Vec::new() });
        }
        let mut labels = self.files("label_file", &mut Beside::default(), reading)?;
        if !labels.is_empty() {
            if let Some(ArgValue::Table(written)) = self.args.remove("labels").map(|arg| arg.value) {
                labels.extend(written);
            }
            let place = self.place.clone();
            self.put("labels", Arg { value: ArgValue::Table(labels), place, read: Vec::new() });
        }
        Ok(())
    }

    /// `environment` by name; a name alone without a variable of the project is not set.
    fn own_variables(&self, reading: &mut Reading) -> Result<BTreeMap<String, Option<Arg>>, Problem> {
        let mut found = BTreeMap::new();
        let Some(node) = self.get("environment") else { return Ok(found) };
        let wrong = || wants("environment", "a mapping, or a list of NAME=value", node);
        for entry in pairs(node, '=').ok_or_else(wrong)? {
            if entry.key.ends_with(char::is_whitespace) {
                let what = format!("the variable `{}` ends with a blank", escaped(&entry.key));
                return Err(Problem::failed(what).at(&entry.place));
            }
            let arg = if entry.node.is_null() {
                reading.variable(&entry.key).map(|(value, read)| Arg {
                    value: ArgValue::Text(value),
                    place: entry.place,
                    read,
                })
            } else {
                let name = format!("environment.{}", entry.key);
                let text = printed(&name, &entry.node, &mut reading.notes)?;
                Some(of(&entry.node, ArgValue::Text(text)))
            };
            found.insert(entry.key, arg);
        }
        Ok(found)
    }

    /// The variables of the files below a key; later files win, and see the earlier ones.
    fn files(
        &self,
        key: &str,
        beside: &mut Beside,
        reading: &mut Reading,
    ) -> Result<BTreeMap<String, Arg>, Problem> {
        let mut all = BTreeMap::new();
        let Some(node) = self.get(key) else { return Ok(all) };
        let single = std::slice::from_ref(node);
        for item in node.list().unwrap_or(single) {
            let named = named(key, item)?;
            let folder = reading.folder_of(item, self.project.folder()).to_owned();
            let path = reading.beside(&folder, &named.path, item)?;
            let Some(content) = reading.file(&path, item)? else {
                if named.required {
                    return Err(Problem::failed(format!("there is no file {}", escaped(&path)))
                        .at(&item.place)
                        .cause(format!("`{key}` names it"))
                        .hint("add it, or write { path: …, required: false }"));
                }
                continue;
            };
            // Labels refer to no variable of the project, as in Compose.
            let variables: &dyn Variables = if key == "label_file" { &Nothing } else { reading.variables };
            match env_file::read(&path, &content, named.format, variables, beside) {
                Ok(found) => {
                    for (name, (filled, place)) in found {
                        beside.before.insert(name.clone(), (filled.text.clone(), filled.read.clone()));
                        all.insert(
                            name,
                            Arg { value: ArgValue::Text(filled.text), place, read: filled.read },
                        );
                    }
                }
                Err(found) => reading.problems.extend(found.into_vec()),
            }
        }
        Ok(all)
    }
}

fn named(key: &str, node: &Node) -> Result<Named, Problem> {
    let Some(map) = node.map() else {
        return Ok(Named { path: clear(key, node)?, required: true, format: Format::Compose });
    };
    let field = |map: &Map, name: &str| map.get(name).cloned();
    let path = field(map, "path")
        .ok_or_else(|| Problem::failed(format!("an entry of `{key}` has no `path`")).at(&node.place))?;
    let required = field(map, "required").map_or(Ok(true), |node| truth("required", &node))?;
    let format = match field(map, "format") {
        None => Format::Compose,
        Some(node) => match clear(key, &node)?.as_str() {
            "" => Format::Compose,
            "raw" => Format::Raw,
            other => {
                let what = format!("there is no format `{}` of a file of variables", escaped(other));
                return Err(Problem::failed(what).at(&node.place).hint("there is `raw`"));
            }
        },
    };
    Ok(Named { path: clear(key, &path)?, required, format })
}
