//! The Engine of each host.

use super::finding::Section;
use super::many;
use crate::cli::on_engines;
use crate::inventory::Host;
use crate::pillar::known::HostVerdict;
use crate::problem::{Problem, escaped};
use crate::session::{NewHosts, Pipeline, Probed, Vault, is_own_socket};
use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds that a clock may be off. The lease of a deploy lock goes by the Engine's clock alone; logs of two
/// machines are hard to compare.
const SKEW: u64 = 60;

pub(super) fn look(vault: &Vault<'_>, offline: bool) -> Section {
    let mut section = Section::new("engines");
    let (hosts, paused): (Vec<&Host>, Vec<&Host>) =
        vault.inventory().hosts.values().partition(|host| host.paused.is_none());
    for host in paused {
        let why = host.paused.as_deref().unwrap_or_default();
        section.ok(format!("{}: paused, {}", host.name, escaped(why)));
    }
    if hosts.is_empty() {
        return section;
    }
    if offline {
        section.note(
            format!("not asked (--offline): {}", many(hosts.len(), "host", "hosts")),
            "pillarbox doctor",
        );
        return section;
    }
    let probed =
        on_engines(async |interrupt| Pipeline::new(vault, NewHosts::Ask, interrupt).probe(&hosts).await);
    match probed {
        Err(problems) => section.problems(problems),
        Ok(all) => {
            for (host, result) in hosts.iter().zip(all) {
                match result {
                    Ok(probed) => answered(vault, host, &probed, &mut section),
                    Err(problems) => section.problems(problems.map(|problem| {
                        if problem.hints.is_empty() { hinted(problem, host) } else { problem }
                    })),
                }
            }
        }
    }
    section
}

fn answered(vault: &Vault<'_>, host: &Host, probed: &Probed, section: &mut Section) {
    let (facts, address) = (&probed.facts, host.engine.to_string());
    let local = is_own_socket(host, &probed.seen);
    let verdict =
        vault.known_file().look(|known| known.judge_host(vault.seen(), &host.name, &probed.seen, false));
    let engine = format!(
        "{}: {}, API {}, at {}",
        host.name,
        facts.engine(),
        escaped(&facts.api_version),
        escaped(&address)
    );
    match verdict {
        Err(problems) => section.problems(problems),
        Ok(HostVerdict::FirstUse) if !local => section.note(
            format!("{engine}; not known on this machine, so it is sent no secret unasked"),
            format!("pillarbox known accept {}", host.name),
        ),
        Ok(_) => section.ok(engine),
    }
    let here = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let there = u64::try_from(probed.now).unwrap_or_default();
    if here.abs_diff(there) > SKEW {
        section.note(
            format!("{}: its clock differs from this one by {} s", host.name, here.abs_diff(there)),
            "timedatectl set-ntp true   # on the one that is wrong",
        );
    }
}

/// How to look at an Engine that does not answer, with docker's own client.
fn hinted(problem: Problem, host: &Host) -> Problem {
    let address = host.engine.to_string();
    let command = match address.strip_prefix("context:") {
        Some(context) => format!("docker --context {} version", crate::problem::quoted(context)),
        None => format!("docker -H {} version", crate::problem::quoted(&address)),
    };
    problem.hint(command)
}
