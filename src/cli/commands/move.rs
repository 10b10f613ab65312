//! `pillarbox move FROM TO`.

mod file;
mod former;

use crate::cli::target::{self, TargetArgs, Verb, stem};
use crate::cli::{Context, Exit};
use crate::name::KeyPath;
use crate::pillar::document::file_name;
use crate::pillar::{Origin, Sealed};
use crate::problem::{Problem, Problems, Result, quoted};
use crate::session::Vault;

/// Move a key, a table or a file; what is sealed in it is sealed again for its new place, ids are kept
#[derive(clap::Args, Debug)]
#[command(after_help = "A sealed value opens only at its own place, so renaming by hand breaks it.\n\n\
                        Examples:\n  pillarbox move api.pw api.db.password\n  \
                        pillarbox move --to-in prod/apps api.pw api.pw\n  \
                        pillarbox move apps.toml services.toml")]
pub(in crate::cli) struct MoveArgs {
    /// A key, or a file below pillar/ with its .toml
    from: String,
    /// Likewise; nothing may be there
    to: String,
    #[command(flatten)]
    place: TargetArgs,
    /// File below pillar/ that TO is in [default: the one of FROM]
    #[arg(long, value_name = "FILE")]
    to_in: Option<String>,
}

pub(in crate::cli) fn run(args: &MoveArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let mut vault = Vault::for_change(&ctx.session, &workspace)?;
    if let Some(from) = file::named(&vault, &args.from) {
        if args.to_in.is_some() || args.place.file.is_some() || args.place.host.is_some() {
            return Err(Problem::usage("a file is moved with FROM and TO alone").into());
        }
        return file::run(ctx, vault, &from, &args.to);
    }
    let rest = quoted(&args.to);
    let (from, to) = places(args, &vault, Verb("move", &rest))?;
    let sealed = sealed_again(&vault, &from, &to)?;
    relocate(&mut vault, &from, &to, &sealed)?;
    let node = vault.document(&to.file).and_then(|document| document.get(&to.key));
    target::check_key(&to.key, node.map(|node| &node.value))?;
    let readers = new_readers(&vault, &from.file, &to.file, !sealed.is_empty())?;
    let former = former::of(&vault, &sealed);
    vault.commit()?;
    ctx.out.say(format_args!("moved {from} to {to}{}", again(sealed.len())));
    if let Some(readers) = readers {
        ctx.out.say(format_args!("its readers are now {readers}"));
    }
    former::warn(ctx, &former);
    Ok(Exit::Done)
}

fn places(args: &MoveArgs, vault: &Vault<'_>, verb: Verb<'_>) -> Result<(Origin, Origin)> {
    let from = match args.place.value(vault, &args.from, verb) {
        Ok((from, _)) => from,
        Err(problems) => {
            let file = file_name(&args.from).ok().filter(|file| vault.document(file).is_some());
            return Err(match file {
                Some(file) => problems.map(|problem| {
                    problem.hint(format!(
                        "if the file is meant: pillarbox move {} {}",
                        quoted(&file),
                        quoted(&format!("{}.toml", args.to.trim_end_matches(".toml")))
                    ))
                }),
                None => problems,
            });
        }
    };
    let file = match &args.to_in {
        Some(file) => file_name(file.strip_prefix("pillar/").unwrap_or(file))?,
        None => from.file.clone(),
    };
    let within = TargetArgs { file: Some(stem_of(&file)), host: None };
    let mut to = within.place(vault, &args.to, verb)?;
    to.file = file;
    let same_file = to.file == from.file;
    if same_file && to.key == from.key {
        return Err(Problem::usage(format!("{from} is there already")).into());
    }
    if same_file && (to.key.is_within(&from.key) || from.key.is_within(&to.key)) {
        return Err(Problem::usage(format!(
            "`{}` and `{}` overlap: one contains the other",
            from.key, to.key
        ))
        .into());
    }
    if let Some(node) = vault.document(&to.file).and_then(|document| document.get(&to.key)) {
        return Err(Problem::usage(format!("`{}` is there already", to.key))
            .at(&node.place)
            .hint(format!(
                "to have it replaced: pillarbox unset --in {} {}",
                stem(&to.file),
                quoted(&to.key.to_string())
            ))
            .into());
    }
    Ok((from, to))
}

fn stem_of(file: &str) -> String {
    file.strip_suffix(".toml").unwrap_or(file).to_owned()
}

/// Every sealed value in `from`, sealed for its place in `to`.
fn sealed_again(vault: &Vault<'_>, from: &Origin, to: &Origin) -> Result<Vec<Sealed>> {
    let Some(document) = vault.document(&from.file) else { return Ok(Vec::new()) };
    let (mut all, mut problems) = (Vec::new(), Vec::new());
    for sealed in document.sealed().into_iter().filter(|sealed| sealed.origin.key.is_within(&from.key)) {
        let key = below(&sealed.origin.key, &from.key, &to.key);
        match vault.sealed_for(sealed, &Origin { file: to.file.clone(), key }) {
            Ok(sealed) => all.push(sealed),
            Err(found) => problems.extend(found.into_vec()),
        }
    }
    problems.dedup();
    Problems::check(problems)?;
    Ok(all)
}

fn below(key: &KeyPath, from: &KeyPath, to: &KeyPath) -> KeyPath {
    key.parts()[from.parts().len()..].iter().fold(to.clone(), |key, part| key.child(part.as_str()))
}

fn relocate(vault: &mut Vault<'_>, from: &Origin, to: &Origin, sealed: &[Sealed]) -> Result<()> {
    let in_place = from.file == to.file && from.key.parent() == to.key.parent();
    let (mut renamed, mut pieces) = (false, Vec::new());
    vault.edit(&from.file, |document| {
        if in_place {
            renamed = document.rename(&from.key, &to.key)?;
        }
        if !renamed {
            pieces = document.cut(&from.key)?;
        }
        Ok(())
    })?;
    vault.edit(&to.file, |document| {
        document.paste(&to.key, &pieces)?;
        document.reseal(sealed)
    })
}

/// The readers of a secret that went to another box.
pub(super) fn new_readers(
    vault: &Vault<'_>,
    from: &str,
    to: &str,
    has_secrets: bool,
) -> Result<Option<String>> {
    if !has_secrets || vault.governing(from)? == vault.governing(to)? {
        return Ok(None);
    }
    super::seal::readers(vault, to).map(Some)
}

/// `, 2 values sealed again`, or nothing.
pub(super) fn again(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => ", sealed again".to_owned(),
        many => format!(", {many} values sealed again"),
    }
}
