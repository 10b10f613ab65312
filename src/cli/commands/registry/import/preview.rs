//! What an import would do, for people and as JSON; no secret is in it.

use super::plan::ImportRow;
use crate::cli::Context;
use crate::problem::{Problem, escaped};

/// Shows the rows, what is left out, and what is to know.
pub(super) fn show(ctx: &Context, rows: &[ImportRow<'_>], left_out: &[Problem], notes: &[String]) {
    if ctx.out.json {
        ctx.out.object(&serde_json::json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "registries": rows.iter().map(json).collect::<Vec<_>>(),
            "left_out": left_out.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "notes": notes,
        }));
    } else {
        table(ctx, rows);
    }
    for note in notes {
        ctx.out.say(format_args!("note: {note}"));
    }
    for row in rows {
        if let Some(lifetime) = row.lifetime() {
            lifetime.tell(ctx, row.scope);
        }
    }
    for problem in left_out {
        ctx.out.warn(format_args!("left out: {problem}"));
        for cause in &problem.causes {
            ctx.out.say(format_args!("  caused by: {cause}"));
        }
        for hint in &problem.hints {
            ctx.out.say(format_args!("  hint: {hint}"));
        }
    }
}

fn json(row: &ImportRow<'_>) -> serde_json::Value {
    serde_json::json!({
        "registry": row.scope.to_string(),
        "key": row.item.key,
        "username": row.user(),
        "kind": row.kind(),
        "from": row.item.place.to_string(),
        "file": format!("pillar/{}", row.origin.file),
        "does": row.does.word(),
        "expires": row.lifetime().map(|lifetime| lifetime.toml()),
    })
}

fn table(ctx: &Context, rows: &[ImportRow<'_>]) {
    let cells: Vec<[String; 6]> = rows
        .iter()
        .map(|row| {
            let user = row.user().map(escaped).unwrap_or_default();
            let to = format!("pillar/{}", escaped(&row.origin.file));
            let from = row.from().map(|from| format!("from {from}")).unwrap_or_default();
            [row.scope.to_string(), user, row.kind(), row.does.to_string(), to, from]
        })
        .collect();
    let wide = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(wide);
    for [scope, user, kind, does, to, from] in &cells {
        let line = format!("{scope:a$}  {user:b$}  {kind:c$}  {does:d$}  {to:e$}  {from}");
        ctx.out.data(line.trim_end());
    }
}
