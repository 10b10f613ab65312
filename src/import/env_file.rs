//! Files of environment variables, as Compose and CI systems keep them: a registry, user and password under names
//! with a common beginning, and `DOCKER_AUTH_CONFIG`. A value of that variable alone, in base64, is read as well.

mod lines;

use super::{Gives, Item, Source, clients};
use crate::docker_config::{Entries, sound};
use crate::problem::{Place, Problem, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lines::Variable;
use zeroize::Zeroizing;

/// A configuration of docker as a value (GitLab, "Access an image from a private container registry"; docker reads it
/// from 28 on).
const CONFIG: &str = "DOCKER_AUTH_CONFIG";

const REGISTRY: [&str; 4] = ["REGISTRY", "REGISTRY_URL", "REGISTRY_HOST", "REGISTRY_SERVER"];
const USER: [&str; 2] = ["USER", "USERNAME"];
const PASSWORD: [&str; 2] = ["PASSWORD", "TOKEN"];

/// Whether a text is one.
pub(super) fn is_one(text: &str) -> bool {
    in_base64(text).is_some() || lines::read(text).is_some_and(|variables| !variables.is_empty())
}

pub(super) fn read(text: &str, file: &str, source: &mut Source) -> Result<()> {
    if let Some(config) = in_base64(text) {
        clients::read_value(&config, Entries::Auths, &Place::new(file, 1), "base64", source);
        return Ok(());
    }
    let Some(variables) = lines::read(text) else {
        return Err(Problem::failed("this is not a file of lines NAME=VALUE")
            .at(&Place::new(file, 0))
            .into());
    };
    let (mut is_any, place) = (false, |variable: &Variable| Place::new(file, variable.line));
    for config in variables.iter().filter(|variable| variable.name == CONFIG) {
        is_any = true;
        let place = place(config);
        let value = config.value.trim();
        match in_base64(value) {
            Some(inner) => clients::read_value(&inner, Entries::Auths, &place, CONFIG, source),
            None => clients::read_value(value, Entries::Auths, &place, CONFIG, source),
        }
    }
    for registry in &variables {
        for end in REGISTRY.iter().filter(|end| is_word_end(&registry.name, end)) {
            let prefix = &registry.name[..registry.name.len() - end.len()];
            is_any |= pair(registry, prefix, &variables, &place(registry), source);
        }
    }
    if is_any {
        return Ok(());
    }
    Err(Problem::failed("there is no credential in this file of variables")
        .at(&Place::new(file, 0))
        .cause(format!(
            "it has neither {CONFIG} nor a registry, user and password with a common beginning, as \
             APP_REGISTRY, APP_REGISTRY_USER and APP_REGISTRY_PASSWORD"
        ))
        .into())
}

/// Whether a name ends with a word, whole: `CI_REGISTRY` with `REGISTRY`.
fn is_word_end(name: &str, word: &str) -> bool {
    name.strip_suffix(word).is_some_and(|before| before.is_empty() || before.ends_with('_'))
}

/// Adds the credential of a registry; whether there is a user or password for it.
fn pair(registry: &Variable, prefix: &str, all: &[Variable], place: &Place, source: &mut Source) -> bool {
    let find = |ends: [&str; 2]| -> Vec<&Variable> {
        // `CI_REGISTRY_USER` is nearer to `CI_REGISTRY` than `CI_USER` is.
        let nearest = [format!("{prefix}REGISTRY_"), prefix.to_owned()].into_iter().map(|start| {
            let names: Vec<String> = ends.iter().map(|end| format!("{start}{end}")).collect();
            all.iter().filter(|variable| names.contains(&variable.name)).collect::<Vec<_>>()
        });
        nearest.into_iter().find(|found| !found.is_empty()).unwrap_or_default()
    };
    let names = |found: &[&Variable]| {
        found.iter().map(|variable| format!("`{}`", variable.name)).collect::<Vec<_>>().join(" and ")
    };
    let (users, passwords) = (find(USER), find(PASSWORD));
    let key = registry.value.trim();
    let wrong =
        |source: &mut Source, why: String| source.wrong(key, place, &format!("{}: {why}", registry.name));
    match (users.as_slice(), passwords.as_slice()) {
        ([], []) => return false,
        ([user], [password]) => {
            let from = format!("{}, {}, {}", registry.name, user.name, password.name);
            match given(registry, user, password) {
                Ok(gives) => {
                    source.add(Item { from: Some(from), ..Item::new(key.to_owned(), place.clone(), gives) });
                }
                Err(why) => wrong(source, why),
            }
        }
        ([], _) => wrong(source, format!("there is {} and no user name", names(&passwords))),
        (_, []) => wrong(source, format!("there is {} and no password", names(&users))),
        ([_], several) | (several, _) => {
            wrong(source, format!("{} could both be meant", names(several)));
        }
    }
    true
}

fn given(registry: &Variable, user: &Variable, password: &Variable) -> Result<Gives, String> {
    if let Some(open) = [registry, user, password].into_iter().find(|variable| variable.is_reference()) {
        return Err(format!("`{}` stands for the value of another variable", open.name));
    }
    let name = user.value.as_str();
    if name.is_empty() || name.contains(':') || name.contains(char::is_control) {
        return Err("its user name is empty, or has a `:` or a control character".to_owned());
    }
    Ok(Gives::Basic { username: name.to_owned(), password: sound(&password.value)? })
}

/// A configuration in base64.
fn in_base64(text: &str) -> Option<Zeroizing<String>> {
    let mut base64 = Zeroizing::new(String::with_capacity(text.len()));
    base64.extend(text.chars().filter(|c| !c.is_ascii_whitespace()));
    let bytes = Zeroizing::new(STANDARD.decode(base64.as_bytes()).ok()?);
    let text = std::str::from_utf8(&bytes).ok()?;
    text.trim_start().starts_with('{').then(|| Zeroizing::new(text.to_owned()))
}
