//! Where a person's own files are.

use crate::problem::{Problem, Result};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The variables that decide it, as they were read; this module reads no environment.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `HOME`.
    pub home: Option<OsString>,
    /// `XDG_CONFIG_HOME`.
    pub config_home: Option<OsString>,
    /// `XDG_STATE_HOME`.
    pub state_home: Option<OsString>,
    /// `XDG_DATA_HOME`.
    pub data_home: Option<OsString>,
    /// `XDG_RUNTIME_DIR`.
    pub runtime_dir: Option<OsString>,
    /// `PILLARBOX_KNOWN`: another known file.
    pub known: Option<OsString>,
}

/// The files of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonalPaths {
    /// The home folder.
    pub home: PathBuf,
    /// `~/.config/pillarbox/identity.txt`.
    pub identity: PathBuf,
    /// `~/.config/pillarbox/config.toml`.
    pub config: PathBuf,
    /// `~/.local/state/pillarbox/known.toml`, or what `PILLARBOX_KNOWN` names.
    pub known: PathBuf,
    /// `~/.local/state/pillarbox/runs/`: records of runs, a folder for each workspace.
    pub runs: PathBuf,
    /// `~/.local/state/pillarbox/wired.json`: what `registry helper install` changed.
    pub wired: PathBuf,
    /// `~/.config/containers/auth.json`: credentials of podman and skopeo that outlive a login.
    pub containers: PathBuf,
    /// `~/.local/share/pillarbox/personal/`.
    pub overlay: PathBuf,
    /// `$XDG_RUNTIME_DIR`, if there is one: in memory, for this user alone.
    pub runtime: Option<PathBuf>,
}

impl PersonalPaths {
    /// Resolves them. Relative and empty XDG variables are ignored, as the XDG base directory
    /// specification asks.
    ///
    /// # Errors
    /// Where there is no home folder.
    pub fn of(environment: &Environment) -> Result<Self> {
        let absolute =
            |value: &Option<OsString>| value.as_ref().map(PathBuf::from).filter(|path| path.is_absolute());
        let home = absolute(&environment.home)
            .ok_or_else(|| Problem::failed("there is no home folder").hint("set HOME to an absolute path"))?;
        let xdg = |value: &Option<OsString>, usual: &str| absolute(value).unwrap_or_else(|| home.join(usual));
        let base = |value: &Option<OsString>, usual: &str| xdg(value, usual).join("pillarbox");
        let config = base(&environment.config_home, ".config");
        let known = environment.known.as_ref().filter(|path| !path.is_empty()).map(PathBuf::from);
        Ok(Self {
            identity: config.join("identity.txt"),
            config: config.join("config.toml"),
            known: known.unwrap_or_else(|| base(&environment.state_home, ".local/state").join("known.toml")),
            runs: base(&environment.state_home, ".local/state").join("runs"),
            wired: base(&environment.state_home, ".local/state").join("wired.json"),
            containers: xdg(&environment.config_home, ".config").join("containers/auth.json"),
            overlay: base(&environment.data_home, ".local/share").join("personal"),
            runtime: absolute(&environment.runtime_dir),
            home,
        })
    }

    /// A path as people write it: `~/` is the home folder, relative ones start at `base`.
    pub fn expand(&self, written: &str, base: &Path) -> PathBuf {
        match written.strip_prefix("~/") {
            Some(rest) => self.home.join(rest),
            None if written == "~" => self.home.clone(),
            None => base.join(written),
        }
    }
}
