//! Why nothing is touched, in words.

use super::Host;
use crate::cli::commands::rollback::history_of;
use crate::history::Generation;
use crate::name::folded;
use crate::problem::{Problem, escaped, quoted};
use std::collections::BTreeMap;

/// Names the hosts that cannot go back, with what they have.
pub(super) fn missing(service: &str, what: &str, hosts: &[&Host]) -> Problem {
    let names: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
    let what = format!("{what} of {} on {}; nothing was changed", escaped(service), folded(&names));
    let problem = hosts.iter().fold(Problem::failed(what), |problem, host| {
        let kept = host.generations.iter().filter(|one| one.is_usable());
        let has: Vec<String> = kept.map(Generation::in_words).collect();
        let has = if has.is_empty() { "nothing".to_owned() } else { has.join(", ") };
        problem.cause(format!("{} has {has}", host.name))
    });
    problem.hint("to deploy it again: 'pillarbox gate set APP VERSION', then 'pillarbox apply'")
}

/// Each host would go to another version.
pub(super) fn not_one_version(service: &str, hosts: &[Host], targets: &[&Generation]) -> Problem {
    let what = format!("the generation before is not the same on all hosts of {}", escaped(service));
    let problem = hosts.iter().zip(targets).fold(Problem::usage(what), |problem, (host, target)| {
        problem.cause(format!("{} would roll back to {}", host.name, target.in_words()))
    });
    let service = quoted(service);
    problem
        .hint(format!("say which: pillarbox rollback {service} --to VERSION"))
        .hint(format!("or where: pillarbox rollback {service} --host HOST"))
}

/// One number for several hosts.
pub(super) fn numbers_differ(service: &str, hosts: usize, number: u64) -> Problem {
    let what = format!("generations count per host, and {} is on {hosts} of them", escaped(service));
    let service = quoted(service);
    Problem::usage(what)
        .hint(format!("name one: pillarbox rollback {service} --to {number} --host HOST"))
        .hint(format!("or a version: pillarbox rollback {service} --to VERSION"))
}

/// One version, and different images.
pub(super) fn two_images(service: &str, said: &str, hosts: &[Host], targets: &[&Generation]) -> Problem {
    let mut images: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (host, target) in hosts.iter().zip(targets) {
        let image = target.image.as_deref().unwrap_or_default();
        images.entry(image).or_default().push(host.name.to_string());
    }
    let what = format!("hosts have different images as version {} of {}", escaped(said), escaped(service));
    let problem = images.iter().fold(Problem::failed(what), |problem, (image, hosts)| {
        problem.cause(format!("{}: {}", folded(hosts), escaped(image)))
    });
    problem.hint(history_of(service))
}

/// A generation of which there is neither a container nor an image to make one from, for some slots.
pub(super) fn nothing_left(service: &str, host: &Host, target: &Generation, slots: &[String]) -> Problem {
    let what = format!(
        "nothing is left of generation {} of {} on {} for {}; nothing was changed",
        target.number,
        escaped(service),
        host.name,
        slots.join(", ")
    );
    Problem::failed(what)
        .cause("its container is gone, and no registry knows its image")
        .hint(history_of(service))
}
