//! How many resources become what, whatever it is shown on.

use super::change::{is_unchanged, main_verb};
use crate::plan::{HostPlan, Plan, Verb};
use std::collections::BTreeMap;

/// So many changes of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli::output) struct Count {
    /// What it is coloured as, if at all.
    pub verb: Option<Verb>,
    /// `2 to replace`.
    pub words: String,
}

/// `1 to create`, `2 to replace`, `3 unchanged`; at least one.
pub(in crate::cli::output) fn counts(plan: &HostPlan) -> Vec<Count> {
    let mut count: BTreeMap<Verb, usize> = BTreeMap::new();
    for change in &plan.changes {
        *count.entry(main_verb(change)).or_default() += 1;
    }
    let replaced = count.remove(&Verb::ReplaceStartFirst).unwrap_or(0);
    let replaced = replaced + count.remove(&Verb::ReplaceStopFirst).unwrap_or(0);
    let of = |verb: Verb| count.get(&verb).copied().unwrap_or(0);
    let parts = [
        (of(Verb::Create), "to create", Verb::Create),
        (replaced, "to replace", Verb::ReplaceStopFirst),
        (of(Verb::Update), "to change", Verb::Update),
        (of(Verb::Remove), "to remove", Verb::Remove),
        (of(Verb::Held), "held", Verb::Held),
    ];
    let mut shown: Vec<Count> = parts
        .into_iter()
        .filter(|(number, ..)| *number > 0)
        .map(|(number, what, verb)| Count { verb: Some(verb), words: format!("{number} {what}") })
        .collect();
    if shown.is_empty() && of(Verb::Unchanged) == 0 {
        shown.push(Count { verb: None, words: "no changes".to_owned() });
    }
    if of(Verb::Unchanged) > 0 {
        shown.push(Count { verb: None, words: format!("{} unchanged", of(Verb::Unchanged)) });
    }
    shown
}

/// Where nothing is to do at all: how much is up to date, and where; what stands before the names of the hosts
/// (`2 resources up to date on`), and these.
pub(in crate::cli::output) fn no_changes(plan: &Plan) -> Option<(String, Vec<&str>)> {
    if !plan.is_empty() || !plan.hosts.iter().all(|host| host.changes.iter().all(is_unchanged)) {
        return None;
    }
    let hosts = plan.hosts.iter().map(|host| host.host.as_str()).collect();
    let up_to_date = match plan.hosts.iter().map(|host| host.changes.len()).sum::<usize>() {
        0 => "no resource is declared for".to_owned(),
        1 => "1 resource up to date on".to_owned(),
        resources => format!("{resources} resources up to date on"),
    };
    Some((up_to_date, hosts))
}
