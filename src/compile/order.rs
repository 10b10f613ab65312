//! What comes before what: `require`, images before the containers made from them, and `order`.

use super::Draft;
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
        (None, Wish::ImageAbsent { .. }) => (2, 0, draft.index),
        (None, _) => (1, 0, draft.index),
    }
}

/// For each draft the drafts it needs, with the line that says so.
type Needs = Vec<BTreeMap<usize, Option<Place>>>;

fn needs(drafts: &[Draft], declarations: &[Declaration], problems: &mut Vec<Problem>) -> Needs {
    let mut by_id: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (index, draft) in drafts.iter().enumerate() {
        for (id, _) in &draft.item.declared {
            by_id.entry(id).or_default().insert(index);
        }
    }
    let declared: BTreeSet<&str> = declarations.iter().map(|declaration| declaration.id.as_str()).collect();
    let mut by_address: BTreeMap<&Address, usize> = BTreeMap::new();
    let mut images: Vec<usize> = Vec::new();
    for (index, draft) in drafts.iter().enumerate() {
        by_address.entry(&draft.item.address).or_insert(index);
        if matches!(draft.item.wish, Wish::ImagePulled { .. } | Wish::ImageAbsent { .. }) {
            images.push(index);
        }
    }
    let mut needs: Needs = vec![BTreeMap::new(); drafts.len()];
    for (index, draft) in drafts.iter().enumerate() {
        for (id, place) in &draft.requires {
            for needed in by_id.get(id.as_str()).into_iter().flatten().filter(|needed| **needed != index) {
                needs[index].entry(*needed).or_insert_with(|| Some(place.clone()));
            }
            // An id whose own declaration is wrong is declared nonetheless.
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
        if let Wish::Container(container) = &draft.item.wish {
            for (other, image) in images.iter().map(|index| (*index, &drafts[*index])) {
                match &image.item.wish {
                    Wish::ImagePulled { image, .. } if *image == container.image => {
                        needs[index].entry(other).or_insert(None);
                    }
                    Wish::ImageAbsent { image: absent } if *absent == container.image => {
                        let place = image.item.declared.first().map(|(_, place)| place.clone());
                        let mut problem =
                            Problem::failed(format!("image {absent} is declared absent and used"));
                        problem.place = place;
                        problems.push(problem.cause(format!("container {} is made from it", container.name)));
                    }
                    _ => {}
                }
            }
        }
    }
    needs
}

fn cycle(drafts: &[Draft], needs: &Needs, left: &BTreeSet<usize>) -> Problem {
    // Everything left needs something that is left, so following needs comes around.
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
    let mut problem =
        Problem::failed(format!("states require each other in a circle: {}", shown.join(" → ")));
    for index in &path {
        if let Some((needed, place)) = next(*index) {
            let why = match place {
                Some(place) => format!("{} requires {}, {place}", name(*index), name(*needed)),
                None => {
                    let is_image = drafts[*needed].item.address.kind == Kind::Image;
                    let how = if is_image { "is made from" } else { "comes after" };
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
