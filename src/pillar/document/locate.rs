//! Which file of the pillar a key belongs to, when the command line does not say.

use super::Document;
use crate::name::{KeyPath, RegistryHost};
use crate::problem::{Problem, Result, escaped};

/// The file that `--in` names: relative to `pillar/`, `.toml` optional.
///
/// # Errors
/// If it leads out of the pillar, is hidden, or is a `box.toml`, which the tool keeps itself.
pub fn file_name(typed: &str) -> Result<String> {
    let wrong = |why: &str| {
        Problem::usage(format!("`{}` is not a file of the pillar: {why}", escaped(typed)))
            .hint("name it relative to pillar/, for example 'apps' or 'registries/ghcr.io'")
    };
    let name = typed.strip_suffix(".toml").unwrap_or(typed);
    for part in name.split('/') {
        match part {
            "" => return Err(wrong("a part of the path is empty").into()),
            _ if part.starts_with(['.', '-']) => {
                return Err(wrong("no part may begin with `.` or `-`").into());
            }
            _ if part.chars().any(|c| c.is_control() || c == '\\') => {
                return Err(wrong("it has a control character or a backslash").into());
            }
            _ => {}
        }
    }
    if name == "box" || name.ends_with("/box") {
        return Err(wrong("box.toml holds the slot and the lock").into());
    }
    Ok(format!("{name}.toml"))
}

/// Where a key belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// This file, which may be a new one.
    File(String),
    /// One of these, and only the user knows which; none if there is no file yet.
    Ask(Vec<String>),
}

/// The file for a key: the one that has it, else for a registry the file of its host, else the one
/// with the longest table above it. Files below `hosts/` are never chosen.
///
/// # Errors
/// If a key of `registries` names no registry.
pub fn choose_file<'d>(documents: impl IntoIterator<Item = &'d Document>, key: &KeyPath) -> Result<Choice> {
    let fit: Vec<&Document> =
        documents.into_iter().filter(|document| !document.file().starts_with("hosts/")).collect();
    let with = |key: &KeyPath| -> Vec<String> {
        let have = fit.iter().filter(|document| document.get(key).is_some());
        have.map(|document| document.file().to_owned()).collect()
    };
    let mut path = Some(key.clone());
    while let Some(at) = path {
        if at.parts() == ["registries"] {
            break;
        }
        match with(&at).as_slice() {
            [] => path = at.parent(),
            [one] => return Ok(Choice::File(one.clone())),
            several => return Ok(Choice::Ask(several.to_vec())),
        }
    }
    if let [top, entry, ..] = key.parts()
        && top == "registries"
    {
        if fit.iter().any(|document| document.file() == "registries.toml") {
            return Ok(Choice::File("registries.toml".to_owned()));
        }
        let host = RegistryHost::parse(entry.split('/').next().unwrap_or(entry))?;
        return Ok(Choice::File(format!("registries/{}.toml", host.file_stem())));
    }
    let all: Vec<String> = fit.iter().map(|document| document.file().to_owned()).collect();
    match all.iter().filter(|file| !file.starts_with("registries")).collect::<Vec<_>>().as_slice() {
        [one] => Ok(Choice::File((**one).clone())),
        _ => Ok(Choice::Ask(all)),
    }
}
