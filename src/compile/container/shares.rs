//! Containers that share something of another one: it must be declared on the same host, and comes before.

use crate::compile::Draft;
use crate::desired::{Address, ContainerWish, Kind, Run, Share, Wish};
use crate::problem::{Place, Problem};
use std::collections::BTreeMap;

/// Puts every container after those that it shares something of, and reports those that are not declared.
pub(in crate::compile) fn check(drafts: &mut [Draft], problems: &mut Vec<Problem>) {
    let containers = containers(drafts);
    let mut after: Vec<Vec<Address>> = Vec::with_capacity(drafts.len());
    for draft in drafts.iter() {
        let mut needed = Vec::new();
        if let Wish::Container(wish) = &draft.item.wish {
            for share in &wish.spec.shares() {
                match fits(&containers, wish, share) {
                    Ok(()) => needed.push(Address { kind: Kind::Container, name: share.name.clone() }),
                    Err(problem) => problems.push(*problem),
                }
            }
        }
        after.push(needed);
    }
    for (draft, needed) in drafts.iter_mut().zip(after) {
        draft.after.extend(needed);
    }
}

/// Whether each container runs, by name.
fn containers(drafts: &[Draft]) -> BTreeMap<String, Run> {
    let mut found = BTreeMap::new();
    for draft in drafts {
        if let Wish::Container(wish) = &draft.item.wish {
            found.entry(wish.name.to_string()).or_insert(wish.run);
        }
    }
    found
}

fn fits(containers: &BTreeMap<String, Run>, wish: &ContainerWish, share: &Share) -> Result<(), Box<Problem>> {
    let Share { name, option } = share;
    let wrong = |what: String| {
        let mut problem = Problem::failed(what);
        problem.place = place(wish, option);
        problem
    };
    if *name == wish.name.as_str() {
        return Err(Box::new(wrong(format!("`{option}` of container {name} names the container itself"))));
    }
    let Some(run) = containers.get(name) else {
        let what = format!(
            "`{option}` of container {} names {name}, which no state of this host declares",
            wish.name
        );
        let others = containers.keys().map(String::as_str).filter(|other| *other != wish.name.as_str());
        let problem = wrong(what).nearest(name, others);
        return Err(Box::new(problem.hint(format!("declare it: [{name}.container.running]"))));
    };
    let needs_running = wish.run == Run::Running && *option != "volumes_from";
    if needs_running && *run != Run::Running {
        let what =
            format!("`{option}` of container {} names {name}, which is not declared to run", wish.name);
        return Err(Box::new(wrong(what).hint(format!("declare it: [{name}.container.running]"))));
    }
    Ok(())
}

fn place(wish: &ContainerWish, option: &str) -> Option<Place> {
    wish.sources.get(option)?.last().cloned()
}
