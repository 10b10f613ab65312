//! The generations of a service, newest first.

use super::style;
use super::table::Table;
use crate::history::{Back, Generation, OnHost, State, Wanted, back, tasks_between};
use crate::name::HostName;
use crate::problem::{escaped, quoted};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// A host and the generations there.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct HostHistory {
    host: String,
    /// The generation that a rollback without `--to` goes to.
    rollback: Option<u64>,
    /// Why that is the one in service, where it is.
    rollback_stays: Option<String>,
    /// The image of that generation.
    #[serde(skip)]
    image: Option<String>,
    #[serde(skip)]
    declared: bool,
    generations: Vec<HistoryRow>,
}

#[derive(Debug, Serialize)]
struct HistoryRow {
    generation: u64,
    version: Option<String>,
    image: Option<String>,
    /// RFC 3339, by the Engine's clock.
    created: Option<String>,
    /// `runs`, `down`, `kept`, `image only`, `failed attempt`.
    state: &'static str,
    containers: Vec<Made>,
    /// Tasks that had run when it was made.
    tasks: BTreeMap<String, String>,
    /// Tasks that ran between the generation before and this one.
    tasks_since: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Made {
    name: String,
    running: bool,
}

/// What is left of a service on a host.
pub(in crate::cli) struct Left {
    pub(in crate::cli) host: HostName,
    pub(in crate::cli) generations: Vec<Generation>,
    /// What is declared of it there; `None` where no state declares it.
    pub(in crate::cli) wanted: Option<Wanted>,
}

impl HostHistory {
    /// From what was read of the hosts that one command would roll back together.
    pub(in crate::cli) fn of(hosts: &[Left]) -> Vec<Self> {
        let on_hosts: Vec<OnHost<'_>> = hosts
            .iter()
            .filter_map(|left| Some(OnHost { generations: &left.generations, wanted: left.wanted.as_ref()? }))
            .collect();
        let mut found = back(&on_hosts).into_iter();
        hosts
            .iter()
            .map(|left| Self::of_host(left, left.wanted.as_ref().and_then(|_| found.next()?)))
            .collect()
    }

    fn of_host(left: &Left, back: Option<Back<'_>>) -> Self {
        let all = &left.generations;
        let row = |(at, one): (usize, &Generation)| {
            let earlier =
                all[at + 1..].iter().find(|other| !matches!(other.state, State::ImageOnly | State::Attempt));
            let known = earlier.filter(|_| one.state != State::ImageOnly);
            HistoryRow {
                generation: one.number,
                version: one.version.clone(),
                image: one.image.clone(),
                created: one.created.clone(),
                state: one.state.words(),
                containers: one
                    .instances
                    .iter()
                    .map(|one| Made { name: one.name.clone(), running: one.running })
                    .collect(),
                tasks: one.tasks.clone(),
                tasks_since: known.map(|earlier| tasks_between(earlier, one)).unwrap_or_default(),
            }
        };
        Self {
            host: left.host.to_string(),
            rollback: back.map(|back| back.generation.number),
            rollback_stays: back.and_then(|back| back.why.stays()),
            image: back.and_then(|back| back.generation.image.clone()),
            declared: left.wanted.is_some(),
            generations: all.iter().enumerate().map(row).collect(),
        }
    }

    /// The generation that a rollback without `--to` goes to.
    #[cfg(test)]
    pub(in crate::cli) fn rollback(&self) -> Option<u64> {
        self.rollback
    }

    /// Where a rollback goes, in words.
    fn back(&self) -> String {
        match (self.rollback, &self.rollback_stays) {
            _ if !self.declared => "no state declares it: no rollback".to_owned(),
            (Some(number), None) => format!("a rollback goes to generation {number}"),
            (Some(number), Some(why)) => format!("a rollback stays at generation {number}: {why}"),
            (None, _) => "no earlier generation".to_owned(),
        }
    }
}

/// On a narrow terminal: the image, then when it was made.
const LEAST_NEEDED: [usize; 2] = [2, 3];

/// All hosts as a table.
pub(in crate::cli) fn text(service: &str, hosts: &[HostHistory], width: Option<usize>) -> String {
    let head = ["GENERATION", "VERSION", "IMAGE", "CREATED", "STATE"].map(ToOwned::to_owned);
    let rows: Vec<[String; 5]> = hosts.iter().flat_map(|host| &host.generations).map(cells).collect();
    let room = width.map(|width| width.saturating_sub(2));
    let table = Table::new(std::iter::once(&head).chain(&rows), &LEAST_NEEDED, room);
    let mut out = String::new();
    let (bold, faint) = (style::HOST, style::FAINT);
    for host in hosts {
        let _ = writeln!(out, "{bold}{}{bold:#}", escaped(&host.host));
        if host.generations.is_empty() {
            let _ = writeln!(out, "  no generation on this host");
            continue;
        }
        let _ = writeln!(out, "  {faint}{}{faint:#}", table.line(&head));
        for row in &host.generations {
            let _ = writeln!(out, "  {}", table.line(&cells(row)));
            for task in &row.tasks_since {
                let _ = writeln!(out, "  {faint}task {} ran before this one{faint:#}", escaped(task));
            }
        }
        let _ = writeln!(out, "  {faint}{}{faint:#}", host.back());
    }
    let images: BTreeSet<&String> = hosts.iter().filter_map(|host| host.image.as_ref()).collect();
    if images.len() > 1 {
        let service = quoted(service);
        let _ = writeln!(
            out,
            "{faint}these are different versions: a rollback wants 'pillarbox rollback {service} --to VERSION', or \
             --host{faint:#}"
        );
    }
    out
}

fn cells(row: &HistoryRow) -> [String; 5] {
    let digest = row.image.as_deref().and_then(|image| image.rsplit_once("sha256:"));
    let digest = digest.and_then(|(_, hex)| hex.get(..12)).unwrap_or("?");
    let seconds = row.created.as_deref().and_then(|at| at.parse::<jiff::Timestamp>().ok());
    let created = seconds.map_or_else(|| "?".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string());
    let several =
        if row.containers.len() > 1 { format!(" ({})", row.containers.len()) } else { String::new() };
    let by_hand = row.state == State::Kept.words() && row.containers.iter().any(|one| one.running);
    let state = format!("{}{several}{}", row.state, if by_hand { ", started by hand" } else { "" });
    let version = row.version.as_deref().map_or_else(|| "?".to_owned(), escaped);
    [row.generation.to_string(), version, digest.to_owned(), created, state]
}
