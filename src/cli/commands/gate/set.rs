//! `pillarbox gate set APP VERSION`: version and digest together, in one atomic change.

use super::write::{effective_everywhere, field};
use super::{Where, in_words, key};
use crate::cli::{Context, Exit};
use crate::cli::{NewHostsArgs, on_engines};
use crate::inventory::Host;
use crate::name::{Digest, HostName, ImageName, ImageRef};
use crate::pillar::document::Document;
use crate::pillar::gate::Gate;
use crate::problem::{Code, Problem, Problems, Result, escaped, quoted};
use crate::session::{Pipeline, TagAnswer, Vault, declared};
use serde_json::json;
use std::collections::BTreeMap;

/// Name the version that may run, with the digest that it stands for
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  pillarbox gate set api 1.43.0
  pillarbox gate set api 1.43.0 --host web1        # a canary; then: pillarbox gate promote api --from web1
  pillarbox gate set api 1.43.0 --image registry.example.com/api    # a new gate

The registry is asked through each host that will pull, with the credential that it would pull with, and
once where that is the same. Nothing is pulled; at Docker Hub each question counts as a pull. With
--digest no registry is asked.")]
pub(super) struct GateSetArgs {
    /// Name of the gate
    app: String,
    /// The tag
    version: String,
    /// What it stands for; asked of the registry where this is not given
    #[arg(long, value_name = "SHA256")]
    digest: Option<String>,
    /// Registry and path of the image, without a tag
    #[arg(long, value_name = "REGISTRY/NAME")]
    image: Option<String>,
    #[command(flatten)]
    place: Where,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    new_hosts: NewHostsArgs,
}

/// Stands for the digest until the registry has said it; no image has it.
const UNSAID: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

pub(super) fn run(args: &GateSetArgs, ctx: &Context) -> Result<Exit> {
    let (app, version) = (args.app.as_str(), args.version.as_str());
    let usage = |problem| Problem { code: Code::Usage, ..problem };
    let parsed = ImageRef::check_tag(version)
        .and_then(|()| args.digest.as_deref().map(Digest::parse).transpose())
        .and_then(|digest| args.image.as_deref().map(ImageName::parse).transpose().map(|_| digest));
    let given = parsed.map_err(|problems| problems.map(usage))?;

    let workspace = ctx.session.workspace()?;
    let mut vault = Vault::for_change(&ctx.session, &workspace)?;
    let files = args.place.files(&vault, app, "gate set", args.image.is_some())?;
    let before: Vec<Option<Document>> = files.iter().map(|file| vault.document(file).cloned()).collect();
    // As it will be, but for the digest: so it is known who will pull what, and what `allow` says.
    let unsaid = Digest::parse(UNSAID)?;
    write(&mut vault, &files, args, given.as_ref().unwrap_or(&unsaid))?;
    let everywhere = effective_everywhere(&vault, app)?;
    let (meant, others): (Vec<_>, Vec<_>) = everywhere.into_iter().partition(|(_, gate)| {
        let file = gate.version.as_ref().map(|said| said.place.file.as_ref());
        files.iter().any(|written| file == Some(&format!("pillar/{written}")))
    });
    let (digest, asked) = match given {
        Some(digest) => (digest, Vec::new()),
        None => ask(args, ctx, &vault, &meant, &unsaid)?,
    };
    let others: Vec<(String, Option<String>)> = others.iter().map(|(host, gate)| own(host, gate)).collect();
    let held = meant.iter().any(|(_, gate)| gate.hold.is_some());

    let old = before.first().and_then(Option::as_ref).map(|document| said(document, app)).unwrap_or_default();
    write(&mut vault, &files, args, &digest)?;
    let same = files
        .iter()
        .zip(&before)
        .all(|(file, old)| vault.document(file).map(Document::text) == old.as_ref().map(Document::text));
    if !same {
        vault.commit()?;
    }
    if ctx.out.json {
        ctx.out.object(&json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "app": app,
            "version": version,
            "digest": digest.as_str(),
            "files": files.iter().map(|file| format!("pillar/{file}")).collect::<Vec<_>>(),
            "asked": asked.iter().map(HostName::as_str).collect::<Vec<_>>(),
            "changed": !same,
        }));
    }
    let short = digest.short();
    let shown = escaped(app);
    match same {
        true => ctx.out.say(format_args!("{shown} is {version} ({short}) already, in {}", in_words(&files))),
        false => ctx.out.say(format_args!("{shown} is {version} ({short}) in {}", in_words(&files))),
    }
    if let (Some(old_version), Some(old_digest)) = &old
        && old_version == version
        && old_digest != digest.as_str()
    {
        let was = Digest::parse(old_digest)
            .map_or_else(|_| escaped(old_digest), |digest| digest.short().to_owned());
        ctx.out.warn(format_args!("the tag {version} was moved: it stood for {was} and stands for {short}"));
    }
    if held {
        ctx.out.say(format_args!("it is held: nothing changes before 'pillarbox gate unhold {shown}'"));
    }
    for (host, version) in others {
        let version = version.map_or_else(|| "nothing".to_owned(), |version| escaped(&version));
        ctx.out.say(format_args!("{host} keeps its own: {version}"));
    }
    Ok(Exit::Done)
}

fn write(vault: &mut Vault<'_>, files: &[String], args: &GateSetArgs, digest: &Digest) -> Result<()> {
    for file in files {
        vault.edit(file, |document| {
            if let Some(image) = &args.image {
                field(document, &args.app, "image", Some(image))?;
            }
            field(document, &args.app, "version", Some(&args.version))?;
            field(document, &args.app, "digest", Some(digest.as_str()))
        })?;
    }
    Ok(())
}

/// Version and digest that a file says.
fn said(document: &Document, app: &str) -> (Option<String>, Option<String>) {
    let text = |field| {
        let node = document.get(&key(app, Some(field)).ok()?)?;
        node.as_str().map(str::to_owned)
    };
    (text("version"), text("digest"))
}

fn own(host: &Host, gate: &Gate) -> (String, Option<String>) {
    let version = gate.version.as_ref().map(|said| format!("{}, {}", said.value, said.place));
    (host.name.to_string(), version)
}

/// Asks through every host that will pull; all must say the same.
fn ask(
    args: &GateSetArgs,
    ctx: &Context,
    vault: &Vault<'_>,
    meant: &[(&Host, Gate)],
    unsaid: &Digest,
) -> Result<(Digest, Vec<HostName>)> {
    let app = args.app.as_str();
    let by_hand =
        format!("give it: pillarbox gate set {} {} --digest sha256:…", quoted(app), quoted(&args.version));
    let unasked = || {
        Problem::failed(format!(
            "no host can be asked what version {} of {} stands for",
            args.version,
            escaped(app)
        ))
        .cause("no state of a host that gets this gate is made from it and pulls")
        .hint(format!("name it in a state: gate = {}", toml_text(app)))
        .hint(by_hand.clone())
    };
    let names: Vec<String> = meant.iter().map(|(host, _)| host.name.to_string()).collect();
    if names.is_empty() {
        return Err(unasked().into());
    }
    let declared = declared(vault, &names)?;
    let answers = on_engines(async |interrupt| {
        let wanted = |gate: &str, image: &ImageRef| gate == app && image.digest.as_ref() == Some(unsaid);
        Pipeline::new(vault, args.new_hosts.beside(args.yes), interrupt).tags(declared, &wanted).await
    })?;
    let mut wrong = answers.problems();
    let mut digests: BTreeMap<Digest, Vec<(HostName, ImageRef)>> = BTreeMap::new();
    let mut silent = Vec::new();
    for TagAnswer { host, image, answer, .. } in answers.ready {
        match answer {
            Ok(Some(digest)) => digests.entry(digest).or_default().push((host, image)),
            Ok(None) => silent.push((host, image)),
            Err(problems) => wrong.extend(problems.into_vec()),
        }
    }
    if !wrong.is_empty() {
        let wrong = wrong.into_iter().map(|problem| match problem.code {
            Code::NoIdentity | Code::Failed | Code::Unreachable => problem.hint(by_hand.clone()),
            _ => problem,
        });
        return Err(Problems::check(wrong.collect()).err().unwrap_or_else(|| unasked().into()));
    }
    if digests.len() > 1 {
        let what = format!("hosts get different images as version {} of {}", args.version, escaped(app));
        let problem = digests.iter().fold(Problem::failed(what), |problem, (digest, hosts)| {
            hosts.iter().fold(problem, |problem, (host, image)| {
                let tag = ImageRef { digest: None, ..image.clone() };
                problem.cause(format!("{host}: {tag} is {digest}"))
            })
        });
        return Err(problem.hint(by_hand).into());
    }
    match (digests.pop_first(), silent.first()) {
        (Some((digest, hosts)), _) => {
            for (host, _) in &silent {
                ctx.out.say(format_args!("the Engine of {host} cannot ask; it gets what the others said"));
            }
            Ok((digest, hosts.into_iter().map(|(host, _)| host).collect()))
        }
        (None, Some((host, image))) => Err(Problem::failed(format!(
            "the Engine of host {host} cannot ask a registry which image {} stands for",
            ImageRef { digest: None, ..image.clone() }
        ))
        .hint(by_hand)
        .into()),
        (None, None) => Err(unasked().into()),
    }
}

fn toml_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
