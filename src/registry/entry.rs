//! Credentials of a workspace, still sealed, and the one that an image gets.

use super::fields::{HELPER, IDENTITY_TOKEN, PASSWORD, key_path};
use super::header::{AuthHeader, TOKEN_USER};
use super::scope::Scope;
use crate::name::{HelperName, ImageName, RegistryHost};
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
    pub fn lookup(&self, image: &ImageName) -> Lookup<'_> {
        let covering = self.entries.iter().filter(|entry| entry.scope.covers(image));
        match covering.max_by_key(|entry| entry.scope.depth()) {
            None | Some(Entry { how: How::Anonymous, .. }) => Lookup::Anonymous,
            Some(entry) => Lookup::Entry(entry),
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
        let (username, sealed, field) = match &self.how {
            How::Basic { username, password } => (username.as_str(), password, PASSWORD),
            How::IdentityToken(token) => (TOKEN_USER, token, token_field(token)),
            How::Helper(_) | How::Anonymous => {
                return Err(Problem::failed(format!("the registry {} has no secret of its own", self.scope))
                    .at(&self.place)
                    .into());
            }
        };
        let id = CredentialId::Sealed { username: username.to_owned(), id: sealed.id.clone() };
        self.made(username, opened, id, field)
    }

    /// The credential, made from what the helper of this entry answered.
    ///
    /// # Errors
    /// As [`Entry::credential`]; where this entry has no helper.
    pub fn answered(&self, username: &str, secret: &Secret) -> Result<Credential> {
        let How::Helper(helper) = &self.how else {
            return Err(Problem::failed(format!("the registry {} has no helper", self.scope))
                .at(&self.place)
                .into());
        };
        let id = CredentialId::Asked { helper: helper.clone(), host: self.scope.host().clone() };
        self.made(username, secret, id, HELPER)
    }

    fn made(&self, username: &str, secret: &Secret, id: CredentialId, field: &str) -> Result<Credential> {
        let Some(text) = secret.reveal_text() else {
            return Err(Problem::failed(format!("the secret of the registry {} is not text", self.scope))
                .at(&self.place)
                .hint(format!("pillarbox registry add {} -u USER", quoted(&self.key)))
                .into());
        };
        let kind = match (&id, username) {
            (CredentialId::Asked { helper, .. }, _) => Kind::Asked(helper.clone()),
            (_, TOKEN_USER) => Kind::IdentityToken,
            _ => Kind::Password,
        };
        let header = AuthHeader::of(self.scope.host(), username, text);
        let key = key_path(&self.key, Some(field));
        Ok(Credential { header, id, kind, key, place: self.place.clone() })
    }
}

/// `<token>` with a password is an identity token too.
fn token_field(token: &Sealed) -> &str {
    token.origin.key.parts().last().map_or(IDENTITY_TOKEN, String::as_str)
}

/// A credential that was opened, and what errors may say of it.
#[derive(Clone, Debug)]
pub struct Credential {
    /// What is sent.
    pub header: AuthHeader,
    /// Which one it is.
    pub id: CredentialId,
    /// What it is, for people.
    pub kind: Kind,
    /// Its key in the pillar, `registries."ghcr.io/acme".password`.
    pub key: String,
    /// Where it stands.
    pub place: Place,
}

/// Which credential it is: those that are the same are sent the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CredentialId {
    /// A sealed one, with the user name in clear beside it.
    Sealed {
        /// The user; [`TOKEN_USER`] with an identity token.
        username: String,
        /// New whenever the secret changes.
        id: SealId,
    },
    /// What a helper answered in this phase of a run, for a host.
    Asked {
        /// The helper.
        helper: HelperName,
        /// The registry.
        host: RegistryHost,
    },
}

/// What a credential is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// User name and password.
    Password,
    /// An identity token.
    IdentityToken,
    /// What this helper answered.
    Asked(HelperName),
}
