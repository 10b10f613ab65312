//! The order of items: `require`, images before the containers created from them, and `order`.

use super::{Draft, requisite};
use crate::desired::{Address, Item, Kind, Wish};
use crate::problem::{Place, Problem, escaped};
use crate::state::Declaration;
use std::collections::{BTreeMap, BTreeSet};

/// Puts the items into an order that respects every need; among those that are free: by `order`, then
/// by the order of files and lines.
pub(super) fn arrange(
    drafts: Vec<Draft>,
    declarations: &[Declaration],
    problems: &mut Vec<Problem>,
) -> Vec<Item> {
    let mut drafts = drafts;
    let ids = by_id(&drafts);
    requisite::resolve(&mut drafts, &ids, problems);
    let needs = needs(&drafts, declarations, problems);
    let keys: Vec<_> = drafts.iter().map(key).collect();
    let mut waiting: Vec<usize> = needs.iter().map(BTreeMap::len).collect();
    let mut ready: BTreeSet<_> =
        (0..drafts.len()).filter(|index| waiting[*index] == 0).map(|index| (keys[index], index)).collect();
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); drafts.len()];
    for (index, needed) in needs.iter().enumerate() {
        needed.keys().for_each(|needed| needed_by[*needed].push(index));
    }
    let mut sorted = Vec::new();
    while let Some((_, next)) = ready.pop_first() {
        sorted.push(next);
        for &index in &needed_by[next] {
            waiting[index] -= 1;
            if waiting[index] == 0 {
                ready.insert((keys[index], index));
            }
        }
    }
    if sorted.len() < drafts.len() {
        let left: BTreeSet<usize> = (0..drafts.len()).filter(|index| waiting[*index] > 0).collect();
        problems.push(cycle(&drafts, &needs, &left));
        return Vec::new();
    }
    let addresses: Vec<Address> = drafts.iter().map(|draft| draft.item.address.clone()).collect();
    let mut items: Vec<Option<Item>> = drafts.into_iter().map(|draft| Some(draft.item)).collect();
    let arranged = sorted.into_iter().filter_map(|index| {
        let mut item = items[index].take()?;
        item.needs = needs[index].keys().map(|needed| addresses[*needed].clone()).collect();
        item.needs.sort();
        Some(item)
    });
    arranged.collect()
}

/// Written orders from 0 up come first, then what has none, then what is removed, then negative
/// orders, as in Salt.
fn key(draft: &Draft) -> (u8, i64, usize) {
    match (draft.order, &draft.item.wish) {
        (Some(order), _) if order >= 0 => (0, order, draft.index),
        (Some(order), _) => (3, order, draft.index),
        (None, Wish::ImageAbsent { .. } | Wish::NetworkAbsent { .. } | Wish::VolumeAbsent { .. }) => {
            (2, 0, draft.index)
        }
        (None, _) => (1, 0, draft.index),
    }
}

/// For each draft the drafts it needs, with the line that says so.
type Needs = Vec<BTreeMap<usize, Option<Place>>>;

/// The drafts of each id.
fn by_id(drafts: &[Draft]) -> BTreeMap<String, BTreeSet<usize>> {
    let mut by_id: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for (index, draft) in drafts.iter().enumerate() {
        for (id, _) in &draft.item.declared {
            by_id.entry(id.clone()).or_default().insert(index);
        }
    }
    by_id
}

fn needs(drafts: &[Draft], declarations: &[Declaration], problems: &mut Vec<Problem>) -> Needs {
    let by_id = by_id(drafts);
    let declared: BTreeSet<&str> = declarations.iter().map(|declaration| declaration.id.as_str()).collect();
    let mut by_address: BTreeMap<&Address, usize> = BTreeMap::new();
    let mut used: BTreeMap<(Kind, String), Vec<usize>> = BTreeMap::new();
    for (index, draft) in drafts.iter().enumerate() {
        by_address.entry(&draft.item.address).or_insert(index);
        if let Some(name) = usable(&draft.item.wish) {
            used.entry((draft.item.address.kind, name)).or_default().push(index);
        }
    }
    let mut needs: Needs = vec![BTreeMap::new(); drafts.len()];
    for (index, draft) in drafts.iter().enumerate() {
        for (id, place) in &draft.requires {
            for needed in by_id.get(id.as_str()).into_iter().flatten().filter(|needed| **needed != index) {
                needs[index].entry(*needed).or_insert_with(|| Some(place.clone()));
            }
            // An id whose own declaration is wrong counts as declared.
            if !declared.contains(id.as_str()) {
                let what = format!("no state of this host has the id `{}`", escaped(id));
                problems.push(Problem::failed(what).at(place).nearest(id, declared.iter().copied()));
            }
        }
        for address in &draft.after {
            if let Some(needed) = by_address.get(address).copied().filter(|needed| *needed != index) {
                needs[index].entry(needed).or_insert(None);
            }
        }
        if let Some(container) = draft.item.wish.container() {
            let user = &draft.item.address;
            let image = (Kind::Image, container.image.to_string());
            let networks = container.network_names().into_iter().map(|name| (Kind::Network, name));
            let volumes = container.volume_names().into_iter().map(|name| (Kind::Volume, name));
            let names = std::iter::once(image).chain(networks).chain(volumes);
            let found = names.filter_map(|name| used.get(&name)).flatten();
            for (other, draft) in found.map(|index| (*index, &drafts[*index])) {
                let how = match &draft.item.wish {
                    Wish::ImageAbsent { .. } => "is created from it",
                    Wish::NetworkAbsent { .. } => "joins it",
                    Wish::VolumeAbsent { .. } => "mounts it",
                    _ => {
                        needs[index].entry(other).or_insert(None);
                        continue;
                    }
                };
                problems.push(absent_and_used(draft, &format!("{user} {how}")));
            }
        }
    }
    needs
}

/// What a container uses by name: an image, a network, a volume, declared present or absent.
fn usable(wish: &Wish) -> Option<String> {
    match wish {
        Wish::ImagePulled { image, .. } | Wish::ImageAbsent { image } => Some(image.to_string()),
        Wish::Network(network) => Some(network.name.clone()),
        Wish::Volume(volume) => Some(volume.name.clone()),
        Wish::NetworkAbsent { name } | Wish::VolumeAbsent { name } => Some(name.clone()),
        _ => None,
    }
}

fn absent_and_used(absent: &Draft, why: &str) -> Problem {
    let mut problem = Problem::failed(format!("{} is declared absent and used", absent.item.address));
    problem.place = absent.item.declared.first().map(|(_, place)| place.clone());
    problem.cause(why)
}

fn cycle(drafts: &[Draft], needs: &Needs, left: &BTreeSet<usize>) -> Problem {
    // Every remaining item needs another remaining one, so following the needs ends in a cycle.
    let next = |index: usize| needs[index].iter().find(|(needed, _)| left.contains(needed));
    let mut path: Vec<usize> = left.first().copied().into_iter().collect();
    while let Some((needed, _)) = path.last().and_then(|last| next(*last)) {
        if let Some(start) = path.iter().position(|index| index == needed) {
            path.drain(..start);
            break;
        }
        path.push(*needed);
    }
    // The same cycle is printed the same way wherever it was met.
    let least =
        path.iter().enumerate().min_by_key(|(_, index)| drafts[**index].index).map_or(0, |(at, _)| at);
    path.rotate_left(least);
    let name = |index: usize| drafts[index].item.address.to_string();
    let around = path.iter().chain(path.first());
    let shown: Vec<String> = around.map(|index| name(*index)).collect();
    let mut problem = Problem::failed(format!("dependency cycle: {}", shown.join(" → ")));
    for index in &path {
        if let Some((needed, place)) = next(*index) {
            let why = match place {
                Some(place) => format!("{} requires {}, {place}", name(*index), name(*needed)),
                None => {
                    let how = match drafts[*needed].item.address.kind {
                        Kind::Image => "is created from",
                        Kind::Network => "joins",
                        Kind::Volume => "mounts",
                        _ => "comes after",
                    };
                    format!("{} {how} {}", name(*index), name(*needed))
                }
            };
            if problem.place.is_none() {
                problem.place.clone_from(place);
            }
            problem = problem.cause(why);
        }
    }
    problem
}
