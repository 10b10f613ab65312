//! `pillarbox completions SHELL`.

use crate::cli::complete::{BASH, FISH, ZSH};
use crate::cli::{Context, Exit};
use crate::problem::Result;
use clap_complete::Shell;

/// Print completions for a shell
#[derive(clap::Args, Debug)]
#[command(after_help = "\
In bash, zsh and fish the names of the workspace are completed as well: hosts, services, gates, keys,
registries, readers, boxes and files. No private key is used and no host is contacted.

Where to put them:
  pillarbox completions bash > ~/.local/share/bash-completion/completions/pillarbox
  pillarbox completions zsh > ~/.zfunc/_pillarbox     # with: fpath+=~/.zfunc before compinit, in ~/.zshrc
  pillarbox completions fish > ~/.config/fish/completions/pillarbox.fish

Or for this shell alone:
  source <(pillarbox completions bash)")]
pub(in crate::cli) struct CompletionsArgs {
    /// For which shell
    shell: Shell,
}

pub(in crate::cli) fn run(args: &CompletionsArgs, ctx: &Context) -> Result<Exit> {
    match args.shell {
        Shell::Bash => ctx.out.bytes(BASH.as_bytes()),
        Shell::Zsh => ctx.out.bytes(ZSH.as_bytes()),
        Shell::Fish => ctx.out.bytes(FISH.as_bytes()),
        other => {
            let mut script = Vec::new();
            clap_complete::generate(other, &mut crate::cli::command(), "pillarbox", &mut script);
            ctx.out.bytes(&script);
        }
    }
    Ok(Exit::Done)
}
