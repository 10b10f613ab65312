//! Credentials and secrets of a run, opened when they are asked for and not before.

use super::survey::Surveyed;
use crate::cli::vault::Vault;
use crate::execute::Secrets;
use crate::name::{HostName, ImageName};
use crate::pillar::{Sealed, Value};
use crate::problem::{Code, Problem, Result};
use crate::registry::{Credential, Credentials, Lookup};
use crate::secret::Secret;
use crate::state::SecretRef;

/// The credential for an image by the entries of a host's pillar.
///
/// # Errors
/// Where an entry covers it and cannot be opened: never anonymous then.
pub(super) fn credential(
    vault: &Vault<'_>,
    credentials: &Credentials,
    image: &ImageName,
) -> Result<Option<Credential>> {
    let Lookup::Entry(entry) = credentials.lookup(image)? else { return Ok(None) };
    let Some(sealed) = entry.sealed() else { return Ok(None) };
    let opened = vault.open(sealed).map_err(|problems| {
        problems.map(|problem| problem.cause(format!("the registry entry `{}` is for {image}", entry.scope)))
    })?;
    entry.credential(&opened.secret).map(Some)
}

/// What execution asks for.
pub(super) struct Keychain<'a, 'v> {
    pub vault: &'a Vault<'v>,
    pub hosts: &'a [Surveyed<'a>],
}

impl Secrets for Keychain<'_, '_> {
    fn open(&self, secret: &SecretRef) -> Result<Secret> {
        Ok(self.vault.open(self.sealed(secret)?)?.secret)
    }

    fn auth(&self, host: &HostName, image: &ImageName) -> Result<Option<Credential>> {
        match self.hosts.iter().find(|surveyed| surveyed.plan.host == *host) {
            Some(surveyed) => credential(self.vault, &surveyed.wished.credentials, image),
            None => Err(Problem::failed(format!("host {host} is not part of this run")).into()),
        }
    }
}

impl Keychain<'_, '_> {
    fn sealed(&self, secret: &SecretRef) -> Result<&Sealed> {
        let place = &secret.origin;
        let found = self.vault.document(&place.file).and_then(|document| document.get(&place.key));
        match found.map(|node| &node.value) {
            Some(Value::Sealed(sealed)) if sealed.id == secret.id => Ok(sealed),
            _ => {
                Err(Problem::new(Code::Stale, format!("{place} is not what was planned with any more"))
                    .into())
            }
        }
    }
}
