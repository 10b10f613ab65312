//! Which generation each host goes to: all of them can, or none is touched.
//!
//! Three questions, one after the other: which generation is meant on each host, do all hosts have it, and
//! is something left of it that a container can be made of. Where the command does not say which is meant,
//! [`crate::history::back`] does.

mod refuse;
mod said;

use super::host::Host;
use crate::history::{Generation, agree, back};
use crate::problem::{Problem, Problems, Result, escaped};

/// One for each host, in their order.
///
/// # Errors
/// Everything that some host lacks, with what it has instead.
pub(super) fn targets<'a>(service: &str, hosts: &'a [Host], to: Option<&str>) -> Result<Vec<&'a Generation>> {
    let targets = match to {
        None => without_a_word(service, hosts)?,
        Some(said) => match said::number(said, hosts) {
            Some(number) => vec![numbered(service, hosts, number)?],
            None => of_version(service, hosts, said)?,
        },
    };
    let lacking: Vec<Problem> = hosts
        .iter()
        .zip(&targets)
        .filter_map(|(host, target)| {
            let bare = without_remains(host, target);
            (!bare.is_empty()).then(|| refuse::nothing_left(service, host, target, &bare))
        })
        .collect();
    Problems::check(lacking)?;
    Ok(targets)
}

fn without_a_word<'a>(service: &str, hosts: &'a [Host]) -> Result<Vec<&'a Generation>> {
    let there: Vec<_> = hosts.iter().map(Host::there).collect();
    let found = back(&there).into_iter().map(|back| back.map(|back| back.generation)).collect();
    let targets = every(service, "no earlier generation is kept", hosts, found)?;
    match agree(&targets) {
        true => Ok(targets),
        false => Err(refuse::not_one_version(service, hosts, &targets).into()),
    }
}

/// Generations count for each host, so a number means something on one host only.
fn numbered<'a>(service: &str, hosts: &'a [Host], number: u64) -> Result<&'a Generation> {
    let [host] = hosts else { return Err(refuse::numbers_differ(service, hosts.len(), number).into()) };
    let found = host.generations.iter().find(|one| one.number == number);
    found.filter(|one| one.is_usable()).ok_or_else(|| {
        let what = match found {
            Some(_) => format!("generation {number} is a failed attempt"),
            None => format!("there is no generation {number}"),
        };
        refuse::missing(service, &what, &[host]).into()
    })
}

fn of_version<'a>(service: &str, hosts: &'a [Host], said: &str) -> Result<Vec<&'a Generation>> {
    let what = format!("version {} is not kept", escaped(said));
    let targets = every(service, &what, hosts, said::of_version(said, hosts))?;
    match agree(&targets) {
        true => Ok(targets),
        false => Err(refuse::two_images(service, said, hosts, &targets).into()),
    }
}

/// What was found on each host.
///
/// # Errors
/// The hosts on which nothing was, with what they have.
fn every<'a>(
    service: &str,
    what: &str,
    hosts: &[Host],
    found: Vec<Option<&'a Generation>>,
) -> Result<Vec<&'a Generation>> {
    let none = hosts.iter().zip(&found).filter(|(_, found)| found.is_none());
    let none: Vec<&Host> = none.map(|(host, _)| host).collect();
    match none.is_empty() {
        true => Ok(found.into_iter().flatten().collect()),
        false => Err(refuse::missing(service, what, &none).into()),
    }
}

/// Containers of the service for which there is neither one of that generation nor an image to make it from.
fn without_remains(host: &Host, target: &Generation) -> Vec<String> {
    let is_there = |slot| target.instance(&host.generations, slot).is_some() || target.reference().is_some();
    host.slots.iter().filter(|slot| !is_there(slot)).map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests;
