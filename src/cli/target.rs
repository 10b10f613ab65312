//! Which file and key a command means: `--in`, `--host`, or the one file that fits.

use crate::inventory::Host;
use crate::name::{HostName, KeyPath, folded};
use crate::pillar::document::{Choice, Document, choose_file, file_name, resolve_key};
use crate::pillar::{Node, Origin, Value, gate};
use crate::problem::{Code, Problem, Problems, Result, escaped, quoted};
use crate::registry;
use crate::session::{Vault, merged};

/// Options of commands that look at or change one value.
#[derive(clap::Args, Clone, Debug, Default)]
pub(in crate::cli) struct TargetArgs {
    /// File below pillar/, `.toml` optional [default: the one that has the key, or its longest table]
    #[arg(id = "in", long, value_name = "FILE", conflicts_with = "host")]
    pub(in crate::cli) file: Option<String>,
    /// The host's own file, pillar/hosts/HOST.toml
    #[arg(long, value_name = "HOST")]
    pub(in crate::cli) host: Option<String>,
}

/// A command as hints repeat it: the verb before the place and the key, and what follows.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Verb<'a>(pub(in crate::cli) &'a str, pub(in crate::cli) &'a str);

impl Verb<'_> {
    fn with(self, options: &str, key: &str) -> String {
        let Verb(verb, rest) = self;
        let space = |text: &str| if text.is_empty() { String::new() } else { format!(" {text}") };
        format!("pillarbox {verb}{} {}{}", space(options), quoted(key), space(rest))
    }
}

impl TargetArgs {
    /// The file that the options name.
    ///
    /// # Errors
    /// Where it cannot be one, or the host is not in the inventory.
    pub(in crate::cli) fn named(&self, vault: &Vault<'_>) -> Result<Option<String>> {
        match (&self.file, &self.host) {
            (Some(file), _) => file_name(file.strip_prefix("pillar/").unwrap_or(file)).map(Some),
            (None, Some(name)) => Ok(Some(format!("hosts/{}.toml", host(vault, name)?.name))),
            (None, None) => Ok(None),
        }
    }

    /// The place of a value that is to be looked at or changed; nothing need be there.
    ///
    /// # Errors
    /// Where the key is none, or the command line does not say which of several files is meant.
    pub(in crate::cli) fn place(&self, vault: &Vault<'_>, typed: &str, verb: Verb<'_>) -> Result<Origin> {
        let named = self.named(vault)?;
        let candidates: Vec<&Document> = vault
            .documents()
            .filter(|document| match &named {
                Some(file) => document.file() == file,
                None => !document.file().starts_with("hosts/"),
            })
            .collect();
        let existing: Vec<KeyPath> = candidates.iter().flat_map(|document| document.keys()).collect();
        let key = resolve_key(typed, &existing).map_err(|problems| unquoted(problems, typed, verb))?;
        if !existing.contains(&key) {
            check_key(&key, None).map_err(|problems| unquoted(problems, typed, verb))?;
        }
        let file = match named {
            Some(file) => file,
            None => match choose_file(candidates.iter().copied(), &key)? {
                Choice::File(file) => file,
                Choice::Ask(files) => return Err(self.ask(vault, &key, &files, verb).into()),
            },
        };
        Ok(Origin { file, key })
    }

    /// The value at a place that must be there.
    ///
    /// # Errors
    /// As [`Self::place`]; where nothing is there, with the nearest key or the hosts that have it.
    pub(in crate::cli) fn value<'v>(
        &self,
        vault: &'v Vault<'_>,
        typed: &str,
        verb: Verb<'_>,
    ) -> Result<(Origin, &'v Node)> {
        let origin = match self.place(vault, typed, verb) {
            Ok(origin) => origin,
            // A key that is nowhere has no file: say that, not which files there are.
            Err(problems) => {
                let key = KeyPath::parse(typed).map_err(|_| problems.clone())?;
                let is_there = |document: &Document| document.get(&key).is_some();
                if self.file.is_some() || self.host.is_some() || vault.documents().any(is_there) {
                    return Err(problems);
                }
                return Err(missing(vault, None, &key, verb).into());
            }
        };
        match vault.document(&origin.file).and_then(|document| document.get(&origin.key)) {
            Some(node) => Ok((origin, node)),
            None => {
                let named = self.named(vault)?;
                Err(missing(vault, named.as_deref(), &origin.key, verb).into())
            }
        }
    }

    fn ask(&self, vault: &Vault<'_>, key: &KeyPath, files: &[String], verb: Verb<'_>) -> Problem {
        if files.is_empty() && vault.documents().next().is_none() {
            return Problem::usage(format!("which file of the pillar shall hold `{key}`?"))
                .cause("there is none yet")
                .hint(verb.with("--in apps", &key.to_string()));
        }
        let mut problem = Problem::usage(format!("which file of the pillar is meant for `{key}`?"));
        for file in files {
            problem = problem.cause(format!("pillar/{} could be", escaped(file)));
        }
        for file in files.iter().take(5) {
            problem = problem.hint(verb.with(&format!("--in {}", stem(file)), &key.to_string()));
        }
        problem
    }
}

/// A file as `--in` names it.
pub(in crate::cli) fn stem(file: &str) -> String {
    let stem = file.strip_suffix(".toml").unwrap_or(file);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    if stem.chars().all(plain) { stem.to_owned() } else { quoted(stem) }
}

/// A host of the inventory.
///
/// # Errors
/// Where there is none of that name.
pub(in crate::cli) fn host<'v>(vault: &'v Vault<'_>, name: &str) -> Result<&'v Host> {
    let hosts = &vault.inventory().hosts;
    HostName::parse(name).ok().and_then(|name| hosts.get(&name)).ok_or_else(|| {
        let names: Vec<&str> = hosts.keys().map(HostName::as_str).collect();
        let problem = Problem::usage(format!("there is no host `{}`", escaped(name)));
        match names.is_empty() {
            true => problem.cause("pillarbox.toml names none"),
            false => problem.cause(format!("the hosts are: {}", folded(&names))),
        }
        .nearest(name, names.iter().copied())
        .into()
    })
}

/// A value of a host's merged pillar.
///
/// # Errors
/// As [`merged`]; where the key is none, or not there.
pub(in crate::cli) fn merged_value(
    vault: &Vault<'_>,
    name: &str,
    typed: &str,
    verb: Verb<'_>,
) -> Result<(KeyPath, Node)> {
    let host = host(vault, name)?;
    let tree = merged(vault, host)?;
    let mut existing = Vec::new();
    keys(&tree, &mut Vec::new(), &mut existing);
    let key = resolve_key(typed, &existing).map_err(|problems| unquoted(problems, typed, verb))?;
    match tree.at(key.parts().iter().map(String::as_str)) {
        Some(node) => Ok((key, node.clone())),
        None => {
            let known: Vec<String> = existing.iter().map(ToString::to_string).collect();
            Err(Problem::failed(format!("{} has no `{key}`", host.name))
                .nearest(&key.to_string(), known.iter().map(String::as_str))
                .into())
        }
    }
}

fn keys(node: &Node, path: &mut Vec<String>, found: &mut Vec<KeyPath>) {
    for (key, child) in node.as_table().into_iter().flatten() {
        path.push(key.clone());
        found.extend(KeyPath::from_parts(path.clone()));
        keys(child, path, found);
        path.pop();
    }
}

fn missing(vault: &Vault<'_>, file: Option<&str>, key: &KeyPath, verb: Verb<'_>) -> Problem {
    let place = file.map_or_else(|| "the pillar".to_owned(), |file| format!("pillar/{}", escaped(file)));
    let mut problem = Problem::failed(format!("there is no `{key}` in {place}"));
    for document in vault.documents().filter(|document| document.get(key).is_some()) {
        let option = format!("--in {}", stem(document.file()));
        problem = problem.hint(format!("another file has it: {}", verb.with(&option, &key.to_string())));
    }
    let known: Vec<String> = vault.documents().flat_map(Document::keys).map(|key| key.to_string()).collect();
    problem.nearest(&key.to_string(), known.iter().map(String::as_str))
}

/// Checks a key of the two tables with fixed keys; see [`registry::check_key`] and [`gate::check_key`].
///
/// # Errors
/// Where it cannot stand there.
pub(in crate::cli) fn check_key(key: &KeyPath, value: Option<&Value>) -> Result<()> {
    let wrong = |problem| Problem { code: Code::Usage, ..problem };
    registry::check_key(key, value)
        .and_then(|()| gate::check_key(key, value))
        .map_err(|problems| problems.map(wrong))
}

/// Adds the command that was meant, where a shell ate quotes.
fn unquoted(problems: Problems, typed: &str, verb: Verb<'_>) -> Problems {
    let Some(meant) = registry::unquoted_key(typed).or_else(|| gate::unquoted_key(typed)) else {
        return problems;
    };
    problems.map(|mut problem| {
        problem.hints = vec![format!("was this meant? {}", verb.with("", &meant.to_string()))];
        problem
    })
}
