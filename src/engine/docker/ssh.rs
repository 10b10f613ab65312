//! An Engine behind ssh: the user's own OpenSSH with the user's own configuration forwards the remote
//! socket to one in a private folder here. One connection for each host and run; every stream is a
//! channel in it.

use super::dial::{Stream, unreachable};
use crate::engine::{EngineError, EngineResult};
use crate::problem::{escaped, quoted};
use crate::process::{self, Inherited};
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

/// How long ssh may take to log in.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Logins that are under way at once: each takes 0.1 s of processor time at both ends, and an sshd that many
/// hosts stand behind drops logins at random from the tenth that is not through yet (`MaxStartups 10:30:100`).
static LOGINS: Semaphore = Semaphore::const_new(8);
/// How often the socket is looked for meanwhile.
const PAUSE: Duration = Duration::from_millis(10);
/// Where Engines listen.
const REMOTE_SOCKET: &str = "/var/run/docker.sock";
/// How much of ssh's words is kept: the last bytes.
const KEPT: usize = 4096;

/// A running ssh; it ends when this is dropped, and its folder goes.
pub(super) struct Tunnel {
    destination: String,
    port: Option<u16>,
    socket: PathBuf,
    said: StderrTail,
    // Before the folder: a dropped child is killed.
    child: Child,
    _folder: TempDir,
}

type StderrTail = Arc<Mutex<Vec<u8>>>;

impl Tunnel {
    /// Logs in.
    pub(super) async fn open(
        user: Option<&str>,
        host: &str,
        port: Option<u16>,
        path: Option<&str>,
    ) -> EngineResult<Self> {
        let destination = user.map_or(host.to_owned(), |user| format!("{user}@{host}"));
        let remote = path.unwrap_or(REMOTE_SOCKET);
        let folder = private_folder()
            .map_err(|error| unreachable(&format!("no private folder for a socket: {error}")))?;
        let socket = folder.path().join("engine.sock");
        let local = socket.to_string_lossy().into_owned();
        for path in [remote, local.as_str()] {
            // ssh reads `:`, `%`, `$` and `\` in it in its own way.
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-+@".contains(&b);
            if !path.starts_with('/') || !path.bytes().all(plain) {
                return Err(unreachable(&format!("ssh cannot forward a socket at {path}")));
            }
        }
        let program = process::find("ssh").map_err(|error| cannot_start(&error))?;
        let mut command = Command::from(process::command(&program, Inherited::Tools));
        command.args(["-N", "-T", "-L", &format!("{local}:{remote}")]);
        for option in OPTIONS {
            command.args(["-o", option]);
        }
        if let Some(port) = port {
            command.args(["-p", &port.to_string()]);
        }
        // A destination is never an option, whatever it begins with.
        command.args(["--", &destination]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        // The semaphore is never closed: without a place there is no wait.
        let _login = LOGINS.acquire().await.ok();
        let mut child = command.spawn().map_err(|error| cannot_start(&error))?;
        let said = StderrTail::default();
        if let Some(stderr) = child.stderr.take() {
            drop(tokio::spawn(listen(stderr, Arc::clone(&said))));
        }
        let mut tunnel = Self { destination, port, socket, said, child, _folder: folder };
        tunnel.ready().await?;
        Ok(tunnel)
    }

    async fn ready(&mut self) -> EngineResult<()> {
        let began = Instant::now();
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(self.ended(status).await);
            }
            if UnixStream::connect(&self.socket).await.is_ok() {
                return Ok(());
            }
            if began.elapsed() > TIMEOUT {
                let words = format!("ssh to {} took longer than {} s", self.destination, TIMEOUT.as_secs());
                return Err(self.explain(unreachable(&words)));
            }
            sleep(PAUSE).await;
        }
    }

    async fn ended(&self, status: ExitStatus) -> EngineError {
        // What it said last may still be on its way.
        sleep(Duration::from_millis(50)).await;
        let error = self.explain(unreachable(&format!("ssh to {} failed ({status})", self.destination)));
        let port = self.port.map_or(String::new(), |port| format!("-p {port} "));
        let by_hand = format!("ssh -o BatchMode=yes {port}-- {} true", quoted(&self.destination));
        error.hint(format!("does it work by hand, without a question? {by_hand}"))
    }

    /// A channel.
    pub(super) async fn connect(&self) -> EngineResult<Box<dyn Stream>> {
        match UnixStream::connect(&self.socket).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(_) => Err(unreachable(&format!("ssh to {} has ended", self.destination))),
        }
    }

    /// Adds what ssh said.
    pub(super) fn explain(&self, error: EngineError) -> EngineError {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        with_words(error, &String::from_utf8_lossy(&said))
    }
}

/// Each line of ssh once; some begin with its own name.
fn with_words(mut error: EngineError, said: &str) -> EngineError {
    for line in said.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let line = escaped(line.strip_prefix("ssh: ").unwrap_or(line));
        if !error.message.contains(&line) {
            error.message.push_str("; ssh: ");
            error.message.push_str(&line);
        }
    }
    error
}

fn cannot_start(error: &io::Error) -> EngineError {
    let problem = unreachable(&format!("ssh cannot be started: {error}"));
    match error.kind() {
        io::ErrorKind::NotFound => problem.hint("install the OpenSSH client"),
        io::ErrorKind::PermissionDenied => {
            problem.hint("make it executable, or put another ssh before it in PATH")
        }
        _ => problem,
    }
}

/// `tempfile` leaves the mode of a folder to the umask, where none is given: it is private from the start.
fn private_folder() -> io::Result<TempDir> {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    tempfile::Builder::new().prefix("pillarbox-").permissions(mode).tempdir()
}

/// Nothing is asked: a question would stand in the way of a plan's output, and of CI for ever. The
/// connection is ours alone (a shared master would keep the forwarded socket), forwards nothing else of
/// worth, and is given up when the host is silent for a minute. Forwards in the user's configuration
/// may fail: their ports are taken wherever the user is logged in already.
const OPTIONS: [&str; 11] = [
    "BatchMode=yes",
    "ExitOnForwardFailure=no",
    "ForwardAgent=no",
    "ForwardX11=no",
    "PermitLocalCommand=no",
    "ControlMaster=no",
    "ControlPath=none",
    "StreamLocalBindMask=0177",
    "ServerAliveInterval=15",
    "ServerAliveCountMax=4",
    "LogLevel=INFO",
];

async fn listen(mut stderr: ChildStderr, said: StderrTail) {
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend_from_slice(&buffer[..count]);
        let excess = said.len().saturating_sub(KEPT);
        said.drain(..excess);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ssh_says_names_ssh_once() {
        let said = "ssh: connect to host web1 port 22: Connection refused\r\nPermission denied\n";
        let error = with_words(unreachable("ssh to web1 failed"), said);
        assert_eq!(
            error.message,
            "ssh to web1 failed; ssh: connect to host web1 port 22: Connection refused; ssh: Permission denied"
        );
        assert_eq!(with_words(error.clone(), said).message, error.message);
    }

    #[test]
    fn only_where_there_is_no_ssh_it_is_to_be_installed() {
        let hints = |kind: io::ErrorKind| cannot_start(&io::Error::from(kind)).hints.join("; ");
        assert_eq!(hints(io::ErrorKind::NotFound), "install the OpenSSH client");
        assert!(hints(io::ErrorKind::PermissionDenied).contains("executable"));
        let too_many = io::Error::from_raw_os_error(rustix::io::Errno::MFILE.raw_os_error());
        assert_eq!(cannot_start(&too_many).hints, [""; 0]);
    }
}
