//! `pillarbox seal --from FILE`: many secrets in one change.

use super::{SealArgs, place, readers};
use crate::cli::target;
use crate::cli::{Context, Exit};
use crate::keys::Recipient;
use crate::name::KeyPath;
use crate::pillar::document::plain_tree;
use crate::pillar::seal::Kind;
use crate::pillar::{Node, Origin, Value};
use crate::problem::{Place, Problem, Problems, Result, escaped};
use crate::secret::Secret;
use crate::session::Vault;
use crate::store;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// One of them.
struct New {
    key: KeyPath,
    secret: Secret,
    at: Place,
}

/// Seals every text of a TOML file under the key that it has there: all of them, or none.
pub(super) fn run(args: &SealArgs, from: &Path, slot: Option<&Recipient>, ctx: &Context) -> Result<Exit> {
    let (text, shown) = match from.as_os_str() == "-" {
        true => (ctx.console.stdin_bytes()?, "standard input".to_owned()),
        false => (store::read_secret(&ctx.session.absolute(from))?, escaped(&from.display().to_string())),
    };
    let all = read(&text, &shown, args.allow_empty)?;
    let workspace = ctx.session.workspace()?;
    let mut vault = Vault::for_change(&ctx.session, &workspace)?;
    let (mut placed, mut wrong) = (Vec::new(), Vec::new());
    for new in &all {
        match place(&args.place, &vault, &new.key.to_string()) {
            Ok(origin) => placed.push((origin, new)),
            Err(found) => wrong.extend(found.map(|problem| problem.at(&new.at)).into_vec()),
        }
    }
    Problems::check(wrong)?;
    let (mut files, mut clear) = (BTreeMap::<String, usize>::new(), BTreeSet::new());
    for (origin, new) in &placed {
        let before = vault.document(&origin.file).and_then(|document| document.get(&origin.key));
        if before.is_some_and(|node| !matches!(node.value, Value::Sealed(_))) {
            clear.insert(origin.to_string());
        }
        seal(&mut vault, origin, new, slot)?;
        *files.entry(origin.file.clone()).or_default() += 1;
    }
    let mut lines = Vec::new();
    for (file, count) in &files {
        let values = if *count == 1 { "one value".to_owned() } else { format!("{count} values") };
        lines.push(format!("sealed {values} in pillar/{} for {}", escaped(file), readers(&vault, file)?));
    }
    vault.commit()?;
    lines.iter().for_each(|line| ctx.out.say(line));
    if !clear.is_empty() {
        ctx.out.warn(format_args!(
            "in clear before: {}; what was ever committed or pushed can still be read in the history: change these \
             secrets where they are used",
            Vec::from_iter(clear).join(", ")
        ));
    }
    Ok(Exit::Done)
}

fn seal(vault: &mut Vault<'_>, origin: &Origin, new: &New, slot: Option<&Recipient>) -> Result<()> {
    vault.post(origin, &new.secret, Kind::of(&new.secret), slot)?;
    super::forget_end(vault, origin)?;
    let node = vault.document(&origin.file).and_then(|document| document.get(&origin.key));
    node.map_or(Ok(()), |node| target::check_key(&origin.key, Some(&node.value)))
        .map_err(|problems| problems.map(|problem| problem.at(&new.at)))
}

/// The secrets of a file with their keys. What is wrong is said by line and key, and no value is repeated.
fn read(text: &Secret, shown: &str, allow_empty: bool) -> Result<Vec<New>> {
    let form = "write each secret as KEY = \"SECRET\", in TOML: api.db_password = \"…\"";
    let Some(text) = text.reveal_text() else {
        return Err(Problem::failed(format!("{shown} is not UTF-8 text")).hint(form).into());
    };
    let tree = plain_tree(shown, text).map_err(|problems| {
        problems.map(|mut problem| {
            // The reason of the parser may repeat a part of the line.
            problem.causes.clear();
            problem.hint(form)
        })
    })?;
    let (mut all, mut wrong) = (Vec::new(), Vec::new());
    texts(&tree, &mut Vec::new(), &mut |key, node| {
        let Some(key) = KeyPath::from_parts(key.to_vec()) else { return };
        let at = node.place.clone();
        match &node.value {
            Value::String(secret) if secret.is_empty() && !allow_empty => wrong.push(
                Problem::failed(format!("the secret `{key}` is empty"))
                    .at(&at)
                    .hint("if that is meant, add --allow-empty"),
            ),
            Value::String(secret) => all.push(New { key, secret: Secret::from(secret.clone()), at }),
            other => wrong.push(
                Problem::failed(format!("`{key}` is a {}, and a secret is text", other.kind()))
                    .at(&at)
                    .hint(form),
            ),
        }
    });
    if all.is_empty() && wrong.is_empty() {
        wrong.push(Problem::failed(format!("there is no secret in {shown}")).hint(form));
    }
    Problems::check(wrong)?;
    Ok(all)
}

fn texts(node: &Node, path: &mut Vec<String>, found: &mut impl FnMut(&[String], &Node)) {
    for (key, child) in node.as_table().into_iter().flatten() {
        path.push(key.clone());
        match child.as_table() {
            Some(_) => texts(child, path, found),
            None => found(path, child),
        }
        path.pop();
    }
}
