//! `pillarbox show FILE`.

use crate::cli::{Context, Exit};
use crate::pillar::document::{file_name, show};
use crate::problem::{Problem, Result, escaped};
use crate::store;

/// Print a pillar file with sealed values as `(sealed 9f2c)`; needs no private key
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Lets git show what changed, with `pillar/**/*.toml diff=pillarbox` in .gitattributes:\n  \
                        git config diff.pillarbox.textconv 'pillarbox show'"
)]
pub(in crate::cli) struct ShowArgs {
    /// Any file, or one below pillar/, `.toml` optional
    file: String,
}

impl ShowArgs {
    pub(in crate::cli) fn of(file: &str) -> Self {
        Self { file: file.to_owned() }
    }
}

pub(in crate::cli) fn run(args: &ShowArgs, ctx: &Context) -> Result<Exit> {
    let path = ctx.session.absolute(args.file.as_ref());
    // Git hands over temporary files, outside of every workspace.
    let text = if path.is_file() {
        String::from_utf8_lossy(store::read_secret(&path)?.reveal()).into_owned()
    } else {
        of_workspace(&args.file, ctx)?
    };
    ctx.out.bytes(show(&text).as_bytes());
    Ok(Exit::Done)
}

fn of_workspace(typed: &str, ctx: &Context) -> Result<String> {
    let missing = || Problem::failed(format!("there is no file {}", escaped(typed)));
    if typed.starts_with('/') {
        return Err(missing().into());
    }
    let workspace = ctx.session.workspace()?;
    let below = typed.strip_prefix("pillar/").unwrap_or(typed);
    let path = if below == "box.toml" || below.ends_with("/box.toml") {
        format!("pillar/{below}")
    } else {
        format!("pillar/{}", file_name(below)?)
    };
    let files = workspace.pillar_files()?;
    workspace.read_if_there(&path)?.ok_or_else(|| {
        missing()
            .cause(format!("nor is there {}", escaped(&path)))
            .nearest(path.strip_prefix("pillar/").unwrap_or(&path), files.iter().map(String::as_str))
            .into()
    })
}
