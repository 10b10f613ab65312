//! `pillarbox compose add`: a Compose project into the workspace, with the variables of its `.env`.

mod draft;
mod preview;
mod variables;

use super::super::written;
use crate::cli::{Context, Exit};
use crate::inventory::FILE;
use crate::problem::{Problem, Problems, Result, escaped};
use crate::session::{Vault, declared};
use crate::store::Workspace;
use draft::Draft;
use std::path::PathBuf;

/// Add a Compose project to the workspace, with the variables of its .env; secrets are sealed
#[derive(clap::Args, Debug)]
#[command(after_help = "\
The files stay where they are, in the workspace, and go on to work with docker compose. What would be written is
shown, and asked about on a terminal: [compose.NAME] in pillarbox.toml, and the variables that the files refer to
in pillar/NAME.toml. Nothing that is there is overwritten, and .env stays as it is. Variables whose names or values
look like secrets are sealed. If something is missing before a plan can be made, it is said, and the command ends with 1.

Examples:
  pillarbox compose add compose.yaml --host vm1=ssh://deploy@vm1
  pillarbox compose add compose.yaml compose.prod.yaml --group web --profile prod
  pillarbox compose add compose.yaml --env prod.env --seal LICENCE --clear PUBLIC_TOKEN -y")]
pub(super) struct ComposeAddArgs {
    /// Compose files of the workspace, later ones over earlier ones [default: compose.yaml, or another usual name]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The name of the project, as `docker compose ls` shows it [default: as Compose calls it]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    options: AddOptions,
}

/// What is said of a project that is added.
#[derive(clap::Args, Clone, Debug, Default)]
pub(in crate::cli) struct AddOptions {
    /// A host that gets it, with the address of its Engine if it is a new one; may be given several times
    #[arg(long, value_name = "HOST[=ENGINE]")]
    host: Vec<String>,
    /// A group that gets it; may be given several times
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,
    /// A file of variables, later ones over earlier ones [default: .env beside the first file, if it is there]
    #[arg(long, value_name = "FILE")]
    env: Vec<PathBuf>,
    /// A profile that is on; may be given several times
    #[arg(long, value_name = "PROFILE")]
    profile: Vec<String>,
    /// Where the folder of the files lies on the hosts [default: what running containers say]
    #[arg(id = "folder", long = "dir", value_name = "FOLDER")]
    dir: Option<String>,
    /// Seal this variable, whatever it is called; may be given several times
    #[arg(long, value_name = "VARIABLE")]
    seal: Vec<String>,
    /// Leave this variable in clear, whatever it is called; may be given several times
    #[arg(long, value_name = "VARIABLE")]
    clear: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

impl AddOptions {
    /// Whether anything is said.
    pub(in crate::cli) fn is_any(&self) -> bool {
        let lists = [&self.host, &self.group, &self.profile, &self.seal, &self.clear];
        lists.iter().any(|list| !list.is_empty()) || !self.env.is_empty() || self.dir.is_some() || self.yes
    }
}

pub(super) fn run(args: &ComposeAddArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    add(&workspace, &args.files, args.name.as_deref(), &args.options, ctx)
}

/// Adds a project: all of it or nothing.
///
/// # Errors
/// Where files cannot be read, names do not fit, or something that is there says otherwise.
pub(in crate::cli) fn add(
    workspace: &Workspace,
    files: &[PathBuf],
    name: Option<&str>,
    options: &AddOptions,
    ctx: &Context,
) -> Result<Exit> {
    let mut vault = Vault::load(&ctx.session, workspace)?;
    let draft = Draft::of(&vault, files, name, options, ctx)?;
    preview::show(&draft, ctx);
    if !draft.is_changed() {
        ctx.out.say("all of it is there already");
    } else {
        if !options.yes {
            ctx.console.confirm(&preview::question(&draft))?;
        }
        written::lock_unchanged(&mut vault, &draft.before)?;
        vault.put(FILE, draft.inventory.as_str());
        if let Some(document) = &draft.document {
            vault.put_document(document.clone());
        }
        vault.commit()?;
        ctx.out.say(format_args!("added the project {}", draft.name));
    }
    preview::afterwards(&draft, ctx);
    let lacking = lacking(workspace, &draft, ctx)?;
    if lacking.is_empty() {
        preview::next(&draft, ctx);
        return Ok(Exit::Done);
    }
    written::problems("before a plan can be made:", &lacking, ctx);
    Ok(Exit::Failed)
}

/// What is wrong with what is now written for the hosts of the project.
fn lacking(workspace: &Workspace, draft: &Draft, ctx: &Context) -> Result<Vec<Problem>> {
    let workspace = Workspace::open(workspace.root())?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    let inventory = vault.inventory();
    let has = |host: &&crate::inventory::Host| {
        inventory.compose_of(host).iter().any(|project| project.name == draft.name)
    };
    let hosts: Vec<String> = inventory.hosts.values().filter(has).map(|host| host.name.to_string()).collect();
    if hosts.is_empty() {
        return Ok(draft.look.problems.clone());
    }
    Ok(match declared(&vault, &hosts) {
        Ok(_) => Vec::new(),
        Err(problems) => Problems::into_vec(problems),
    })
}

/// A path that a person gave, in the workspace.
fn within(workspace: &Workspace, path: &std::path::Path, ctx: &Context) -> Result<String> {
    let full = ctx.session.absolute(path);
    let shown = escaped(&path.display().to_string());
    let real = full
        .canonicalize()
        .map_err(|error| Problem::failed(format!("{shown} cannot be read")).because(&error))?;
    let outside = || {
        Problem::failed(format!("{shown} is not in the workspace"))
            .cause(format!("the workspace is {}", escaped(&workspace.root().display().to_string())))
            .hint("only files of the workspace are deployed: move it there, with the files that it names")
    };
    let inner = real.strip_prefix(workspace.root()).map_err(|_| outside())?;
    let text = inner.to_str().ok_or_else(outside)?;
    if !real.is_file() {
        return Err(Problem::failed(format!("{shown} is no file")).into());
    }
    Ok(text.to_owned())
}
