//! `pillarbox registry list`: from clear names alone, no private key.

use super::lifetime::is_over;
use crate::cli::{Context, Exit};
use crate::pillar::{Node, Value};
use crate::problem::{Result, escaped};
use crate::registry::{ANONYMOUS, EXPIRES, HELPER, IDENTITY_TOKEN, PASSWORD, TABLE, USERNAME};
use crate::session::Vault;
use serde_json::json;

/// An entry as it stands in one file; it need not be whole, other files may add to it.
struct RegistryRow {
    key: String,
    file: String,
    how: String,
    username: Option<String>,
    id: Option<String>,
    expires: Option<String>,
}

pub(super) fn run(ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    let mut rows = Vec::new();
    for document in vault.documents() {
        let entries = document.tree()?.at([TABLE]).and_then(Node::as_table);
        for (key, node) in entries.into_iter().flatten() {
            rows.push(row(key, document.file(), node));
        }
    }
    rows.sort_by(|a, b| (&a.key, &a.file).cmp(&(&b.key, &b.file)));
    if ctx.out.json {
        let one = |row: &RegistryRow| {
            json!({
                "registry": row.key,
                "file": format!("pillar/{}", row.file),
                "how": row.how,
                "username": row.username,
                "id": row.id,
                "expires": row.expires,
                "expired": row.expires.as_deref().and_then(is_over),
            })
        };
        ctx.out.object(&json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "registries": rows.iter().map(one).collect::<Vec<_>>(),
        }));
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        ctx.out.say("no registries yet; to add one: pillarbox registry add HOST -u USER");
    }
    let wide =
        |text: fn(&RegistryRow) -> &str| rows.iter().map(|row| text(row).chars().count()).max().unwrap_or(0);
    let (keys, hows) = (wide(|row| &row.key), wide(|row| &row.how));
    for RegistryRow { key, file, how, expires, .. } in &rows {
        let ends = expires.as_deref().and_then(|moment| Some((moment, is_over(moment)?)));
        let ends = ends.map_or_else(String::new, |(moment, is_over)| {
            format!("  {} {}", if is_over { "expired" } else { "expires" }, escaped(moment))
        });
        ctx.out.data(format_args!("{key:keys$}  {how:hows$}  pillar/{}{ends}", escaped(file)));
    }
    Ok(Exit::Done)
}

fn row(key: &str, file: &str, node: &Node) -> RegistryRow {
    let field = |name: &str| node.at([name]).map(|node| &node.value);
    let text = |name: &str| match field(name) {
        Some(Value::String(text)) => Some(text.clone()),
        _ => None,
    };
    let sealed = |name: &str| match field(name) {
        Some(Value::Sealed(sealed)) => Some(&sealed.id),
        _ => None,
    };
    let username = text(USERNAME);
    let expires = match field(EXPIRES) {
        Some(Value::Datetime(moment)) => Some(moment.clone()),
        _ => None,
    };
    let id = sealed(PASSWORD).or_else(|| sealed(IDENTITY_TOKEN));
    let shown = id.map(|id| format!(" (sealed {})", id.short())).unwrap_or_default();
    let how = match (&username, sealed(IDENTITY_TOKEN), text(HELPER), field(ANONYMOUS)) {
        (Some(user), None, _, _) => format!("user {}{shown}", escaped(user)),
        (_, Some(_), _, _) => format!("identity token{shown}"),
        (None, None, Some(helper), _) => format!("helper {}", escaped(&helper)),
        (None, None, None, Some(Value::Boolean(true))) => "anonymous".to_owned(),
        (None, None, None, _) if id.is_some() => format!("password{shown}"),
        _ => "nothing".to_owned(),
    };
    RegistryRow {
        key: escaped(key),
        file: file.to_owned(),
        how,
        username,
        id: id.map(|id| id.as_str().to_owned()),
        expires,
    }
}
