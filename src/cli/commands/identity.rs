//! `pillarbox identity`: the private key that belongs to a reader.

mod forget;
mod make;
mod public;
mod store;
mod unlock;

pub(super) use make::{default_path, make};
pub(super) use public::first_public;

use crate::cli::{Context, Exit};
use crate::inventory;
use crate::problem::{Problem, Result, escaped};
use std::path::{Path, PathBuf};

/// Make a private key, print its public half, unlock it for some hours
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct IdentityArgs {
    #[command(subcommand)]
    action: IdentityCommand,
}

#[derive(clap::Subcommand, Debug)]
enum IdentityCommand {
    /// Make a private key in a file that only you can read, and print its public half
    New(make::IdentityMakeArgs),
    /// Print the public half of the private key that is tried first
    Public(public::IdentityPublicArgs),
    /// Keep a protected private key open for some hours, in the keyring of the kernel (Linux)
    Unlock(unlock::IdentityUnlockArgs),
    /// Forget what was unlocked
    Forget(forget::IdentityForgetArgs),
    /// Copy the private key into the keyring of the system
    Store(store::IdentityStoreArgs),
}

pub(in crate::cli) fn run(args: &IdentityArgs, ctx: &Context) -> Result<Exit> {
    match &args.action {
        IdentityCommand::New(args) => make::run(args, ctx),
        IdentityCommand::Public(args) => public::run(args, ctx),
        IdentityCommand::Unlock(args) => unlock::run(args, ctx),
        IdentityCommand::Forget(args) => forget::run(args, ctx),
        IdentityCommand::Store(args) => store::run(args, ctx),
    }
}

/// A private key must not lie in a workspace, whichever it is.
fn outside_of_workspaces(path: &Path) -> Result<()> {
    let Some(workspace) = workspace_around(path) else { return Ok(()) };
    Err(Problem::failed("a private key must not lie in a workspace")
        .cause(format!("{} is in the workspace {}", shown(path), shown(&workspace)))
        .cause("it would be committed with everything else, and then everybody could read the pillar")
        .hint("put it outside: pillarbox identity new ~/.config/pillarbox/identity.txt")
        .into())
}

/// The workspace that a file would lie in, links followed.
fn workspace_around(path: &Path) -> Option<PathBuf> {
    let real = path.ancestors().skip(1).find_map(|above| above.canonicalize().ok())?;
    let with_inventory = |dir: &&Path| dir.join(inventory::FILE).is_file();
    real.ancestors().find(with_inventory).map(Path::to_path_buf)
}

fn shown(path: &Path) -> String {
    escaped(&path.display().to_string())
}
