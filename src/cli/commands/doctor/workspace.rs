//! The folder of the workspace.

use super::finding::Section;
use super::many;
use crate::cli::Context;
use crate::inventory::FILE;
use crate::problem::{escaped, quoted};
use crate::session::Vault;
use crate::store::{self, Workspace};

/// The workspace, or what to say where there is none: without one that was named, that is no problem.
pub(super) fn find(ctx: &Context) -> Result<Workspace, Section> {
    let is_named = ctx.global.workspace.is_some() || ctx.session.env.workspace.is_some();
    let is_here = ctx.session.env.cwd.ancestors().any(|folder| folder.join(FILE).symlink_metadata().is_ok());
    ctx.session.workspace().map_err(|problems| {
        let mut section = Section::new("workspace");
        if is_named || is_here {
            section.problems(problems);
        } else {
            section
                .note("there is none here: only what is personal was looked at", "pillarbox -C DIR doctor");
        }
        section
    })
}

/// What is wrong with its files.
pub(super) fn look(vault: &Vault<'_>) -> Section {
    let workspace = vault.workspace();
    let root = workspace.root().display().to_string();
    let mut section = Section::new(format!("workspace {} in {}", vault.name(), escaped(&root)));
    for problem in vault.faults() {
        section.problems(problem.clone().into());
    }
    for document in vault.documents() {
        if let Err(problems) = document.tree() {
            section.problems(problems);
        }
    }
    if section.findings.is_empty() {
        section.ok(format!(
            "{}, {}, {}",
            many(vault.documents().count(), "pillar file", "pillar files"),
            many(vault.inventory().hosts.len(), "host", "hosts"),
            many(vault.boxes().len(), "box", "boxes")
        ));
    }
    if vault.owner().id.is_none() {
        section.note(
            "it has no id: another workspace of the same name would take its containers for its own",
            "pillarbox init --id",
        );
    }
    if workspace.root().join(".git").exists() {
        let attributes =
            store::read_private(&workspace.root().join(".gitattributes")).ok().flatten().unwrap_or_default();
        if !attributes.lines().any(|line| line.contains("diff=pillarbox")) {
            section.note(
                "git shows sealed values as they are: .gitattributes names no diff=pillarbox",
                format!(
                    "echo 'pillar/**/*.toml diff=pillarbox merge=pillarbox' >> {}",
                    quoted(&workspace.root().join(".gitattributes").display().to_string())
                ),
            );
        }
    }
    let own = workspace.root().join(".pillarbox");
    let ignores = store::read_private(&own.join(".gitignore")).ok().flatten();
    if own.is_dir() && !ignores.is_some_and(|text| text.lines().any(|line| line.trim() == "*")) {
        section.problem(
            "git does not ignore .pillarbox, the tool's own folder",
            format!("printf '*\\n' > {}", quoted(&own.join(".gitignore").display().to_string())),
        );
    }
    section
}
