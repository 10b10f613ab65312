//! Hosts and groups with states and pillar files into `pillarbox.toml`.

use super::project::{Getter, appended, key, list, listed, quoted, sound};
use crate::problem::Result;
use std::collections::BTreeMap;

/// What is written of a host.
#[derive(Clone, Copy, Debug)]
pub struct NewHost<'a> {
    /// Its name.
    pub name: &'a str,
    /// The address of its Engine.
    pub engine: &'a str,
    /// Its groups, all of which exist.
    pub groups: &'a [String],
    /// Pillar files, without `.toml`.
    pub pillar: &'a [String],
    /// State files, without their ending.
    pub states: &'a [String],
    /// Its labels.
    pub labels: &'a BTreeMap<String, String>,
}

/// The text with a host in a table of its own at the end.
///
/// # Errors
/// If the text is not a sound inventory, before or after.
pub fn add_host(text: &str, host: NewHost<'_>) -> Result<String> {
    let mut lines = vec![format!("[hosts.{}]", key(host.name)), format!("engine = {}", quoted(host.engine))];
    for (name, entries) in [("groups", host.groups), ("pillar", host.pillar), ("states", host.states)] {
        if !entries.is_empty() {
            lines.push(format!("{name} = {}", list(entries)));
        }
    }
    if !host.labels.is_empty() {
        let labels = host.labels.iter().map(|(name, value)| format!("{} = {}", key(name), quoted(value)));
        lines.push(format!("labels = {{ {} }}", labels.collect::<Vec<_>>().join(", ")));
    }
    sound(appended(text, &lines))
}

/// The text with a group in a table of its own at the end.
///
/// # Errors
/// If the text is not a sound inventory, before or after.
pub fn add_group(text: &str, name: &str, pillar: &[String], states: &[String]) -> Result<String> {
    let mut lines = vec![format!("[groups.{}]", key(name))];
    for (name, entries) in [("pillar", pillar), ("states", states)] {
        if !entries.is_empty() {
            lines.push(format!("{name} = {}", list(entries)));
        }
    }
    sound(appended(text, &lines))
}

/// The text in which a host or group that is there has these entries in a list, `states` or `pillar`.
///
/// # Errors
/// If the text is not a sound inventory, before or after; where there is no such host or group.
pub fn give(text: &str, to: Getter<'_>, name: &str, entries: &[String]) -> Result<String> {
    let (kind, of) = match to {
        Getter::Host(of, _) => ("hosts", of),
        Getter::Group(of) => ("groups", of),
    };
    let given =
        entries.iter().try_fold(text.to_owned(), |text, entry| listed(&text, kind, of, name, entry))?;
    sound(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_and_a_host_are_appended_and_one_that_is_there_gets_entries() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let text = "workspace = \"shop\"\n";
        let grouped = add_group(text, "web", &words(&["salt"]), &words(&["haproxy"])).expect("added");
        let labels = BTreeMap::from([("os".to_owned(), "Debian".to_owned())]);
        let host = NewHost {
            name: "web1.example.com",
            engine: "ssh://web1.example.com",
            groups: &words(&["web"]),
            pillar: &[],
            states: &[],
            labels: &labels,
        };
        let added = add_host(&grouped, host).expect("added");
        insta::assert_snapshot!(added, @r#"
        workspace = "shop"

        [groups.web]
        pillar = ["salt"]
        states = ["haproxy"]

        [hosts."web1.example.com"]
        engine = "ssh://web1.example.com"
        groups = ["web"]
        labels = { os = "Debian" }
        "#);
        let given =
            give(&added, Getter::Group("web"), "states", &words(&["haproxy", "shop"])).expect("given");
        assert_eq!(given, added.replace("states = [\"haproxy\"]", "states = [\"haproxy\", \"shop\"]"));
        assert!(give(&added, Getter::Host("web9", None), "states", &words(&["x"])).is_err());
    }
}
