//! `pillarbox seal KEY`.

mod many;

use crate::cli::target::{self, TargetArgs, Verb};
use crate::cli::{Context, Exit};
use crate::keys::Recipient;
use crate::name::{KeyPath, ReaderName};
use crate::pillar::seal::Kind;
use crate::pillar::{Origin, Value};
use crate::problem::{Code, Problem, Result};
use crate::registry::{EXPIRES, TABLE};
use crate::secret::Secret;
use crate::session::Vault;
use crate::store;
use std::path::PathBuf;

/// Seal a secret into the pillar; needs no private key
#[derive(clap::Args, Debug)]
#[command(after_help = "Asks twice on a terminal, else reads standard input without its final newline.\n\n\
                        Examples:\n  pillarbox seal api.db_password\n  \
                        pillarbox seal --file server.key api.tls_key\n  \
                        printf %s \"$TOKEN\" | pillarbox seal --in prod/apps api.token\n  \
                        pillarbox seal --from secrets.toml     # lines of api.db_password = \"…\", all at once")]
pub(in crate::cli) struct SealArgs {
    /// Dotted key; in single quotes where a part has quotes: 'a."b.c".d'
    #[arg(required_unless_present = "from")]
    key: Option<String>,
    /// Every byte of this file (a pipe is fine, `-` is standard input)
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Many secrets: each text of this TOML file, under the key that it has there (`-` is standard input)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key", "file"])]
    from: Option<PathBuf>,
    /// The slot that the box must have, as a reader knows it: for machines that have not seen the box
    #[arg(long, value_name = "age1…")]
    slot: Option<String>,
    /// Accept an empty secret
    #[arg(long)]
    allow_empty: bool,
    #[command(flatten)]
    place: TargetArgs,
}

pub(in crate::cli) fn run(args: &SealArgs, ctx: &Context) -> Result<Exit> {
    let wrong = |problem| Problem { code: Code::Usage, ..problem };
    let slot = args.slot.as_deref().map(Recipient::parse_slot).transpose();
    let slot = slot.map_err(|problems| problems.map(wrong))?;
    let key = match (&args.from, &args.key) {
        (Some(from), _) => return many::run(args, from, slot.as_ref(), ctx),
        (None, key) => key.as_deref().unwrap_or_default(),
    };
    if args.file.is_none() && ctx.terminal.stdin {
        // What is wrong with the key is said before anybody types.
        let workspace = ctx.session.workspace()?;
        place(&args.place, &Vault::load(&ctx.session, &workspace)?, key)?;
    }
    let secret = read(args, ctx)?;
    let workspace = ctx.session.workspace()?;
    let mut vault = Vault::for_change(&ctx.session, &workspace)?;
    let origin = place(&args.place, &vault, key)?;
    let before = vault.document(&origin.file).and_then(|document| document.get(&origin.key));
    let was_clear = before.is_some_and(|node| !matches!(node.value, Value::Sealed(_)));
    let was_sealed = before.is_some() && !was_clear;
    let id = vault.post(&origin, &secret, Kind::of(&secret), slot.as_ref())?;
    forget_end(&mut vault, &origin)?;
    if let Some(node) = vault.document(&origin.file).and_then(|document| document.get(&origin.key)) {
        target::check_key(&origin.key, Some(&node.value))?;
    }
    let readers = readers(&vault, &origin.file)?;
    vault.commit()?;
    let how = if was_sealed { "sealed again" } else { "sealed" };
    ctx.out.say(format_args!("{how} {origin} ({}) for {readers}", id.short()));
    if was_clear {
        ctx.out.warn(format_args!(
            "{origin} was in clear before; if that was ever committed or pushed it can still be read in \
             the history: change the secret where it is used"
        ));
    }
    Ok(Exit::Done)
}

/// When the secret that stood at a key of a registry ended says nothing of the new one.
fn forget_end(vault: &mut Vault<'_>, origin: &Origin) -> Result<()> {
    let [table, registry, _] = origin.key.parts() else { return Ok(()) };
    if table != TABLE {
        return Ok(());
    }
    let end = KeyPath::from_parts(vec![table.clone(), registry.clone(), EXPIRES.to_owned()]);
    let is_there =
        |end: &KeyPath| vault.document(&origin.file).is_some_and(|document| document.get(end).is_some());
    match end.filter(is_there) {
        Some(end) => vault.edit(&origin.file, |document| document.unset(&end)),
        None => Ok(()),
    }
}

fn place(place: &TargetArgs, vault: &Vault<'_>, key: &str) -> Result<Origin> {
    let origin = place.place(vault, key, Verb("seal", ""))?;
    let node = vault.document(&origin.file).and_then(|document| document.get(&origin.key));
    if let Some(node) = node.filter(|node| node.as_table().is_some()) {
        return Err(Problem::usage(format!("`{}` is a table", origin.key))
            .at(&node.place)
            .hint("name a key in it")
            .into());
    }
    vault.governing(&origin.file)?;
    Ok(origin)
}

fn read(args: &SealArgs, ctx: &Context) -> Result<Secret> {
    let secret = match &args.file {
        Some(path) if path.as_os_str() == "-" => ctx.console.stdin_bytes()?,
        Some(path) => store::read_secret(&ctx.session.absolute(path))?,
        None if ctx.terminal.stdin => twice(ctx, "secret")?,
        None => ctx.console.stdin_secret()?,
    };
    if secret.is_empty() && !args.allow_empty {
        return Err(Problem::failed("the secret is empty")
            .hint("if that is meant, add --allow-empty")
            .into());
    }
    Ok(secret)
}

/// A secret typed twice without echo.
///
/// # Errors
/// Where the two are not the same.
pub(super) fn twice(ctx: &Context, what: &str) -> Result<Secret> {
    let first = ctx.console.prompt_secret(what)?;
    let second = ctx.console.prompt_secret(&format!("{what} again"))?;
    if first.same_as(second.reveal()) {
        return Ok(first);
    }
    Err(Problem::new(Code::Declined, "the two are not the same; nothing was changed").into())
}

/// The readers of the box that a file is in, as its file lists them.
pub(super) fn readers(vault: &Vault<'_>, file: &str) -> Result<String> {
    let file = vault.boxes().get(vault.governing(file)?);
    let names: Vec<&str> = file.into_iter().flat_map(|file| &file.readers).map(ReaderName::as_str).collect();
    Ok(names.join(", "))
}
