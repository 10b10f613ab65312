//! Several hosts at once: what is known of each beside what is there now, and one question.

use crate::cli::output::layout::wrap;
use crate::cli::{Context, Exit, on_engines};
use crate::inventory::Host;
use crate::pillar::known::KnownHost;
use crate::problem::{Problems, Result, escaped};
use crate::session::{NewHosts, Pipeline, Vault, dialled, is_own_socket};
use std::collections::BTreeMap;

/// Columns of a line.
const WIDTH: usize = 100;
/// What decides who answers behind an address, as [`KnownHost::details`] calls it.
const DAEMON: &str = "daemon ID";

/// A host that is not as it is known.
struct Change<'v> {
    host: &'v Host,
    old: Option<KnownHost>,
    new: KnownHost,
}

pub(super) fn accept(vault: &Vault<'_>, terms: &[String], yes: bool, ctx: &Context) -> Result<Exit> {
    let hosts = vault.inventory().select(terms)?;
    let (all, wrong) = look(vault, &hosts, ctx)?;
    let count = all.len();
    let changes: Vec<Change<'_>> = all.into_iter().filter(Change::is_news).collect();
    if !ctx.out.json {
        for change in &changes {
            let line = format!("{}  {}", change.host.name, change.in_words());
            ctx.out.data(wrap(&line, Some(WIDTH - 4)).join("\n    "));
        }
    }
    if changes.is_empty() {
        ctx.out.say(format_args!("{count} hosts are as this machine knows them"));
    } else if !yes {
        let question = format!(
            "These {} of {count} hosts are new or changed. Send them the credentials and secrets that are meant for \
             them?",
            changes.len()
        );
        on_engines(async |interrupt| ctx.session.operator.confirm(&question, interrupt).await)?;
    }
    vault.known_file().change(|known| {
        known.check_workspace(vault.seen())?;
        for change in &changes {
            known.learn_host(vault.seen(), &change.host.name, &change.new);
        }
        Ok(())
    })?;
    if ctx.out.json {
        let hosts: Vec<serde_json::Value> = changes.iter().map(Change::json).collect();
        let object = serde_json::json!({ "format_version": crate::plan::FORMAT_VERSION, "hosts": hosts });
        ctx.out.object_of(object, !wrong.is_empty());
    } else if !changes.is_empty() {
        ctx.out.say(format_args!("{} hosts may be sent credentials and secrets", changes.len()));
    }
    Problems::check(wrong).map(|()| Exit::Done)
}

/// What is known of hosts and what is there now; and those of which nothing can be told. An Engine is asked who it is
/// only behind an address that is the known one or new.
fn look<'v>(
    vault: &Vault<'_>,
    hosts: &[&'v Host],
    ctx: &Context,
) -> Result<(Vec<Change<'v>>, Vec<crate::problem::Problem>)> {
    let (mut all, mut wrong) = (Vec::new(), Vec::new());
    for host in hosts.iter().copied() {
        match dialled(&ctx.session, vault.workspace().root(), host) {
            Err(problems) => {
                wrong.extend(problems.map(|one| one.of(host.name.as_str())).into_vec());
            }
            Ok((_, new)) => {
                let of = vault.known_file().look(|known| {
                    known.workspace(vault.seen()).and_then(|known| known.hosts.get(&host.name)).cloned()
                });
                all.push(Change { host, old: of, new });
            }
        }
    }
    let may_be_asked = |one: &Change<'_>| {
        let same = one.old.as_ref().is_none_or(|old| old.clone().without_daemon() == one.new);
        same && one.host.paused.is_none()
    };
    let asked: Vec<usize> = (0..all.len()).filter(|at| may_be_asked(&all[*at])).collect();
    let engines: Vec<&Host> = asked.iter().map(|at| all[*at].host).collect();
    let probed = on_engines(async |interrupt| {
        Pipeline::new(vault, NewHosts::Refuse, interrupt).probe(&engines).await
    })?;
    for (at, probed) in asked.into_iter().zip(probed) {
        if let Ok(probed) = probed {
            all[at].new = probed.seen;
        }
    }
    Ok((all, wrong))
}

impl Change<'_> {
    /// Whether there is anything to accept: a daemon that could not be asked is still the known one.
    fn is_news(&self) -> bool {
        let Some(old) = &self.old else { return true };
        match self.new.daemon {
            Some(_) => *old != self.new,
            None => old.clone().without_daemon() != self.new,
        }
    }

    /// `its daemon ID was 7TRN, is 9ZQX`.
    fn in_words(&self) -> String {
        let parts = |known: &KnownHost| -> BTreeMap<&'static str, String> {
            let details = known.details().map(|(what, text)| (what, text.to_owned())).collect::<Vec<_>>();
            details.into_iter().chain([("engine", known.address.clone())]).collect()
        };
        let new = parts(&self.new);
        let Some(old) = self.old.as_ref().map(parts) else {
            let details = new.iter().filter(|(what, _)| **what != "engine");
            let details: String = details.map(|(what, text)| format!(", {what} {}", escaped(text))).collect();
            return format!("is new: {}{details}{}", escaped(&self.new.address), self.later());
        };
        let names: std::collections::BTreeSet<&&str> = old.keys().chain(new.keys()).collect();
        let differing = names.into_iter().filter(|what| old.get(**what) != new.get(**what));
        let words = differing.map(|what| match (old.get(*what), new.get(*what)) {
            (Some(old), Some(new)) => format!("{what} was {}, is {}", escaped(old), escaped(new)),
            (Some(old), None) if *what == DAEMON => format!("{what} was {}", escaped(old)),
            (Some(old), None) => format!("{what} was {}, is none", escaped(old)),
            (None, new) => format!("{what} is {}", escaped(new.map_or("", String::as_str))),
        });
        words.collect::<Vec<_>>().join("; ") + self.later()
    }

    /// What is known only when its Engine answers.
    fn later(&self) -> &'static str {
        match self.new.daemon {
            None if !is_own_socket(self.host, &self.new) => "; its daemon ID is learned when it answers",
            _ => "",
        }
    }

    fn json(&self) -> serde_json::Value {
        let one = |known: &KnownHost| {
            serde_json::json!({ "address": known.address, "daemon": known.daemon, "leads_to": known.leads_to,
                                "tls": known.tls, "ca": known.ca, "stranger": known.stranger })
        };
        serde_json::json!({ "host": self.host.name, "old": self.old.as_ref().map(one), "new": one(&self.new) })
    }
}
