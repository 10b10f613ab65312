//! What a stage of the pipeline makes of each host, and how many are at it at once.

use crate::name::HostName;
use crate::problem::{Code, Problem, Problems, Result};
use futures_util::{StreamExt as _, stream};

/// Hosts that are dialled, read or asked at the same time. They mostly wait: at 50 ms a call a host takes half
/// a second. Logins over ssh have a bound of their own.
const AT_ONCE: usize = 64;

/// What a stage made of the hosts, in their order; what is wrong with some does not stop the others.
#[derive(Debug)]
pub struct Hosts<T> {
    /// What it made of those that it could do.
    pub ready: Vec<T>,
    /// The others.
    pub failed: Vec<FailedHost>,
}

/// A host that a stage could not do.
#[derive(Clone, Debug)]
pub struct FailedHost {
    /// The host.
    pub host: HostName,
    /// Why.
    pub problems: Problems,
}

impl FailedHost {
    /// A host, and why it could not be done.
    pub(super) fn new(host: HostName, problems: Problems) -> Self {
        let problems = problems.map(|problem| problem.of(host.as_str()));
        Self { host, problems }
    }

    /// Whether it cannot be reached, and that is all that is wrong.
    pub(super) fn is_unreachable(&self) -> bool {
        self.problems.iter().all(|problem| problem.code == Code::Unreachable)
    }
}

impl<T> Hosts<T> {
    /// Takes out the hosts that cannot be reached, where others can.
    pub fn leave_out_unreachable(&mut self) -> Vec<FailedHost> {
        leave_out_unreachable(&mut self.failed, !self.ready.is_empty())
    }

    /// From what was made of each.
    pub(super) fn of(results: impl IntoIterator<Item = (HostName, Result<T>)>) -> Self {
        let mut hosts = Self { ready: Vec::new(), failed: Vec::new() };
        for (host, result) in results {
            match result {
                Ok(one) => hosts.ready.push(one),
                Err(problems) => hosts.failed.push(FailedHost::new(host, problems)),
            }
        }
        hosts
    }

    /// The next stage, of many hosts at once; the order stays.
    pub(super) async fn next<'h, U, F>(
        self,
        name: impl Fn(&T) -> &HostName,
        stage: impl Fn(T) -> F,
    ) -> Hosts<U>
    where
        F: Future<Output = Result<U>> + 'h,
    {
        let names: Vec<HostName> = self.ready.iter().map(|one| name(one).clone()).collect();
        let results = at_once(self.ready.into_iter().map(stage)).await;
        let mut next = Hosts::of(names.into_iter().zip(results));
        next.failed.splice(0..0, self.failed);
        next
    }

    /// Takes up hosts that cannot go on, all for one reason.
    pub(super) fn fail<'h>(&mut self, hosts: impl IntoIterator<Item = &'h HostName>, problems: &Problems) {
        let failed = hosts.into_iter().map(|host| FailedHost::new(host.clone(), problems.clone()));
        self.failed.extend(failed);
    }

    /// All that is wrong, each once: what is wrong in a shared file is so for many hosts.
    pub fn problems(&self) -> Vec<Problem> {
        each_once(self.failed.iter().map(|failed| failed.problems.clone()))
    }

    /// All hosts.
    ///
    /// # Errors
    /// All that is wrong.
    pub fn all(self) -> Result<Vec<T>> {
        Problems::check(self.problems()).map(|()| self.ready)
    }
}

/// Takes the hosts that cannot be reached out of those that failed; none where there are no others.
pub(super) fn leave_out_unreachable(failed: &mut Vec<FailedHost>, others: bool) -> Vec<FailedHost> {
    let (unreachable, rest) =
        std::mem::take(failed).into_iter().partition(|one| others && one.is_unreachable());
    *failed = rest;
    unreachable
}

/// Does the work of many hosts at once; results stand in the order of the work. A host that is silent takes one
/// place, and the others go on beside it.
pub(super) async fn at_once<F: Future>(work: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let numbered = work.into_iter().enumerate().map(|(at, one)| async move { (at, one.await) });
    let mut results: Vec<_> = stream::iter(numbered).buffer_unordered(AT_ONCE).collect().await;
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Problems, each said once. A missing identity is one problem, whatever it is missed for: each of that is a cause.
pub(super) fn each_once(all: impl IntoIterator<Item = Problems>) -> Vec<Problem> {
    let mut once: Vec<Problem> = Vec::new();
    for problem in all.into_iter().flat_map(Problems::into_vec) {
        let same = |before: &&mut Problem| before.code == Code::NoIdentity && before.what == problem.what;
        if let Some(before) = once.iter_mut().find(|before| before.says_as(&problem)) {
            if before.host != problem.host {
                before.host = None;
            }
            continue;
        }
        match once.iter_mut().find(same).filter(|before| before.code == problem.code) {
            Some(before) => {
                if before.host != problem.host {
                    before.host = None;
                }
                add_new(&mut before.causes, problem.causes);
                add_new(&mut before.hints, problem.hints);
            }
            None => once.push(problem),
        }
    }
    once
}

fn add_new(lines: &mut Vec<String>, more: Vec<String>) {
    for line in more {
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
}

/// All of them, or all that is wrong, each said once.
pub(super) fn all_or_nothing<T>(results: impl IntoIterator<Item = Result<T>>) -> Result<Vec<T>> {
    let (mut fine, mut wrong) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(one) => fine.push(one),
            Err(problems) => wrong.push(problems),
        }
    }
    Problems::check(each_once(wrong)).map(|()| fine)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::{Instant, sleep};

    #[tokio::test(start_paused = true)]
    async fn a_silent_host_takes_one_place_and_the_order_stays() {
        let began = Instant::now();
        let work = (0..4 * AT_ONCE).map(|number| async move {
            sleep(Duration::from_secs(if number == 0 { 60 } else { 1 })).await;
            (number, began.elapsed().as_secs())
        });
        let done = at_once(work).await;
        assert!(done.iter().map(|(number, _)| *number).eq(0..4 * AT_ONCE));
        assert_eq!(began.elapsed().as_secs(), 60);
        assert!(done[1..].iter().all(|(_, ended)| *ended <= 5), "{done:?}");
    }
}
