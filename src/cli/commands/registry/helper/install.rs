//! `pillarbox registry helper install`.

use super::files::{Client, File, Files, home_shown, registries};
use super::workspace::{self, Named};
use crate::cli::{Context, Exit};
use crate::credential::PROGRAM;
use crate::docker_config::{
    Edit, HELPER, Replaced, Splice, Stored, Want, Wired, apply, helpers, read_auths, wire,
};
use crate::name::RegistryHost;
use crate::problem::{Problem, Problems, Result, escaped, quoted};
use crate::process;
use crate::registry::Scope;
use crate::session::Vault;
use crate::store;
use std::collections::BTreeMap;
use std::path::Path;

/// Write `credHelpers` for the registries of the pillar into docker's and podman's configuration
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Everything else in the files stays as it is, and `registry helper remove` takes exactly this back. Run it
again when the pillar has a new registry.

docker and podman choose a helper by host alone: entries for HOST/PREFIX are used by `pillarbox apply`,
not by them.")]
pub(super) struct RegistryHelperInstallArgs {
    #[command(flatten)]
    files: Files,
    /// For docker: ask pillarbox about every registry (`credsStore`); podman has no such setting there
    #[arg(long)]
    store: bool,
    /// Take the place of other helpers, and of another workspace in config.toml
    #[arg(long)]
    replace: bool,
    /// Show what would be written
    #[arg(long)]
    dry_run: bool,
}

/// A change to be written.
struct Change<'f> {
    file: &'f File,
    after: String,
    splices: Vec<Splice>,
    replaced: Replaced,
    /// What names us now and did not before, as the client calls it.
    new: Vec<String>,
}

pub(super) fn run(args: &RegistryHelperInstallArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    let all = registries(&vault);
    if all.is_empty() && !args.store {
        return Err(Problem::failed("the pillar has no credential of a registry")
            .hint("add one: pillarbox registry add HOST -u USER")
            .hint("to ask pillarbox about every registry: pillarbox registry helper install --store")
            .into());
    }
    let paths = ctx.session.paths()?;
    let _held = store::hold(&paths.wired)?;
    let memory = home_shown(ctx, &paths.wired);
    let mut wired = Wired::parse(store::read_private(&paths.wired)?.as_deref(), &memory)?;

    let files = args.files.read(ctx)?;
    let (mut changes, mut problems) = (Vec::new(), Vec::new());
    for file in &files {
        match change(args, file, &all) {
            Ok(change) => changes.push(change),
            Err(found) => problems.extend(found.into_vec()),
        }
    }
    let config = config(ctx, &paths.config, workspace.root(), args.replace);
    let config = config.map_err(|found| problems.extend(found.into_vec())).ok();
    Problems::check(problems)?;
    let Some((config_file, config_change)) = config else { return Ok(Exit::Failed) };

    show(args, ctx, &changes);
    match &config_change {
        Named::Write(_) => say(
            args,
            ctx,
            format!("{}: workspace {}", config_file.shown, escaped(&workspace.root().display().to_string())),
        ),
        Named::This => {}
        Named::Other(other) => ctx.out.warn(format_args!(
            "{} names another workspace, {}: docker and podman get their credentials from that one; to name this one: \
             pillarbox -C {} registry helper install --replace",
            config_file.shown,
            escaped(&other.display().to_string()),
            quoted(&workspace.root().display().to_string())
        )),
    }
    if let Named::Write(splices) = config_change {
        let after = apply(config_file.text.as_deref().unwrap_or_default(), &splices);
        let after = after.ok_or_else(|| Problem::failed("config.toml was changed meanwhile"))?;
        changes.push(Change {
            file: &config_file,
            after,
            splices,
            replaced: Replaced::default(),
            new: Vec::new(),
        });
    }
    changes.retain(|change| !change.splices.is_empty());
    if !args.dry_run {
        write(&mut wired, &paths.wired, changes)?;
    }
    notes(ctx, &files, &all);
    Ok(Exit::Done)
}

/// What has to change in a client's file.
fn change<'f>(
    args: &RegistryHelperInstallArgs,
    file: &'f File,
    all: &BTreeMap<RegistryHost, Vec<Scope>>,
) -> Result<Change<'f>> {
    let text = file.text.as_deref().unwrap_or_default();
    let names: Vec<String> = all.keys().map(|host| file.client.name_of(host)).collect();
    let want = match (args.store, file.client) {
        (true, Client::Docker) => Want::Store,
        _ => Want::Hosts(&names),
    };
    let before = helpers(text, &file.shown)?;
    let (splices, replaced) = wire(text, &file.shown, want, args.replace)?;
    let after = apply(text, &splices).ok_or_else(|| Problem::failed("the file was changed meanwhile"))?;
    let new = match want {
        Want::Store if before.store.as_deref() == Some(HELPER) => Vec::new(),
        Want::Store => vec!["every registry".to_owned()],
        Want::Hosts(names) => {
            let ours = |name: &&String| before.by_host.get(*name).map(String::as_str) != Some(HELPER);
            names.iter().filter(ours).cloned().collect()
        }
    };
    Ok(Change { file, after, splices, replaced, new })
}

/// `config.toml` as it stands, and what becomes of it.
fn config(ctx: &Context, path: &Path, root: &Path, replace: bool) -> Result<(File, Named)> {
    let config = ctx.session.config()?;
    let text = store::read_private(path)?;
    let named = workspace::name(text.as_deref(), config.workspace, root, replace)?;
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned()).display().to_string();
    let shown = home_shown(ctx, path);
    Ok((File { client: Client::Docker, shown, path: path.to_owned(), real, text }, named))
}

/// Writes what is remembered first: what stands in a file and is not remembered could not be taken back.
fn write(wired: &mut Wired, memory: &Path, changes: Vec<Change<'_>>) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut texts = Vec::new();
    for Change { file, after, splices, replaced, .. } in changes {
        wired.remember(&file.real, file.text.is_none(), Edit::new(&after, splices, replaced));
        texts.push((&file.path, after));
    }
    store::write_private(memory, wired.text().unwrap_or_default().as_bytes())?;
    let written = texts.iter().map(|(path, text)| store::write_alike(path, text.as_bytes()));
    Problems::check(written.filter_map(Result::err).flat_map(Problems::into_vec).collect())
}

fn show(args: &RegistryHelperInstallArgs, ctx: &Context, changes: &[Change<'_>]) {
    for Change { file, replaced, new, .. } in changes {
        let shown = &file.shown;
        if new.is_empty() {
            say(args, ctx, format!("{shown}: asks pillarbox already"));
        }
        for name in new {
            let old = replaced.by_host.get(name).or(replaced.store.as_ref());
            let old = old.map(|old| format!(" (instead of {})", escaped(old))).unwrap_or_default();
            say(args, ctx, format!("{shown}: {} → {PROGRAM}{old}", escaped(name)));
        }
    }
}

/// What was done is said; what would be done is data.
fn say(args: &RegistryHelperInstallArgs, ctx: &Context, line: String) {
    if args.dry_run {
        ctx.out.data(line);
    } else {
        ctx.out.say(line);
    }
}

/// What stands in the way of it working.
fn notes(ctx: &Context, files: &[File], all: &BTreeMap<RegistryHost, Vec<Scope>>) {
    let in_path = ctx.session.env.search_path.as_ref().and_then(|path| process::find_in(path, PROGRAM));
    if in_path.is_none() {
        ctx.out.warn(format_args!("{PROGRAM} is not in PATH, so nobody can ask it: {}", how_to_find(ctx)));
    }
    for (host, scopes) in all {
        let parts: Vec<String> =
            scopes.iter().map(Scope::to_string).filter(|scope| scope != host.as_str()).collect();
        if parts.is_empty() {
            continue;
        }
        let what = match parts.len() == scopes.len() {
            true => format!(
                "and find nothing; add one for all of it: pillarbox registry add {} -u USER",
                quoted(host.as_str())
            ),
            false => format!("and get that of {host}"),
        };
        ctx.out
            .say(format_args!("note: for {} docker and podman ask by host alone, {what}", parts.join(", ")));
    }
    for file in files {
        let auths = file.text.as_deref().and_then(|text| read_auths(text, &file.shown).ok());
        for auth in auths.into_iter().flatten() {
            let host = Scope::parse(&auth.key).ok().map(|scope| scope.host().clone());
            if matches!(auth.stored, Ok(Stored::Nothing)) || !host.is_some_and(|host| all.contains_key(&host))
            {
                continue;
            }
            ctx.out.warn(format_args!(
                "{}: a credential for {} still lies there in clear; to take it into the pillar and out of the file: \
                 pillarbox registry import {} --only {} --remove-from-source",
                auth.place,
                escaped(&auth.key),
                quoted(&file.path.display().to_string()),
                quoted(&auth.key)
            ));
        }
    }
}

/// The command that puts the helper into `PATH`.
pub(in crate::cli) fn how_to_find(ctx: &Context) -> String {
    let beside = ctx.session.env.program.as_ref().map(|program| program.with_file_name(PROGRAM));
    let beside = beside
        .filter(|program| program.is_file())
        .map_or_else(|| format!("PATH/TO/{PROGRAM}"), |program| quoted(&program.display().to_string()));
    format!("sudo ln -sf {beside} /usr/local/bin/")
}
