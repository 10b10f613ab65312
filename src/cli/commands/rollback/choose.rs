//! Which generation each host goes back to: all of them can, or none is touched.

use super::{Host, history_of};
use crate::history::{Generation, State, before_current, current};
use crate::name::folded;
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

/// What each host ran before what is deployed now. Where that deployment failed, some hosts still run it:
/// they stay there.
fn before<'a>(service: &str, hosts: &'a [Host]) -> Result<Vec<Target<'a>>> {
    let tried = hosts.iter().any(|host| runs_wanted(host) || has_tried(host));
    let found: Vec<Option<&Generation>> = hosts
        .iter()
        .map(|host| match tried && host.wanted.is_some() && !runs_wanted(host) {
            true => current(&host.generations),
            false => before_current(&host.generations),
        })
        .collect();
    let targets = each(service, "no earlier generation is kept", hosts, found)?;
    let images: BTreeSet<Option<&String>> = targets.iter().map(|target| target.image.as_ref()).collect();
    if images.len() > 1 {
        let what = format!("the generation before is not the same on all hosts of {}", escaped(service));
        let each = hosts.iter().zip(&targets);
        let problem = each.fold(Problem::usage(what), |problem, (host, target)| {
            problem.cause(format!("{} would roll back to {}", host.name, target.in_words()))
        });
        let service = quoted(service);
        return Err(problem
            .hint(format!("say which: pillarbox rollback {service} --to VERSION"))
            .hint(format!("or where: pillarbox rollback {service} --host HOST"))
            .into());
    }
    Ok(targets.into_iter().map(|generation| Target { generation }).collect())
}

fn runs_wanted(host: &Host) -> bool {
    current(&host.generations).is_some_and(|current| is_wanted(host, current))
}

/// Whether there is a failed attempt at what the gate names.
fn has_tried(host: &Host) -> bool {
    let current = current(&host.generations).map_or(0, |current| current.number);
    let mut later = host.generations.iter().filter(|one| one.number > current);
    later.any(|one| one.state == State::Attempt && is_wanted(host, one))
}

fn is_wanted(host: &Host, generation: &Generation) -> bool {
    let digest = generation.image.as_deref().and_then(|image| image.split('@').nth(1));
    digest.is_some() && digest == host.wanted.as_deref()
}

/// A generation's number, `3` or `g3`, unless a version is called so.
fn number(said: &str, hosts: &[Host]) -> Option<u64> {
    let mut all = hosts.iter().flat_map(|host| &host.generations);
    let is_version = all.any(|one| one.version.as_deref() == Some(said));
    said.strip_prefix('g').unwrap_or(said).parse().ok().filter(|_| !is_version)
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
            Err(missing(service, &what, &[host]).into())
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
    let targets = each(service, &format!("version {} is not kept", escaped(said)), hosts, found)?;
    let mut images: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (host, target) in hosts.iter().zip(&targets) {
        let image = target.image.as_deref().unwrap_or_default();
        images.entry(image).or_default().push(host.name.to_string());
    }
    if images.len() > 1 {
        let what =
            format!("hosts have different images as version {} of {}", escaped(said), escaped(service));
        let problem = images.iter().fold(Problem::failed(what), |problem, (image, hosts)| {
            problem.cause(format!("{}: {}", folded(hosts), escaped(image)))
        });
        return Err(problem.hint(history_of(service)).into());
    }
    Ok(targets.into_iter().map(|generation| Target { generation }).collect())
}

/// What was found of each host, or what is missing where nothing was.
fn each<'a>(
    service: &str,
    what: &str,
    hosts: &[Host],
    found: Vec<Option<&'a Generation>>,
) -> Result<Vec<&'a Generation>> {
    let none: Vec<&Host> =
        hosts.iter().zip(&found).filter(|(_, found)| found.is_none()).map(|(host, _)| host).collect();
    if none.is_empty() {
        Ok(found.into_iter().flatten().collect())
    } else {
        Err(missing(service, what, &none).into())
    }
}

/// Names the hosts that cannot go back, with what they have.
fn missing(service: &str, what: &str, hosts: &[&Host]) -> Problem {
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

#[cfg(test)]
mod tests {
    use super::super::gates::Gating;
    use super::*;
    use crate::desired::Fingerprint;
    use crate::history::Instance;
    use crate::name::{ContainerName, HostName};
    use crate::observed::InstanceRole;

    /// Number, version, digit of the digest, state.
    fn generation((number, version, digit, state): (u64, Option<&str>, char, State)) -> Generation {
        let role = match state {
            State::Runs | State::Down => InstanceRole::Committed,
            State::Kept | State::ImageOnly => InstanceRole::Kept,
            State::Attempt => InstanceRole::Attempt,
        };
        let instance = Instance {
            id: number.to_string(),
            name: "api".to_owned(),
            slot: "api".to_owned(),
            role,
            running: state == State::Runs,
            spec: Fingerprint("v1:sha256:0".to_owned()),
            fields: BTreeMap::new(),
            first_network: None,
        };
        Generation {
            number,
            version: version.map(str::to_owned),
            image: Some(format!("r.example.com/api@sha256:{}", digit.to_string().repeat(64))),
            created: None,
            state,
            instances: if state == State::ImageOnly { Vec::new() } else { vec![instance] },
            tasks: BTreeMap::new(),
            ended: None,
        }
    }

    fn host(name: &str, all: &[(u64, Option<&str>, char, State)]) -> Host {
        Host {
            name: HostName::parse(name).expect("a name"),
            slots: vec![ContainerName::parse("api").expect("a name")],
            gating: Gating::Gate("api".to_owned()),
            wanted: None,
            generations: all.iter().copied().map(generation).collect(),
        }
    }

    fn numbers(hosts: &[Host], to: Option<&str>) -> Result<Vec<u64>> {
        Ok(targets("api", hosts, to)?.iter().map(|target| target.generation.number).collect())
    }

    /// All of it, causes too.
    fn said(problems: &Problems) -> String {
        let all = problems.iter().map(|problem| format!("{}\n{}", problem.what, problem.causes.join("\n")));
        all.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn every_host_has_it_or_all_that_lack_it_are_named_with_what_they_have() {
        use State::{Attempt, ImageOnly, Kept, Runs};
        let hosts = [
            host(
                "web1",
                &[(3, Some("1.2"), 'c', Runs), (2, Some("1.1"), 'b', Kept), (1, Some("1.0"), 'a', Kept)],
            ),
            host(
                "web2",
                &[(9, Some("1.2"), 'c', Runs), (8, Some("1.1"), 'b', Attempt), (7, None, 'a', ImageOnly)],
            ),
        ];
        // What web1 knows by its tag web2 has by its digest.
        assert_eq!(numbers(&hosts, Some("1.0")).expect("both have it"), [1, 7]);
        assert_eq!(numbers(&hosts, Some("aaaaaaaaaaaa")).expect("both have it"), [1, 7]);
        assert_eq!(numbers(&hosts, Some("1.2")).expect("both run it"), [3, 9]);
        let lacking = numbers(&hosts, Some("1.1")).expect_err("a failed attempt is not kept");
        let lacking = said(&lacking);
        assert!(lacking.contains("version 1.1 is not kept of api on web2; nothing was changed"), "{lacking}");
        assert!(
            lacking.contains("web2 has 1.2 (generation 9, runs), aaaaaaaaaaaa (generation 7, image only)")
        );
        assert!(!lacking.contains("web1 has"), "{lacking}");
        // They would go to different places.
        let differ = numbers(&hosts, None).expect_err("different versions");
        let differ = said(&differ);
        assert!(differ.contains("web1 would roll back to 1.1 (generation 2, kept)"), "{differ}");
        assert!(
            numbers(&hosts, Some("2"))
                .expect_err("two hosts")
                .to_string()
                .contains("generations count per host")
        );
        assert_eq!(numbers(&hosts[..1], Some("1")).expect("kept"), [1]);
        assert_eq!(numbers(&hosts[..1], Some("g2")).expect("kept"), [2]);
        assert!(
            numbers(&hosts[1..], Some("8")).expect_err("failed").to_string().contains("is a failed attempt")
        );
        assert_eq!(numbers(&hosts[1..], None).expect("the image"), [7]);
    }

    #[test]
    fn after_a_deployment_that_failed_on_some_host_all_go_to_what_ran_before_it() {
        use State::{Attempt, Kept, Runs};
        let wants = |host: Host| Host { wanted: Some(format!("sha256:{}", "c".repeat(64))), ..host };
        let (a, b, c) = (Some("1.0"), Some("1.1"), Some("1.2"));
        let done = || wants(host("web1", &[(3, c, 'c', Runs), (2, b, 'b', Kept), (1, a, 'a', Kept)]));
        let failed = || wants(host("web2", &[(8, c, 'c', Attempt), (7, b, 'b', Runs), (6, a, 'a', Kept)]));
        let untouched = || wants(host("web3", &[(2, b, 'b', Runs), (1, a, 'a', Kept)]));
        assert_eq!(numbers(&[done(), failed(), untouched()], None).expect("one version"), [2, 7, 2]);
        assert_eq!(numbers(&[failed()], None).expect("it stays"), [7]);
        // Not tried yet: the gate alone was set.
        assert_eq!(numbers(&[untouched()], None).expect("the one before"), [1]);
    }

    #[test]
    fn what_some_generation_has_as_its_version_is_no_number() {
        use State::{Kept, Runs};
        let hosts =
            [host("web1", &[(4, Some("2"), 'c', Runs), (3, Some("g4"), 'b', Kept), (2, None, 'a', Kept)])];
        assert_eq!(numbers(&hosts, Some("2")).expect("a version"), [4]);
        assert_eq!(numbers(&hosts, Some("g4")).expect("a version"), [3]);
        assert_eq!(numbers(&hosts, Some("g2")).expect("a number"), [2]);
    }

    #[test]
    fn one_version_with_two_digests_is_no_version() {
        use State::{Kept, Runs};
        let hosts = [
            host("web1", &[(2, Some("1.1"), 'b', Runs), (1, Some("1.0"), 'a', Kept)]),
            host("web2", &[(2, Some("1.1"), 'b', Runs), (1, Some("1.0"), 'd', Kept)]),
        ];
        let problems = numbers(&hosts, Some("1.0")).expect_err("two images").to_string();
        assert!(problems.contains("hosts have different images as version 1.0 of api"), "{problems}");
    }
}
