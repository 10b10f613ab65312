//! In which order hosts are changed, in one line.

use crate::plan::Batch;

/// Up to so many hosts are all named.
const NAMED: usize = 6;

/// `web1, then web2 and web3`, or of many hosts `web0000, then 100, 250, 250, 250, 149 hosts`; `None` where one batch
/// says it all.
pub(in crate::cli::output) fn of(batches: &[Batch]) -> Option<String> {
    let hosts: usize = batches.iter().map(|batch| batch.hosts.len()).sum();
    let (first, rest) = batches.split_first()?;
    if rest.is_empty() {
        return None;
    }
    if hosts <= NAMED {
        let named: Vec<String> = batches.iter().map(names).collect();
        return Some(named.join(", then "));
    }
    let first = match first.hosts.as_slice() {
        [only] => only.to_string(),
        several => format!("{} hosts", several.len()),
    };
    Some(format!("{first}, then {} hosts", sizes(rest)))
}

fn names(batch: &Batch) -> String {
    let names: Vec<String> = batch.hosts.iter().map(ToString::to_string).collect();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => names.concat(),
    }
}

/// `1, 1, 1`: `3 × 1`.
fn sizes(batches: &[Batch]) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for size in batches.iter().map(|batch| batch.hosts.len()) {
        match runs.last_mut() {
            Some((times, last)) if *last == size => *times += 1,
            _ => runs.push((1, size)),
        }
    }
    let said = runs.iter().map(|(times, size)| match times {
        1 => size.to_string(),
        _ => format!("{times} × {size}"),
    });
    said.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::HostName;

    fn batches(sizes: &[usize]) -> Vec<Batch> {
        let mut next = 0..;
        let mut name = || HostName::parse(&format!("web{:03}", next.next().unwrap_or(0))).expect("a name");
        sizes.iter().map(|size| Batch { wave: 0, hosts: (0..*size).map(|_| name()).collect() }).collect()
    }

    #[test]
    fn few_hosts_are_named_and_many_are_counted() {
        assert_eq!(of(&batches(&[])), None);
        assert_eq!(of(&batches(&[3])), None);
        assert_eq!(of(&batches(&[1, 1])).as_deref(), Some("web000, then web001"));
        assert_eq!(of(&batches(&[1, 3])).as_deref(), Some("web000, then web001, web002 and web003"));
        assert_eq!(
            of(&batches(&[1, 100, 250, 250, 250, 149])).as_deref(),
            Some("web000, then 100, 3 × 250, 149 hosts")
        );
        assert_eq!(of(&batches(&[50, 50])).as_deref(), Some("50 hosts, then 50 hosts"));
    }
}
