//! Boxes, their readers, and the credentials in them. What this machine knows is looked at, not changed.

use super::super::registry::{is_over, shown};
use super::super::verify::stray;
use super::finding::Section;
use super::{many, names};
use crate::cli::Context;
use crate::name::KeyPath;
use crate::pillar::boxes::{BoxFile, BoxFolder, OpenBox};
use crate::pillar::known::{Purpose, SeenBox};
use crate::pillar::seal;
use crate::pillar::{Sealed, Value};
use crate::problem::{Code, Problems, Result, escaped, quoted};
use crate::registry::{EXPIRES, TABLE, expiry};
use crate::secret::Secret;
use crate::session::{KeyFiles, Vault};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Each box: whether it opens here, is the known one, and has more than one reader.
pub(super) fn boxes(ctx: &Context, vault: &Vault<'_>) -> Section {
    let mut section = Section::new("boxes");
    if !vault.has_box() {
        section.problem("there is no box: nothing can be sealed", "pillarbox box new pillar");
    }
    for (folder, file) in vault.boxes() {
        match opened(vault, folder) {
            Err(problems) => section.problems(problems),
            Ok(open) => {
                if let Err(problems) = known(vault, folder, file, open.as_deref()) {
                    section.problems(problems);
                    continue;
                }
                let readers = names(&file.readers);
                match open {
                    Some(_) => section.ok(format!("{folder} opens here; readers: {readers}")),
                    None => section.note(
                        format!("{folder} does not open here; its readers are {readers}"),
                        to_be_added(ctx, folder),
                    ),
                }
            }
        }
        if let (1, Some(only)) = (file.readers.len(), file.readers.iter().next()) {
            section.note(
                format!("{folder} has one reader, {only}: if that key is lost, so is the box"),
                format!(
                    "pillarbox reader add recovery --box {folder} \"$(pillarbox -q identity new ~/pillarbox-recovery.txt)\"   # then keep that file offline"
                ),
            );
        }
    }
    section
}

/// What one of the readers has to run.
fn to_be_added(ctx: &Context, folder: &BoxFolder) -> String {
    let (sources, wrong) = super::personal::sources(ctx);
    let own = sources.iter().find_map(|source| source.publics().next().map(ToString::to_string));
    let locked =
        sources.iter().find(|source| source.locked_keys().is_some()).and_then(|source| source.file());
    match (own, locked) {
        (None, Some(file)) => {
            format!("pillarbox identity unlock {}", quoted(&file.display().to_string()))
        }
        (Some(key), _) => format!(
            "pillarbox reader add {} {} --box {folder}   # to be run by one of them",
            reader_name(ctx),
            quoted(&key)
        ),
        // A key that is there and refused is not to be replaced by another.
        (None, None) => wrong
            .and_then(|problems| problems.iter().flat_map(|problem| problem.hints.first()).next().cloned())
            .unwrap_or_else(|| "pillarbox identity new".to_owned()),
    }
}

fn reader_name(ctx: &Context) -> String {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let name = ctx.session.env.user.as_str();
    if name.chars().all(fine) && !name.is_empty() { name.to_owned() } else { "NAME".to_owned() }
}

/// The box, if one of the keys here opens it. What is wrong with a key itself is said of identities.
fn opened(vault: &Vault<'_>, folder: &BoxFolder) -> Result<Option<Rc<OpenBox>>> {
    match vault.unlock(folder) {
        Ok(open) => Ok(Some(open)),
        Err(problems) if problems.code() == Code::Seal => Err(problems),
        Err(_) => Ok(None),
    }
}

fn known(vault: &Vault<'_>, folder: &BoxFolder, file: &BoxFile, open: Option<&OpenBox>) -> Result<()> {
    file.check_shape(folder)?;
    let seen = SeenBox { workspace: vault.seen(), folder, slot: &file.slot, open };
    vault.known_file().look(|known| known.clone().meet_box(&seen, Purpose::Post, false)).map(drop)
}

/// Where `keys/` and the locks differ, and private keys that lie about.
pub(super) fn readers(vault: &Vault<'_>) -> Section {
    let mut section = Section::new("readers");
    for problem in stray::pending(vault).into_iter().chain(stray::private_keys(vault.workspace())) {
        section.problems(problem.into());
    }
    for name in stray::keys_without_box(vault) {
        let path = KeyFiles::path(&name);
        section.note(
            format!("{path} reads no box"),
            format!("pillarbox reader add {name}   # or: git rm {path}"),
        );
    }
    if section.findings.is_empty() && !vault.boxes().is_empty() {
        section.ok("the locks agree with keys/");
    }
    section
}

/// Credentials of registries: those that open here.
pub(super) fn credentials(vault: &Vault<'_>) -> Section {
    let mut section = Section::new("registries");
    let (mut fine, mut retired) = (0_usize, BTreeMap::<&BoxFolder, usize>::new());
    let mut closed: BTreeMap<&BoxFolder, usize> = BTreeMap::new();
    let mut ended = Vec::new();
    for sealed in vault.documents().flat_map(|document| document.sealed()) {
        let Ok(folder) = vault.governing(&sealed.origin.file) else { continue };
        let is_credential = sealed.origin.key.parts().first().is_some_and(|first| first == TABLE);
        let Ok(Some(open)) = opened(vault, folder) else {
            if is_credential {
                *closed.entry(folder).or_default() += 1;
                ended.extend(ends_at(vault, sealed, &Secret::default()));
            }
            continue;
        };
        if !is_credential {
            continue;
        }
        match seal::open(sealed, open.keys()) {
            Ok(opened) => {
                fine += 1;
                ended.extend(ends_at(vault, sealed, &opened.secret));
                if opened.retired.is_some() {
                    *retired.entry(folder).or_default() += 1;
                }
            }
            Err(problems) => section.problems(with_hint(problems)),
        }
    }
    for (registry, moment) in ended {
        section.problem(
            format!("the credential of {} has expired: {}", escaped(&registry), escaped(&moment)),
            format!(
                "pillarbox registry add {} --helper NAME   # or -u USER, with a new one",
                quoted(&registry)
            ),
        );
    }
    for (folder, count) in retired {
        section.problem(
            format!(
                "{} in {folder}, posted to a slot that has retired: removed readers can read it",
                many(count, "credential", "credentials")
            ),
            "pillarbox reader rekey",
        );
    }
    for (folder, count) in closed {
        section.note(
            format!("{} in {folder}, which cannot be opened here", many(count, "credential", "credentials")),
            "pillarbox reader list   # who can add you",
        );
    }
    if fine > 0 {
        section.ok(format!(
            "can be opened here: {}; to see whether they work: pillarbox registry check",
            many(fine, "credential", "credentials")
        ));
    }
    section
}

/// The registry of a secret that has ended, and when that was: as the secret says, or what stands beside it.
fn ends_at(vault: &Vault<'_>, sealed: &Sealed, secret: &Secret) -> Option<(String, String)> {
    let registry = sealed.origin.key.parts().get(1)?;
    let beside = || {
        let key = KeyPath::from_parts(vec![TABLE.to_owned(), registry.clone(), EXPIRES.to_owned()])?;
        match &vault.document(&sealed.origin.file)?.get(&key)?.value {
            Value::Datetime(moment) => Some(moment.clone()),
            _ => None,
        }
    };
    let moment = expiry(secret).map(shown).or_else(beside)?;
    is_over(&moment)?.then(|| (registry.clone(), moment))
}

fn with_hint(problems: Problems) -> Problems {
    problems.map(|problem| match problem.hints.is_empty() {
        true => problem.hint("pillarbox verify"),
        false => problem,
    })
}
