//! What is wrong with many hosts, in a line for each reason.

use super::{text, text_of};
use crate::cli::output::layout::cut;
use crate::cli::output::{Level, style};
use crate::name::in_ranges;
use crate::problem::{Problem, Problems, escaped};
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

/// Of up to so many hosts each problem is shown as it is.
const FEW: usize = 5;
/// Different reasons of many hosts that are shown.
const REASONS: usize = 20;
/// Columns of a line about many hosts, and of their names in it.
const WIDTH: usize = 100;
const NAMES: usize = 40;

/// All problems as people read them. What is wrong with many hosts is one of them, with a line for each reason; `-v`
/// shows each.
pub(in crate::cli) fn of_many(problems: &Problems, level: Level) -> String {
    let of_host: Vec<&Problem> = problems.iter().filter(|problem| problem.host.is_some()).collect();
    let hosts: BTreeSet<&str> = of_host.iter().filter_map(|problem| problem.host.as_deref()).collect();
    if hosts.len() <= FEW || level == Level::Verbose {
        return text(problems);
    }
    let others: Vec<&Problem> = problems.iter().filter(|problem| problem.host.is_none()).collect();
    let (error, cause, hint) = (style::ERROR, style::CAUSE, style::HINT);
    let mut out = format!("{error}error:{error:#} {} hosts failed\n", hosts.len());
    let reasons = reasons(&of_host);
    for (reason, hosts) in reasons.iter().take(REASONS) {
        let names = in_ranges(&hosts.iter().copied().collect::<Vec<_>>(), NAMES);
        let line = cut(&format!("  {names}: {}", escaped(reason)), Some(WIDTH));
        let (names, why) = line.split_at(names.len().min(line.len() - 2) + 2);
        let _ = writeln!(out, "{cause}{names}{cause:#}{why}");
    }
    let more: BTreeSet<&&str> = reasons.iter().skip(REASONS).flat_map(|(_, hosts)| hosts).collect();
    if !more.is_empty() {
        let _ = writeln!(out, "  and {} more", more.len());
    }
    let is_accept = |hint: &String| hint.contains("pillarbox known accept");
    if of_host.iter().flat_map(|problem| &problem.hints).any(is_accept) {
        let _ = writeln!(
            out,
            "  {hint}hint:{hint:#} look at hosts that are new or changed, and accept them at once: \
                                pillarbox known accept --all"
        );
    }
    let _ = writeln!(out, "  {hint}hint:{hint:#} each of them in full: the same command with -v");
    out + &text_of(&others)
}

/// Why hosts failed, in one line each, without the names of the hosts; the reasons of most hosts first.
fn reasons<'p>(problems: &[&'p Problem]) -> Vec<(String, BTreeSet<&'p str>)> {
    let mut reasons: Vec<(String, BTreeSet<&str>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for problem in problems {
        let Some(host) = problem.host.as_deref() else { continue };
        let reason = reason(problem, host);
        let at = *places.entry(reason.clone()).or_insert(reasons.len());
        if at == reasons.len() {
            reasons.push((reason, BTreeSet::new()));
        }
        reasons[at].1.insert(host);
    }
    reasons.sort_by_key(|(_, hosts)| std::cmp::Reverse(hosts.len()));
    reasons
}

/// What is wrong in one line: the first cause says more than that an Engine does not answer.
fn reason(problem: &Problem, host: &str) -> String {
    let what = problem.what.strip_prefix("host ").unwrap_or(&problem.what);
    let what = what.strip_prefix(host).map_or(what, |rest| rest.trim_start_matches([':', ' ']));
    let why = match problem.causes.first() {
        Some(cause) if what.starts_with("its Engine at ") => cause.as_str(),
        Some(cause) => &format!("{what}: {cause}"),
        None => what,
    };
    let line = why.lines().next().unwrap_or_default();
    without_name(line, host)
}

/// A text with `HOST` in the place of a name, where it stands as a word or at the beginning of a longer one.
fn without_name(text: &str, host: &str) -> String {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-');
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(host) {
        let (before, found) = rest.split_at(at);
        let after = &found[host.len()..];
        let last = before.chars().next_back().or_else(|| shown.chars().next_back());
        shown.push_str(before);
        shown.push_str(if is_part(last) || is_part(after.chars().next()) { host } else { "HOST" });
        rest = after;
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Code;

    fn of_hosts(count: usize) -> Problems {
        let mut found: Vec<Problem> = (0..count)
            .map(|at| {
                let host = format!("web{at:04}");
                let problem = match at % 100 {
                    7 => Problem::new(Code::Seal, format!("host {host} is not the known one"))
                        .cause("another key"),
                    _ => Problem::failed(format!(
                        "host {host}: its Engine at ssh://{host}.example.com does not answer"
                    ))
                    .cause(format!("ssh: connect to {host}.example.com port 22: Connection refused"))
                    .hint(format!("ssh {host}")),
                };
                problem.of(&host)
            })
            .collect();
        found.push(Problem::failed("the states cannot be read"));
        Problems::check(found).expect_err("there are some")
    }

    #[test]
    fn what_is_wrong_with_many_hosts_takes_a_line_for_each_reason() {
        let shown =
            |count, level| anstream::adapter::strip_str(&of_many(&of_hosts(count), level)).to_string();
        insta::assert_snapshot!(shown(1000, Level::Normal), @r"
        error: 1000 hosts failed
          web0000..0006 web0008..0106 …(884): ssh: connect to HOST.example.com port 22: Connection refused
          web0007 web0107 web0207 web0307 …(6): is not the known one: another key
          hint: each of them in full: the same command with -v
        error: the states cannot be read
        ");
        assert_eq!(shown(5, Level::Normal).matches("error:").count(), 6, "few are shown as they are");
        assert_eq!(shown(1000, Level::Verbose).matches("error:").count(), 1001);
    }

    #[test]
    fn a_name_is_not_found_within_another_one() {
        assert_eq!(
            without_name("web1: web10 at web1.example.com, xweb1 web1", "web1"),
            "HOST: web10 at HOST.example.com, xweb1 HOST"
        );
    }
}
