//! `pillarbox version`.

use crate::cli::{Context, Exit};
use crate::problem::Result;

/// Print the version
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct VersionArgs {}

pub(in crate::cli) fn run(_: &VersionArgs, ctx: &Context) -> Result<Exit> {
    let version = env!("CARGO_PKG_VERSION");
    if ctx.out.json {
        ctx.out.object(&serde_json::json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "version": version,
        }));
    } else {
        ctx.out.data(format_args!("pillarbox {version}"));
    }
    Ok(Exit::Done)
}
