//! Environment, terminal and folders, gathered once: nothing else reads `std::env`.

use crate::secret::Secret;
use crate::session::{AGE_KEY, Environment};
use crate::store;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;

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

impl Terminal {
    /// Looks at the three streams.
    pub fn read() -> Self {
        Self {
            stdin: std::io::stdin().is_terminal(),
            stdout: std::io::stdout().is_terminal(),
            stderr: std::io::stderr().is_terminal(),
        }
    }
}

/// Reads the environment.
pub(in crate::cli) fn environment() -> Environment {
    let path = |name: &str| variable(name).map(PathBuf::from);
    let text = |name: &str| variable(name).and_then(|value| value.into_string().ok());
    Environment {
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
    }
}

/// A variable that a person names to be handed on.
pub(in crate::cli) fn passed(name: &str) -> Option<String> {
    std::env::var(name).ok()
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
