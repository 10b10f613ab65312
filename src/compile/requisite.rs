//! `require`, `watch` and `onchanges`: declarations that name others by their ids.

use super::Draft;
use crate::desired::{Address, DesiredState, Kind, Reaction, Watch, fields, read};
use crate::problem::{Place, Problem, Result, escaped};
use crate::state::{Arg, ArgValue, Function};
use std::collections::{BTreeMap, BTreeSet};

/// An id with the line that names it.
pub(super) type Named = (String, Place);

/// Whether a requisite is on what a state here can be, by any of its names.
fn is_ours(kind: &str) -> bool {
    Function::names().any(|name| name.split_once('.').is_some_and(|(module, _)| module == kind))
}

/// `["id"]`, `"id"`, or Salt's `[{ docker = "id" }, { pip = "docker-py" }]`.
pub(super) fn ids(option: &str, arg: &Arg, notes: &mut Vec<String>) -> Result<Vec<Named>> {
    let single = std::slice::from_ref(arg);
    let items = if let ArgValue::Array(items) = &arg.value { items } else { single };
    let mut found = Vec::new();
    read::each(items, |item| {
        let ArgValue::Table(table) = &item.value else {
            found.push((read::word(option, item)?, item.place.clone()));
            return Ok(());
        };
        for (kind, item) in table {
            let id = read::word(option, item)?;
            if is_ours(kind) {
                found.push((id, item.place.clone()));
            } else {
                notes.push(format!(
                    "{}: the requisite on {} `{}` is not managed by pillarbox and was ignored",
                    item.place,
                    escaped(kind),
                    escaped(&id)
                ));
            }
        }
        Ok(())
    })?;
    Ok(found)
}

/// `["id"]`, all with one reaction (`watch_action`, as Salt has it), or `{ id = "restart" }`.
pub(super) fn watch(
    arg: &Arg,
    action: Option<&Arg>,
    notes: &mut Vec<String>,
) -> Result<Vec<(Named, Reaction)>> {
    let common = action.map_or(Ok(Reaction::Replace), |arg| reaction("watch_action", arg));
    let ArgValue::Table(table) = &arg.value else {
        let common = common?;
        let found = ids("watch", arg, notes)?;
        return Ok(found.into_iter().map(|named| (named, common.clone())).collect());
    };
    common?;
    let mut problems = Vec::new();
    let mut found = Vec::new();
    for (id, arg) in table.iter().filter(|(_, arg)| arg.value != ArgValue::Unset) {
        match reaction(&format!("watch.{id}"), arg) {
            Ok(reaction) => found.push(((id.clone(), arg.place.clone()), reaction)),
            Err(more) => problems.extend(more.into_vec()),
        }
    }
    crate::problem::Problems::check(problems)?;
    Ok(found)
}

/// `replace`, `restart`, `signal:NAME`; Salt's `force` and `SIGHUP` too.
fn reaction(option: &str, arg: &Arg) -> Result<Reaction> {
    let word = read::word(option, arg)?;
    let signal = word.strip_prefix("signal:").or_else(|| word.starts_with("SIG").then_some(word.as_str()));
    match (word.as_str(), signal) {
        ("replace" | "force", _) => Ok(Reaction::Replace),
        ("restart", _) => Ok(Reaction::Restart),
        (_, Some(name)) => {
            let name = crate::state::Text::clear(name);
            let named = Arg { value: ArgValue::Text(name), place: arg.place.clone(), read: Vec::new() };
            Ok(Reaction::Signal(fields::signal(option, &named)?))
        }
        _ => {
            let why = format!("is `{}`, but can be replace, restart or signal:NAME", escaped(&word));
            Err(read::wrong(option, arg, &why).hint("for example watch = { conf = \"signal:HUP\" }").into())
        }
    }
}

/// Requisites that are not offered, and what to use instead.
pub(super) fn not_offered(key: &str) -> Option<&'static str> {
    Some(match key {
        "listen" | "listen_in" => "use `watch = { ID = \"restart\" }` or `{ ID = \"signal:HUP\" }`",
        "onfail" | "onfail_any" | "onfail_in" | "onfail_all" => {
            "a failed replacement is rolled back automatically; for anything else, act on the exit code of apply"
        }
        "prereq" | "prereq_any" | "prereq_in" => {
            "use `require` for order, and `update = { before_stop = … }` for what precedes a replacement"
        }
        "retry" => "run 'pillarbox apply' again: it continues from the current state",
        "require_in" | "watch_in" | "onchanges_in" => {
            "write it the other way round, in the other declaration"
        }
        "require_any" | "watch_any" | "onchanges_any" => {
            "use the one without `_any`; each id counts by itself"
        }
        _ => return None,
    })
}

/// Resolves the ids that a draft watches to resources of this host.
pub(super) fn resolve(
    drafts: &mut [Draft],
    by_id: &BTreeMap<String, BTreeSet<usize>>,
    problems: &mut Vec<Problem>,
) {
    let addresses: Vec<Address> = drafts.iter().map(|draft| draft.item.address.clone()).collect();
    let things = |id: &str, own: usize| -> Vec<Address> {
        let found = by_id.get(id).into_iter().flatten().filter(|index| **index != own);
        found.map(|index| addresses[*index].clone()).collect()
    };
    for (index, draft) in drafts.iter_mut().enumerate() {
        // One that is left out here never changes.
        let onchanges = draft.onchanges.iter().flat_map(|(id, _)| things(id, index));
        draft.item.requisites.onchanges = onchanges.collect();
        if !matches!(draft.item.want, DesiredState::Container(_)) {
            continue;
        }
        for ((id, place), reaction) in &draft.watches {
            let things: Vec<Address> =
                things(id, index).into_iter().filter(|thing| thing.kind != Kind::State).collect();
            let image = things.iter().find(|thing| thing.kind == Kind::Image);
            if let (Some(image), Reaction::Restart | Reaction::Signal(_)) = (image, reaction) {
                let what = format!(
                    "{} watches {image}, and `restart` or a signal does not give it the new image",
                    draft.item.address
                );
                problems.push(
                    Problem::failed(what)
                        .at(place)
                        .cause("a container keeps the image that it was created from until it is replaced")
                        .hint(format!("write watch = {{ {id} = \"replace\" }}")),
                );
            }
            let (id, reaction, place) = (id.clone(), reaction.clone(), place.clone());
            draft.item.requisites.watch.push(Watch { id, things, reaction, place });
        }
    }
}
