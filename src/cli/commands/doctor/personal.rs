//! What belongs to this person, whatever the workspace is.

use super::super::registry::home_shown;
use super::finding::Section;
use super::many;
use crate::cli::Context;
use crate::problem::{Problems, escaped, quoted};
use crate::session::IdentitySource;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::rc::Rc;

/// Modes that let others read or write.
const PRIVATE: u32 = 0o077;
/// Modes that let others write.
const WRITABLE: u32 = 0o022;

/// All places where a private key is looked for, and what is wrong with the one that ends the search.
pub(super) fn sources(ctx: &Context) -> (Vec<Rc<IdentitySource>>, Option<Problems>) {
    let mut all = Vec::new();
    loop {
        match ctx.session.identity_source(all.len()) {
            Ok(Some(source)) => all.push(source),
            Ok(None) => return (all, None),
            Err(problems) => return (all, Some(problems)),
        }
    }
}

/// The private keys at hand.
pub(super) fn identity(ctx: &Context) -> Section {
    let mut section = Section::new("identity");
    let (all, wrong) = sources(ctx);
    for source in all {
        match (source.keys(), source.locked_keys()) {
            (Some(keys), _) => {
                for key in keys.iter() {
                    section.ok(format!("{}: {}", escaped(&source.from), key.recipient()));
                }
            }
            (None, Some(_)) => section.note(
                format!("{}: protected by a passphrase, asked for at every use", escaped(&source.from)),
                match source.file() {
                    Some(path) => {
                        format!("pillarbox identity unlock {}", quoted(&path.display().to_string()))
                    }
                    None => "pillarbox identity unlock".to_owned(),
                },
            ),
            (None, None) => {}
        }
    }
    match wrong {
        Some(problems) => section.problems(problems),
        None if section.findings.is_empty() => match ctx.session.ssh_key() {
            Some(key) => section.note(
                format!(
                    "{}: used where it is a reader, and there is no other private key",
                    escaped(&key.from)
                ),
                "pillarbox identity new".to_owned(),
            ),
            None => {
                section.problem("there is no private key here, so no box opens", "pillarbox identity new");
            }
        },
        None => {}
    }
    section
}

/// Files that only this user may read. Identities are not checked: one that others may read is not used.
pub(super) fn permissions(ctx: &Context) -> Section {
    let mut section = Section::new("permissions");
    let Ok(paths) = ctx.session.paths() else {
        section.problem("there is no home folder", "export HOME=/home/USER");
        return section;
    };
    let known = ctx.session.known_path().unwrap_or_else(|| paths.known.clone());
    let mut fine = 0;
    for file in [&known, &paths.wired] {
        fine += usize::from(check(ctx, &mut section, file, PRIVATE, "chmod 600"));
    }
    // It holds nothing private, but names the workspace that logins come from.
    fine += usize::from(check(ctx, &mut section, &paths.config, WRITABLE, "chmod go-w"));
    overlay(ctx, &mut section, &paths.overlay, &mut fine);
    if section.findings.is_empty() && fine > 0 {
        section.ok(format!(
            "closed to others: {}",
            many(fine, "personal file or folder", "personal files and folders")
        ));
    }
    section
}

/// The personal overlay, with the files in it.
fn overlay(ctx: &Context, section: &mut Section, folder: &Path, fine: &mut usize) {
    *fine += usize::from(check(ctx, section, folder, PRIVATE, "chmod 700"));
    // A user who may not enter the folder may not read what is in it.
    let pillar = folder.join("pillar");
    *fine += usize::from(check(ctx, section, &pillar, PRIVATE, "chmod 700"));
}

/// Whether something is there and closed to others; says it where it is open.
fn check(ctx: &Context, section: &mut Section, path: &Path, closed: u32, fix: &str) -> bool {
    let Ok(data) = path.metadata() else { return false };
    let found = data.permissions().mode() & 0o7777;
    if found & closed == 0 {
        return true;
    }
    section.problem(
        match closed {
            WRITABLE => format!("others may write {} (mode {found:04o})", home_shown(ctx, path)),
            _ => format!("others may read {} (mode {found:04o})", home_shown(ctx, path)),
        },
        format!("{fix} {}", quoted(&path.display().to_string())),
    );
    false
}
