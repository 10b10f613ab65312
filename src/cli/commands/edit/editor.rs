//! The editor: started, waited for, ended.

use crate::cli::Context;
use crate::cli::signal::Listener;
use crate::problem::{Code, Problem, Result, escaped, quoted};
use crate::session::AGE_KEY;
use std::path::Path;
use std::time::Duration;
use tokio::process::{Child, Command};

/// How long an editor may take to end when it is told to.
const TIMEOUT: Duration = Duration::from_secs(2);

/// A person needs longer to open a file, look at it and close it.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Editors that return at once, and the option that makes each wait.
const WAITS: [(&str, &str); 12] = [
    ("code", "--wait"),
    ("code-insiders", "--wait"),
    ("codium", "--wait"),
    ("cursor", "--wait"),
    ("zed", "--wait"),
    ("subl", "--wait"),
    ("atom", "--wait"),
    ("gedit", "--wait"),
    ("mate", "--wait"),
    ("kate", "--block"),
    ("gvim", "--nofork"),
    ("open", "-W"),
];

/// The program that `VISUAL` or `EDITOR` names.
pub(super) struct Editor {
    /// As it was given; may hold options.
    line: String,
}

impl Editor {
    /// The one that is set, else vi.
    ///
    /// # Errors
    /// Where none is set and there is no terminal: vi would wait for keys, and print secrets into a log.
    pub(super) fn of(ctx: &Context) -> Result<Self> {
        let line = ctx.session.env.editor.as_ref().map(|editor| editor.to_string_lossy().into_owned());
        if line.is_none() && !(ctx.terminal.stdin && ctx.terminal.stdout) {
            return Err(Problem::new(
                Code::Declined,
                "there is no terminal for an editor, and no EDITOR is set",
            )
            .hint("name a program that edits the file it is given: EDITOR='./change' pillarbox edit FILE")
            .hint("or write single values: pillarbox set KEY VALUE, pillarbox seal KEY")
            .into());
        }
        Ok(Self { line: line.unwrap_or_else(|| "vi".to_owned()) })
    }

    /// What to say where it ended after a time and left the file as it was: it may have opened a window and
    /// not waited for it.
    pub(super) fn did_not_wait(&self, after: Duration) -> Option<String> {
        let waits = WAITS.iter().find(|(name, _)| *name == self.name()).map(|(_, option)| *option);
        let has_it = |option: &str| self.line.split_whitespace().any(|word| word == option || word == "-w");
        if after >= AT_ONCE || waits.is_some_and(has_it) || self.is_vi() {
            return None;
        }
        let shown = escaped(&self.line);
        Some(format!(
            "{shown} returned at once. If its window is still open, do not type there: the file is gone. Make it \
             wait: EDITOR={} pillarbox edit FILE",
            quoted(&format!("{} {}", self.line, waits.unwrap_or("--wait")))
        ))
    }

    fn name(&self) -> &str {
        let program = self.line.split_whitespace().next().unwrap_or_default();
        program.rsplit('/').next().unwrap_or_default()
    }

    fn is_vi(&self) -> bool {
        matches!(self.name(), "vi" | "vim" | "nvim" | "vim.tiny" | "vim.basic")
    }

    /// What to say of copies that this editor may make elsewhere.
    pub(super) fn note(&self) -> Option<String> {
        let name = escaped(self.name());
        (!self.is_vi()).then(|| {
            format!("pillarbox does not wipe swap files, backups and histories that {name} keeps elsewhere")
        })
    }

    /// Edits a file and waits for the end.
    ///
    /// # Errors
    /// Where it does not start, says that it failed, or a signal ends it.
    pub(super) async fn edit(&self, path: &Path, signals: &mut Listener) -> Result<()> {
        let fail = |error: &std::io::Error| {
            Problem::failed(format!("could not start the editor `{}`", escaped(&self.line)))
                .because(error)
                .hint("use another one: EDITOR=nano pillarbox edit FILE")
        };
        let mut child = self.command(path).spawn().map_err(|error| fail(&error))?;
        let ended = tokio::select! {
            ended = child.wait() => ended,
            () = signals.interrupted() => {
                end(&mut child).await;
                return Err(interrupted().into());
            }
        };
        let ended = ended.map_err(|error| fail(&error))?;
        if ended.success() {
            return Ok(());
        }
        Err(Problem::failed(format!("the editor `{}` failed: {ended}", escaped(&self.line)))
            .cause("nothing was changed, and the plaintext was wiped")
            .into())
    }

    fn command(&self, path: &Path) -> Command {
        let plain = |c: char| c.is_alphanumeric() || " ./_-+=:,".contains(c);
        let mut words = self.line.split_whitespace();
        let mut command = match words.next() {
            Some(program) if self.line.chars().all(plain) => {
                let mut command = Command::new(program);
                command.args(words);
                command
            }
            _ => {
                // As git does: the variable is a piece of shell.
                let mut command = Command::new("sh");
                command.arg("-c").arg(format!("{} \"$@\"", self.line)).arg(&self.line);
                command
            }
        };
        if self.is_vi() {
            // No swap file, no history of registers and searches, no backup, no undo file.
            command.args(["-n", "-i", "NONE"]);
            for option in ["nobackup", "nowritebackup", "noundofile"] {
                command.arg("-c").arg(format!("silent! set {option}"));
            }
        }
        command.arg(path).env_remove(AGE_KEY);
        command
    }
}

/// What a signal comes to.
pub(super) fn interrupted() -> Problem {
    Problem::new(Code::Interrupted, "interrupted; nothing was changed, and the plaintext was wiped")
}

/// Ends a program, kindly first: it may write until it has ended.
async fn end(child: &mut Child) {
    if let Some(id) =
        child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw)
    {
        let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        if tokio::time::timeout(TIMEOUT, child.wait()).await.is_ok() {
            return;
        }
    }
    let _ = child.kill().await;
}

/// The command to repeat an edit.
pub(super) fn again(file: &str) -> String {
    format!("pillarbox edit {}", quoted(file))
}
