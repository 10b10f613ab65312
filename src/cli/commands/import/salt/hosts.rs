//! Minions as hosts and groups of the inventory.

use super::SaltArgs;
use super::input::Input;
use crate::highstate::{Group, Placed};
use crate::inventory::{FILE, Getter, Inventory, NewHost, add_group, add_host, give};
use crate::name::HostName;
use crate::problem::{Problem, Result, escaped};
use std::collections::BTreeMap;

/// The pillar files of registries.
pub(super) const REGISTRIES: &str = "registries/*";

/// A minion as a host.
pub(super) struct Host {
    pub(super) minion: Option<String>,
    pub(super) name: String,
    engine: Option<String>,
}

/// The hosts of all minions; one without a name is none.
pub(super) fn hosts(args: &SaltArgs, input: &Input) -> Result<Vec<Host>> {
    let mut said: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for host in &args.host {
        let (name, engine) = match host.split_once('=') {
            Some((name, engine)) => (name, Some(engine)),
            None => (host.as_str(), None),
        };
        said.insert(name, engine);
    }
    let mut found: Vec<Host> = Vec::new();
    for minion in &input.minions {
        let id = minion.name.as_deref();
        let grains = input.grains_of(id);
        let own = id.or_else(|| grains.and_then(|grains| grains.id.as_deref()));
        let name = match (own, args.host.as_slice()) {
            (None, []) => continue,
            (None, [_]) => said.keys().next().copied().unwrap_or_default().to_owned(),
            (None, _) => {
                return Err(Problem::usage("Salt does not say which host these states are of")
                    .hint("name one alone: --host vm1=ssh://deploy@vm1")
                    .into());
            }
            (Some(own), _) if minion.name.is_none() && said.len() == 1 && input.minions.len() == 1 => {
                said.keys().next().map_or_else(|| own.to_owned(), |name| (*name).to_owned())
            }
            (Some(own), _) => own.to_owned(),
        };
        let name = HostName::parse(&name).map_or_else(|_| sound(&name), |name| name.to_string());
        HostName::parse(&name)?;
        let engine =
            said.get(name.as_str()).copied().flatten().map(str::to_owned).or_else(|| {
                grains.and_then(|grains| grains.fqdn.as_ref()).map(|fqdn| format!("ssh://{fqdn}"))
            });
        if found.iter().any(|other| other.name == name) {
            let what = format!("two minions would be the host {}", escaped(&name));
            return Err(Problem::failed(what).hint("import them one after the other").into());
        }
        found.push(Host { minion: minion.name.clone(), name, engine });
    }
    for name in said.keys() {
        if !found.iter().any(|host| host.name == *name) {
            let names: Vec<&str> = found.iter().map(|host| host.name.as_str()).collect();
            return Err(Problem::usage(format!("no minion is the host {}", escaped(name)))
                .nearest(name, names)
                .into());
        }
    }
    Ok(found)
}

/// An id of Salt's with what a host may be called.
fn sound(id: &str) -> String {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    id.chars().map(|c| if fine(c) { c } else { '-' }).collect()
}

/// Gives groups other names where one of that name is there already and has hosts that are not in ours.
pub(super) fn free_names(before: &str, hosts: &[Host], groups: &mut [Group]) -> Result<()> {
    let inventory = Inventory::parse(before)?;
    let is_free = |name: &str, group: &Group| {
        let ours = |host: &str| {
            let minion = hosts.iter().find(|ours| ours.name == host).and_then(|ours| ours.minion.as_ref());
            minion.is_some_and(|minion| group.minions.contains(minion))
        };
        let mut members = inventory.hosts.values().filter(|host| host.groups.iter().any(|of| of == name));
        match inventory.groups.get(name) {
            None => true,
            Some(known) => {
                let mut states = known.states.iter().map(|entry| &entry.text);
                states.all(|entry| group.files.contains(entry))
                    && members.all(|host| ours(host.name.as_str()))
            }
        }
    };
    let mut taken: Vec<String> = Vec::new();
    for group in groups {
        let candidates = (1..).map(|number| match number {
            1 => group.name.clone(),
            number => format!("{}-{number}", group.name),
        });
        let free = candidates.into_iter().find(|name| !taken.contains(name) && is_free(name, group));
        if let Some(name) = free {
            taken.push(name.clone());
            group.name = name;
        }
    }
    Ok(())
}

/// The inventory with hosts and groups. `pillars` are pillar files without their ending.
pub(super) fn inventory(
    before: &str,
    input: &Input,
    hosts: &[Host],
    placed: &Placed,
    pillars: &[String],
) -> Result<String> {
    let mut text = before.to_owned();
    let shared = |group: Option<&Group>| -> Vec<String> {
        let wanted = |file: &&String| {
            ["salt", REGISTRIES].contains(&file.as_str()) || group.is_some_and(|group| group.name == **file)
        };
        pillars.iter().filter(wanted).cloned().collect()
    };
    for group in &placed.groups {
        let known = Inventory::parse(&text)?.groups.contains_key(&group.name);
        let pillar = shared(Some(group));
        text = if known {
            let text = give(&text, Getter::Group(&group.name), "pillar", &pillar)?;
            give(&text, Getter::Group(&group.name), "states", &group.files)?
        } else {
            add_group(&text, &group.name, &pillar, &group.files)?
        };
    }
    for host in hosts {
        let files =
            placed.minions.iter().find(|(name, _)| *name == host.minion).map(|(_, files)| files.as_slice());
        let files = files.unwrap_or_default();
        let group = placed
            .groups
            .iter()
            .find(|group| group.minions.iter().any(|name| host.minion.as_ref() == Some(name)));
        let (groups, pillar, states) = match group {
            Some(group) => (vec![group.name.clone()], Vec::new(), Vec::new()),
            None => (Vec::new(), shared(None), files.to_vec()),
        };
        let inventory = Inventory::parse(&text)?;
        let known = inventory.hosts.values().find(|known| known.name.as_str() == host.name);
        if let Some(known) = known {
            if let Some(engine) = host.engine.as_ref().filter(|engine| known.engine.to_string() != **engine) {
                let asked = input.grains_of(host.minion.as_deref()).and_then(|grains| grains.fqdn.as_ref());
                if asked.is_none_or(|fqdn| format!("ssh://{fqdn}") != **engine) {
                    return Err(Problem::failed(format!(
                        "host {} is there already with another Engine",
                        host.name
                    ))
                    .at(&known.place)
                    .cause(format!("there it is {}", known.engine))
                    .hint(format!("leave the address out: --host {}", host.name))
                    .into());
                }
            }
            let getter = Getter::Host(&host.name, None);
            for (list, entries) in [("groups", &groups), ("pillar", &pillar), ("states", &states)] {
                text = give(&text, getter, list, entries)?;
            }
            continue;
        }
        let engine = host.engine.clone().unwrap_or_else(|| format!("ssh://{}", host.name));
        let none = BTreeMap::new();
        let labels = input.grains_of(host.minion.as_deref()).map_or(&none, |grains| &grains.labels);
        text = add_host(
            &text,
            NewHost {
                name: &host.name,
                engine: &engine,
                groups: &groups,
                pillar: &pillar,
                states: &states,
                labels,
            },
        )
        .map_err(|problems| {
            problems.map(|problem| problem.hint(format!("write [hosts.{}] in {FILE} by hand", host.name)))
        })?;
    }
    Ok(text)
}
