//! Environment, terminal and folders, gathered once: nothing else reads `std::env`.

use crate::secret::Secret;
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
    /// `PILLARBOX_KNOWN`: path of the known file.
    pub known: Option<PathBuf>,
    /// `PILLARBOX_STRICT`: as `--strict`.
    pub strict: bool,
    /// The home folder.
    pub home: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`, else `~/.config`.
    pub config: Option<PathBuf>,
    /// `XDG_STATE_HOME`, else `~/.local/state`.
    pub state: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`.
    pub runtime: Option<PathBuf>,
    /// `VISUAL`, else `EDITOR`.
    pub editor: Option<OsString>,
    /// Who runs this, as they call themselves: `alice@laptop`. For people only.
    pub who: String,
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
        let home = std::env::home_dir().filter(|home| home.is_absolute());
        let below = |name: &str, rest: &str| {
            path(name).filter(|path| path.is_absolute()).or_else(|| Some(home.as_ref()?.join(rest)))
        };
        let text = |name: &str| variable(name).and_then(|value| value.into_string().ok());
        let user = text("USER").or_else(|| text("LOGNAME")).unwrap_or_else(|| "unknown".to_owned());
        Self {
            cwd: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            workspace: path("PILLARBOX_WORKSPACE"),
            identity: path("PILLARBOX_IDENTITY"),
            age_key: text(AGE_KEY).map(Secret::from),
            known: path("PILLARBOX_KNOWN"),
            strict: variable("PILLARBOX_STRICT").is_some_and(|value| value != "0"),
            config: below("XDG_CONFIG_HOME", ".config"),
            state: below("XDG_STATE_HOME", ".local/state"),
            runtime: path("XDG_RUNTIME_DIR").filter(|path| path.is_absolute()),
            editor: variable("VISUAL").or_else(|| variable("EDITOR")),
            who: format!("{user}@{}", machine()),
            terminal: Terminal {
                stdin: std::io::stdin().is_terminal(),
                stdout: std::io::stdout().is_terminal(),
                stderr: std::io::stderr().is_terminal(),
            },
            home,
        }
    }
}

/// A variable that is set and not empty.
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

#[cfg(unix)]
fn machine() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn machine() -> String {
    "unknown".to_owned()
}
