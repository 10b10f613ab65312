//! Which file of the pillar a key belongs to, when the command line does not say.

use super::Document;
use crate::name::{KeyPath, RegistryHost};
use crate::problem::{Problem, Result, escaped, quoted};

/// The file that `--in` names: relative to `pillar/`, `.toml` optional.
///
/// # Errors
/// Where it leads out of the pillar, is hidden, or is a `box.toml`, which the tool keeps itself.
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

/// The file for a key: the one that has it, else for a registry the file of its host, else the one
/// with the longest table above it. Files below `hosts/` are never chosen. The file may be a new one.
///
/// # Errors
/// Where several files fit, or none; with the candidates.
pub fn choose_file(documents: &[Document], key: &KeyPath) -> Result<String> {
    let fit = documents.iter().filter(|document| !document.file().starts_with("hosts/"));
    let with = |key: &KeyPath| -> Vec<&str> {
        fit.clone().filter(|document| document.get(key).is_some()).map(Document::file).collect()
    };
    let mut path = Some(key.clone());
    while let Some(at) = path {
        if at.parts() == ["registries"] {
            break;
        }
        match with(&at).as_slice() {
            [] => path = at.parent(),
            [one] => return Ok((*one).to_owned()),
            several => return Err(ambiguous(key, several)),
        }
    }
    if let [top, entry, ..] = key.parts()
        && top == "registries"
    {
        if fit.clone().any(|document| document.file() == "registries.toml") {
            return Ok("registries.toml".to_owned());
        }
        let host = RegistryHost::parse(entry.split('/').next().unwrap_or(entry))?;
        return Ok(format!("registries/{}.toml", host.file_stem()));
    }
    let all: Vec<&str> = fit.clone().map(Document::file).collect();
    match all.iter().filter(|file| !file.starts_with("registries")).collect::<Vec<_>>().as_slice() {
        [one] => Ok((**one).to_owned()),
        _ => Err(ambiguous(key, &all)),
    }
}

fn ambiguous(key: &KeyPath, files: &[&str]) -> crate::problem::Problems {
    let what =
        if files.is_empty() { "there is no file in pillar/ yet" } else { "several files could hold it" };
    let problem = Problem::usage(format!("which file of the pillar is `{key}` in?")).cause(what);
    let example = if files.is_empty() { &["apps.toml"] } else { files };
    example.iter().fold(problem, |problem, file| problem.hint(format!("say: --in {}", quoted(file)))).into()
}
