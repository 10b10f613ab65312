//! Files that Salt puts on the host for a container to mount: here the container is given them.

use super::host_files::HostFiles;
use super::rendered::RenderedState;
use super::requisites::targets;
use super::sort::clear;
use crate::problem::escaped;
use crate::state::{Arg, ArgValue, Declaration, Function};
use std::collections::BTreeSet;

/// Finds what Salt would put into a file.
pub trait Finds {
    /// The content of `target` on the host; `sources` are those of the state, relative to Salt's file roots.
    fn content(&self, minion: Option<&str>, target: &str, sources: &[String], template: bool) -> Content;

    /// The files of a folder of Salt's file roots, relative to it.
    fn files(&self, folder: &str) -> Vec<String>;
}

/// What was found.
#[derive(Debug)]
pub enum Content {
    /// Bytes, and how the file is to be called below `files/`.
    Found(String, Vec<u8>),
    /// A file that still has to be rendered.
    Template,
    /// Nothing.
    Missing,
}

/// A file that a container is given.
#[derive(Debug)]
pub(super) struct GivenFile {
    /// Its path in the container.
    pub(super) target: String,
    /// What is in it.
    pub(super) content: Given,
    /// `mode`, `uid`, `gid`, `on_change`.
    pub(super) fields: Vec<(&'static str, String)>,
}

/// What is in a file that a container is given.
#[derive(Debug)]
pub(super) enum Given {
    /// A file below `files/`, and its bytes.
    Source(String, Vec<u8>),
    /// The text itself.
    Text(String),
    /// An expression.
    Expression(String),
}

/// Why a state cannot be imported, and the way on.
type Refused = (String, String);

/// Puts files of the host that a container mounts into the container, each instead of its mount.
pub(super) fn give(
    declaration: &mut Declaration,
    host: &HostFiles<'_>,
    finds: Option<&dyn Finds>,
    minion: Option<&str>,
    comments: &mut Vec<String>,
    used: &mut BTreeSet<(String, String)>,
) -> Result<Vec<GivenFile>, Refused> {
    let is_container =
        matches!(declaration.function, Function::ContainerRunning | Function::ContainerInstalled);
    let Some(Arg { value: ArgValue::Array(volumes), .. }) =
        declaration.args.get("volumes").filter(|_| is_container)
    else {
        return Ok(Vec::new());
    };
    let mut left: Vec<Arg> = Vec::new();
    let mut given = Vec::new();
    for volume in volumes.clone() {
        let Some((source, target, options)) = clear(&volume).and_then(parts) else {
            left.push(volume);
            continue;
        };
        let found = host.at(source);
        let is_folder =
            found.iter().any(|(file, ..)| file.trim_end_matches('/') != source.trim_end_matches('/'));
        if found.is_empty()
            || finds.is_none()
            || (is_folder && !options.split(',').any(|option| option == "ro"))
        {
            if !found.is_empty() {
                comments.push(format!("{} of the host goes on to be filled by Salt", escaped(source)));
                if finds.is_some() {
                    comments.push("  the container may write into it, so it stays a mount".to_owned());
                }
            }
            left.push(volume);
            continue;
        }
        let Some(finds) = finds else { continue };
        if is_folder {
            comments.push(format!(
                "{} of the host was mounted at {}; here are the files that Salt puts there",
                escaped(source),
                escaped(target)
            ));
        }
        for (file, state, of_tree) in found {
            let below = file.strip_prefix(source.trim_end_matches('/')).unwrap_or_default();
            let path = format!("{}{below}", target.trim_end_matches('/'));
            let watched = is_watched(declaration, host, file);
            let content = content(state, file, of_tree, finds, minion)?;
            let mut fields = how(state, comments);
            match on_change(declaration, watched) {
                Some(what) => fields.push(("on_change", what)),
                None if watched => {}
                None => comments.push(format!(
                    "Salt did nothing in the container when {} changed; here the container is replaced",
                    escaped(file)
                )),
            }
            used.insert((state.id.clone(), state.sls.clone()));
            given.push(GivenFile { target: path, content, fields });
        }
    }
    if given.is_empty() {
        return Ok(given);
    }
    unwatch(declaration, host);
    match (left.is_empty(), declaration.args.get_mut("volumes")) {
        (true, _) => drop(declaration.args.remove("volumes")),
        (false, Some(volumes)) => volumes.value = ArgValue::Array(left),
        _ => {}
    }
    Ok(given)
}

/// `/srv/www:/www:ro`, if it mounts something of the host.
fn parts(volume: &str) -> Option<(&str, &str, &str)> {
    let mut parts = volume.splitn(3, ':');
    let (source, target) = (parts.next()?, parts.next()?);
    source.starts_with('/').then_some((source, target, parts.next().unwrap_or_default()))
}

fn is_watched(declaration: &Declaration, host: &HostFiles<'_>, file: &str) -> bool {
    let Some(Arg { value: ArgValue::Array(items), .. }) = declaration.args.get("watch") else { return false };
    items.iter().flat_map(targets).any(|(module, name)| module == Some("file") && host.is_named(file, name))
}

/// What is done where a watched file changes: Salt makes a new container, or sends a signal.
fn on_change(declaration: &Declaration, watched: bool) -> Option<String> {
    let action = declaration.args.get("watch_action").and_then(clear).filter(|_| watched)?;
    action.strip_prefix("SIG").map(|signal| format!("signal:{signal}"))
}

/// Takes requisites on files out that the container is given now.
fn unwatch(declaration: &mut Declaration, host: &HostFiles<'_>) {
    for requisite in ["watch", "require", "onchanges"] {
        if let Some(Arg { value: ArgValue::Array(items), .. }) = declaration.args.get_mut(requisite) {
            items.retain(|item| {
                !targets(item).iter().any(|(module, name)| *module == Some("file") && host.has(name))
            });
        }
    }
}

/// What is in a file: from the state itself, the pillar, or the tree of Salt.
fn content(
    state: &RenderedState,
    path: &str,
    of_tree: Option<&str>,
    finds: &dyn Finds,
    minion: Option<&str>,
) -> Result<Given, Refused> {
    let is_template = state.args.get("template").and_then(clear).is_some();
    let refused = |why: &str, hint: String| Err((format!("{} is {why}", escaped(path)), hint));
    if let Some(key) = state.args.get("contents_pillar").and_then(clear) {
        let keys: Vec<String> = key.split(':').map(str::to_owned).collect();
        return Ok(Given::Expression(super::secrets::expression(&keys)));
    }
    if let Some(contents) = state.args.get("contents").filter(|arg| arg.value != ArgValue::Unset) {
        let lines: Vec<&str> = match &contents.value {
            ArgValue::Array(items) => items.iter().filter_map(clear).collect(),
            _ => clear(contents).into_iter().collect(),
        };
        let mut whole = lines.join("\n");
        let ends = state.args.get("contents_newline").is_none_or(|arg| arg.value != ArgValue::Boolean(false));
        if ends && !whole.ends_with('\n') {
            whole.push('\n');
        }
        if is_template && (whole.contains("{{") || whole.contains("{%")) {
            return refused(
                "a template, and Salt renders it only when it writes the file",
                rendered_hint(path),
            );
        }
        return Ok(Given::Text(whole));
    }
    let sources: Vec<String> = match state.args.get("source").map(|source| &source.value) {
        Some(ArgValue::Array(items)) => items.iter().filter_map(clear).map(str::to_owned).collect(),
        Some(ArgValue::Text(text)) => text.as_clear().map(str::to_owned).into_iter().collect(),
        _ => Vec::new(),
    };
    if let Some(chosen) =
        ["include_pat", "exclude_pat", "maxdepth"].iter().find(|name| state.args.contains_key(**name))
    {
        return refused(
            "a folder of a file.recurse, of which Salt chooses the files",
            format!("write the files that `{chosen}` leaves as file.managed, and render it again"),
        );
    }
    let sources = of_tree.map_or(sources, |file| vec![format!("salt://{file}")]);
    let paths: Vec<String> = sources
        .iter()
        .filter_map(|source| source.strip_prefix("salt://"))
        .map(|source| source.split('?').next().unwrap_or_default().to_owned())
        .collect();
    match finds.content(minion, path, &paths, is_template) {
        Content::Found(name, bytes) => Ok(Given::Source(name, bytes)),
        Content::Template => {
            refused("a template, which Salt renders only when it writes the file", rendered_hint(path))
        }
        Content::Missing => {
            let hint = match paths.first() {
                Some(source) => format!(
                    "give Salt's tree with {}: --files FOLDER, or {}",
                    escaped(source),
                    rendered_hint(path)
                ),
                None => rendered_hint(path),
            };
            refused("mounted into the container, and its content was not found", hint)
        }
    }
}

fn rendered_hint(path: &str) -> String {
    let path = escaped(path);
    format!(
        "take the file from the host, and give its folder: scp HOST:{path} DIR{path}, then --rendered DIR"
    )
}

/// Who owns a file, and its mode.
fn how(state: &RenderedState, comments: &mut Vec<String>) -> Vec<(&'static str, String)> {
    let mut fields = Vec::new();
    let printed = |name: &str| match &state.args.get(name)?.value {
        ArgValue::Integer(number) => Some(number.to_string()),
        ArgValue::Text(text) => text.as_clear().map(str::to_owned),
        _ => None,
    };
    let mode = if state.function == "recurse" { "file_mode" } else { "mode" };
    if let Some(mode) = printed(mode).filter(|mode| mode.bytes().all(|byte| (b'0'..=b'7').contains(&byte))) {
        fields.push(("mode", format!("{mode:0>4}")));
    }
    for (name, ours) in [("user", "uid"), ("group", "gid")] {
        match printed(name) {
            Some(number) if number == "0" => {}
            Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => fields.push((ours, number)),
            Some(owner) if owner != "root" => comments.push(format!(
                "a file belonged to {name} `{}` of the host, whose number is not known here: write its `{ours}`",
                escaped(&owner)
            )),
            _ => {}
        }
    }
    fields
}
