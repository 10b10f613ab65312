//! Environment, terminal and folders, gathered once: nothing else reads `std::env`.

use crate::secret::Secret;
use crate::store;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;

/// The variable that holds a private key itself, for CI. Every child must be started without it
/// (`Command::env_remove`).
pub const AGE_KEY: &str = "PILLARBOX_AGE_KEY";

/// What the process was started with.
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
    /// What is a terminal.
    pub terminal: Terminal,
}

/// Which streams are terminals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terminal {
    /// Standard input: a question can be answered.
    pub stdin: bool,
    /// Standard output: data is read by a person.
    pub stdout: bool,
    /// Standard error: progress can be drawn, a question be seen.
    pub stderr: bool,
}

impl Environment {
    /// Reads it.
    pub fn read() -> Self {
        let path = |name: &str| variable(name).map(PathBuf::from);
        let text = |name: &str| variable(name).and_then(|value| value.into_string().ok());
        Self {
            cwd: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            workspace: path("PILLARBOX_WORKSPACE"),
            identity: path("PILLARBOX_IDENTITY"),
            age_key: text(AGE_KEY).map(Secret::from),
            keyrings: !switch("PILLARBOX_NO_KEYRING"),
            session_bus: variable("DBUS_SESSION_BUS_ADDRESS").is_some()
                || path("XDG_RUNTIME_DIR").is_some_and(|dir| dir.join("bus").exists()),
            strict: switch("PILLARBOX_STRICT"),
            personal: store::Environment {
                home: std::env::home_dir().map(OsString::from),
                config_home: variable("XDG_CONFIG_HOME"),
                state_home: variable("XDG_STATE_HOME"),
                data_home: variable("XDG_DATA_HOME"),
                runtime_dir: variable("XDG_RUNTIME_DIR"),
                known: variable("PILLARBOX_KNOWN"),
            },
            docker_certificates: path("DOCKER_CERT_PATH"),
            docker_config: path("DOCKER_CONFIG"),
            registry_auth_file: path("REGISTRY_AUTH_FILE"),
            search_path: variable("PATH"),
            program: std::env::current_exe().ok(),
            editor: variable("VISUAL").or_else(|| variable("EDITOR")),
            user: text("USER")
                .or_else(|| text("LOGNAME"))
                .or_else(home_name)
                .unwrap_or_else(|| "unknown".to_owned()),
            machine: machine(),
            terminal: Terminal {
                stdin: std::io::stdin().is_terminal(),
                stdout: std::io::stdout().is_terminal(),
                stderr: std::io::stderr().is_terminal(),
            },
        }
    }
}

/// A variable that is set and not empty.
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// A variable that is set, and not to `0`.
fn switch(name: &str) -> bool {
    variable(name).is_some_and(|value| value != "0")
}

/// Containers and services often have no name of a user, but a home.
fn home_name() -> Option<String> {
    std::env::home_dir()?.file_name()?.to_str().map(str::to_owned)
}

fn machine() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
