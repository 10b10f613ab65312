//! Credentials of other tools for the pillar: what a file of Docker, Podman or Salt contains for
//! each registry. Pure; helpers that such a file names are asked elsewhere, and their answers added.

mod clients;
mod salt;
mod yaml;

use crate::name::{HelperName, RegistryHost};
use crate::problem::{Place, Problem, Result, escaped};
use crate::registry::Scope;
use crate::secret::Secret;
use std::collections::BTreeMap;

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `config.json` of docker, or `auth.json` of podman: one format.
    Clients,
    /// A pillar of Salt, in YAML or JSON.
    Salt,
}

/// The credential of a registry.
#[derive(Clone, Debug)]
pub enum Gives {
    /// A user name and a password.
    Basic {
        /// The user name.
        username: String,
        /// The password; text.
        password: Secret,
    },
    /// An identity token; text.
    Token(Secret),
    /// A helper that is asked each time, because its answer is valid only for hours.
    Helper(HelperName),
}

impl Gives {
    /// Whether both are the same, secret and all.
    pub fn same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Basic { username, password }, Self::Basic { username: user, password: secret }) => {
                username == user && password.same_as(secret.reveal())
            }
            (Self::Token(token), Self::Token(other)) => token.same_as(other.reveal()),
            (Self::Helper(name), Self::Helper(other)) => name == other,
            _ => false,
        }
    }
}

/// One credential that was found.
#[derive(Clone, Debug)]
pub struct Item {
    /// The registry as the source names it.
    pub key: String,
    /// Its place in the source.
    pub place: Place,
    /// What it is given.
    pub gives: Gives,
    /// An e-mail address that Salt stores beside the user; it is not used.
    pub email: Option<String>,
}

/// A helper that knows a credential: to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The registry as the source names it, and as the helper is asked for it.
    pub key: String,
    /// Its place in the source.
    pub place: Place,
    /// Which helper.
    pub helper: HelperName,
}

/// Everything in a source.
#[derive(Clone, Debug, Default)]
pub struct Source {
    items: BTreeMap<Scope, Item>,
    bad: Vec<Problem>,
    /// Helpers that are named for one registry each.
    pub asks: Vec<Ask>,
    /// The helper that keeps all others (`credsStore`), and its place.
    pub store: Option<(HelperName, Place)>,
}

impl Source {
    /// Reads a source. `file` is its path, for errors; without a format it is detected from the content.
    ///
    /// # Errors
    /// If it is of no known form. Single entries that are wrong are kept for [`Source::bad`].
    pub fn read(text: &Secret, file: &str, format: Option<Format>) -> Result<Self> {
        let place = Place::new(file, 0);
        let text = text.reveal_text().ok_or_else(|| Problem::failed("this is not UTF-8 text").at(&place))?;
        let format = match format {
            Some(format) => format,
            None => told(text).ok_or_else(|| {
                Problem::failed("this is not a file of docker, podman or Salt")
                    .at(&place)
                    .cause("it has neither `auths`, `credHelpers` or `credsStore` nor a key that ends with `docker-registries`")
                    .hint("if it is one, name the format: --format docker, podman or salt")
            })?,
        };
        let mut source = Self::default();
        match format {
            Format::Clients => clients::read(text, file, &mut source)?,
            Format::Salt => salt::read(text, file, &mut source)?,
        }
        Ok(source)
    }

    /// Adds a credential, or what is wrong with it: the registry is none, or has another one already.
    pub fn add(&mut self, item: Item) {
        match scope(&item.key) {
            Err(why) => self.wrong(&item.key, &item.place, &why),
            Ok(scope) => match self.items.get(&scope) {
                None => drop(self.items.insert(scope, item)),
                Some(first) if first.gives.same_as(&item.gives) => {}
                Some(first) => self.bad.push(
                    Problem::failed(format!(
                        "`{}` and `{}` are one registry and have two credentials",
                        escaped(&first.key),
                        escaped(&item.key)
                    ))
                    .at(&item.place)
                    .cause(format!("the other one is in {}", first.place)),
                ),
            },
        }
    }

    /// Adds what is wrong with an entry.
    pub fn wrong(&mut self, key: &str, place: &Place, why: &str) {
        let what = format!("the entry of `{}` cannot be imported: {why}", escaped(key));
        self.bad.push(Problem::failed(what).at(place));
    }

    /// Adds what went wrong elsewhere on the way to a credential.
    pub fn failed(&mut self, problem: Problem) {
        self.bad.push(problem);
    }

    /// The entries without errors, by registry.
    pub fn items(&self) -> &BTreeMap<Scope, Item> {
        &self.items
    }

    /// The errors of the others.
    pub fn bad(&self) -> &[Problem] {
        &self.bad
    }

    /// Leaves out what is not in any of these registries, or prefixes of them.
    pub fn only(&mut self, wanted: impl Fn(&Scope) -> bool) {
        self.items.retain(|scope, _| wanted(scope));
        let is_wanted = |key: &str| scope(key).is_ok_and(|scope| wanted(&scope));
        self.asks.retain(|ask| is_wanted(&ask.key));
        self.bad.clear();
    }
}

/// The registry that a key of the source names.
fn scope(key: &str) -> Result<Scope, String> {
    if key.starts_with("http://") {
        return Err("it is for plain HTTP, over which a credential of the pillar is never sent".to_owned());
    }
    let bare = key.strip_prefix("https://").unwrap_or(key);
    let (host, path) = bare.split_once('/').unwrap_or((bare, ""));
    let is_hub = RegistryHost::parse(host).is_ok_and(|host| host.is_hub());
    if is_hub && matches!(path.trim_end_matches('/'), "v1/access-token" | "v1/refresh-token") {
        return Err("it is a token of docker's own login in the browser; make an access token at Docker Hub instead, and \
                    add it: pillarbox registry add docker.io -u USER"
            .to_owned());
    }
    Scope::parse(key).map_err(|problems| {
        problems
            .iter()
            .next()
            .map_or_else(|| "it is not a registry".to_owned(), |problem| problem.what.clone())
    })
}

fn told(text: &str) -> Option<Format> {
    let looks_like_json = text.trim_start().starts_with('{');
    let fields = ["\"auths\"", "\"credHelpers\"", "\"credsStore\""];
    match salt::is_one(text) {
        _ if looks_like_json && fields.iter().any(|field| text.contains(field)) => Some(Format::Clients),
        true => Some(Format::Salt),
        false if looks_like_json => Some(Format::Clients),
        false => None,
    }
}

#[cfg(test)]
mod tests;
