//! What would be written, for people and as JSON; no value is in it.

use super::draft::Draft;
use crate::cli::Context;
use crate::highstate::LeftOut;
use crate::inventory::FILE;
use crate::name::folded;
use crate::problem::escaped;
use serde_json::json;

/// The whole draft.
pub(super) fn show(draft: &Draft, ctx: &Context) {
    if ctx.out.json {
        ctx.out.object(&object(draft));
    }
    let count = |number: usize, what: &str| {
        if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
    };
    ctx.out.say(format_args!(
        "from Salt: {}, {} of containers, {} left out",
        count(draft.minions, "minion"),
        count(draft.states, "state"),
        count(draft.left_out.len(), "state"),
    ));
    for one in draft.left_out.iter().filter(|one| one.is_missing) {
        ctx.out.say(format_args!(
            "  left out: {}: {} `{}`: {}",
            one.place,
            escaped(&one.word),
            escaped(&one.id),
            escaped(&one.why)
        ));
        if !one.hint.is_empty() {
            ctx.out.say(format_args!("    hint: {}", escaped(&one.hint)));
        }
    }
    for (words, ids, why) in staying(&draft.left_out) {
        ctx.out.say(format_args!("  left out: {words} ({ids}): {}", escaped(why)));
    }
    for leaf in &draft.values_left_out {
        let (why, hint) = leaf.left_out.clone().unwrap_or_default();
        ctx.out.say(format_args!("  left out: pillar {}: {}", escaped(&leaf.key.to_string()), escaped(&why)));
        if !hint.is_empty() {
            ctx.out.say(format_args!("    hint: {}", escaped(&hint)));
        }
    }
    for (grain, why) in &draft.grains_left_out {
        ctx.out.say(format_args!("  left out: grain {}: {why}", escaped(grain)));
    }
    for (path, _) in &draft.files {
        ctx.out.say(format_args!("  + {}", escaped(path)));
    }
    for change in &draft.pillar {
        let keys: Vec<String> = change.sealed.iter().map(|key| escaped(&key.to_string())).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let sealed = match keys.len() {
            0 => String::new(),
            sealed => format!(", {sealed} sealed ({})", folded(&keys)),
        };
        ctx.out.say(format_args!(
            "  ~ pillar/{}: {}{sealed}",
            escaped(change.document.file()),
            count(change.new, "value")
        ));
    }
    if draft.there + draft.same > 0 {
        ctx.out.say(format_args!(
            "  there already, and left as they are: {}, {} of the pillar",
            count(draft.same, "file"),
            count(draft.there, "value")
        ));
    }
    if draft.inventory != draft.before {
        ctx.out.say(format_args!("  ~ {FILE}"));
        for line in added(&draft.before, &draft.inventory) {
            ctx.out.say(format_args!("      {}", escaped(line)));
        }
    }
}

fn object(draft: &Draft) -> serde_json::Value {
    json!({
        "format_version": crate::plan::FORMAT_VERSION,
        "minions": draft.minions,
        "states": draft.states,
        "hosts": draft.hosts,
        "files": draft.files.iter().map(|(path, _)| path).collect::<Vec<_>>(),
        "pillar": draft.pillar.iter().map(|change| json!({
            "file": format!("pillar/{}", change.document.file()),
            "values": change.new,
            "sealed": change.sealed.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "left_out": draft.left_out.iter().map(|one| json!({
            "id": one.id,
            "state": one.word,
            "sls": one.sls,
            "why": one.why,
            "hint": one.hint,
            "missing": one.is_missing,
        })).collect::<Vec<_>>(),
        "values_left_out": draft.values_left_out.iter().map(|leaf| json!({
            "key": leaf.key.to_string(),
            "why": leaf.left_out.as_ref().map(|(why, _)| why),
        })).collect::<Vec<_>>(),
    })
}

/// States that stay with Salt: the functions, their ids, and why, together where that is the same.
fn staying(left_out: &[LeftOut]) -> Vec<(String, String, &str)> {
    let mut all: Vec<(&str, Vec<&str>, Vec<&str>)> = Vec::new();
    for one in left_out.iter().filter(|one| !one.is_missing) {
        match all.iter_mut().find(|(why, _, _)| *why == one.why) {
            Some((_, words, ids)) => {
                if !words.contains(&one.word.as_str()) {
                    words.push(&one.word);
                }
                ids.push(&one.id);
            }
            None => all.push((&one.why, vec![&one.word], vec![&one.id])),
        }
    }
    let shown = all.into_iter().map(|(why, words, ids)| {
        let ids: Vec<String> = ids.into_iter().map(escaped).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        (escaped(&words.join(", ")), ids.join(", "), why)
    });
    shown.collect()
}

/// Lines that are in the later text and not in the earlier one.
fn added<'a>(before: &str, after: &'a str) -> Vec<&'a str> {
    let mut old: Vec<&str> = before.lines().collect();
    let mut found = Vec::new();
    for line in after.lines() {
        match old.iter().position(|before| *before == line) {
            Some(at) => drop(old.remove(at)),
            None if line.trim().is_empty() => {}
            None => found.push(line),
        }
    }
    found
}

fn states(count: usize) -> String {
    if count == 1 { "1 state".to_owned() } else { format!("{count} states") }
}

/// What is asked.
pub(super) fn question(draft: &Draft) -> String {
    match draft.sealed() {
        0 => format!("Import {}?", states(draft.states)),
        1 => format!("Import {}, and seal 1 value?", states(draft.states)),
        sealed => format!("Import {}, and seal {sealed} values?", states(draft.states)),
    }
}

/// What was done.
pub(super) fn done(draft: &Draft) -> String {
    format!("imported {}", states(draft.states))
}

/// What comes next.
pub(super) fn next(draft: &Draft, ctx: &Context) {
    let Some(host) = draft.hosts.first() else {
        return ctx.out.say(format_args!(
            "no host has them yet: write states = [\"…\"] at a host or group of {FILE}, or name it: --host vm1=ssh://deploy@vm1"
        ));
    };
    ctx.out.say("next:");
    ctx.out.say("  pillarbox compile");
    ctx.out.say(format_args!("  pillarbox adopt NAME… --host {}", escaped(host)));
    ctx.out.say("  pillarbox plan");
    if draft.sealed() > 0 {
        ctx.out.say("what Salt rendered holds these secrets in clear: remove the files when you are done");
    }
}
