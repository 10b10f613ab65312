//! Hosts whose plans read the same, so that a thousand of them are shown once.

use super::{Change, HostPlan, PlanBody};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};
use std::ptr;

/// Hosts whose changes are equal, in the order in which the first of each comes. `shown` says which changes count; the
/// ids in steps do not, so that containers of two hosts are alike.
pub fn alike(hosts: &[HostPlan], shown: impl Fn(&Change) -> bool) -> Vec<Vec<&HostPlan>> {
    let mut groups: Vec<Vec<&HostPlan>> = Vec::new();
    let mut by_body: HashMap<*const PlanBody, usize> = HashMap::new();
    let mut by_changes: HashMap<u64, Vec<usize>> = HashMap::new();
    for host in hosts {
        let body = ptr::from_ref::<PlanBody>(&host.body);
        let at = *by_body.entry(body).or_insert_with(|| {
            let near = by_changes.entry(fingerprint(host, &shown)).or_default();
            let same = near.iter().copied().find(|at| is_alike(groups[*at][0], host, &shown));
            same.unwrap_or_else(|| {
                near.push(groups.len());
                groups.push(Vec::new());
                groups.len() - 1
            })
        });
        groups[at].push(host);
    }
    groups
}

fn is_alike(one: &HostPlan, other: &HostPlan, shown: impl Fn(&Change) -> bool) -> bool {
    let of = |plan: &'_ HostPlan| -> Vec<Change> {
        plan.changes.iter().filter(|one| shown(one)).cloned().collect()
    };
    one.steps.is_empty() == other.steps.is_empty() && of(one) == of(other)
}

/// Plans that are alike have the same; others are told apart by comparing them.
fn fingerprint(plan: &HostPlan, shown: impl Fn(&Change) -> bool) -> u64 {
    let mut hashed = DefaultHasher::new();
    hashed.write_u8(plan.steps.is_empty().into());
    for change in plan.changes.iter().filter(|one| shown(one)) {
        hashed.write(change.address.as_bytes());
        change.actions.iter().for_each(|verb| hashed.write(verb.symbol().as_bytes()));
        change.cause.iter().for_each(|cause| hashed.write(cause.to_string().as_bytes()));
        hashed.write_u8(0);
    }
    hashed.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::HostName;
    use crate::plan::{Cause, Verb};

    fn plan(host: &str, changes: &[(&str, Verb)]) -> HostPlan {
        let change = |(address, verb): &(&str, Verb)| Change {
            address: (*address).to_owned(),
            actions: vec![*verb],
            cause: vec![Cause::Missing],
            before: None,
            after: None,
            files: Vec::new(),
        };
        let body = PlanBody { changes: changes.iter().map(change).collect(), ..PlanBody::default() };
        HostPlan::new(HostName::parse(host).expect("a name"), format!("ssh://{host}"), host.to_owned(), body)
    }

    #[test]
    fn hosts_with_equal_changes_are_alike_whatever_their_address_and_engine() {
        use Verb::{Create, Remove, Unchanged};
        let mut noted = plan("web4", &[("container a", Create)]);
        noted.notes.push("of web4 alone".to_owned());
        let shared = plan("web1", &[("container a", Create)]);
        let hosts = [
            HostPlan { host: HostName::parse("web5").expect("a name"), ..shared.clone() },
            shared,
            plan("web2", &[("container a", Remove)]),
            plan("web3", &[("container a", Create), ("container b", Unchanged)]),
            noted,
        ];
        let names = |shown: fn(&Change) -> bool| -> Vec<String> {
            let groups = alike(&hosts, shown).into_iter();
            groups.map(|of| of.iter().map(|host| host.host.as_str()).collect::<Vec<_>>().join(" ")).collect()
        };
        assert_eq!(names(|_| true), ["web5 web1 web4", "web2", "web3"]);
        assert_eq!(names(|change| change.actions != [Unchanged]), ["web5 web1 web3 web4", "web2"]);
    }
}
