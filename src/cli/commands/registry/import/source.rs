//! Where the credentials come from: a file, standard input, and helpers that the file names.

use super::sops;
use crate::cli::Context;
use crate::external_helper::{self, Answer};
use crate::import::{Ask, Format, Gives, Item, Source, sops_type};
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
}

/// The text of a source in clear.
pub(super) struct Input {
    text: Secret,
    format: Format,
    /// The file itself holds something else.
    is_made: bool,
}

impl Input {
    /// Reads a source, and has it decrypted or rendered where it must be.
    ///
    /// # Errors
    /// Where that fails, or its format is none that is known.
    pub(super) fn read(ctx: &Context, origin: &Origin, given: Option<Format>) -> Result<Self> {
        let file = origin.shown(ctx);
        let (text, is_decrypted) = decrypted(ctx, origin, &file)?;
        if let Some(text) = rendered(ctx, &text, &file, given)? {
            return Ok(Self { text, format: Format::Salt, is_made: true });
        }
        let format = given.or_else(|| Format::told(plain(&text).ok()?, &file));
        let format = match format {
            Some(format) => format,
            None => {
                return Err(plain(&text)
                    .map_or_else(|why| why, |_| unknown())
                    .at(&Place::new(file, 0))
                    .into());
            }
        };
        Ok(Self { text, format, is_made: is_decrypted })
    }

    /// The format of the file whose entries can be taken out of it.
    pub(super) fn removable(&self) -> Option<crate::docker_config::Entries> {
        self.format.entries().filter(|_| !self.is_made)
    }
}

fn plain(text: &Secret) -> Result<&str, Problem> {
    let text = text.reveal_text().ok_or_else(|| Problem::failed("this is not UTF-8 text"))?;
    Ok(text.strip_prefix(crate::import::BYTE_ORDER_MARK).unwrap_or(text))
}

fn unknown() -> Problem {
    Problem::failed("there is nothing to import: this file has none of the known formats")
        .cause(
            "it is no configuration of docker or podman, no Secret of Kubernetes, no pillar of Salt with \
             `docker-registries`, and no file of variables with a registry, user and password",
        )
        .hint("if it is one, name the format: --format docker, podman, dockercfg, kubernetes, env or salt")
}

/// The text, and whether SOPS decrypted it.
fn decrypted(ctx: &Context, origin: &Origin, file: &str) -> Result<(Secret, bool)> {
    let text = match origin {
        Origin::Stdin => ctx.console.stdin_bytes()?,
        Origin::File(path) => store::read_secret(path)?,
    };
    match (text.reveal_text().and_then(sops_type), origin) {
        (None, _) => Ok((text, false)),
        (Some(kind), Origin::File(path)) => Ok((sops::decrypt(path, file, kind)?, true)),
        (Some(_), Origin::Stdin) => Err(Problem::failed("this is encrypted with SOPS")
            .hint("name the file, so that sops can decrypt it: pillarbox registry import FILE")
            .hint("or: sops -d FILE | pillarbox registry import - -y")
            .into()),
    }
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

/// What is in a source, with the answers of the helpers that it names.
pub(super) fn read(ctx: &Context, input: &Input, origin: &Origin, only: &[Scope]) -> Result<Source> {
    let file = origin.shown(ctx);
    let text = input.text.reveal_text().unwrap_or_default();
    let mut source = Source::read(text, &file, input.format)?;
    let wanted = |scope: &Scope| only.is_empty() || only.iter().any(|only| only.holds(scope));
    if !only.is_empty() {
        source.only(wanted);
    }
    for Ask { key, place, helper } in std::mem::take(&mut source.asks) {
        ask(&mut source, &helper, key, &place);
    }
    if let Some((helper, place)) = source.store.take() {
        match external_helper::list(&helper, external_helper::LIMIT) {
            Ok(servers) => {
                for key in servers {
                    if source.scope_of(&key).map_or(only.is_empty(), |scope| wanted(&scope)) {
                        ask(&mut source, &helper, key, &place);
                    }
                }
            }
            Err(found) => add_all(&mut source, found.into_vec(), &place),
        }
    }
    let lost: Vec<&Scope> = only.iter().filter(|only| !source.mentions(|scope| only.holds(scope))).collect();
    for scope in lost {
        let what = format!("there is no entry for {scope}");
        source.failed(Problem::failed(what).at(&Place::new(file.as_str(), 0)));
    }
    Ok(source)
}

fn ask(source: &mut Source, helper: &HelperName, key: String, place: &Place) {
    // What could not be imported anyway is not asked for: a helper may ask its user.
    if let Some(why) = source.refusal(&key) {
        return source.wrong(&key, place, &why);
    }
    match external_helper::get(helper, &key, external_helper::LIMIT) {
        Ok(answer) => match gives(answer) {
            Ok(gives) => {
                let from = Some(format!("helper {helper}"));
                source.add(Item { from, ..Item::new(key, place.clone(), gives) });
            }
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
