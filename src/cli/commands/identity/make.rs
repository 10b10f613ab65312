//! `identity new [FILE]`.

use super::{outside_of_workspaces, shown};
use crate::cli::{Context, Exit};
use crate::keys::{Identity, protect};
use crate::problem::{Problem, Result, quoted};
use crate::store;
use std::path::{Path, PathBuf};

#[derive(clap::Args, Debug)]
pub(super) struct IdentityMakeArgs {
    /// The file [default: ~/.config/pillarbox/identity.txt]
    file: Option<PathBuf>,
    /// Protect it with a passphrase, which is asked for: an age file, as `age -p` writes it
    #[arg(long)]
    passphrase: bool,
}

pub(super) fn run(args: &IdentityMakeArgs, ctx: &Context) -> Result<Exit> {
    let path = match &args.file {
        Some(file) => ctx.session.absolute(file),
        None => default_path(ctx)?,
    };
    let identity = if args.passphrase {
        free(&path)?;
        let passphrase = ctx.console.new_passphrase()?;
        let identity = Identity::generate();
        put(&path, &protect(&identity.file_text(), &passphrase)?)?;
        identity
    } else {
        make(&path)?
    };
    let public = identity.recipient();
    if ctx.out.json {
        ctx.out.object(&serde_json::json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "file": path.display().to_string(),
            "public": public.as_str(),
        }));
    } else {
        ctx.out.data(public);
    }
    ctx.out.say(format_args!(
        "the private key is in {}; keep a copy of it where only you can read it",
        shown(&path)
    ));
    if args.passphrase {
        ctx.out.say("to type its passphrase once for some hours: pillarbox identity unlock");
    }
    ctx.out.say(format_args!("a reader of a workspace lets you in with: pillarbox reader add NAME {public}"));
    Ok(Exit::Done)
}

/// Where a private key goes if nobody says otherwise.
pub(in crate::cli::commands) fn default_path(ctx: &Context) -> Result<PathBuf> {
    ctx.session.identity_path().ok_or_else(|| {
        Problem::failed("there is no home folder to put a private key in")
            .hint("name a file: pillarbox identity new FILE")
            .into()
    })
}

/// Makes a private key in a new file of mode 0600.
pub(in crate::cli::commands) fn make(path: &Path) -> Result<Identity> {
    outside_of_workspaces(path)?;
    let identity = Identity::generate();
    put(path, identity.file_text().reveal())?;
    Ok(identity)
}

/// Said before anybody types a passphrase.
fn free(path: &Path) -> Result<()> {
    outside_of_workspaces(path)?;
    match path.symlink_metadata() {
        Err(_) => Ok(()),
        Ok(_) => Err(kept(
            Problem::failed(format!("{} is there already", shown(path)))
                .hint("it is never overwritten: choose another file, or move it away"),
            path,
        )
        .into()),
    }
}

fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    store::create_private(path, bytes).map_err(|problems| problems.map(|problem| kept(problem, path)))
}

fn kept(problem: Problem, path: &Path) -> Problem {
    problem.hint(format!(
        "a private key is never overwritten; print its public half: pillarbox --identity {} identity public",
        quoted(&path.display().to_string())
    ))
}
