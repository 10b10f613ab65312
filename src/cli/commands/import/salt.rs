//! `pillarbox import salt`: what Salt renders, as states, pillar files and hosts.

mod draft;
mod hosts;
mod input;
mod pillar;
mod preview;
mod states;
mod tree;

use super::super::written;
use crate::cli::{Context, Exit};
use crate::inventory::FILE;
use crate::problem::{Problem, Problems, Result};
use crate::session::{Vault, declared};
use crate::store::Workspace;
use draft::Draft;
use std::path::PathBuf;

/// Import states, pillar values and hosts from what Salt renders; secrets are sealed
#[derive(clap::Args, Debug)]
#[command(after_help = "\
FILE is the output of state.show_highstate or state.show_sls, with --out json, of one minion or of several; or a
file of states in YAML without Jinja. What would be written is shown, and asked about on a terminal: states/,
pillar/, files/, and hosts and groups in pillarbox.toml. Nothing that is there is overwritten. Values whose names or
contents look like secrets are sealed, and states refer to them. Every state that is left out is named with the
reason. If one of them is about containers, the command ends with 1.

A file that Salt puts on the host, and that a container mounts, becomes a file of the container. Its content comes
from Salt's tree (--files), or, if it is a template, from the host (--rendered).

Examples:
  salt-call --local --out json state.show_highstate > highstate.json
  salt-call --local --out json pillar.items > pillar.json
  salt-call --local --out json grains.items > grains.json
  pillarbox import salt highstate.json --pillar pillar.json --grains grains.json --files /srv/salt
  pillarbox import salt shop.sls --host vm1=ssh://deploy@vm1 -y")]
pub(super) struct SaltArgs {
    /// What Salt has rendered, or a file of states without Jinja; several are one
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The output of pillar.items
    #[arg(long, value_name = "FILE")]
    pillar: Option<PathBuf>,
    /// The output of grains.items: labels of hosts, and their addresses
    #[arg(long, value_name = "FILE")]
    grains: Option<PathBuf>,
    /// A folder of Salt's tree of files; may be given several times
    #[arg(id = "tree", long = "files", value_name = "FOLDER")]
    tree: Vec<PathBuf>,
    /// A folder with files as Salt has put them on the host: FOLDER/etc/app.conf; may be given several times
    #[arg(long, value_name = "FOLDER")]
    rendered: Vec<PathBuf>,
    /// Containers go on to mount files of the host, which Salt goes on to put there
    #[arg(long, conflicts_with_all = ["tree", "rendered"])]
    keep_mounts: bool,
    /// A host, with the address of its Engine [default: the minion, over ssh]; may be given several times
    #[arg(long, value_name = "HOST[=ENGINE]")]
    host: Vec<String>,
    /// Seal this value of the pillar, or all of a table; may be given several times
    #[arg(long, value_name = "KEY")]
    seal: Vec<String>,
    /// Leave this value of the pillar in clear, or all of a table; may be given several times
    #[arg(long, value_name = "KEY")]
    clear: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

pub(super) fn run(args: &SaltArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let mut vault = Vault::load(&ctx.session, &workspace)?;
    let draft = Draft::of(&vault, args, ctx)?;
    preview::show(&draft, ctx);
    if !draft.is_changed() {
        ctx.out.say("all of it is there already");
    } else {
        if !args.yes {
            ctx.console.confirm(&preview::question(&draft))?;
        }
        written::lock_unchanged(&mut vault, &draft.before)?;
        if draft.inventory != draft.before {
            vault.put(FILE, draft.inventory.as_str());
        }
        for (path, bytes) in &draft.files {
            vault.put(path, bytes.as_slice());
        }
        for change in &draft.pillar {
            vault.put_document(change.document.clone());
        }
        vault.commit()?;
        ctx.out.say(preview::done(&draft));
    }
    let lacking = lacking(&workspace, &draft, ctx)?;
    if !lacking.is_empty() {
        written::problems("before a plan can be made:", &lacking, ctx);
        return Ok(Exit::Failed);
    }
    preview::next(&draft, ctx);
    if draft.is_missing() {
        ctx.out.say("it ends with 1 because states of containers were left out");
        return Ok(Exit::Failed);
    }
    Ok(Exit::Done)
}

/// What is wrong with what is now written for the hosts.
fn lacking(workspace: &Workspace, draft: &Draft, ctx: &Context) -> Result<Vec<Problem>> {
    if draft.hosts.is_empty() {
        return Ok(Vec::new());
    }
    let workspace = Workspace::open(workspace.root())?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    Ok(match declared(&vault, &draft.hosts) {
        Ok(_) => Vec::new(),
        Err(problems) => Problems::into_vec(problems),
    })
}
