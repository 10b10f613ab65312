//! Which generation each host goes back to: all of them can, or none is touched.

use super::{Host, history_of};
use crate::history::{Generation, State, before_current, current};
use crate::problem::{Problem, Problems, Result, escaped, quoted};
use std::collections::{BTreeMap, BTreeSet};

/// What is wanted of one host.
#[derive(Debug)]
pub(super) struct Target<'a> {
    pub(super) generation: &'a Generation,
}

/// One for each host, in their order.
///
/// # Errors
/// Everything that some host lacks, with what it has instead.
pub(super) fn targets<'a>(service: &str, hosts: &'a [Host], to: Option<&str>) -> Result<Vec<Target<'a>>> {
    let targets = match to {
        None => before(service, hosts)?,
        Some(said) => match number(said, hosts) {
            Some(number) => vec![of_number(service, hosts, number)?],
            None => of_version(service, hosts, said)?,
        },
    };
    let lacking: Vec<Problem> =
        hosts.iter().zip(&targets).filter_map(|(host, target)| lacks(service, host, target)).collect();
    Problems::check(lacking)?;
    Ok(targets)
}

fn before<'a>(service: &str, hosts: &'a [Host]) -> Result<Vec<Target<'a>>> {
    let found: Vec<Option<&Generation>> =
        hosts.iter().map(|host| before_current(&host.generations)).collect();
    let none = hosts.iter().zip(&found).filter(|(_, found)| found.is_none()).map(|(host, _)| host);
    missing(service, "nothing is kept to go back to", none.collect())?;
    let targets: Vec<&Generation> = found.into_iter().flatten().collect();
    let images: BTreeSet<Option<&String>> = targets.iter().map(|target| target.image.as_ref()).collect();
    if images.len() > 1 {
        let what = format!("the generation before is not the same on all hosts of {}", escaped(service));
        let each = hosts.iter().zip(&targets);
        let problem = each.fold(Problem::usage(what), |problem, (host, target)| {
            problem.cause(format!("{} would go back to {}", host.name, target.in_words()))
        });
        let service = quoted(service);
        return Err(problem
            .hint(format!("say which: pillarbox rollback {service} --to VERSION"))
            .hint(format!("or where: pillarbox rollback {service} --host HOST"))
            .into());
    }
    Ok(targets.into_iter().map(|generation| Target { generation }).collect())
}

/// A generation's number, `3` or `g3`, unless a version is called so.
fn number(said: &str, hosts: &[Host]) -> Option<u64> {
    if let Some(number) = said.strip_prefix('g').and_then(|digits| digits.parse().ok()) {
        return Some(number);
    }
    let mut all = hosts.iter().flat_map(|host| &host.generations);
    let is_version = all.any(|one| one.version.as_deref() == Some(said));
    said.parse().ok().filter(|_| !is_version)
}

fn of_number<'a>(service: &str, hosts: &'a [Host], number: u64) -> Result<Target<'a>> {
    let [host] = hosts else {
        let what =
            format!("generations count per host, and {} is on {} of them", escaped(service), hosts.len());
        let service = quoted(service);
        return Err(Problem::usage(what)
            .hint(format!("name one: pillarbox rollback {service} --to {number} --host HOST"))
            .hint(format!("or a version: pillarbox rollback {service} --to VERSION"))
            .into());
    };
    let found = host.generations.iter().find(|one| one.number == number);
    match found.filter(|one| one.is_usable()) {
        Some(generation) => Ok(Target { generation }),
        None => {
            let what = match found {
                Some(_) => format!("generation {number} is a failed attempt"),
                None => format!("there is no generation {number}"),
            };
            missing(service, &what, vec![host])?;
            Err(Problem::failed(what).into())
        }
    }
}

fn of_version<'a>(service: &str, hosts: &'a [Host], said: &str) -> Result<Vec<Target<'a>>> {
    // Where only an image is left, another host may know which version it is.
    let all = hosts.iter().flat_map(|host| &host.generations);
    let meant: BTreeSet<&String> =
        all.filter(|one| one.is_version(said)).filter_map(|one| one.image.as_ref()).collect();
    let is_meant = |one: &&Generation| {
        one.is_usable()
            && (one.is_version(said) || one.image.as_ref().is_some_and(|image| meant.contains(image)))
    };
    let found: Vec<Option<&Generation>> = hosts
        .iter()
        .map(|host| {
            let runs = current(&host.generations).filter(is_meant);
            let rank = |one: &&Generation| (one.state != State::ImageOnly, one.number);
            runs.or_else(|| host.generations.iter().filter(is_meant).max_by_key(rank))
        })
        .collect();
    let none = hosts.iter().zip(&found).filter(|(_, found)| found.is_none()).map(|(host, _)| host);
    missing(service, &format!("version {} is not kept", escaped(said)), none.collect())?;
    let targets: Vec<&Generation> = found.into_iter().flatten().collect();
    let mut images: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (host, target) in hosts.iter().zip(&targets) {
        let image = target.image.as_deref().unwrap_or_default();
        images.entry(image).or_default().push(host.name.to_string());
    }
    if images.len() > 1 {
        let what =
            format!("hosts have different images as version {} of {}", escaped(said), escaped(service));
        let problem = images.iter().fold(Problem::failed(what), |problem, (image, hosts)| {
            problem.cause(format!("{}: {}", hosts.join(", "), escaped(image)))
        });
        return Err(problem.hint(history_of(service)).into());
    }
    Ok(targets.into_iter().map(|generation| Target { generation }).collect())
}

/// Names the hosts that cannot go back, with what they have.
fn missing(service: &str, what: &str, hosts: Vec<&Host>) -> Result<()> {
    if hosts.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
    let what = format!("{what} of {} on {}; nothing was changed", escaped(service), names.join(", "));
    let problem = hosts.iter().fold(Problem::failed(what), |problem, host| {
        let kept = host.generations.iter().filter(|one| one.is_usable());
        let has: Vec<String> = kept.map(Generation::in_words).collect();
        let has = if has.is_empty() { "nothing".to_owned() } else { has.join(", ") };
        problem.cause(format!("{} has {has}", host.name))
    });
    Err(problem
        .hint("what is not kept any more is deployed anew: 'pillarbox gate set APP VERSION', then 'pillarbox apply'")
        .into())
}

/// A generation of which there is neither a container nor an image to make one from.
fn lacks(service: &str, host: &Host, target: &Target<'_>) -> Option<Problem> {
    let generation = target.generation;
    let instance = |slot| generation.instance(&host.generations, slot).is_some();
    let bare: Vec<String> =
        host.slots.iter().filter(|slot| !instance(slot)).map(ToString::to_string).collect();
    (!bare.is_empty() && generation.reference().is_none()).then(|| {
        let what = format!(
            "nothing is left of generation {} of {} on {} for {}; nothing was changed",
            generation.number,
            escaped(service),
            host.name,
            bare.join(", ")
        );
        Problem::failed(what)
            .cause("its container is gone, and no registry knows its image")
            .hint(history_of(service))
    })
}
