//! What would be written, for people and as JSON; no value is in it.

use super::draft::Draft;
use crate::cli::Context;
use crate::inventory::FILE;
use crate::problem::escaped;
use serde_json::json;

/// The whole draft.
pub(super) fn show(draft: &Draft, ctx: &Context) {
    if ctx.out.json {
        ctx.out.object(&json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "project": draft.name,
            "files": draft.files,
            "services": draft.look.services,
            "networks": draft.look.networks,
            "volumes": draft.look.volumes,
            "dir": draft.dir,
            "pillar": format!("pillar/{}", draft.pillar),
            "variables": draft.rows.iter().map(|row| json!({
                "name": row.name,
                "sealed": row.sealed,
                "does": if row.is_there { "stays" } else { "new" },
            })).collect::<Vec<_>>(),
            "unused": draft.unused,
            "notes": draft.look.notes,
        }));
    }
    let look = &draft.look;
    ctx.out.say(format_args!(
        "compose {}: {}, {}, {}",
        draft.name,
        count(look.services.len(), "service"),
        count(look.networks, "network"),
        count(look.volumes, "volume"),
    ));
    variables(draft, ctx);
    if let Some(dir) = &draft.dir {
        let host = draft.running.iter().find(|(_, running)| running.dir.as_ref() == Some(dir));
        let from =
            host.map(|(host, _)| format!(" on {host} (from the running containers)")).unwrap_or_default();
        ctx.out.say(format_args!("  dir: {}{from}", escaped(dir)));
    }
    for problem in &draft.silent {
        ctx.out.say(format_args!("  it is not known where the files lie: {problem}"));
    }
    for note in &look.notes {
        let left_out = note.contains(" is ignored: ");
        let word = if left_out { "left out" } else { "note" };
        ctx.out.say(format_args!("  {word}: {note}"));
    }
    if draft.is_changed() {
        if draft.inventory != draft.before {
            ctx.out.say(format_args!("  ~ {FILE}"));
            for line in added(&draft.before, &draft.inventory) {
                ctx.out.say(format_args!("      {}", escaped(line)));
            }
        }
        if draft.document.is_some() {
            ctx.out.say(format_args!("  ~ pillar/{}", escaped(&draft.pillar)));
        }
    }
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

fn variables(draft: &Draft, ctx: &Context) {
    if draft.env.is_empty() {
        return;
    }
    let env = draft.env.join(", ");
    let new: Vec<_> = draft.rows.iter().filter(|row| !row.is_there).collect();
    let sealed: Vec<&str> = new.iter().filter(|row| row.sealed).map(|row| row.name.as_str()).collect();
    let sealed = if sealed.is_empty() {
        String::new()
    } else {
        format!(", {} sealed ({})", sealed.len(), names(&sealed))
    };
    ctx.out.say(format_args!(
        "  {env}: {} to pillar/{}{sealed}",
        count(new.len(), "variable"),
        escaped(&draft.pillar)
    ));
    let kept: Vec<&str> = draft.rows.iter().filter(|row| row.is_there).map(|row| row.name.as_str()).collect();
    if !kept.is_empty() {
        ctx.out.say(format_args!(
            "  {env}: {} there already, left as they are ({})",
            kept.len(),
            names(&kept)
        ));
    }
    let unused: Vec<&str> = draft.unused.iter().map(String::as_str).collect();
    if !unused.is_empty() {
        ctx.out.say(format_args!("  {env}: no file refers to {}", names(&unused)));
    }
}

fn names(names: &[&str]) -> String {
    names.iter().map(|name| escaped(name)).collect::<Vec<_>>().join(", ")
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

/// What is asked.
pub(super) fn question(draft: &Draft) -> String {
    let sealed = draft.rows.iter().filter(|row| row.sealed && !row.is_there).count();
    match sealed {
        0 => format!("Add the project {}?", draft.name),
        sealed => format!("Add the project {}, and seal {}?", draft.name, count(sealed, "variable")),
    }
}

/// What stays to be done with the file of variables.
pub(super) fn afterwards(draft: &Draft, ctx: &Context) {
    if draft.rows.iter().any(|row| row.sealed) {
        for env in &draft.env {
            ctx.out.say(format_args!(
                "{env} still holds these secrets in clear, for docker compose alone: keep it out of git (git rm --cached {env})"
            ));
        }
    }
    let read: Vec<&String> = draft.env.iter().filter(|env| draft.look.files.contains(*env)).collect();
    for env in read {
        ctx.out.warn(format_args!(
            "`env_file` names {env}, so that its values go into containers in clear: name them below `environment` instead"
        ));
    }
}

/// What comes next.
pub(super) fn next(draft: &Draft, ctx: &Context) {
    if !draft.has_host {
        ctx.out.say(format_args!(
            "no host has it yet: write compose = [\"{0}\"] at a host or group of {FILE}, or pillarbox compose add --name {0} --host vm1=ssh://deploy@vm1",
            draft.name
        ));
        return;
    }
    ctx.out.say("next:");
    for (host, running) in &draft.running {
        if !running.containers.is_empty() {
            ctx.out.say(format_args!("  pillarbox adopt --compose {} --host {host}", draft.name));
        }
    }
    ctx.out.say(format_args!("  pillarbox compose show {}", draft.name));
    ctx.out.say("  pillarbox plan");
}
