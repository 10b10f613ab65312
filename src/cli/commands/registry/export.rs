//! `pillarbox registry export`: credentials in the formats of other tools.

mod choose;

use super::scope;
use crate::cli::clear_file::ClearFile;
use crate::cli::{Context, Exit, Selection};
use crate::docker_config::{Put, helpers};
use crate::export::{Exported, Format, Manifest, check_name, check_namespace};
use crate::problem::{Code, Problem, Problems, Result, escaped};
use crate::registry::{Entry, How};
use crate::session::Vault;
use choose::Only;
use serde_json::json;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Write credentials out for docker, podman, Kubernetes or as variables: in clear text
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Without --to it goes to standard output, and to a terminal only with --show. docker and podman: a \
                        file that is there keeps everything else in it. What a format cannot carry is left out and \
                        said.\n\nExamples:\n  \
                        pillarbox registry export --format docker --to ~/.docker/config.json\n  \
                        pillarbox registry export --format kubernetes --namespace prod | kubectl apply -f -\n  \
                        pillarbox registry export --format podman --registry ghcr.io/acme --to auth.json"
)]
pub(super) struct RegistryExportArgs {
    /// Whom it is for
    #[arg(long, value_name = "FORMAT")]
    format: FormatArg,
    /// Only the entries of this registry, or below this prefix; may be given several times
    #[arg(long, value_name = "HOST[/PREFIX]")]
    registry: Vec<String>,
    /// Write this file, 0600, instead of standard output
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long, requires = "to")]
    force: bool,
    /// Print secrets on a terminal
    #[arg(long, conflicts_with = "to")]
    show: bool,
    /// Name of the Kubernetes Secret
    #[arg(long, value_name = "NAME", default_value = "registry-credentials")]
    name: String,
    /// Namespace of the Kubernetes Secret
    #[arg(long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Only the entries of this pillar file
    #[arg(long = "in", value_name = "FILE", conflicts_with = "host")]
    file: Option<String>,
    #[command(flatten)]
    selection: Selection,
}

/// What it can be written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum FormatArg {
    /// docker's config.json: docker, Compose, buildx, crane, Kaniko, GitLab's DOCKER_AUTH_CONFIG
    Docker,
    /// auth.json: podman, skopeo, buildah, oras
    Podman,
    /// A Secret of type kubernetes.io/dockerconfigjson
    Kubernetes,
    /// Variables for sh and .env files
    Env,
}

/// An entry that is not in the result.
struct LeftOut {
    registry: String,
    why: String,
}

pub(super) fn run(args: &RegistryExportArgs, ctx: &Context) -> Result<Exit> {
    let format = format(args)?;
    let registries = args.registry.iter().map(|typed| scope(typed)).collect::<Result<Vec<_>>>()?;
    let file = super::named(args.file.as_deref())?;
    if args.to.is_none() && ctx.terminal.stdout && !args.show {
        return Err(Problem::usage("this prints secrets, and standard output is a terminal")
            .hint("write a file that only you can read: --to FILE")
            .hint("or print them all the same: --show")
            .into());
    }
    let workspace = ctx.session.workspace()?;
    let place = args.to.as_ref().map(|to| ClearFile::of(ctx, to, workspace.root())).transpose()?;
    let old = match &place {
        Some(place) => old(place, &format, args.force)?,
        None => None,
    };
    let vault = Vault::load(&ctx.session, &workspace)?;
    let hosts = args.selection.chosen(ctx, &vault)?.terms;
    let only = Only { registries: &registries, file: file.as_deref(), hosts: &hosts };
    let entries = choose::entries(&vault, &only)?;
    let (exported, left_out) = open(&vault, &entries, &format, !registries.is_empty())?;
    let shown = place.as_ref().map_or("standard output", |place| place.shown());
    let put = format.write(&exported, old.as_deref().map_or("", String::as_str), shown)?;
    for LeftOut { registry, why } in &left_out {
        ctx.out.warn(format_args!("{registry} is left out: {why}"));
    }
    if let Some(place) = &place {
        place.write(&put.text)?;
        hidden(ctx, &format, &put, &exported, shown)?;
    }
    report(ctx, &format, &exported, &left_out, &put, place.as_ref());
    Ok(Exit::Done)
}

/// The text that stays where the format adds to a file.
fn old(place: &ClearFile, format: &Format, force: bool) -> Result<Option<Zeroizing<String>>> {
    let Some(old) = place.read()? else { return Ok(None) };
    match (format.merges(), force) {
        (_, true) => Ok(None),
        (true, false) => Ok(Some(old)),
        (false, false) => Err(Problem::failed(format!("{} is there already", place.shown()))
            .cause("it would be replaced wholly")
            .hint("choose another file, or replace it: --force")
            .into()),
    }
}

fn format(args: &RegistryExportArgs) -> Result<Format> {
    Ok(match args.format {
        FormatArg::Docker => Format::Docker,
        FormatArg::Podman => Format::Podman,
        FormatArg::Env => Format::Env,
        FormatArg::Kubernetes => {
            check_name(&args.name)?;
            args.namespace.as_deref().map(check_namespace).transpose()?;
            Format::Kubernetes(Manifest { name: args.name.clone(), namespace: args.namespace.clone() })
        }
    })
}

/// Opens what the format can carry. What no identity here opens is left out, unless it was named.
fn open<'e>(
    vault: &Vault<'_>,
    entries: &'e [Entry],
    format: &Format,
    is_named: bool,
) -> Result<(Vec<Exported<'e>>, Vec<LeftOut>)> {
    let (mut exported, mut left_out, mut closed) = (Vec::new(), Vec::new(), Vec::new());
    let out = |entry: &Entry, why: String| LeftOut { registry: entry.scope.to_string(), why };
    let carried: Vec<&Entry> = entries
        .iter()
        .filter(|entry| match format.leaves_out(entry) {
            Some(why) => {
                left_out.push(out(entry, why.to_owned()));
                false
            }
            None => true,
        })
        .collect();
    let sealed: Vec<_> = carried.iter().filter_map(|entry| entry.sealed()).collect();
    let mut opened = vault.open_all(&sealed).into_iter();
    let mut wrong = Vec::new();
    for entry in carried {
        match entry.sealed().and_then(|_| opened.next()).transpose() {
            Ok(opened) => exported.push(Exported { entry, secret: opened.map(|opened| opened.secret) }),
            Err(problems) if problems.code() == Code::NoIdentity && !is_named => {
                left_out.push(out(entry, "no identity here opens it".to_owned()));
                closed.extend(problems.into_vec());
            }
            Err(problems) => wrong.extend(problems.into_vec()),
        }
    }
    closed.dedup();
    wrong.dedup();
    Problems::check(wrong)?;
    if exported.is_empty() {
        Problems::check(closed)?;
        let mut problem = Problem::failed(format!("there is nothing to export for {}", format.word()));
        for LeftOut { registry, why } in &left_out {
            problem = problem.cause(format!("{registry}: {why}"));
        }
        return Err(problem.hint("pillarbox registry list").into());
    }
    Ok((exported, left_out))
}

/// A client that asks a helper for a registry does not look at the file's own entry.
fn hidden(ctx: &Context, format: &Format, put: &Put, all: &[Exported<'_>], shown: &str) -> Result<()> {
    let text = put.text.reveal_text().filter(|_| format.merges()).unwrap_or_default();
    let helpers = helpers(text, shown)?;
    let mut keys = all.iter().filter(|one| one.secret.is_some()).map(|one| format.key(&one.entry.scope));
    let by_store = helpers.store.as_deref().filter(|_| *format == Format::Docker);
    if let Some(key) = keys.find(|key| by_store.is_some() || helpers.by_host.contains_key(key)) {
        let name = helpers.by_host.get(&key).map(String::as_str).or(by_store).unwrap_or_default();
        ctx.out.warn(format_args!(
            "{shown} names the helper `{}` for {}, and {} does not look at the file's own entry then",
            escaped(name),
            escaped(&key),
            format.word()
        ));
    }
    Ok(())
}

fn report(
    ctx: &Context,
    format: &Format,
    exported: &[Exported<'_>],
    left_out: &[LeftOut],
    put: &Put,
    place: Option<&ClearFile>,
) {
    let text = put.text.reveal_text().unwrap_or_default();
    if ctx.out.json {
        let one = |one: &Exported<'_>| {
            let username = match &one.entry.how {
                How::Basic { username, .. } => Some(username),
                _ => None,
            };
            json!({
                "registry": one.entry.scope.to_string(),
                "key": format.key(&one.entry.scope),
                "username": username,
                "place": { "file": &*one.entry.place.file, "line": one.entry.place.line },
            })
        };
        ctx.out.object(&json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "format": format.word(),
            "exported": exported.iter().map(one).collect::<Vec<_>>(),
            "left_out": left_out.iter().map(|out| json!({ "registry": out.registry, "why": out.why })).collect::<Vec<_>>(),
            "file": place.map(ClearFile::shown),
            "content": place.is_none().then_some(text),
        }));
    } else if place.is_none() {
        ctx.out.bytes(text.as_bytes());
    }
    let names: Vec<String> = exported.iter().map(|one| one.entry.scope.to_string()).collect();
    let Some(place) = place else {
        ctx.out.say(format_args!("exported for {}: {}", format.word(), names.join(", ")));
        return;
    };
    ctx.out.say(format_args!("wrote {}: {}", place.shown(), names.join(", ")));
    if !put.replaced.is_empty() {
        ctx.out.say(format_args!("replaced in it: {}", escaped(&put.replaced.join(", "))));
    }
    ctx.out.say(format_args!("{}; {}", place.readable_by(), clear(format)));
}

/// What the file is to one who can read it.
fn clear(format: &Format) -> &'static str {
    match format {
        Format::Docker | Format::Podman => "passwords are in it in base64, which is not encryption",
        Format::Kubernetes(_) => {
            "passwords are in it in base64, which is not encryption: do not commit it; in the cluster everyone who may \
             read Secrets of the namespace can read it"
        }
        Format::Env => "passwords are in it in clear text",
    }
}
