//! `pillarbox get KEY`.

mod toml;

use crate::cli::target::{self, TargetArgs, Verb};
use crate::cli::{Context, Exit};
use crate::name::KeyPath;
use crate::pillar::{Node, Sealed, Value};
use crate::problem::{Problem, Result, escaped_lines, quoted};
use crate::session::Vault;
use serde_json::json;

/// Print a value in clear, or a table as TOML
#[derive(clap::Args, Debug)]
#[command(after_help = "With -v, standard error shows the file and line of each value.\n\
                        On a terminal control characters are written as \\u{1b}.")]
pub(in crate::cli) struct GetArgs {
    /// Dotted key; in single quotes where a part has quotes: 'a."b.c".d'
    key: String,
    /// File below pillar/, `.toml` optional [default: the one that has the key]
    #[arg(long = "in", value_name = "FILE", conflicts_with = "host")]
    file: Option<String>,
    /// As this host sees it, with all its files merged
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
}

pub(in crate::cli) fn run(args: &GetArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    let (key, node) = find(&vault, &args.key, args.file.clone(), args.host.as_deref(), "get")?;
    if let Value::Sealed(sealed) = &node.value {
        if !ctx.out.json {
            ctx.out.data(format_args!("(sealed {})", sealed.id.short()));
        }
        return Err(is_sealed(&key, &node, args, sealed).into());
    }
    if ctx.out.json {
        ctx.out.object(&json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "key": key.to_string(),
            "value": json_of(&node.value),
            "from": node.place.to_string(),
        }));
    } else {
        let text = toml::text(&node.value);
        // On a terminal a stranger's value must not move the cursor; a pipe gets every byte.
        let text = if ctx.terminal.stdout { escaped_lines(&text) } else { text };
        ctx.out.bytes(format!("{}\n", text.trim_end_matches('\n')).as_bytes());
    }
    provenance(ctx, &key, &node);
    Ok(Exit::Done)
}

/// A value by the key that was typed: of a host's merged pillar, or of one file.
///
/// # Errors
/// Where it is not there, or could be several.
pub(super) fn find(
    vault: &Vault<'_>,
    typed: &str,
    file: Option<String>,
    host: Option<&str>,
    verb: &str,
) -> Result<(KeyPath, Node)> {
    match host {
        Some(host) => target::merged_value(vault, host, typed, Verb(verb, "")),
        None => {
            let place = TargetArgs { file, host: None };
            let (origin, node) = place.value(vault, typed, Verb(verb, ""))?;
            Ok((origin.key, node.clone()))
        }
    }
}

fn is_sealed(key: &KeyPath, node: &Node, args: &GetArgs, sealed: &Sealed) -> Problem {
    let option = match (&args.host, &args.file) {
        (Some(host), _) => format!("--host {host} "),
        (None, Some(_)) => format!("--in {} ", target::stem(&sealed.origin.file)),
        (None, None) => String::new(),
    };
    Problem::failed(format!("`{key}` is sealed"))
        .at(&node.place)
        .hint(format!("pillarbox reveal {option}{}", quoted(&key.to_string())))
}

fn json_of(value: &Value) -> serde_json::Value {
    match value {
        Value::String(text) | Value::Datetime(text) => json!(text),
        Value::Integer(number) => json!(number),
        Value::Float(number) => json!(number.value),
        Value::Boolean(truth) => json!(truth),
        Value::Array(values) => values.iter().map(|node| json_of(&node.value)).collect(),
        Value::Table(table) => table.iter().map(|(key, node)| (key.clone(), json_of(&node.value))).collect(),
        Value::Sealed(sealed) => json!({ "sealed": sealed.id.as_str() }),
    }
}

fn provenance(ctx: &Context, key: &KeyPath, node: &Node) {
    match node.as_table() {
        Some(table) => {
            for (name, node) in table {
                provenance(ctx, &key.child(name.as_str()), node);
            }
        }
        None => ctx.out.detail(format_args!("{key}: {}", node.place)),
    }
}
