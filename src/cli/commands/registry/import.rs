//! `pillarbox registry import [FILE]`.

mod plan;
mod preview;
mod remove;
mod sops;
mod source;
mod write;

use crate::cli::{Context, Exit};
use crate::import;
use crate::problem::{Problem, Problems, Result, escaped};
use crate::session::Vault;
use crate::store::Workspace;
use plan::{ImportPlan, ImportRow};
use remove::Expected;
use source::{Input, Origin};
use std::path::PathBuf;

/// Import credentials from docker, podman, Kubernetes, Salt or a CI system into the pillar
#[derive(clap::Args, Debug)]
#[command(after_help = "\
FILE is docker's config.json, podman's auth.json, a .dockercfg, a Secret of Kubernetes, a pillar of Salt with
`docker-registries`, or a file of variables (`DOCKER_AUTH_CONFIG`, or a registry, user and password); which of
them is told by its content. Helpers that it names (`credsStore`, `credHelpers`) are asked. A helper whose
tokens last for hours, as that of Amazon ECR, is imported as `helper = \"NAME\"`. A file that is encrypted with
SOPS is decrypted by sops.

What would be done is shown, and asked about on a terminal. Nothing is printed in clear, and the file
stays as it is. Entries that cannot be imported are listed; the others are imported, and the command ends
with 1.

Examples:
  pillarbox registry import
  pillarbox registry import /srv/pillar/docker.sls --in prod/registries
  kubectl get secret regcred -o yaml | pillarbox registry import - -y
  salt-call --out=yaml pillar.items | pillarbox registry import - -y")]
pub(super) struct RegistryImportArgs {
    /// The file; `-` is standard input [default: docker's config.json]
    file: Option<PathBuf>,
    /// What the file is: docker, podman, dockercfg, kubernetes, env or salt [default: told by its content]
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    format: Option<Format>,
    /// Put all of them into this file below pillar/ [default: registries/HOST, or where an entry is]
    #[arg(long = "in", value_name = "FILE")]
    into: Option<String>,
    /// Only this registry; may be given several times
    #[arg(long, value_name = "HOST[/PREFIX]")]
    only: Vec<String>,
    /// End with 0 even if entries are left out
    #[arg(long)]
    skip_bad: bool,
    /// Afterwards, remove what is now in the pillar from the `auths` of the file
    #[arg(long)]
    remove_from_source: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Docker,
    Podman,
    Dockercfg,
    Kubernetes,
    Env,
    Salt,
}

impl From<Format> for import::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Docker => Self::Docker,
            Format::Podman => Self::Podman,
            Format::Dockercfg => Self::Dockercfg,
            Format::Kubernetes => Self::Kubernetes,
            Format::Env => Self::Env,
            Format::Salt => Self::Salt,
        }
    }
}

pub(super) fn run(args: &RegistryImportArgs, ctx: &Context) -> Result<Exit> {
    let into = super::named(args.into.as_deref())?;
    let only = args.only.iter().map(|typed| super::scope(typed)).collect::<Result<Vec<_>>>()?;
    let origin = Origin::of(args.file.as_deref(), ctx)?;
    let kept = || Problem::usage("only a file of docker or podman can have entries taken out");
    if args.remove_from_source && matches!(origin, Origin::Stdin) {
        return Err(kept().into());
    }
    let input = Input::read(ctx, &origin, args.format.map(Into::into))?;
    let removable = match (args.remove_from_source, input.removable()) {
        (true, None) => return Err(kept().into()),
        (true, entries) => entries,
        (false, _) => None,
    };
    let source = source::read(ctx, &input, &origin, &only)?;
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    let ImportPlan { rows, left_out, notes } = ImportPlan::of(&vault, &source, into.as_deref())?;
    if rows.is_empty() && !args.skip_bad {
        notes.iter().for_each(|note| ctx.out.say(format_args!("note: {note}")));
        Problems::check(left_out.clone())?;
    }
    preview::show(ctx, &rows, &left_out, &notes);
    if rows.is_empty() {
        ctx.out.say("there is nothing to import");
        return Ok(Exit::Done);
    }
    let expected = take(args, ctx, vault, &rows)?;
    let wanted = rows.iter().filter(|row| row.is_written()).count();
    let count =
        |count: usize, what: &str| if count > 0 { format!("; {count} {what}") } else { String::new() };
    ctx.out.say(format_args!(
        "imported {wanted} {}{}{}",
        plural(wanted, "credential", "credentials"),
        count(rows.len() - wanted, "stood in it already"),
        count(left_out.len(), "left out"),
    ));
    if let Some(entries) = removable {
        taken_out(ctx, &workspace, (&origin, entries), &rows, &expected)?;
    }
    if left_out.is_empty() || args.skip_bad {
        return Ok(Exit::Done);
    }
    ctx.out.say("it ends with 1 because of what was left out; to end with 0: --skip-bad");
    Ok(Exit::Failed)
}

/// Asks, and writes what is not there yet.
fn take(
    args: &RegistryImportArgs,
    ctx: &Context,
    mut vault: Vault<'_>,
    rows: &[ImportRow<'_>],
) -> Result<Expected> {
    let wanted = rows.iter().filter(|row| row.is_written()).count();
    if wanted == 0 {
        return Ok(Expected::of(&vault, rows));
    }
    if !args.yes {
        ctx.console.confirm(&format!(
            "Import {wanted} {} into the pillar?",
            plural(wanted, "credential", "credentials")
        ))?;
    }
    vault.lock()?;
    write::write(&mut vault, rows)?;
    let unreached = write::unreached(&vault, rows);
    let expected = Expected::of(&vault, rows);
    vault.commit()?;
    for file in unreached {
        ctx.out.warn(format_args!(
            "no host gets pillar/{0}: name it under `pillar` of a group or host in pillarbox.toml, say \"{1}\"",
            escaped(&file),
            escaped(file.strip_suffix(".toml").unwrap_or(&file))
        ));
    }
    Ok(expected)
}

fn taken_out(
    ctx: &Context,
    workspace: &Workspace,
    from: (&Origin, crate::docker_config::Entries),
    rows: &[ImportRow<'_>],
    expected: &Expected,
) -> Result<()> {
    let removed = remove::remove(ctx, workspace, from, rows, expected)?;
    ctx.out.say(format_args!(
        "took {removed} {} out of {}",
        plural(removed, "entry", "entries"),
        from.0.shown(ctx)
    ));
    Ok(())
}

fn plural<'w>(count: usize, one: &'w str, more: &'w str) -> &'w str {
    if count == 1 { one } else { more }
}
