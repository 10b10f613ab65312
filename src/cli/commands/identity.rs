//! `pillarbox identity`: the private key that belongs to a reader.

use crate::cli::{Context, Exit};
use crate::inventory;
use crate::keys::{Identities, Identity};
use crate::problem::{Problem, Result, quoted};
use crate::store;
use std::path::{Path, PathBuf};

/// Make a private key, or print its public half
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Make a private key in a file that only you can read, and print its public half
    New {
        /// The file [default: ~/.config/pillarbox/identity.txt]
        file: Option<PathBuf>,
    },
    /// Print the public half of the private key that is tried first
    Public {
        /// Of all private keys at hand, in the order in which they are tried
        #[arg(long)]
        all: bool,
    },
}

pub(in crate::cli) fn run(args: &Args, ctx: &Context) -> Result<Exit> {
    match &args.action {
        Action::New { file } => new(file.as_deref(), ctx),
        Action::Public { all } => public(*all, ctx),
    }
}

fn new(file: Option<&Path>, ctx: &Context) -> Result<Exit> {
    let path = match file {
        Some(file) => ctx.absolute(file),
        None => default_path(ctx)?,
    };
    let identity = make(&path)?;
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
        path.display()
    ));
    ctx.out.say(format_args!("a reader of a workspace lets you in with: pillarbox reader add NAME {public}"));
    Ok(Exit::Done)
}

fn public(every: bool, ctx: &Context) -> Result<Exit> {
    let found = ctx.identities()?;
    let mut all: Vec<(String, Identities)> = Vec::new();
    for one in found.found.iter().take(if every { usize::MAX } else { 1 }) {
        all.push((one.from.clone(), Identities::parse(&one.text, &one.from)?));
    }
    let keys = || all.iter().flat_map(|(from, keys)| keys.iter().map(move |key| (from, key.recipient())));
    if keys().next().is_none() {
        return Err(found.none_opens("there is no private key at hand").into());
    }
    if ctx.out.json {
        let one = |(from, public): (&String, &crate::keys::Recipient)| serde_json::json!({ "from": from, "public": public.as_str() });
        ctx.out.object(&serde_json::json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "identities": keys().map(one).collect::<Vec<_>>(),
        }));
        return Ok(Exit::Done);
    }
    for (from, public) in keys() {
        ctx.out.data(public);
        ctx.out.detail(from);
    }
    Ok(Exit::Done)
}

/// Where a private key goes if nobody says otherwise.
pub(super) fn default_path(ctx: &Context) -> Result<PathBuf> {
    ctx.identity_path().ok_or_else(|| {
        Problem::failed("there is no home folder to put a private key in")
            .hint("name a file: pillarbox identity new FILE")
            .into()
    })
}

/// Makes a private key in a new file of mode 0600.
pub(super) fn make(path: &Path) -> Result<Identity> {
    if let Some(workspace) = workspace_around(path) {
        return Err(Problem::failed("a private key must not lie in a workspace")
            .cause(format!("{} is in the workspace {}", path.display(), workspace.display()))
            .cause("it would be committed with everything else, and then everybody could read the pillar")
            .hint("put it outside: pillarbox identity new ~/.config/pillarbox/identity.txt")
            .into());
    }
    let identity = Identity::generate();
    store::create_private(path, identity.file_text().reveal()).map_err(|problems| {
        problems.map(|problem| {
            problem.hint(format!(
                "a private key is never overwritten; print its public half: pillarbox --identity {} identity public",
                quoted(&path.display().to_string())
            ))
        })
    })?;
    Ok(identity)
}

/// The workspace that a file would lie in, links followed.
fn workspace_around(path: &Path) -> Option<PathBuf> {
    let real = path.ancestors().skip(1).find_map(|above| above.canonicalize().ok())?;
    let with_inventory = |dir: &&Path| dir.join(inventory::FILE).is_file();
    real.ancestors().find(with_inventory).map(Path::to_path_buf)
}
