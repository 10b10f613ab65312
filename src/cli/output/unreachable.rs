//! Hosts that cannot be reached and are left out of a run.

use super::style;
use crate::problem::{Problem, escaped};
use crate::session::FailedHost;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// A line for each: `? web3  cannot be reached, is left out: ssh to web3 took longer than 30 s`.
pub(in crate::cli) fn text(hosts: &[FailedHost]) -> String {
    let (host, faint) = (style::HOST, style::FAINT);
    hosts.iter().fold(String::new(), |mut out, one| {
        let why = escaped(&why(one));
        let _ = writeln!(
            out,
            "{host}{}{host:#}  {faint}?{faint:#} cannot be reached and is left out: {why}",
            one.host
        );
        out
    })
}

/// As data.
pub(in crate::cli) fn json(hosts: &[FailedHost]) -> Value {
    hosts.iter().map(|one| json!({ "host": one.host, "why": why(one) })).collect()
}

/// What is said of them in the end, each with its reason.
pub(in crate::cli) fn problems(hosts: &[FailedHost]) -> Vec<Problem> {
    hosts.iter().flat_map(|one| one.problems.clone().into_vec()).collect()
}

fn why(one: &FailedHost) -> String {
    let why = one.problems.iter().next();
    why.map(|why| why.causes.first().unwrap_or(&why.what).clone()).unwrap_or_default()
}
