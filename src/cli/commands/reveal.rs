//! `pillarbox reveal KEY`.

use super::get;
use crate::cli::clear_file::ClearFile;
use crate::cli::{Context, Exit};
use crate::name::KeyPath;
use crate::pillar::seal::{Kind, Opened};
use crate::pillar::{Node, Value};
use crate::problem::{Problem, Result, escaped_lines, quoted};
use crate::session::Vault;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Open a sealed value and print it, byte for byte
#[derive(clap::Args, Debug)]
#[command(after_help = "A final newline is added on a terminal only.")]
pub(in crate::cli) struct RevealArgs {
    /// Dotted key; in single quotes where a part has quotes: 'a."b.c".d'
    key: String,
    /// File below pillar/, `.toml` optional [default: the one that has the key]
    #[arg(long = "in", value_name = "FILE", conflicts_with = "host")]
    file: Option<String>,
    /// As this host sees it, with all its files merged
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Write this file, 0600, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(in crate::cli) fn run(args: &RevealArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    let (key, node) = get::find(&vault, &args.key, args.file.clone(), args.host.as_deref(), "reveal")?;
    let Value::Sealed(sealed) = &node.value else { return Err(not_sealed(&key, &node).into()) };
    let file = args.output.as_ref().map(|file| ClearFile::of(ctx, file, workspace.root())).transpose()?;
    let opened = vault.open(sealed)?;
    if let Some(file) = &file {
        file.write(&opened.secret)?;
        if ctx.out.json {
            ctx.out.object(&serde_json::json!({
                "format_version": crate::plan::FORMAT_VERSION,
                "key": key.to_string(),
                "id": sealed.id.as_str(),
                "file": file.shown(),
            }));
        }
        ctx.out.say(format_args!("wrote {}; {}", file.shown(), file.readable_by()));
    } else if ctx.out.json {
        print_json(ctx, &key, sealed.id.as_str(), &opened);
    } else if !ctx.terminal.stdout {
        ctx.out.bytes(opened.secret.reveal());
    } else {
        let Some(text) = opened.secret.reveal_text() else {
            return Err(Problem::failed(format!("`{key}` is not text, and this is a terminal"))
                .hint(format!("pillarbox reveal -o FILE {}", quoted(&key.to_string())))
                .into());
        };
        let text = Zeroizing::new(escaped_lines(text));
        ctx.out.bytes(text.as_bytes());
        ctx.out.bytes(b"\n");
    }
    ctx.out.detail(format_args!("{key}: {}", node.place));
    Ok(Exit::Done)
}

fn not_sealed(key: &KeyPath, node: &Node) -> Problem {
    let problem = Problem::usage(format!("`{key}` is not sealed")).at(&node.place);
    match node.as_table() {
        Some(_) => problem.cause("it is a table").hint("name a sealed key in it"),
        None => problem.hint(format!("pillarbox get {}", quoted(&key.to_string()))),
    }
}

fn print_json(ctx: &Context, key: &KeyPath, id: &str, opened: &Opened) {
    #[derive(Serialize)]
    struct Revealed<'a> {
        format_version: &'static str,
        key: String,
        id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        base64: Option<&'a str>,
    }
    let is_text = opened.kind == Kind::Text;
    let coded = Zeroizing::new(if is_text { String::new() } else { STANDARD.encode(opened.secret.reveal()) });
    ctx.out.object(&Revealed {
        format_version: crate::plan::FORMAT_VERSION,
        key: key.to_string(),
        id,
        value: opened.secret.reveal_text().filter(|_| is_text),
        base64: (!is_text).then_some(coded.as_str()),
    });
}
