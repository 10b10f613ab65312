//! Where the credentials come from: a file, standard input, and helpers that the file names.

use super::Format;
use super::plan::ImportRow;
use crate::cli::Context;
use crate::docker_config::without_auths;
use crate::external_helper::{self, Answer};
use crate::import::{Ask, Gives, Item, Source};
use crate::name::HelperName;
use crate::problem::{Place, Problem, Result};
use crate::registry::Scope;
use crate::sandbox;
use crate::secret::Secret;
use crate::store;
use std::path::{Path, PathBuf};

/// Where a source is.
pub(super) enum Origin {
    Stdin,
    File(PathBuf),
}

impl Origin {
    pub(super) fn of(named: Option<&Path>, ctx: &Context) -> Result<Self> {
        Ok(match named {
            Some(path) if path.as_os_str() == "-" => Self::Stdin,
            Some(path) => Self::File(ctx.session.absolute(path)),
            None => {
                let folder = match &ctx.session.env.docker_config {
                    Some(folder) => ctx.session.absolute(folder),
                    None => ctx.session.paths()?.home.join(".docker"),
                };
                Self::File(folder.join("config.json"))
            }
        })
    }

    /// For people.
    pub(super) fn shown(&self, ctx: &Context) -> String {
        match self {
            Self::Stdin => "standard input".to_owned(),
            Self::File(path) => super::super::helper::home_shown(ctx, path),
        }
    }

    pub(super) fn read(&self, ctx: &Context) -> Result<Secret> {
        match self {
            Self::Stdin => ctx.console.stdin_bytes(),
            Self::File(path) => store::read_secret(path),
        }
    }
}

/// Reads a source and asks the helpers that it names.
pub(super) fn read(
    ctx: &Context,
    text: &Secret,
    file: &str,
    format: Option<Format>,
    only: &[Scope],
) -> Result<Source> {
    let rendered = rendered(ctx, text, file, format)?;
    let format_of =
        if rendered.is_some() { Some(crate::import::Format::Salt) } else { format.map(Format::of) };
    let mut source = Source::read(rendered.as_ref().unwrap_or(text), file, format_of)?;
    let wanted = |scope: &Scope| only.is_empty() || only.iter().any(|only| within(scope, only));
    if !only.is_empty() {
        source.only(wanted);
    }
    for Ask { key, place, helper } in std::mem::take(&mut source.asks) {
        ask(&mut source, &helper, key, &place);
    }
    // podman does not read `credsStore`.
    if let Some((helper, place)) = source.store.take().filter(|_| format != Some(Format::Podman)) {
        match external_helper::list(&helper, external_helper::LIMIT) {
            Ok(servers) => {
                let wanted =
                    |key: &String| only.is_empty() || Scope::parse(key).is_ok_and(|scope| wanted(&scope));
                for key in servers.into_iter().filter(wanted) {
                    ask(&mut source, &helper, key, &place);
                }
            }
            Err(found) => add_all(&mut source, found.into_vec(), &place),
        }
    }
    Ok(source)
}

/// A pillar of Salt that is a program (`#!py`, `def run():`), rendered.
fn rendered(ctx: &Context, text: &Secret, file: &str, format: Option<Format>) -> Result<Option<Secret>> {
    let is_program = |text: &str| text.lines().any(|line| line.starts_with("def run("));
    match text.reveal_text() {
        Some(plain) if matches!(format, None | Some(Format::Salt)) && is_program(plain) => {
            sandbox::pillar(&ctx.session.own_program()?, text, file, sandbox::LIMIT).map(Some)
        }
        _ => Ok(None),
    }
}

/// The same registry, or a part of it.
fn within(scope: &Scope, only: &Scope) -> bool {
    scope == only || (scope.host() == only.host() && scope.to_string().starts_with(&format!("{only}/")))
}

fn ask(source: &mut Source, helper: &HelperName, key: String, place: &Place) {
    // What could not be imported anyway is not asked for: a helper may ask its user.
    let mut probe = Source::default();
    let nothing = Gives::Token(Secret::default());
    probe.add(Item { key: key.clone(), place: place.clone(), gives: nothing, email: None });
    if !probe.bad().is_empty() {
        return add_all(source, probe.bad().to_vec(), place);
    }
    match external_helper::get(helper, &key, external_helper::LIMIT) {
        Ok(answer) => match gives(answer) {
            Ok(gives) => source.add(Item { key, place: place.clone(), gives, email: None }),
            Err(why) => source.wrong(&key, place, why),
        },
        Err(found) => add_all(source, found.into_vec(), place),
    }
}

fn gives(answer: Answer) -> Result<Gives, &'static str> {
    let text = answer.secret.reveal_text().ok_or("its secret is not UTF-8 text")?;
    let secret = crate::docker_config::sound(text)?;
    Ok(match answer.is_identity_token() {
        true => Gives::Token(secret),
        false => Gives::Basic { username: answer.username, password: secret },
    })
}

fn add_all(source: &mut Source, found: Vec<Problem>, place: &Place) {
    for problem in found {
        let problem = if problem.place.is_none() { problem.at(place) } else { problem };
        source.failed(problem);
    }
}

/// Takes the entries that are in the pillar now out of the file's `auths`; returns how many.
pub(super) fn remove(origin: &Origin, rows: &[ImportRow<'_>], ctx: &Context) -> Result<usize> {
    let Origin::File(path) = origin else { return Ok(0) };
    let _held = store::hold(&ctx.session.paths()?.wired)?;
    let shown = origin.shown(ctx);
    let text = store::read_text(path)?;
    let is_in_pillar =
        |key: &str| Scope::parse(key).is_ok_and(|scope| rows.iter().any(|row| *row.scope == scope));
    let mut removed = 0;
    // Only what still is what was imported: somebody may have logged in meanwhile.
    let now = Source::read(&Secret::from(text.clone()), &shown, Some(crate::import::Format::Clients))?;
    let same = |key: &str| {
        is_in_pillar(key)
            && rows.iter().any(|row| {
                Scope::parse(key).is_ok_and(|scope| {
                    *row.scope == scope
                        && now.items().get(&scope).is_some_and(|item| item.gives.same_as(&row.item.gives))
                })
            })
    };
    let goes: Vec<String> = crate::docker_config::read_auths(&text, &shown)?
        .into_iter()
        .filter(|auth| same(&auth.key) && !matches!(auth.stored, Ok(crate::docker_config::Stored::Nothing)))
        .map(|auth| auth.key)
        .collect();
    if let Some(without) = without_auths(&text, &shown, |key| goes.iter().any(|gone| gone == key))? {
        store::write_alike(path, without.as_bytes())?;
        removed = goes.len();
    }
    let kept = rows.len() - removed.min(rows.len());
    if kept > 0 {
        ctx.out.say(format_args!(
            "{kept} did not stand in its `auths`; what a helper keeps goes with: docker logout HOST"
        ));
    }
    Ok(removed)
}
