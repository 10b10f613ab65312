//! What the process was started with, as values: the command line's layer reads it, once.

use crate::secret::Secret;
use crate::store;
use std::ffi::OsString;
use std::path::PathBuf;

/// The variable that holds a private key itself, for CI. No child is started with it.
pub const AGE_KEY: &str = "PILLARBOX_AGE_KEY";

/// Folders and variables.
#[derive(Debug, Default)]
pub struct Environment {
    /// Where relative paths begin.
    pub cwd: PathBuf,
    /// `PILLARBOX_WORKSPACE`.
    pub workspace: Option<PathBuf>,
    /// `PILLARBOX_IDENTITY`: path of an identity file.
    pub identity: Option<PathBuf>,
    /// `PILLARBOX_AGE_KEY`: the key itself.
    pub age_key: Option<Secret>,
    /// Not `PILLARBOX_NO_KEYRING`: the keyrings of the system may be looked into.
    pub keyrings: bool,
    /// There is a session bus (`DBUS_SESSION_BUS_ADDRESS`, or `bus` in `XDG_RUNTIME_DIR`), on which a
    /// keyring may answer.
    pub session_bus: bool,
    /// Home, XDG folders, `PILLARBOX_KNOWN`: where a person's own files are.
    pub personal: store::Environment,
    /// `PILLARBOX_STRICT`: as `--strict`.
    pub strict: bool,
    /// `DOCKER_CERT_PATH`: folder of TLS client certificates, as docker has it.
    pub docker_certificates: Option<PathBuf>,
    /// `DOCKER_CONFIG`: folder of docker's own configuration and contexts, else `~/.docker`.
    pub docker_config: Option<PathBuf>,
    /// `REGISTRY_AUTH_FILE`: podman's and skopeo's own credentials.
    pub registry_auth_file: Option<PathBuf>,
    /// `PATH`, where clients look for helpers.
    pub search_path: Option<OsString>,
    /// The program that runs.
    pub program: Option<PathBuf>,
    /// `VISUAL`, else `EDITOR`.
    pub editor: Option<OsString>,
    /// Who runs this, as they call themselves. For people only.
    pub user: String,
    /// The machine's host name. For people only.
    pub machine: String,
}
