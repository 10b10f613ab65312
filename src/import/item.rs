//! What a source has for one registry.

use crate::name::HelperName;
use crate::problem::Place;
use crate::registry::placeholder;
use crate::secret::Secret;

/// The credential of a registry.
#[derive(Clone, Debug)]
pub enum Gives {
    /// A user name and a password.
    Basic {
        /// The user name.
        username: String,
        /// The password; text.
        password: Secret,
    },
    /// An identity token; text.
    Token(Secret),
    /// A helper that is asked each time, because its answer is valid only for hours.
    Helper(HelperName),
}

impl Gives {
    /// Whether both are the same, secret and all.
    pub fn same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Basic { username, password }, Self::Basic { username: user, password: secret }) => {
                username == user && password.same_as(secret.reveal())
            }
            (Self::Token(token), Self::Token(other)) => token.same_as(other.reveal()),
            (Self::Helper(name), Self::Helper(other)) => name == other,
            _ => false,
        }
    }

    /// The secret, if it has one.
    pub fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Basic { password: secret, .. } | Self::Token(secret) => Some(secret),
            Self::Helper(_) => None,
        }
    }

    /// Why it is no credential but stands for one.
    pub(super) fn placeholder(&self) -> Option<&'static str> {
        match self {
            Self::Basic { username, password } => {
                placeholder(password).or_else(|| placeholder(&Secret::from(username.clone())))
            }
            Self::Token(token) => placeholder(token),
            Self::Helper(_) => None,
        }
    }
}

/// One credential that was found.
#[derive(Clone, Debug)]
pub struct Item {
    /// The registry as the source names it.
    pub key: String,
    /// Its place in the source.
    pub place: Place,
    /// What it is given.
    pub gives: Gives,
    /// An e-mail address that Salt stores beside the user; it is not used.
    pub email: Option<String>,
    /// Keys of the entries of the file that hold it; none where a helper gave it.
    pub entries: Vec<String>,
    /// What it was put together from, where that is more than an entry.
    pub from: Option<String>,
    /// The file names pillarbox as the helper of this registry: what the pillar has is newer.
    pub is_ours: bool,
}

impl Item {
    /// A credential that is not an entry of the file itself.
    pub fn new(key: String, place: Place, gives: Gives) -> Self {
        Self { key, place, gives, email: None, entries: Vec::new(), from: None, is_ours: false }
    }
}

/// A helper that knows a credential: to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The registry as the source names it, and as the helper is asked for it.
    pub key: String,
    /// Its place in the source.
    pub place: Place,
    /// Which helper.
    pub helper: HelperName,
}
