//! An Engine behind ssh: the user's own OpenSSH with the user's own configuration forwards the remote
//! socket to one in a private folder here. One connection for each host and run; every stream is a
//! channel in it.

mod config;
mod logins;
mod words;

pub use logins::limit_logins;

use super::dial::{Stream, unreachable};
use crate::engine::{EngineError, EngineResult};
use crate::problem::quoted;
use crate::process::{self, Inherited};
use config::SshConfig;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::{Instant, sleep};

/// How long a host may take to answer and to show its key (`ConnectTimeout`), in seconds, where the user's own
/// configuration says nothing else.
const ANSWER: u64 = 10;
/// How long ssh may take to log in after that: a key may have to be touched.
const LOGIN: Duration = Duration::from_secs(20);
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
    host: String,
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
        let program = process::find("ssh").map_err(|error| cannot_start(&error))?;
        let config = SshConfig::read(&program, &destination, port).await;
        let mut tries = 0;
        loop {
            let turn = logins::turn(&config.through).await;
            let folder = private_folder()
                .map_err(|error| unreachable(&format!("no private folder for a socket: {error}")))?;
            let socket = folder.path().join("engine.sock");
            let mut command =
                Command::from(login(&program, &socket, remote, (&destination, port), config.timeout)?);
            let mut child = command.kill_on_drop(true).spawn().map_err(|error| cannot_start(&error))?;
            let said = StderrTail::default();
            if let Some(stderr) = child.stderr.take() {
                drop(tokio::spawn(listen(stderr, Arc::clone(&said))));
            }
            let (destination, host) = (destination.clone(), host.to_owned());
            let mut tunnel = Self { destination, port, host, socket, said, child, _folder: folder };
            let limit = LOGIN + Duration::from_secs(config.timeout.unwrap_or(ANSWER));
            let Err(error) = tunnel.ready(limit).await else { return Ok(tunnel) };
            drop(turn);
            tries += 1;
            match logins::pause(tries).filter(|_| words::was_dropped(&tunnel.words())) {
                Some(pause) => sleep(pause).await,
                None => return Err(error),
            }
        }
    }

    async fn ready(&mut self, limit: Duration) -> EngineResult<()> {
        let began = Instant::now();
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(self.ended(status).await);
            }
            if UnixStream::connect(&self.socket).await.is_ok() {
                return Ok(());
            }
            if began.elapsed() > limit {
                let words = format!("ssh to {} took longer than {} s", self.destination, limit.as_secs());
                return Err(self.explain(unreachable(&words)));
            }
            sleep(PAUSE).await;
        }
    }

    async fn ended(&self, status: ExitStatus) -> EngineError {
        // What it said last may still be on its way.
        sleep(Duration::from_millis(50)).await;
        let error = self.explain(unreachable(&format!("ssh to {} failed ({status})", self.destination)));
        let by_hand = self.by_hand().replacen("ssh ", "ssh -o BatchMode=yes ", 1);
        error.hint(format!("does it work by hand, without a question? {by_hand} true"))
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
        words::with_words(error, &self.words(), &self.by_hand(), &self.known_as())
    }

    /// The last that ssh said.
    fn words(&self) -> String {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&said).into_owned()
    }

    /// What a person types to log in.
    fn by_hand(&self) -> String {
        let port = self.port.map_or(String::new(), |port| format!("-p {port} "));
        format!("ssh {port}-- {}", quoted(&self.destination))
    }

    /// Its name in known_hosts.
    fn known_as(&self) -> String {
        match self.port.filter(|port| *port != 22) {
            Some(port) => format!("[{}]:{port}", self.host),
            None => self.host.clone(),
        }
    }
}

/// The call of ssh that logs in and forwards a remote socket to one here.
///
/// # Errors
/// Where a path is none that ssh takes as it is.
fn login(
    program: &Path,
    socket: &Path,
    remote: &str,
    (destination, port): (&str, Option<u16>),
    timeout: Option<u64>,
) -> EngineResult<std::process::Command> {
    let local = socket.to_string_lossy();
    for path in [remote, &local] {
        // ssh reads `:`, `%`, `$` and `\` in it in its own way.
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-+@".contains(&b);
        if !path.starts_with('/') || !path.bytes().all(plain) {
            return Err(unreachable(&format!("ssh cannot forward a socket at {path}")));
        }
    }
    let mut command = process::command(program, Inherited::Tools);
    command.args(["-N", "-T", "-L", &format!("{local}:{remote}")]);
    for option in OPTIONS {
        command.args(["-o", option]);
    }
    if timeout.is_none() {
        command.args(["-o", &format!("ConnectTimeout={ANSWER}")]);
    }
    if let Some(port) = port {
        command.args(["-p", &port.to_string()]);
    }
    // A destination is never an option, whatever it begins with.
    command.args(["--", destination]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    Ok(command)
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
    fn only_where_there_is_no_ssh_it_is_to_be_installed() {
        let hints = |kind: io::ErrorKind| cannot_start(&io::Error::from(kind)).hints.join("; ");
        assert_eq!(hints(io::ErrorKind::NotFound), "install the OpenSSH client");
        assert!(hints(io::ErrorKind::PermissionDenied).contains("executable"));
        let too_many = io::Error::from_raw_os_error(rustix::io::Errno::MFILE.raw_os_error());
        assert_eq!(cannot_start(&too_many).hints, [""; 0]);
    }
}
