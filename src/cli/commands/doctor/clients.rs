//! Whether docker and podman ask pillarbox, and what stands in the way.

use super::super::registry::{Client, Files, how_to_find, registries};
use super::finding::Section;
use super::many;
use crate::cli::Context;
use crate::credential::PROGRAM;
use crate::docker_config::{HELPER, Stored, helpers, read_auths};
use crate::name::RegistryHost;
use crate::problem::{escaped, quoted};
use crate::process::{self, Child, End, Inherited, Limits};
use crate::registry::Scope;
use crate::session::Vault;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;
use zeroize::Zeroizing;

const INSTALL: &str = "pillarbox registry helper install";

pub(super) fn look(ctx: &Context, vault: Option<&Vault<'_>>) -> Section {
    let mut section = Section::new("docker and podman");
    let hosts: BTreeSet<RegistryHost> =
        vault.map(|vault| registries(vault).into_keys().collect()).unwrap_or_default();
    let files = match Files::default().read(ctx) {
        Ok(files) => files,
        Err(problems) => {
            section.problems(problems);
            return section;
        }
    };
    let mut is_asked = false;
    for file in &files {
        let Some(text) = &file.text else { continue };
        let named = match helpers(text, &file.shown) {
            Ok(named) => named,
            Err(problems) => {
                section.problems(problems);
                continue;
            }
        };
        let store = named.store.as_deref() == Some(HELPER) && file.client == Client::Docker;
        let ours = named.by_host.values().filter(|name| *name == HELPER).count();
        is_asked |= store || ours > 0;
        let left: Vec<&RegistryHost> = hosts
            .iter()
            .filter(|host| {
                let own = named.by_host.get(&file.client.name_of(host)).map(String::as_str);
                !(own == Some(HELPER) || own.is_none() && store)
            })
            .collect();
        match (store, ours) {
            (true, _) => section.ok(format!("{}: asks pillarbox about every registry", file.shown)),
            (false, 0) => {}
            (false, ours) => section.ok(format!(
                "{}: asks pillarbox about {}",
                file.shown,
                many(ours, "registry", "registries")
            )),
        }
        if (store || ours > 0) && !left.is_empty() {
            let left = left.iter().map(|host| host.as_str()).collect::<Vec<_>>().join(", ");
            section.note(format!("{}: does not ask pillarbox about {left}", file.shown), INSTALL);
        }
        clear(&mut section, &file.shown, &file.path, text, &hosts);
    }
    if is_asked {
        program(ctx, &mut section);
        config(ctx, &mut section, vault);
    } else if !hosts.is_empty() {
        section.note("neither docker nor podman asks pillarbox for credentials on this machine", INSTALL);
    }
    section
}

/// Credentials in clear: a problem where the pillar has the registry, else to know.
fn clear(section: &mut Section, shown: &str, path: &Path, text: &str, hosts: &BTreeSet<RegistryHost>) {
    let Ok(auths) = read_auths(text, shown) else { return };
    let path = quoted(&path.display().to_string());
    let in_clear = auths.iter().filter(|auth| !matches!(auth.stored, Ok(Stored::Nothing)));
    let (mut known, mut others) = (Vec::new(), Vec::new());
    for auth in in_clear {
        let ours = Scope::parse(&auth.key).is_ok_and(|scope| hosts.contains(scope.host()));
        if ours { known.push(&auth.key) } else { others.push(&auth.key) }
    }
    let list = |keys: &[&String]| keys.iter().map(|key| escaped(key)).collect::<Vec<_>>().join(", ");
    if !known.is_empty() {
        let only: String = known.iter().map(|key| format!(" --only {}", quoted(key))).collect();
        section.problem(
            format!("{shown}: credentials in clear of registries that the pillar has: {}", list(&known)),
            format!("pillarbox registry import {path}{only} --remove-from-source"),
        );
    }
    if !others.is_empty() {
        section.note(
            format!("{shown}: credentials in clear: {}", list(&others)),
            format!("pillarbox registry import {path} --remove-from-source"),
        );
    }
}

/// The helper in `PATH`: there, and of this version.
fn program(ctx: &Context, section: &mut Section) {
    let found = ctx.session.env.search_path.as_ref().and_then(|path| process::find_in(path, PROGRAM));
    let Some(found) = found else {
        section.problem(format!("{PROGRAM} is not in PATH: docker and podman fail"), how_to_find(ctx));
        return;
    };
    let shown = escaped(&found.display().to_string());
    let own = env!("CARGO_PKG_VERSION");
    match version(&found) {
        Some(said) if said.split_whitespace().last() == Some(own) => {
            section.ok(format!("{shown}, version {own}"));
        }
        said => section.problem(
            format!(
                "{shown} is of another version than this pillarbox, {own}: {}",
                escaped(&said.unwrap_or_else(|| "it does not say which".to_owned()))
            ),
            how_to_find(ctx),
        ),
    }
}

/// What a helper says its version is, in two seconds.
fn version(program: &Path) -> Option<String> {
    let mut command = process::command(program, Inherited::Basic);
    let limits = Limits { out: 200, err: 0 };
    let (end, output) = Child::start(command.arg("version"), Zeroizing::default(), limits)
        .ok()?
        .finish(Duration::from_secs(2));
    let text = String::from_utf8_lossy(&output.out);
    matches!(end, End::Exit(0)).then(|| text.trim().to_owned())
}

/// The workspace that the helper answers from.
fn config(ctx: &Context, section: &mut Section, vault: Option<&Vault<'_>>) {
    let named = match ctx.session.config() {
        Ok(config) => config.workspace,
        Err(problems) => {
            section.problems(problems);
            return;
        }
    };
    let Some(named) = named else {
        section.problem("the helper knows no workspace: config.toml names none", INSTALL);
        return;
    };
    let shown = escaped(&named.display().to_string());
    match (named.canonicalize(), vault.map(|vault| vault.workspace().root())) {
        (Err(_), _) => section.problem(
            format!("the workspace that the helper answers from is gone: {shown}"),
            format!("{INSTALL} --replace"),
        ),
        (Ok(real), Some(root)) if real != root => section.note(
            format!("the helper answers from another workspace: {shown}"),
            format!("pillarbox -C {} registry helper install --replace", quoted(&root.display().to_string())),
        ),
        (Ok(_), _) => section.ok(format!("the helper answers from {shown}")),
    }
}
