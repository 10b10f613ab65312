//! Containers that share something of another one: it must be declared on the same host, and comes before.

use crate::compile::Draft;
use crate::desired::{Address, ContainerWish, Kind, Run, Share, Wish};
use crate::problem::{Place, Problem};

/// Puts every container after those that it shares something of, and reports those that are not declared.
pub(in crate::compile) fn check(drafts: &mut [Draft], problems: &mut Vec<Problem>) {
    for index in 0..drafts.len() {
        let Wish::Container(wish) = &drafts[index].item.wish else { continue };
        let shares = wish.spec.shares();
        let mut after = Vec::new();
        for share in &shares {
            match fits(drafts, wish, share) {
                Ok(()) => after.push(Address { kind: Kind::Container, name: share.name.clone() }),
                Err(problem) => problems.push(*problem),
            }
        }
        drafts[index].after.extend(after);
    }
}

fn fits(drafts: &[Draft], wish: &ContainerWish, share: &Share) -> Result<(), Box<Problem>> {
    let Share { name, option } = share;
    let wrong = |what: String| {
        let mut problem = Problem::failed(what);
        problem.place = place(wish, option);
        problem
    };
    if *name == wish.name.as_str() {
        return Err(Box::new(wrong(format!("`{option}` of container {name} names the container itself"))));
    }
    let mut containers = drafts.iter().filter_map(|draft| match &draft.item.wish {
        Wish::Container(other) => Some(other),
        _ => None,
    });
    let names = containers.clone().filter(|other| other.name != wish.name).map(|other| other.name.as_str());
    let Some(other) = containers.find(|other| other.name.as_str() == name) else {
        let what = format!(
            "`{option}` of container {} names {name}, which no state of this host declares",
            wish.name
        );
        let problem = wrong(what).nearest(name, names);
        return Err(Box::new(problem.hint(format!("declare it: [{name}.container.running]"))));
    };
    let needs_running = wish.run == Run::Running && *option != "volumes_from";
    if needs_running && other.run != Run::Running {
        let what =
            format!("`{option}` of container {} names {name}, which is not declared to run", wish.name);
        return Err(Box::new(wrong(what).hint(format!("declare it: [{name}.container.running]"))));
    }
    Ok(())
}

fn place(wish: &ContainerWish, option: &str) -> Option<Place> {
    wish.sources.get(option)?.last().cloned()
}
