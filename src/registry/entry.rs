//! Credentials of a workspace, still sealed, and the one that an image gets.

use super::read::key_path;
use super::{AuthHeader, Scope};
use crate::name::{HelperName, ImageName};
use crate::pillar::{SealId, Sealed};
use crate::problem::{Place, Problem, Result, quoted};
use crate::secret::Secret;

/// All entries of a merged `registries` table; no two cover the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Credentials {
    pub(super) entries: Vec<Entry>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key as it is written.
    pub key: String,
    /// For which images it is.
    pub scope: Scope,
    /// What is sent.
    pub how: How,
    /// Where it stands.
    pub place: Place,
}

/// How a registry is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum How {
    /// With user name and password.
    Basic {
        /// In clear.
        username: String,
        /// Sealed; text.
        password: Sealed,
    },
    /// With a token, as `docker login` gets from some registries.
    IdentityToken(Sealed),
    /// With what `docker-credential-NAME` answers.
    Helper(HelperName),
    /// Without anything, whatever else covers the image.
    Anonymous,
}

/// What an image gets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lookup<'a> {
    /// Nothing is sent: no entry covers it, or one says so.
    Anonymous,
    /// This entry: if it cannot be opened, that is an error, never anonymous.
    Entry(&'a Entry),
}

impl Credentials {
    /// The entry with the longest match of whole path segments.
    ///
    /// # Errors
    /// Where that entry is one that this version cannot use.
    pub fn lookup(&self, image: &ImageName) -> Result<Lookup<'_>> {
        let covering = self.entries.iter().filter(|entry| entry.scope.covers(image));
        match covering.max_by_key(|entry| entry.scope.depth()) {
            None => Ok(Lookup::Anonymous),
            Some(Entry { how: How::Anonymous, .. }) => Ok(Lookup::Anonymous),
            Some(entry @ Entry { how: How::Helper(name), .. }) => Err(Problem::failed(format!(
                "the credential for {image} comes from the helper `{name}`, which is not available in this version"
            ))
            .at(&entry.place)
            .hint("give the entry a `username` and a sealed `password` instead")
            .into()),
            Some(entry) => Ok(Lookup::Entry(entry)),
        }
    }

    /// All of them, sorted by what they cover.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }
}

impl Entry {
    /// What must be opened to use it.
    pub fn sealed(&self) -> Option<&Sealed> {
        match &self.how {
            How::Basic { password, .. } => Some(password),
            How::IdentityToken(token) => Some(token),
            How::Helper(_) | How::Anonymous => None,
        }
    }

    /// The credential, made from what [`Entry::sealed`] opened to. Its address is the entry's own: there
    /// is no way to send it elsewhere.
    ///
    /// # Errors
    /// Where the secret is not text, which the header's JSON could not carry, or nothing is sealed here.
    pub fn credential(&self, opened: &Secret) -> Result<Credential> {
        let Some(text) = opened.reveal_text() else {
            return Err(Problem::failed(format!("the secret of the registry {} is not text", self.scope))
                .at(&self.place)
                .hint(format!("pillarbox registry add {} -u USER", quoted(&self.key)))
                .into());
        };
        let host = self.scope.host();
        let (header, sealed, field) = match &self.how {
            How::Basic { username, password } => {
                (AuthHeader::basic(host, username, text), password, "password")
            }
            How::IdentityToken(token) => (AuthHeader::identity_token(host, text), token, "identity_token"),
            How::Helper(_) | How::Anonymous => {
                return Err(Problem::failed(format!("the registry {} has no secret of its own", self.scope))
                    .at(&self.place)
                    .into());
            }
        };
        let key = key_path(&self.key, Some(field));
        Ok(Credential { header, id: sealed.id.clone(), key, place: self.place.clone() })
    }
}

/// A credential that was opened, and what errors may say of it.
#[derive(Clone, Debug)]
pub struct Credential {
    /// What is sent.
    pub header: AuthHeader,
    /// Which secret it is.
    pub id: SealId,
    /// Its key in the pillar, `registries."ghcr.io/acme".password`.
    pub key: String,
    /// Where it stands.
    pub place: Place,
}
