//! What an import would do, entry by entry.

use super::super::lifetime::Lifetime;
use crate::import::{Gives, Item, Source};
use crate::name::KeyPath;
use crate::pillar::document::{Choice, choose_file};
use crate::pillar::{Node, Origin, Sealed, Value};
use crate::problem::{Problem, Result, escaped};
use crate::registry::{IDENTITY_TOKEN, PASSWORD, Scope, TABLE};
use crate::session::Vault;
use std::collections::BTreeMap;
use std::fmt;

/// What happens to an entry of the pillar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    /// There is none.
    New,
    /// It is the same, secret and all, and stays as it is.
    Same,
    /// It is a different one.
    Replaces,
    /// Its secret does not open here, so it cannot be compared.
    Unseen,
}

impl Does {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Same => "same",
            Self::Replaces => "replaces",
            Self::Unseen => "replaces_unseen",
        }
    }
}

impl fmt::Display for Does {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::New => "new",
            Self::Same => "same: stays",
            Self::Replaces => "replaces another",
            Self::Unseen => "replaces one that does not open here",
        })
    }
}

/// One entry.
pub(super) struct ImportRow<'s> {
    pub(super) scope: &'s Scope,
    pub(super) item: &'s Item,
    /// The file and the key of its table.
    pub(super) origin: Origin,
    pub(super) does: Does,
}

impl ImportRow<'_> {
    pub(super) fn user(&self) -> Option<&str> {
        match &self.item.gives {
            Gives::Basic { username, .. } => Some(username),
            Gives::Token(_) | Gives::Helper(_) => None,
        }
    }

    /// The field that holds its secret, if it has one.
    pub(super) fn secret_place(&self) -> Option<Origin> {
        let field = match &self.item.gives {
            Gives::Basic { .. } => PASSWORD,
            Gives::Token(_) => IDENTITY_TOKEN,
            Gives::Helper(_) => return None,
        };
        Some(Origin { file: self.origin.file.clone(), key: self.origin.key.child(field) })
    }

    /// When its secret ends, where that is known.
    pub(super) fn lifetime(&self) -> Option<Lifetime> {
        Lifetime::of(self.scope.host(), self.user(), self.item.gives.secret()?)
    }

    /// Whether this import writes it.
    pub(super) fn is_written(&self) -> bool {
        self.does != Does::Same
    }

    /// What it was taken from, where the registry does not say it.
    pub(super) fn from(&self) -> Option<String> {
        let key = escaped(&self.item.key);
        match &self.item.from {
            Some(from) if self.item.key == self.scope.to_string() => Some(escaped(from)),
            Some(from) => Some(format!("{key} of {}", escaped(from))),
            None => (self.item.key != self.scope.to_string()).then_some(key),
        }
    }

    pub(super) fn kind(&self) -> String {
        match &self.item.gives {
            Gives::Basic { .. } => "password".to_owned(),
            Gives::Token(_) => "identity token".to_owned(),
            Gives::Helper(name) => format!("helper {name}"),
        }
    }
}

/// What an import would do.
pub(super) struct ImportPlan<'s> {
    pub(super) rows: Vec<ImportRow<'s>>,
    /// Entries that are not imported, and why.
    pub(super) left_out: Vec<Problem>,
    pub(super) notes: Vec<String>,
}

impl<'s> ImportPlan<'s> {
    /// Finds the places of all entries.
    ///
    /// # Errors
    /// Where no box governs the file that is to hold them.
    pub(super) fn of(vault: &Vault<'_>, source: &'s Source, into: Option<&str>) -> Result<Self> {
        if let Some(into) = into {
            vault.governing(into)?;
        }
        let standing = standing(vault, into);
        let mut left_out: Vec<Problem> = source.bad().cloned().collect();
        let mut notes: Vec<String> = source.notes().map(str::to_owned).collect();
        let mut rows = Vec::new();
        for (scope, item) in source.items() {
            match place(vault, &standing, scope, into) {
                Ok((origin, is_there)) => {
                    let does = if is_there { Does::Replaces } else { Does::New };
                    rows.push(ImportRow { scope, item, origin, does });
                }
                Err(found) => left_out.extend(found.into_vec()),
            }
        }
        compare(vault, &mut rows);
        // Where pillarbox answers already, what a client still has in its file is older.
        rows.retain(|row| {
            let stays = row.item.is_ours && matches!(row.does, Does::Replaces | Does::Unseen);
            if stays {
                notes.push(format!(
                    "{}: `{}`: left out: pillarbox answers for it, and the pillar has another credential",
                    row.item.place,
                    escaped(&row.item.key)
                ));
            }
            !stays
        });
        Ok(Self { rows, left_out, notes })
    }
}

/// Where entries stand, however their keys are spelled.
fn standing(vault: &Vault<'_>, into: Option<&str>) -> BTreeMap<Scope, Vec<Origin>> {
    let mut all: BTreeMap<Scope, Vec<Origin>> = BTreeMap::new();
    let Some(table) = KeyPath::from_parts(vec![TABLE.to_owned()]) else { return all };
    let is_meant = |file: &str| into.map_or(!file.starts_with("hosts/"), |into| into == file);
    for document in vault.documents().filter(|document| is_meant(document.file())) {
        for key in document.get(&table).and_then(Node::as_table).into_iter().flat_map(|table| table.keys()) {
            if let Ok(scope) = Scope::parse(key) {
                let origin = Origin { file: document.file().to_owned(), key: table.child(key.as_str()) };
                all.entry(scope).or_default().push(origin);
            }
        }
    }
    all
}

fn place(
    vault: &Vault<'_>,
    standing: &BTreeMap<Scope, Vec<Origin>>,
    scope: &Scope,
    into: Option<&str>,
) -> Result<(Origin, bool)> {
    match standing.get(scope).map(Vec::as_slice) {
        Some([one]) => {
            vault.governing(&one.file)?;
            return Ok((one.clone(), true));
        }
        Some(several @ [_, ..]) => {
            let files = several.iter().map(|origin| format!("pillar/{}", escaped(&origin.file)));
            return Err(Problem::usage(format!("several files have an entry for {scope}"))
                .cause(files.collect::<Vec<_>>().join(", "))
                .hint("say which is meant: --in FILE, with --only HOST")
                .into());
        }
        None | Some([]) => {}
    }
    let key = KeyPath::from_parts(vec![TABLE.to_owned(), scope.to_string()]);
    let key = key.ok_or_else(|| Problem::failed("a registry has a name"))?;
    let file = match into {
        Some(file) => file.to_owned(),
        None => match choose_file(vault.document("registries.toml"), &key)? {
            Choice::File(file) => file,
            Choice::Ask(_) => format!("{TABLE}/{}.toml", scope.host().file_stem()),
        },
    };
    vault.governing(&file)?;
    Ok((Origin { file, key }, false))
}

/// Finds those that are the same already: what stands there is opened, all of it at once.
fn compare(vault: &Vault<'_>, rows: &mut [ImportRow<'_>]) {
    let mut sealed: Vec<(usize, &Sealed)> = Vec::new();
    for (index, row) in rows.iter_mut().enumerate().filter(|(_, row)| row.does == Does::Replaces) {
        let field = |name: &str| {
            let document = vault.document(&row.origin.file)?;
            Some(&document.get(&row.origin.key.child(name))?.value)
        };
        let text = |name: &str| match field(name) {
            Some(Value::String(text)) => Some(text.as_str()),
            _ => None,
        };
        match &row.item.gives {
            Gives::Helper(name) if text("helper") == Some(name.as_str()) => row.does = Does::Same,
            Gives::Basic { username, .. } if text("username") == Some(username) => {
                if let Some(Value::Sealed(found)) = field("password") {
                    sealed.push((index, found));
                }
            }
            Gives::Token(_) => {
                if let Some(Value::Sealed(found)) = field("identity_token") {
                    sealed.push((index, found));
                }
            }
            Gives::Basic { .. } | Gives::Helper(_) => {}
        }
    }
    let opened = vault.open_all(&sealed.iter().map(|(_, sealed)| *sealed).collect::<Vec<_>>());
    for ((index, _), opened) in sealed.into_iter().zip(opened) {
        let row = &mut rows[index];
        let Some(secret) = row.item.gives.secret() else { continue };
        row.does = match opened {
            Ok(opened) if opened.secret.same_as(secret.reveal()) => Does::Same,
            Ok(_) => Does::Replaces,
            Err(_) => Does::Unseen,
        };
    }
}
