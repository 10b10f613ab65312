//! A home, a workspace and a clean environment for one test, and the binary run in them.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// No command of a test may take longer; it is killed and the test fails.
const LIMIT: Duration = Duration::from_secs(180);

/// A temporary home with a workspace folder in it. Nothing of the user who runs the tests is seen:
/// the environment is empty but for `PATH` and the folders below.
pub(crate) struct TestEnv {
    root: tempfile::TempDir,
    name: String,
    vars: BTreeMap<String, String>,
    path_first: Vec<PathBuf>,
}

impl TestEnv {
    /// A home with an empty workspace folder `shop`.
    pub(crate) fn new() -> Self {
        Self::named("shop")
    }

    /// A home with an empty workspace folder of that name (`init` names the workspace after it).
    pub(crate) fn named(name: &str) -> Self {
        let root = tempfile::Builder::new().prefix("pillarbox-test-").tempdir().expect("a temporary folder");
        let env = Self { root, name: name.to_owned(), vars: BTreeMap::new(), path_first: Vec::new() };
        for folder in [env.home(), env.workspace(), env.root.path().join("tmp")] {
            fs::create_dir_all(folder).expect("a folder of the test");
        }
        fs::DirBuilder::new().mode(0o700).create(env.runtime()).expect("the runtime folder");
        env
    }

    /// A workspace after `pillarbox init`: an identity of this home opens its one box.
    pub(crate) fn initialised() -> Self {
        let env = Self::new();
        env.run(&["init"]).ok();
        env
    }

    /// The home folder.
    pub(crate) fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// The workspace folder; commands run here.
    pub(crate) fn workspace(&self) -> PathBuf {
        self.home().join(&self.name)
    }

    /// `$XDG_RUNTIME_DIR`.
    pub(crate) fn runtime(&self) -> PathBuf {
        self.root.path().join("run")
    }

    /// The identity file that `init` makes.
    pub(crate) fn identity(&self) -> PathBuf {
        self.home().join(".config/pillarbox/identity.txt")
    }

    /// Sets a variable for every command of this test.
    pub(crate) fn set_var(&mut self, name: &str, value: impl Into<String>) {
        self.vars.insert(name.to_owned(), value.into());
    }

    /// Puts a folder before the others in `PATH`, for every command of this test.
    pub(crate) fn path_first(&mut self, folder: impl Into<PathBuf>) {
        self.path_first.insert(0, folder.into());
    }

    /// Writes a file of the workspace, with the folders above it.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) -> &Self {
        let path = self.workspace().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders of the workspace");
        fs::write(&path, text).unwrap_or_else(|error| panic!("write {}: {error}", path.display()));
        self
    }

    /// The text of a file of the workspace.
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.workspace().join(path)).unwrap_or_else(|error| panic!("read {path}: {error}"))
    }

    /// Every regular file of the workspace (without `.git`) with its contents: compare two of these
    /// to see that a refused command changed nothing.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        files_below(&self.workspace())
    }

    /// The folder of the credential helper's own logins.
    pub(crate) fn overlay(&self) -> PathBuf {
        self.home().join(".local/share/pillarbox/personal")
    }

    /// Copies a folder of the repository into the workspace.
    pub(crate) fn copy_from_repository(&self, path: &str) -> &Self {
        let from = repository().join(path);
        let mut found = BTreeMap::new();
        if from.is_file() {
            found.insert(PathBuf::from(path), fs::read(&from).expect("a file of the repository"));
        } else {
            collect(repository(), &from, &mut found);
            assert!(!found.is_empty(), "{path} is not in the repository");
        }
        for (path, bytes) in found {
            self.write(path.to_str().expect("a path in UTF-8"), bytes);
        }
        self
    }

    /// Runs `pillarbox` in the workspace with an empty standard input.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).run()
    }

    /// Runs `pillarbox` in the workspace with this standard input.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> Output {
        self.command(arguments).input(input).run()
    }

    /// `pillarbox` with arguments, to be changed before it runs.
    pub(crate) fn command(&self, arguments: &[&str]) -> Run {
        self.program(env!("CARGO_BIN_EXE_pillarbox"), arguments)
    }

    /// Runs `docker-credential-pillarbox` in the root folder with this standard input.
    pub(crate) fn helper(&self, action: &str, input: impl AsRef<[u8]>) -> Output {
        self.helper_command(action).input(input).run()
    }

    /// `docker-credential-pillarbox` in the root folder, to be changed before it runs.
    pub(crate) fn helper_command(&self, action: &str) -> Run {
        self.program(env!("CARGO_BIN_EXE_docker-credential-pillarbox"), &[action]).within("/")
    }

    /// Names this workspace in `config.toml`, from which the credential helper takes it.
    pub(crate) fn set_standing_workspace(&self) {
        let text = format!("workspace = \"{}\"\n", self.workspace().display());
        fs::write(self.home().join(".config/pillarbox/config.toml"), text).expect("config.toml");
    }

    /// Any other program in the same environment (`age`, `git`, `sh`).
    pub(crate) fn program(&self, program: &str, arguments: &[&str]) -> Run {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.workspace()).env_clear();
        let home = self.home();
        let mut path = self.path_first.clone();
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        command
            .env("PATH", std::env::join_paths(path).expect("a PATH"))
            .env("LANG", "C.UTF-8")
            .env("TERM", "dumb")
            .env("HOME", &home)
            .env("USER", "alice")
            .env("TMPDIR", self.root.path().join("tmp"))
            .env("XDG_CONFIG_HOME", home.join(".config"))
            .env("XDG_DATA_HOME", home.join(".local/share"))
            .env("XDG_STATE_HOME", home.join(".local/state"))
            .env("XDG_CACHE_HOME", home.join(".cache"))
            .env("XDG_RUNTIME_DIR", self.runtime())
            // The kernel's keyring is the user's who runs the tests; `identities` makes others.
            .env("PILLARBOX_NO_KEYRING", "1")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "alice")
            .env("GIT_AUTHOR_EMAIL", "alice@example.com")
            .env("GIT_COMMITTER_NAME", "alice")
            .env("GIT_COMMITTER_EMAIL", "alice@example.com")
            .envs(&self.vars);
        let shown = std::iter::once(program.rsplit('/').next().unwrap_or(program))
            .chain(arguments.iter().copied())
            .collect::<Vec<_>>()
            .join(" ");
        Run { command, input: Vec::new(), shown }
    }
}

/// Every regular file below a folder (without `.git`) with its contents.
pub(crate) fn files_below(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    collect(folder, folder, &mut found);
    found
}

/// The folder of the repository under test.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn collect(base: &Path, folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let entry = entry.expect("an entry of the folder");
        let kind = entry.file_type().expect("its type");
        let path = entry.path();
        if kind.is_dir() && entry.file_name() != ".git" {
            collect(base, &path, found);
        } else if kind.is_file() {
            let relative = path.strip_prefix(base).expect("below the base").to_owned();
            found.insert(relative, fs::read(&path).expect("a file of the folder"));
        }
    }
}

/// The permission bits of a file.
pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode()
        & 0o7777
}

/// Whether a program that a test needs is there: in CI it must be (`scripts/test` installs it); elsewhere
/// its absence is said aloud and the test is left out.
pub(crate) fn has_program(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    assert!(
        found || std::env::var_os("CI").is_none(),
        "the program `{program}` is missing: run scripts/test"
    );
    if !found {
        // Not eprintln!, which the test runner swallows where a test passes.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: the program `{program}` is missing (scripts/test installs it)"
        );
    }
    found
}

/// Runs a script of sh in the workspace with mounts of its own; `None`, and said so, where this user may
/// not mount.
pub(crate) fn within_mounts(env: &TestEnv, script: &str) -> Option<Output> {
    let may = env.program("unshare", &["-m", "mount", "-t", "tmpfs", "none", "/mnt"]).run();
    if may.code != 0 {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "CI may mount: {}", may.stderr.trim());
        // Not eprintln!, which the test runner swallows where a test passes.
        let _ = writeln!(std::io::stderr(), "SKIPPED: this user may not mount: {}", may.stderr.trim());
        return None;
    }
    Some(env.program("unshare", &["-m", "sh", "-c", script]).run())
}

/// A command that has not run yet.
#[must_use]
pub(crate) struct Run {
    command: Command,
    input: Vec<u8>,
    shown: String,
}

impl Run {
    /// What it reads on standard input.
    pub(crate) fn input(mut self, input: impl AsRef<[u8]>) -> Self {
        self.input = input.as_ref().to_vec();
        self
    }

    /// One more variable.
    pub(crate) fn var(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Another working folder.
    pub(crate) fn within(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Starts it with pipes and leaves it running: for tests that interrupt or kill it.
    pub(crate) fn spawn(mut self) -> Child {
        self.command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("start `{}`: {error}", self.shown))
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Output {
        let shown = self.shown.clone();
        let input = self.input.clone();
        let mut child = self.spawn();
        let pid = child.id();
        let mut stdin = child.stdin.take().expect("its standard input");
        // A program may end without reading what it was given: a broken pipe is not an error here.
        std::thread::spawn(move || stdin.write_all(&input));
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || sender.send(child.wait_with_output()));
        let output = match receiver.recv_timeout(LIMIT) {
            Ok(output) => output.unwrap_or_else(|error| panic!("`{shown}`: {error}")),
            Err(_) => {
                let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
                panic!("`{shown}` did not end within {LIMIT:?}");
            }
        };
        Output {
            code: output.status.code().unwrap_or_else(|| 128 + output.status.signal().unwrap_or_default()),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            shown,
        }
    }
}

/// What a command said, and how it ended. Every check returns it again and shows everything on failure.
#[must_use = "check how it ended: `.ok()` or `.exits(code)`"]
pub(crate) struct Output {
    /// The exit code; 128 and the number of the signal that ended it.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
    shown: String,
}

impl Output {
    /// It ended with 0.
    #[track_caller]
    pub(crate) fn ok(self) -> Checked {
        self.exits(0)
    }

    /// It ended with this code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Checked {
        assert!(self.code == code, "it ended with {} and not {code}\n{self}", self.code);
        Checked(self)
    }
}

/// An output whose exit code was checked.
pub(crate) struct Checked(Output);

impl Checked {
    /// Standard output holds this text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.0.stdout.contains(text), "standard output lacks {text:?}\n{}", self.0);
        self
    }

    /// Standard error holds this text.
    #[track_caller]
    pub(crate) fn explains(self, text: &str) -> Self {
        assert!(self.0.stderr.contains(text), "standard error lacks {text:?}\n{}", self.0);
        self
    }

    /// Neither stream holds this text (a secret, a name from outside).
    #[track_caller]
    pub(crate) fn lacks(self, text: &str) -> Self {
        let found = self.0.stdout.contains(text) || self.0.stderr.contains(text);
        assert!(!found, "the output holds {text:?}\n{}", self.0);
        self
    }

    /// Standard output is this text and no more.
    #[track_caller]
    pub(crate) fn says_only(self, text: &str) -> Self {
        assert!(self.0.stdout == text, "standard output is not {text:?}\n{}", self.0);
        self
    }

    /// Nothing stands on standard error.
    #[track_caller]
    pub(crate) fn and_nothing_else(self) -> Self {
        assert!(self.0.stderr.is_empty(), "standard error is not empty\n{}", self.0);
        self
    }

    /// Standard error is one line.
    #[track_caller]
    pub(crate) fn explains_on_one_line(self) -> Self {
        assert!(self.0.stderr.lines().count() == 1, "standard error is not one line\n{}", self.0);
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.0.stdout)
            .unwrap_or_else(|error| panic!("standard output is not JSON: {error}\n{}", self.0))
    }

    /// Standard output.
    pub(crate) fn stdout(&self) -> &str {
        &self.0.stdout
    }

    /// Standard error.
    pub(crate) fn stderr(&self) -> &str {
        &self.0.stderr
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "$ {}\n--- standard output\n{}--- standard error\n{}--- exit {}",
            self.shown, self.stdout, self.stderr, self.code
        )
    }
}
