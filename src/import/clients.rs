//! `config.json`, `auth.json` and `.dockercfg`: their entries, and the helpers that they name.

use super::key::{self, Keys};
use super::{Ask, Gives, Item, Source};
use crate::docker_config::{Auth, Entries, HELPER, Helpers, Stored, helpers, read_entries};
use crate::name::{HelperName, RegistryHost};
use crate::problem::{Place, Problems, Result, escaped};
use std::collections::BTreeMap;

/// Helpers that make a token each time: valid for hours, so it is the helper that is imported. By the names
/// of their programs: Amazon ECR, Google, Azure.
const SHORT_LIVED: [&str; 6] = ["ecr-login", "gcloud", "gcr", "acr", "acr-env", "acr-linux"];

/// Reads a file of a client, with the helpers that it names.
pub(super) fn read(text: &str, file: &str, at: Entries, source: &mut Source) -> Result<()> {
    let named = match at {
        Entries::Auths => helpers(text, file)?,
        Entries::Flat => Helpers::default(),
    };
    let answering = Answering::of(&named, source.keys);
    for auth in read_entries(text, file, at)? {
        take(auth, &answering, source);
    }
    for (key, name) in named.by_host {
        let place = Place::new(file, named.lines.get(&key).copied().unwrap_or_default());
        match HelperName::parse(&name) {
            _ if name == HELPER || name.is_empty() => {}
            Ok(helper) if SHORT_LIVED.contains(&helper.as_str()) => {
                source.add(Item::new(key, place, Gives::Helper(helper)));
            }
            Ok(helper) => source.asks.push(Ask { key, place, helper }),
            Err(problems) => fail(source, problems, &place),
        }
    }
    // podman does not read `credsStore`.
    if let Some(name) = named.store.filter(|name| name != HELPER && source.keys == Keys::Hosts) {
        let place = Place::new(file, named.store_line);
        match HelperName::parse(&name) {
            Ok(helper) => source.store = Some((helper, place)),
            Err(problems) => fail(source, problems, &place),
        }
    }
    Ok(())
}

/// Reads the entries of a configuration that is a value of another file: it stands at `place`, and `from` says
/// which it is.
pub(super) fn read_value(text: &str, at: Entries, place: &Place, from: &str, source: &mut Source) {
    let entries = match read_entries(text, &place.file, at) {
        Ok(entries) => entries,
        Err(problems) => return fail(source, problems, place),
    };
    let answering = Answering::default();
    for mut auth in entries {
        auth.place = place.clone();
        if let Some(item) = item_of(auth, &answering, source) {
            source.add(Item { from: Some(from.to_owned()), ..item });
        }
    }
}

fn fail(source: &mut Source, problems: Problems, place: &Place) {
    problems.into_vec().into_iter().for_each(|problem| source.failed(problem.at(place)));
}

/// Who answers for a registry in the place of `auths`.
#[derive(Default)]
struct Answering {
    by_host: BTreeMap<RegistryHost, String>,
    store: Option<String>,
}

impl Answering {
    fn of(named: &Helpers, keys: Keys) -> Self {
        let host = |key: &str| key::taken(key, keys).ok().map(|taken| taken.scope.host().clone());
        let by_host = named.by_host.iter().filter_map(|(key, name)| Some((host(key)?, name.clone())));
        Self { by_host: by_host.collect(), store: named.store.clone().filter(|_| keys == Keys::Hosts) }
    }

    /// An empty name in `credHelpers` is docker's word for the file itself.
    fn for_key(&self, key: &str, keys: Keys) -> Option<&str> {
        let host = key::taken(key, keys).ok()?.scope.host().clone();
        let name = self.by_host.get(&host).or(self.store.as_ref())?;
        Some(name.as_str()).filter(|name| !name.is_empty())
    }
}

fn take(auth: Auth, answering: &Answering, source: &mut Source) {
    if let Some(item) = item_of(auth, answering, source) {
        source.add(item);
    }
}

/// What an entry gives; `None` where that is nothing, no client reads it, or it is wrong: which is then noted.
fn item_of(auth: Auth, answering: &Answering, source: &mut Source) -> Option<Item> {
    let Auth { key, place, stored, remarks, is_hidden } = auth;
    if matches!(stored, Ok(Stored::Nothing)) {
        return None;
    }
    if is_hidden {
        source.note(&key, &place, "left out: it stands again further down, and clients read the last");
        return None;
    }
    let helper = answering.for_key(&key, source.keys);
    if let Some(name) = helper.filter(|name| *name != HELPER) {
        let name = escaped(name);
        source.note(
            &key,
            &place,
            &format!("left out: the helper `{name}` answers for it, so that no client reads it"),
        );
        return None;
    }
    let gives = match stored {
        Ok(Stored::Basic { username, password }) => Gives::Basic { username, password },
        Ok(Stored::Token(token)) => Gives::Token(token),
        Ok(Stored::Nothing) => return None,
        Err(why) => {
            source.wrong(&key, &place, why);
            return None;
        }
    };
    for remark in remarks {
        source.note(&key, &place, remark);
    }
    let (entries, is_ours) = (vec![key.clone()], helper.is_some());
    Some(Item { entries, is_ours, ..Item::new(key, place, gives) })
}
