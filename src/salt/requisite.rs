//! Requisites as Salt has them: by the name of a state instead of its id, and from the other side.

use super::is_module;
use super::values::{derived, text};
use crate::state::{Arg, ArgValue, Declaration, Function};
use std::collections::{BTreeMap, BTreeSet};

/// `require_in` and its kind: the declaration `id` is to be a requisite of the target.
#[derive(Clone, Debug)]
pub(crate) struct Turned {
    /// The one that says it.
    pub(crate) id: String,
    /// `require`, `watch`, `onchanges`.
    pub(crate) requisite: &'static str,
    /// The other one: its id or name, or `{ docker_container = "web" }`.
    pub(crate) target: Arg,
}

/// Gives each target its requisite. A target that is no declaration here gives a note.
pub(crate) fn turn_round(declarations: &mut [Declaration], turned: Vec<Turned>, notes: &mut Vec<String>) {
    if turned.is_empty() {
        return;
    }
    let index = Index::of(declarations);
    for Turned { id, requisite, target } in turned {
        let targets: Vec<(Option<String>, String)> = match &target.value {
            ArgValue::Table(table) => table
                .iter()
                .filter_map(|(module, name)| Some((Some(module.clone()), clear(name)?.to_owned())))
                .collect(),
            _ => clear(&target).map(|name| (None, name.to_owned())).into_iter().collect(),
        };
        for (module, name) in targets {
            let ours = module.as_deref().is_none_or(is_ours);
            let found = if ours { index.find(module.as_deref(), &name) } else { Vec::new() };
            if found.is_empty() {
                notes.push(format!(
                    "{}: `{requisite}_in` names {name}, which is no state of a container here, and was ignored",
                    target.place,
                    name = crate::problem::escaped(&name)
                ));
            }
            for at in found {
                let declaration = &mut declarations[at];
                let entry = text(&target, id.as_str());
                let arg = declaration
                    .args
                    .entry(requisite.to_owned())
                    .or_insert_with(|| derived(&target, ArgValue::Array(Vec::new())));
                match &mut arg.value {
                    ArgValue::Array(items) => items.push(entry),
                    // `watch = { id = "restart" }`.
                    ArgValue::Table(table) => {
                        table.entry(id.clone()).or_insert_with(|| text(&target, "replace"));
                    }
                    ArgValue::Unset => arg.value = ArgValue::Array(vec![entry]),
                    _ => {
                        let before = arg.clone();
                        arg.value = ArgValue::Array(vec![before, entry]);
                    }
                }
            }
        }
    }
}

/// Puts the id in the place of a name in `{ docker_container = "NAME" }`, where no declaration has that id.
pub(crate) fn by_name(declarations: &mut [Declaration]) {
    let index = Index::of(declarations);
    for declaration in declarations {
        for requisite in ["require", "watch", "onchanges"] {
            let Some(Arg { value: ArgValue::Array(items), .. }) = declaration.args.get_mut(requisite) else {
                continue;
            };
            for item in items {
                let ArgValue::Table(table) = &mut item.value else { continue };
                for (module, target) in table.iter_mut().filter(|(module, _)| is_ours(module)) {
                    let Some(name) = clear(target) else { continue };
                    if index.ids.contains(name) {
                        continue;
                    }
                    if let Some(id) = index.id_of(module, name) {
                        *target = text(target, id);
                    }
                }
            }
        }
    }
}

/// Takes out requisites on a `service` that no declaration here has: it is one of the host, `service: docker`.
pub(crate) fn without_host_services(declarations: &mut [Declaration], notes: &mut Vec<String>) {
    let index = Index::of(declarations);
    for declaration in declarations {
        for requisite in ["require", "watch", "onchanges"] {
            let Some(Arg { value: ArgValue::Array(items), .. }) = declaration.args.get_mut(requisite) else {
                continue;
            };
            items.retain_mut(|item| {
                let ArgValue::Table(table) = &mut item.value else { return true };
                let of_host = table.get("service").and_then(clear);
                let of_host = of_host.filter(|name| index.find(Some("service"), name).is_empty());
                let Some(name) = of_host else { return true };
                notes.push(format!(
                    "{}: the requisite on service `{}` is not managed by pillarbox and was ignored",
                    item.place,
                    crate::problem::escaped(name)
                ));
                table.remove("service");
                !table.is_empty()
            });
        }
    }
}

fn clear(arg: &Arg) -> Option<&str> {
    match &arg.value {
        ArgValue::Text(text) => text.as_clear(),
        _ => None,
    }
}

/// Whether a requisite is on what a state here can be, by any of its names.
pub(super) fn is_ours(module: &str) -> bool {
    is_module(module)
        || Function::names().any(|name| name.split_once('.').is_some_and(|(known, _)| known == module))
}

/// Declarations by id and by name.
struct Index {
    ids: BTreeSet<String>,
    by_id: BTreeMap<String, Vec<usize>>,
    by_name: BTreeMap<String, Vec<(usize, String, &'static str)>>,
}

impl Index {
    fn of(declarations: &[Declaration]) -> Self {
        let (mut by_id, mut by_name) = (BTreeMap::<String, Vec<usize>>::new(), BTreeMap::new());
        for (at, declaration) in declarations.iter().enumerate() {
            by_id.entry(declaration.id.clone()).or_default().push(at);
            if let Some(name) = declaration.args.get("name").and_then(clear) {
                let names: &mut Vec<_> = by_name.entry(name.to_owned()).or_default();
                names.push((at, declaration.id.clone(), kind(declaration.function)));
            }
        }
        Self { ids: by_id.keys().cloned().collect(), by_id, by_name }
    }

    fn find(&self, module: Option<&str>, name: &str) -> Vec<usize> {
        if let Some(found) = self.by_id.get(name) {
            return found.clone();
        }
        let found = self.by_name.get(name).into_iter().flatten();
        found
            .filter(|(_, _, kind)| module.is_none_or(|module| fits(module, kind)))
            .map(|(at, _, _)| *at)
            .collect()
    }

    fn id_of(&self, module: &str, name: &str) -> Option<String> {
        let named = self.by_name.get(name)?;
        named.iter().find(|(_, _, kind)| fits(module, kind)).map(|(_, id, _)| id.clone())
    }
}

/// What a function is about.
fn kind(function: Function) -> &'static str {
    function.name().split_once('.').map_or("", |(kind, _)| kind)
}

/// Whether states of a module of Salt are about a kind: those of the older ones are about all of them.
fn fits(module: &str, kind: &str) -> bool {
    match module {
        "docker" | "dockerng" => true,
        _ => module.strip_prefix("docker_").unwrap_or(module) == kind,
    }
}
