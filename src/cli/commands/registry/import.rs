//! `pillarbox registry import [FILE]`.

mod plan;
mod source;
mod write;

use crate::cli::{Context, Exit};
use crate::problem::{Problem, Problems, Result, escaped};
use crate::session::Vault;
use plan::{Does, ImportRow};
use source::Origin;
use std::path::PathBuf;

/// Take credentials over from docker, podman or Salt into the pillar
#[derive(clap::Args, Debug)]
#[command(after_help = "\
FILE is docker's config.json, podman's auth.json, or a pillar of Salt with `docker-registries`; which of
them is told by its content. Helpers that it names (`credsStore`, `credHelpers`) are asked. A helper whose
tokens last for hours, as that of Amazon ECR, is imported as `helper = \"NAME\"`.

What would be done is shown, and asked about on a terminal. Nothing is printed in clear, and the file
stays as it is.

Examples:
  pillarbox registry import
  pillarbox registry import /srv/pillar/docker.sls --in prod/registries
  salt-call --out=yaml pillar.items | pillarbox registry import - -y")]
pub(super) struct RegistryImportArgs {
    /// The file; `-` is standard input [default: docker's config.json]
    file: Option<PathBuf>,
    /// What the file is: docker, podman or salt [default: told by its content]
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    format: Option<Format>,
    /// Put all of them into this file below pillar/ [default: registries/HOST, or where an entry is]
    #[arg(long = "in", value_name = "FILE")]
    into: Option<String>,
    /// Only this registry; may be given several times
    #[arg(long, value_name = "HOST[/PREFIX]")]
    only: Vec<String>,
    /// Import the sound entries although others are not
    #[arg(long)]
    skip_bad: bool,
    /// Afterwards, take what is in the pillar out of the `auths` of the file
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
    Salt,
}

pub(super) fn run(args: &RegistryImportArgs, ctx: &Context) -> Result<Exit> {
    let into = super::named(args.into.as_deref())?;
    let only = args.only.iter().map(|typed| super::scope(typed)).collect::<Result<Vec<_>>>()?;
    let origin = Origin::of(args.file.as_deref(), ctx)?;
    if args.remove_from_source && (matches!(origin, Origin::Stdin) || args.format == Some(Format::Salt)) {
        return Err(Problem::usage("only a file of docker or podman can have entries taken out").into());
    }
    let text = origin.read(ctx)?;
    let source = source::read(ctx, &text, &origin.shown(ctx), args.format, &only)?;
    let bad = source.bad().to_vec();
    let workspace = ctx.session.workspace()?;
    let mut vault = Vault::load(&ctx.session, &workspace)?;
    let rows = plan::rows(&vault, &source, into.as_deref())?;
    show(ctx, &rows);
    if args.skip_bad {
        for problem in &bad {
            ctx.out.warn(format_args!("left out: {problem}"));
        }
    } else {
        Problems::check(bad).map_err(|problems| {
            let last = problems.iter().count() - 1;
            let mut at = 0..;
            problems.map(|problem| match at.next() {
                Some(index) if index == last => {
                    problem.hint("nothing was imported; to import the others: add --skip-bad")
                }
                _ => problem,
            })
        })?;
    }
    let wanted = rows.iter().filter(|row| row.does != Does::Same).count();
    if rows.is_empty() {
        ctx.out.say("there is nothing to import");
        return Ok(Exit::Done);
    }
    if wanted > 0 {
        if !args.yes {
            ctx.console.confirm(&format!(
                "Import {wanted} {} into the pillar?",
                plural(wanted, "credential", "credentials")
            ))?;
        }
        vault.lock()?;
        write::write(&mut vault, &rows)?;
        let unreached = write::unreached(&vault, &rows);
        vault.commit()?;
        for file in unreached {
            ctx.out.warn(format_args!(
                "no host gets pillar/{0}: name it under `pillar` of a group or host in pillarbox.toml, say \"{1}\"",
                escaped(&file),
                escaped(file.strip_suffix(".toml").unwrap_or(&file))
            ));
        }
    }
    let same = rows.len() - wanted;
    let already = if same > 0 { format!("; {same} stood in it already") } else { String::new() };
    ctx.out.say(format_args!("imported {wanted} {}{already}", plural(wanted, "credential", "credentials")));
    if args.remove_from_source {
        let removed = source::remove(&origin, &rows, ctx)?;
        ctx.out.say(format_args!(
            "took {removed} {} out of {}",
            plural(removed, "entry", "entries"),
            origin.shown(ctx)
        ));
    }
    Ok(Exit::Done)
}

fn plural<'w>(count: usize, one: &'w str, more: &'w str) -> &'w str {
    if count == 1 { one } else { more }
}

fn show(ctx: &Context, rows: &[ImportRow<'_>]) {
    if ctx.out.json {
        let one = |row: &ImportRow<'_>| {
            serde_json::json!({
                "registry": row.scope.to_string(),
                "username": row.user(),
                "kind": row.kind(),
                "from": row.item.place.to_string(),
                "file": format!("pillar/{}", row.origin.file),
                "does": row.does.word(),
            })
        };
        ctx.out.object(&serde_json::json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "registries": rows.iter().map(one).collect::<Vec<_>>(),
        }));
        return;
    }
    let cells: Vec<[String; 5]> = rows
        .iter()
        .map(|row| {
            let user = row.user().map(escaped).unwrap_or_default();
            let to = format!("pillar/{}", escaped(&row.origin.file));
            [row.scope.to_string(), user, row.kind(), row.does.to_string(), to]
        })
        .collect();
    let wide = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let [a, b, c, d] = [wide(0), wide(1), wide(2), wide(3)];
    for [scope, user, kind, does, to] in &cells {
        ctx.out.data(format_args!("{scope:a$}  {user:b$}  {kind:c$}  {does:d$}  {to}"));
    }
}

impl Format {
    fn of(self) -> crate::import::Format {
        match self {
            Self::Docker | Self::Podman => crate::import::Format::Clients,
            Self::Salt => crate::import::Format::Salt,
        }
    }
}
