//! `pillarbox completions SHELL`.

use crate::cli::{Context, Exit};
use crate::problem::Result;
use clap_complete::Shell;

/// Print completions for a shell
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  pillarbox completions bash > /etc/bash_completion.d/pillarbox")]
pub(in crate::cli) struct CompletionsArgs {
    /// For which shell
    shell: Shell,
}

pub(in crate::cli) fn run(args: &CompletionsArgs, ctx: &Context) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::cli::command(), "pillarbox", &mut script);
    ctx.out.bytes(&script);
    Ok(Exit::Done)
}
