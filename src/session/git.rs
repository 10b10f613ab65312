//! git, asked about one repository and kept from everything else: it fetches nothing, starts no program,
//! and reads no configuration but the repository's own.

mod commit;
mod files;
mod log;
mod setup;

pub use commit::{Commit, Since};
pub(super) use log::{FileChange, Step};
pub use setup::DRIVERS;

use super::context::Session;
use crate::problem::{Problem, Result, escaped, quoted};
use crate::process::{self, Child, End, Inherited, Limits};
use crate::store::Repository;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long one call of git may take.
const LIMIT: Duration = Duration::from_secs(60);
/// How much it may say: all files of a large workspace.
const LIMITS: Limits = Limits { out: 256 << 20, err: 4096 };

/// git for the repository around a workspace.
pub struct Git {
    program: PathBuf,
    search_path: OsString,
    repository: Repository,
}

/// Whatever the repository's own configuration names: none of it runs. Most of these belong to commands that
/// are not used here; they stand here for the day when one is.
const CONFIGURATION: [&str; 12] = [
    "core.alternateRefsCommand=",
    "core.askPass=",
    "core.attributesFile=/dev/null",
    "core.fsmonitor=false",
    "core.gitProxy=",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.sshCommand=false",
    "credential.helper=",
    "diff.external=",
    "protocol.allow=never",
    "safe.bareRepository=explicit",
];

/// The whole environment, but for `PATH` and where the repository is.
const ENVIRONMENT: [(&str, &str); 12] = [
    // A promised object that is missing would be fetched, by a command that the repository names. An older
    // git does not know the first; the second leaves it no way to fetch.
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_ALLOW_PROTOCOL", "none"),
    // `refs/replace/` shows one object as another.
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_SSH_COMMAND", "false"),
    ("GIT_ASKPASS", "false"),
    ("GIT_PAGER", "cat"),
    ("LC_ALL", "C"),
];

impl Git {
    /// For the repository around the workspace in `root`.
    ///
    /// # Errors
    /// Where there is none, it belongs to another user, or there is no git.
    pub fn around(session: &Session, root: &Path) -> Result<Self> {
        let repository = Repository::around(root)?.ok_or_else(|| {
            Problem::failed("there is no git repository around the workspace")
                .cause(format!("neither {} nor a folder above it has a .git", shown(root)))
        })?;
        let search_path = session.env.search_path.clone().unwrap_or_default();
        // No program of the workspace, whatever PATH says.
        let folders = std::env::split_paths(&search_path).filter(|folder| {
            folder.is_absolute()
                && !folder.canonicalize().unwrap_or_else(|_| folder.clone()).starts_with(&repository.top)
        });
        let search_path = std::env::join_paths(folders)
            .map_err(|error| Problem::failed("PATH cannot be used").because(&error))?;
        let program = process::find_in(&search_path, "git")
            .ok_or_else(|| Problem::failed("git is not installed").cause("no folder of PATH holds it"))?;
        let git = Self { program, search_path, repository };
        match &git.repository.foreign {
            Some(folder) if !git.is_safe() => Err(foreign(folder, &git.repository.top).into()),
            _ => Ok(git),
        }
    }

    /// The folder with the `.git`.
    pub fn top(&self) -> &Path {
        &self.repository.top
    }

    /// The workspace relative to it: empty, or with a `/` at its end.
    pub fn prefix(&self) -> &str {
        &self.repository.prefix
    }

    /// Whether commits are missing here because the clone is shallow.
    ///
    /// # Errors
    /// Where git fails.
    pub fn is_shallow(&self) -> Result<bool> {
        Ok(self.ask(["rev-parse", "--is-shallow-repository"], b"")?.starts_with(b"true"))
    }

    /// What git answers.
    ///
    /// # Errors
    /// Where it fails; with its words.
    pub fn ask<'a, S: AsRef<OsStr> + 'a>(
        &self,
        arguments: impl IntoIterator<Item = S>,
        input: &[u8],
    ) -> Result<Vec<u8>> {
        let lost = |error: &io::Error| Problem::failed("git cannot be run").because(error);
        let mut command = self.bare(Inherited::Nothing);
        command
            .env("GIT_DIR", &self.repository.git_dir)
            .env("GIT_WORK_TREE", &self.repository.top)
            .env("GIT_CEILING_DIRECTORIES", "/")
            .envs(ENVIRONMENT)
            .arg("--no-pager");
        for option in CONFIGURATION {
            command.args(["-c", option]);
        }
        command.args(arguments);
        let child = Child::start(&mut command, Zeroizing::new(input.to_vec()), LIMITS);
        let (end, output) = child.map_err(|error| lost(&error))?.finish(LIMIT);
        if matches!(end, End::Exit(0)) {
            return Ok(output.out.to_vec());
        }
        let said = escaped(String::from_utf8_lossy(&output.err).trim());
        let problem = Problem::failed("git failed");
        Err(match end {
            End::Lost(error) => lost(&error),
            End::TookTooLong => problem.cause(format!("it was killed after {} s", LIMIT.as_secs())),
            End::TooMuch => {
                problem.cause(format!("it was killed after {} MiB of an answer", LIMITS.out >> 20))
            }
            End::Signal(signal) => problem.cause(format!("a signal ended it: {signal}")),
            End::Exit(_) if said.is_empty() => problem,
            End::Exit(_) => problem.cause(said),
        }
        .into())
    }

    /// git in the root folder, which is in no repository, with this `PATH`.
    fn bare(&self, inherited: Inherited) -> Command {
        let mut command = process::command(&self.program, inherited);
        command.env("PATH", &self.search_path);
        command
    }

    /// Whether the user's own or the machine's configuration takes a repository of another user for safe
    /// (`safe.directory`), as git itself asks it: by its whole path, or `*` for all; an empty entry takes the
    /// ones before it back.
    fn is_safe(&self) -> bool {
        let mut safe = false;
        for scope in ["--system", "--global"] {
            let mut command = self.bare(Inherited::Basic);
            command.args(["config", scope, "--null", "--get-all", "safe.directory"]);
            command.env("GIT_CEILING_DIRECTORIES", "/");
            let Ok(child) = Child::start(&mut command, Zeroizing::new(Vec::new()), LIMITS) else { continue };
            let (_, output) = child.finish(LIMIT);
            let text = String::from_utf8_lossy(&output.out).into_owned();
            for entry in text.split_terminator('\0') {
                safe = match entry {
                    "" => false,
                    "*" => true,
                    path => safe || Path::new(path) == self.repository.top,
                };
            }
        }
        safe
    }
}

fn foreign(folder: &Path, top: &Path) -> Problem {
    Problem::failed(format!("the git repository {} belongs to another user", shown(top)))
        .cause(format!("{} is not yours; its owner decides what git says of it", shown(folder)))
        .hint("if you trust it:")
        .hint(format!("git config --global --add safe.directory {}", quoted(&top.display().to_string())))
}

fn shown(path: &Path) -> String {
    escaped(&path.display().to_string())
}
