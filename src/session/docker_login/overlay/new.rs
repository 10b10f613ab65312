//! Making a personal overlay: a workspace whose readers are the identities at hand.

use crate::keys::Recipient;
use crate::name::{ReaderName, WorkspaceName};
use crate::pillar::boxes::{self, BoxFolder, Readers};
use crate::problem::Result;
use crate::session::IdentitySource;
use crate::session::KeyFiles;
use crate::session::Session;
use crate::store::Change;
use std::rc::Rc;

/// Its name as a workspace.
const NAME: &str = "personal-logins";

/// Every place where a private key is looked for.
///
/// # Errors
/// Where one cannot be read.
pub(super) fn sources(session: &Session) -> Result<Vec<Rc<IdentitySource>>> {
    let mut all = Vec::new();
    while let Some(source) = session.identity_source(all.len())? {
        all.push(source);
    }
    Ok(all)
}

/// The public halves of the identities at hand, also of those that a passphrase protects if they tell.
fn own_keys(session: &Session) -> Result<Vec<Recipient>> {
    let mut all: Vec<Recipient> = Vec::new();
    for (_, key) in session.public_keys()? {
        if !all.contains(&key) {
            all.push(key);
        }
    }
    if all.is_empty() {
        // Nothing is opened to be told why not: a passphrase that nobody can give is in the way.
        for source in sources(session)?.iter().filter(|source| source.locked_keys().is_some()) {
            session.ask_for(source)?;
        }
        return Err(session.no_identity("a login cannot be kept without a private key to open it").into());
    }
    Ok(all)
}

/// The files of a new overlay.
///
/// # Errors
/// Where there is no identity to make it for.
pub(super) fn files(session: &Session) -> Result<Change> {
    let name = WorkspaceName::parse(NAME)?;
    let mut readers = Readers::new();
    let mut change = Change::new();
    for (at, key) in own_keys(session)?.into_iter().enumerate() {
        let reader = ReaderName::parse(&if at == 0 { "me".to_owned() } else { format!("me-{}", at + 1) })?;
        change.put(KeyFiles::path(&reader), KeyFiles::text(&key));
        readers.insert(reader, key);
    }
    let made = boxes::make(&name, &BoxFolder::top(), &readers)?;
    let listed: Vec<String> = readers.keys().map(|name| format!("\"{name}\"")).collect();
    change.put(
        crate::inventory::FILE,
        format!(
            "# What you logged in to through docker-credential-pillarbox. For this user alone; no host gets it.\n\
             workspace = \"{NAME}\"\n\n[readers]\ndefault = [{}]\n",
            listed.join(", ")
        ),
    );
    change.put(BoxFolder::top().file(), made.file.to_string());
    Ok(change)
}
