//! `pillarbox init [DIR]`: a workspace with commented examples, and an identity if there is none.

mod git;
mod id;
mod template;

use super::compose::add::{AddOptions, add};
use super::identity;
use crate::cli::{Context, Exit};
use crate::inventory;
use crate::keys::Recipient;
use crate::name::{ReaderName, WorkspaceName};
use crate::pillar::boxes::{self, BoxFolder, Readers};
use crate::pillar::known::SeenBox;
use crate::problem::{Problem, Result, escaped, quoted};
use crate::session::{KeyFiles, KnownFile, seen};
use crate::store::{Change, Workspace};
use std::path::{Path, PathBuf};

/// Make a workspace with commented examples, and a private key if you have none
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Nothing that is there already is overwritten.\n\nOn a terminal, and outside of a git repository, it offers to make \
                        one that shows and merges sealed values.\n\nExamples:\n  pillarbox init shop\n  pillarbox init --git shop\n  pillarbox init --from compose.yaml --host vm1=ssh://deploy@vm1"
)]
pub(in crate::cli) struct InitArgs {
    /// The folder; made if it is not there [default: the current one]
    dir: Option<PathBuf>,
    /// The name of the workspace, which goes into the labels of containers [default: the folder's name]
    #[arg(long)]
    name: Option<String>,
    /// Give an id to a workspace that has none yet, and change nothing else
    #[arg(long, conflicts_with_all = ["dir", "name", "git", "no_git", "from"])]
    id: bool,
    /// A workspace for a Compose project, without examples: its file in the folder; may be given several times, later
    /// ones over earlier ones. What follows is said of the project, as for `pillarbox compose add`
    #[arg(long, value_name = "FILE")]
    from: Vec<PathBuf>,
    #[command(flatten)]
    project: AddOptions,
    /// Make it a git repository if it is in none, with readable diffs and merges by key; do not ask
    #[arg(long)]
    git: bool,
    /// Leave git alone, and do not ask
    #[arg(long, conflicts_with = "git")]
    no_git: bool,
}

pub(in crate::cli) fn run(args: &InitArgs, ctx: &Context) -> Result<Exit> {
    if args.id {
        return id::add(ctx);
    }
    let dir = match (&args.dir, &ctx.global.workspace) {
        (Some(dir), _) | (None, Some(dir)) => ctx.session.absolute(dir),
        (None, None) => ctx.session.env.cwd.clone(),
    };
    if args.from.is_empty() && args.project.is_any() {
        return Err(Problem::usage("what is said of a project is for --from")
            .hint("name its file: pillarbox init --from compose.yaml")
            .into());
    }
    free_of_a_workspace(&dir)?;
    free_of_others(&dir)?;
    let from = args.from.iter().map(|path| file_of_a_project(path, &dir, ctx)).collect::<Result<Vec<_>>>()?;
    let name = match &args.name {
        Some(name) => WorkspaceName::parse(name)?,
        None => WorkspaceName::parse(&template::workspace_name(&folder_name(&dir)))?,
    };
    let id = id::new()?;
    let known = KnownFile::load(&ctx.session)?;
    free_name(&known, &name)?;
    let reader = ReaderName::parse(&template::reader_name(&ctx.session.env.user))?;
    let (key, is_new) = own_key(&dir, ctx)?;
    own_name(&dir, &reader, &key)?;

    let made = boxes::make(&name, &BoxFolder::top(), &Readers::from([(reader.clone(), key.clone())]))?;
    let mut files = template::files(&name, &id, &reader);
    if !from.is_empty() {
        files = template::without_examples(files);
    }
    files.push((KeyFiles::path(&reader), KeyFiles::text(&key)));
    files.push((BoxFolder::top().file(), made.file.to_string()));
    let (kept, new): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|(path, _)| dir.join(path).symlink_metadata().is_ok());
    let mut change = Change::new();
    for (path, text) in &new {
        change.put(path.as_str(), text.as_str());
    }
    let workspace = Workspace::create(&dir, &change)?;
    let folder = BoxFolder::top();
    let seen = seen(&workspace);
    let seen = SeenBox { workspace: &seen, folder: &folder, slot: &made.file.slot, open: Some(&made.open) };
    known.begin(&ctx.session, &seen)?;

    let paths = |files: &[(String, String)]| files.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
    ctx.out.say(format_args!("made the workspace {name} in {}", shown(workspace.root())));
    for path in paths(&new) {
        ctx.out.say(format_args!("  + {path}"));
    }
    for path in paths(&kept) {
        ctx.out.say(format_args!("  = {path} (was there, left as it is)"));
    }
    if let Some(path) = is_new {
        ctx.out.say(format_args!(
            "made your private key {}; keep a copy of it where only you can read it",
            shown(&path)
        ));
    }
    ctx.out.say(format_args!("its only reader is {reader}, {key}"));
    let git = git::set_up(args, workspace.root(), ctx)?;
    if ctx.out.json && from.is_empty() {
        ctx.out.object(&serde_json::json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "workspace": name.as_str(),
            "id": id.as_str(),
            "dir": workspace.root().display().to_string(),
            "reader": reader.as_str(),
            "public": key.as_str(),
            "made": paths(&new),
            "kept": paths(&kept),
            "git": matches!(git, git::Outcome::SetUp { .. }),
        }));
    }
    git::said(git, ctx);
    if !from.is_empty() {
        git::next_steps(git, kept.iter().any(|(path, _)| path == ".gitattributes"), args, ctx);
        return add(&workspace, &from, None, &args.project, ctx).map_err(|problems| {
            problems.map(|problem| {
                problem.hint("the workspace is made; to go on in it: pillarbox compose add FILE")
            })
        });
    }
    next_steps(&dir, ctx);
    git::next_steps(git, kept.iter().any(|(path, _)| path == ".gitattributes"), args, ctx);
    Ok(Exit::Done)
}

/// A Compose file that is in the folder of the new workspace, absolute.
fn file_of_a_project(path: &Path, dir: &Path, ctx: &Context) -> Result<PathBuf> {
    let shown = escaped(&path.display().to_string());
    let full = ctx.session.absolute(path);
    let real = full
        .canonicalize()
        .map_err(|error| Problem::failed(format!("{shown} cannot be read")).because(&error))?;
    let folder = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    if real.starts_with(&folder) {
        return Ok(real);
    }
    Err(Problem::failed(format!("{shown} is not in {}", escaped(&dir.display().to_string())))
        .cause("only files of the workspace are deployed")
        .hint(
            "make the workspace in the folder of the file: cd there, and pillarbox init --from compose.yaml",
        )
        .into())
}

fn free_of_a_workspace(dir: &Path) -> Result<()> {
    for path in [inventory::FILE.to_owned(), BoxFolder::top().file()] {
        if dir.join(&path).symlink_metadata().is_ok() {
            return Err(Problem::failed(format!("{} is already a workspace", shown(dir)))
                .cause(format!("{path} is there"))
                .hint("to add another reader: pillarbox reader add NAME KEY")
                .into());
        }
    }
    Ok(())
}

/// Anyone who can write to a workspace can change its hosts, its readers and what is deployed.
fn free_of_others(dir: &Path) -> Result<()> {
    let Some(why) = crate::store::changed_by_others(&dir.canonicalize().unwrap_or_else(|_| dir.to_owned()))
    else {
        return Ok(());
    };
    Err(Problem::failed(format!("{} is not a safe place for a workspace", shown(dir)))
        .cause(why)
        .hint("make it in a folder that only you, or your team, can write: pillarbox init ~/shop")
        .into())
}

/// Two of one name are told apart by their ids alone, and people go by names.
fn free_name(known: &KnownFile, name: &WorkspaceName) -> Result<()> {
    if known.look(|known| known.workspaces().all(|known| known.name != *name)) {
        return Ok(());
    }
    Err(Problem::failed(format!("a workspace named {name} is known on this machine"))
        .cause("two of one name are told apart by their ids alone, in every label and message")
        .hint("choose another name: pillarbox init --name NAME")
        .hint(format!("if the other one is gone: pillarbox known forget --workspace {name}"))
        .into())
}

/// The public half of the identity at hand, or of a new one, with its file.
fn own_key(dir: &Path, ctx: &Context) -> Result<(Recipient, Option<PathBuf>)> {
    if ctx.global.no_identity {
        return Err(Problem::usage("a workspace needs a reader, and so your public key")
            .hint("leave --no-identity out")
            .into());
    }
    if let Some((_, own)) = identity::first_public(ctx)? {
        return Ok((own, None));
    }
    let path = identity::default_path(ctx)?;
    if path.starts_with(dir) {
        return Err(Problem::failed("a private key must not be in a workspace")
            .cause(format!("{} would be in {}", shown(&path), shown(dir)))
            .hint("make the workspace in a folder of its own: pillarbox init shop")
            .into());
    }
    let identity = identity::make(&path)?;
    Ok((identity.recipient().clone(), Some(path)))
}

/// A key that lies under this name already must be the same.
fn own_name(dir: &Path, reader: &ReaderName, key: &Recipient) -> Result<()> {
    let path = KeyFiles::path(reader);
    let full = dir.join(&path);
    if full.symlink_metadata().is_err() {
        return Ok(());
    }
    if Recipient::parse_file(&crate::store::read_text(&full)?, &path)? == *key {
        return Ok(());
    }
    Err(Problem::failed(format!("{path} holds another key than yours"))
        .cause(format!("yours: {key}"))
        .hint("move it away, or make the workspace in another folder")
        .into())
}

fn folder_name(dir: &Path) -> String {
    let real = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    real.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn next_steps(dir: &Path, ctx: &Context) {
    let usual = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
    if let Some(file) = usual.iter().find(|file| dir.join(file).is_file()) {
        ctx.out.say(format_args!("there is a {file}: pillarbox compose add {file} takes its project in"));
    }
    ctx.out.say("next:");
    if *dir != ctx.session.env.cwd {
        let near = dir.strip_prefix(&ctx.session.env.cwd).unwrap_or(dir).display().to_string();
        let plain = near.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/".contains(&b));
        ctx.out.say(format_args!("  cd {}", if plain { near } else { quoted(&near) }));
    }
    ctx.out.say("  pillarbox registry add registry.example.com -u USER   (asks for the password)");
    ctx.out
        .say("  edit pillarbox.toml (which hosts), pillar/apps.toml (which image), states/nginx.toml (how)");
    ctx.out.say("  pillarbox gate set nginx 1.0.0   (asks the registry for that version)");
    ctx.out.say("  pillarbox plan");
}

fn shown(path: &Path) -> String {
    escaped(&path.display().to_string())
}
