//! Reading a record back.

use super::{Begin, Body, End, HostEnd, HostResult, Line};
use std::collections::BTreeMap;

/// A run as its record says.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRecord {
    /// How it began.
    pub begin: Begin,
    /// What was to be done.
    pub bodies: Vec<Body>,
    /// The last word on each host.
    pub hosts: BTreeMap<String, HostEnd>,
    /// How it ended, if it did.
    pub end: Option<End>,
}

impl RunRecord {
    /// Reads lines. Those of other kinds come from a newer pillarbox, and the last one can be torn: they are skipped.
    /// `None` where the first is no beginning.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
        let Some(Line::Run(begin)) = lines.next() else { return None };
        let mut record = Self { begin, bodies: Vec::new(), hosts: BTreeMap::new(), end: None };
        for line in lines {
            match line {
                Line::Run(_) => return None,
                Line::Body(body) => record.bodies.push(body),
                Line::Host(host) => drop(record.hosts.insert(host.host.clone(), host)),
                Line::End(end) => record.end = Some(end),
            }
        }
        Some(record)
    }

    /// What became of each host that had something to do, or could not be reached; those without a line were left, or
    /// cut off.
    pub fn results(&self) -> BTreeMap<&str, HostResult> {
        let all = self.bodies.iter().flat_map(|body| &body.hosts).chain(self.hosts.keys());
        let result = |host: &String| self.hosts.get(host).map_or(HostResult::Skipped, |end| end.end);
        all.map(|host| (host.as_str(), result(host))).collect()
    }

    /// The hosts that are not done.
    pub fn not_done(&self) -> Vec<&str> {
        let results = self.results().into_iter();
        results.filter(|(_, result)| *result != HostResult::Done).map(|(host, _)| host).collect()
    }

    /// How many hosts had this result.
    pub fn count(&self, wanted: HostResult) -> usize {
        self.results().values().filter(|result| **result == wanted).count()
    }

    /// `done`; `1 rolled back, 636 left`; `cut off, 3 done, 7 left`. `runs`: its process still has the record.
    pub fn in_words(&self, runs: bool) -> String {
        use HostResult::{Done, Failed, RolledBack, Skipped, Unknown, Unreachable};
        let counts = [Failed, RolledBack, Unreachable, Unknown, Done, Skipped]
            .map(|result| (self.count(result), result.words()))
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, words)| format!("{count} {words}"));
        let counts: Vec<String> = counts.collect();
        match &self.end {
            Some(end) if end.result == "done" && self.not_done().is_empty() => "done".to_owned(),
            Some(_) => counts.join(", "),
            None => {
                let how = if runs { "running" } else { "cut off" };
                [vec![how.to_owned()], counts].concat().join(", ")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: &str = r#"{"kind":"run","v":1,"t":"2026-11-29T14:02:11Z","run":"7c1e9a","workspace":"shop","command":"apply","by":"alice","from":"desk","tool":"0.1.0","hosts":3}"#;
    const BODY: &str = r#"{"kind":"body","id":"b1","hosts":["web1","web2","web3"],"changes":[]}"#;

    fn host(name: &str, end: &str) -> String {
        format!(r#"{{"kind":"host","t":"","host":"{name}","body":"b1","end":"{end}","took_ms":1500}}"#)
    }

    #[test]
    fn a_record_without_an_end_is_of_a_run_that_was_cut_off_or_goes_on() {
        let torn = &host("web2", "done")[..20];
        let text = [BEGIN, BODY, &host("web1", "done"), r#"{"kind":"new"}"#, torn].join("\n");
        let record = RunRecord::parse(&text).expect("a record");
        assert_eq!(record.not_done(), ["web2", "web3"]);
        assert_eq!(record.in_words(false), "cut off, 1 done, 2 skipped");
        assert_eq!(record.in_words(true), "running, 1 done, 2 skipped");
    }

    #[test]
    fn the_last_line_of_a_host_counts_and_a_newer_word_is_kept_apart() {
        let end = r#"{"kind":"end","t":"","result":"partial","done":1,"new":1}"#;
        let lines = [&host("web1", "rolled-back"), &host("web1", "done"), &host("web2", "rolled-back")];
        let text = format!(
            "{BEGIN}\n{BODY}\n{}\n{}\n{}\n{}\n{end}\n",
            lines[0],
            lines[1],
            lines[2],
            host("web3", "lost")
        );
        let record = RunRecord::parse(&text).expect("a record");
        assert_eq!(record.in_words(false), "1 rolled back, 1 unknown, 1 done");
        assert_eq!(record.not_done(), ["web2", "web3"]);
    }

    #[test]
    fn what_is_no_record_is_none() {
        for text in ["", "{}", "\n", BODY, "[]", &format!("{BEGIN}\n{BEGIN}")] {
            assert_eq!(RunRecord::parse(text), None, "{text}");
        }
    }
}
