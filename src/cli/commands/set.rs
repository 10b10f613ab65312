//! `pillarbox set KEY VALUE`.

use crate::cli::target::{self, TargetArgs, Verb};
use crate::cli::{Context, Exit};
use crate::pillar::document::Written;
use crate::pillar::gate;
use crate::problem::{Problem, Result, quoted};
use crate::registry::{self, IDENTITY_TOKEN, PASSWORD};
use crate::session::Vault;

/// Set a value in clear; comments and order stay
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  pillarbox set deploy.nginx.version 1.10\n  \
                        pillarbox set --toml api.ports '[80, 443]'\n  \
                        pillarbox set --host web1 api.log debug")]
pub(in crate::cli) struct SetArgs {
    /// Dotted key; in single quotes where a part has quotes: 'a."b.c".d'
    key: String,
    /// A string, unless the key has a value of another type: then one of that type
    #[arg(allow_negative_numbers = true)]
    value: String,
    /// VALUE is TOML: 4, true, [1, 2], "text"
    #[arg(long)]
    toml: bool,
    #[command(flatten)]
    place: TargetArgs,
}

pub(in crate::cli) fn run(args: &SetArgs, ctx: &Context) -> Result<Exit> {
    let rest = quoted(&args.value);
    let verb = Verb(if args.toml { "set --toml" } else { "set" }, &rest);
    let written = if args.toml { Written::Toml(&args.value) } else { Written::Plain(&args.value) };
    let workspace = ctx.session.workspace()?;
    let mut vault = Vault::for_change(&ctx.session, &workspace)?;
    let origin = args.place.place(&vault, &args.key, verb)?;
    if let [top, registry, field] = origin.key.parts()
        && top == registry::TABLE
        && [PASSWORD, IDENTITY_TOKEN].contains(&field.as_str())
    {
        return Err(Problem::usage(format!("`{}` must be sealed", origin.key))
            .cause("it would stand in clear, in the history of git too")
            .hint(format!("pillarbox registry add {} -u USER", quoted(registry)))
            .hint(format!("pillarbox seal {}", quoted(&origin.key.to_string())))
            .into());
    }
    if let [table, app, field] = origin.key.parts()
        && table == gate::TABLE
        && ["image", "version"].contains(&field.as_str())
        && let Some(digest) = gate::key(app, Some("digest"))
        && let Some(node) = vault.documents().find_map(|document| document.get(&digest))
    {
        return Err(Problem::usage(format!("`{digest}` belongs to the {field} that stands there"))
            .at(&node.place)
            .cause("version and digest change together, or another image runs than the version says")
            .hint(match field.as_str() {
                "version" => format!("pillarbox gate set {} {rest}", quoted(app)),
                _ => format!("pillarbox gate set {} VERSION --image {rest}", quoted(app)),
            })
            .into());
    }
    let is_new = vault.document(&origin.file).is_none_or(|document| document.get(&origin.key).is_none());
    let before = vault.document(&origin.file).map(|document| document.text().to_owned());
    vault.edit(&origin.file, |document| {
        document.set(&origin.key, written)?;
        let Some(node) = document.get(&origin.key) else {
            return Err(Problem::failed(format!("`{}` was not set", origin.key)).into());
        };
        target::check_key(&origin.key, Some(&node.value))
    })?;
    let same = before.as_deref() == vault.document(&origin.file).map(|document| document.text());
    if same {
        ctx.out.say(format_args!("{origin} has this value already"));
        return Ok(Exit::Done);
    }
    vault.commit()?;
    let new = if is_new { ", a new key" } else { "" };
    ctx.out.say(format_args!("set {origin}{new}"));
    Ok(Exit::Done)
}
