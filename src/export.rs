//! Credentials of the pillar in the formats of other tools. Pure: which entries there are, and what they open
//! to, comes from elsewhere, and so does the file that they are put into.

mod env_file;
mod kubernetes;

pub use kubernetes::{Manifest, check_name, check_namespace};

use crate::docker_config::{Put, Puts, Stored, put};
use crate::problem::{Problem, Result, quoted};
use crate::registry::{Entry, How, Scope};
use crate::secret::Secret;

/// Whom the credentials are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// `config.json` of docker.
    Docker,
    /// `auth.json` of podman, skopeo and buildah.
    Podman,
    /// A Secret that pods pull with.
    Kubernetes(Manifest),
    /// Variables for sh and for Compose's `.env`.
    Env,
}

/// An entry of the pillar, and what it opened to.
#[derive(Clone, Debug)]
pub struct Exported<'e> {
    /// The entry.
    pub entry: &'e Entry,
    /// `None` where a helper answers.
    pub secret: Option<Secret>,
}

impl Format {
    /// The word for it on the command line.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Kubernetes(_) => "kubernetes",
            Self::Env => "env",
        }
    }

    /// Whether a file that is there is added to, as `docker login` does.
    pub fn merges(&self) -> bool {
        matches!(self, Self::Docker | Self::Podman)
    }

    /// Why an entry cannot be said in this format, known without opening it; `None` where it can.
    pub fn leaves_out(&self, entry: &Entry) -> Option<&'static str> {
        let whole = entry.scope.is_whole();
        match (self, &entry.how) {
            (_, How::Anonymous) => Some("it has no credential: nothing is sent"),
            (Self::Docker, _) if !whole => {
                Some("docker has one credential for a host, and none for a part of it")
            }
            (Self::Podman, How::Helper(_)) if !whole => Some("podman asks helpers by host alone"),
            (Self::Kubernetes(_), How::Helper(_)) => Some("a node does not ask the helper of this machine"),
            (Self::Kubernetes(_), How::IdentityToken(_)) => Some("Kubernetes reads no identity tokens"),
            (Self::Env, How::Helper(_)) => {
                Some("a helper is asked each time, and variables stay as they are")
            }
            _ => None,
        }
    }

    /// What its reader calls a registry.
    pub fn key(&self, scope: &Scope) -> String {
        match self {
            Self::Env => env_file::name(scope),
            Self::Docker | Self::Kubernetes(_) if scope.is_whole() => {
                scope.host().server_address().to_owned()
            }
            _ => scope.to_string(),
        }
    }

    /// The text with all entries; `old` is that of the file they are put into, `file` its path, for errors.
    ///
    /// # Errors
    /// Where a secret cannot be carried, or the old text is none of this format.
    pub fn write(&self, all: &[Exported<'_>], old: &str, file: &str) -> Result<Put> {
        let whole = |text| Put { text, replaced: Vec::new() };
        match self {
            Self::Docker | Self::Podman => put(old, file, &self.puts(all)?),
            Self::Kubernetes(manifest) => {
                let config = put("", file, &self.puts(all)?)?;
                Ok(whole(manifest.text(&config.text)))
            }
            Self::Env => env_file::text(all).map(whole),
        }
    }

    fn puts(&self, all: &[Exported<'_>]) -> Result<Puts> {
        let mut puts = Puts::default();
        for one in all {
            let key = self.key(&one.entry.scope);
            match (&one.entry.how, &one.secret) {
                (How::Helper(name), _) => puts.helpers.push((key, name.to_string())),
                (How::Basic { username, .. }, Some(secret)) => {
                    check(one.entry, secret)?;
                    let stored = Stored::Basic { username: username.clone(), password: secret.clone() };
                    puts.auths.push((key, stored));
                }
                (How::IdentityToken(_), Some(token)) => {
                    check(one.entry, token)?;
                    puts.auths.push((key, Stored::Token(token.clone())));
                }
                _ => {}
            }
        }
        Ok(puts)
    }
}

/// Clients read text, and cut NUL bytes from its ends.
fn check(entry: &Entry, secret: &Secret) -> Result<()> {
    let why = match secret.reveal_text() {
        None => "it is not UTF-8 text",
        Some("") => "it is empty",
        Some(text) if text.contains('\0') => "it has a NUL byte",
        Some(_) => return Ok(()),
    };
    Err(cannot(entry, why).into())
}

fn cannot(entry: &Entry, why: &str) -> Problem {
    Problem::failed(format!("the secret of {} cannot be exported", entry.scope))
        .at(&entry.place)
        .cause(why.to_owned())
        .hint(format!("pillarbox registry add {} -u USER", quoted(&entry.key)))
}

#[cfg(test)]
mod tests;
