//! Which files the clients read, and which registries they are told of.

use crate::cli::Context;
use crate::name::RegistryHost;
use crate::pillar::{Node, Value};
use crate::problem::{Result, escaped};
use crate::registry::{Scope, TABLE};
use crate::session::Vault;
use crate::store;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Who reads a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(in crate::cli) enum Client {
    /// docker, Compose, buildx; podman and skopeo as well where their own file says nothing.
    Docker,
    /// podman, buildah and skopeo.
    Podman,
}

impl Client {
    /// What this client calls a registry when it looks for its helper: Docker Hub has two names.
    pub(in crate::cli) fn name_of(self, host: &RegistryHost) -> String {
        match self {
            Self::Docker => host.server_address().to_owned(),
            Self::Podman => host.as_str().to_owned(),
        }
    }
}

/// Where the files are.
#[derive(clap::Args, Clone, Debug, Default)]
pub(in crate::cli) struct Files {
    /// Folder of docker's config.json [default: DOCKER_CONFIG, else ~/.docker]
    #[arg(long, value_name = "DIR")]
    docker_config: Option<PathBuf>,
    /// Podman's and skopeo's file [default: REGISTRY_AUTH_FILE, else ~/.config/containers/auth.json]
    #[arg(long, value_name = "FILE")]
    auth_file: Option<PathBuf>,
    /// Only this client's file; may be given twice
    #[arg(long = "only", value_name = "CLIENT")]
    only: Vec<Client>,
}

/// The file of a client as it stands.
pub(in crate::cli) struct File {
    pub(in crate::cli) client: Client,
    /// As it is named, for people.
    pub(in crate::cli) shown: String,
    /// As it is named.
    pub(in crate::cli) path: PathBuf,
    /// Where it really is: its name in what we remember.
    pub(in crate::cli) real: String,
    /// What is in it, if it is there.
    pub(in crate::cli) text: Option<String>,
}

impl Files {
    /// The files of the clients that are meant, whether they are there or not.
    ///
    /// # Errors
    /// Where there is no home folder.
    pub(in crate::cli) fn paths(&self, ctx: &Context) -> Result<Vec<(Client, PathBuf)>> {
        let paths = ctx.session.paths()?;
        let folder = self.docker_config.as_ref().or(ctx.session.env.docker_config.as_ref());
        let folder = folder.map_or_else(|| paths.home.join(".docker"), |folder| ctx.session.absolute(folder));
        let auth = self.auth_file.as_ref().or(ctx.session.env.registry_auth_file.as_ref());
        let auth = auth.map_or(paths.containers, |file| ctx.session.absolute(file));
        let all = [(Client::Docker, folder.join("config.json")), (Client::Podman, auth)];
        Ok(all.into_iter().filter(|(client, _)| self.only.is_empty() || self.only.contains(client)).collect())
    }

    /// Reads them.
    ///
    /// # Errors
    /// All that cannot be read.
    pub(in crate::cli) fn read(&self, ctx: &Context) -> Result<Vec<File>> {
        let (mut found, mut problems): (Vec<File>, Vec<_>) = (Vec::new(), Vec::new());
        for (client, path) in self.paths(ctx)? {
            let real = real(&path);
            // One file for both is one file.
            if found.iter().any(|file| file.real == real) {
                continue;
            }
            match store::read_private(&path) {
                Ok(text) => {
                    found.push(File { client, shown: home_shown(ctx, &path), real, path, text });
                }
                Err(more) => problems.extend(more.into_vec()),
            }
        }
        crate::problem::Problems::check(problems)?;
        Ok(found)
    }
}

/// Where a file is, or would be made.
fn real(path: &Path) -> String {
    let parent = |path: &Path| Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
    let real = path.canonicalize().ok().or_else(|| parent(path));
    real.unwrap_or_else(|| path.to_owned()).display().to_string()
}

/// A path for people, with `~` for the home folder.
pub(in crate::cli) fn home_shown(ctx: &Context, path: &Path) -> String {
    let home = ctx.session.paths().ok().map(|paths| paths.home);
    let below = home.and_then(|home| path.strip_prefix(home).ok().map(Path::to_owned));
    let text = below.map_or_else(|| path.display().to_string(), |below| format!("~/{}", below.display()));
    escaped(&text)
}

/// The registries of the pillar with the parts that have entries of their own, in order. Files of single
/// hosts (`hosts/`) are not for this machine, and what is asked without a credential needs no helper.
pub(in crate::cli) fn registries(vault: &Vault<'_>) -> BTreeMap<RegistryHost, Vec<Scope>> {
    let mut all: BTreeMap<RegistryHost, Vec<Scope>> = BTreeMap::new();
    for document in vault.documents().filter(|document| !document.file().starts_with("hosts/")) {
        let table = crate::name::KeyPath::from_parts(vec![TABLE.to_owned()]);
        let entries = table.and_then(|table| document.get(&table)).and_then(Node::as_table);
        for (key, entry) in entries.into_iter().flatten() {
            let anonymous =
                matches!(entry.at(["anonymous"]).map(|node| &node.value), Some(Value::Boolean(true)));
            if let (Ok(scope), false) = (Scope::parse(key), anonymous) {
                all.entry(scope.host().clone()).or_default().push(scope);
            }
        }
    }
    all
}
