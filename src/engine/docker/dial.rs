//! A byte stream to an Engine, over whatever its address says.

use super::ssh::Tunnel;
use super::tls::Tls;
use crate::engine::{Address, EngineError, EngineResult, ErrorKind};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::timeout;

/// How long a connection may take to open, with TLS.
const TIMEOUT: Duration = Duration::from_secs(15);
/// How soon a link is asked whether it is alive where nothing comes, and how often until it is given up: after a
/// minute and a quarter, as ssh does it here.
const ALIVE: (Duration, u32) = (Duration::from_secs(15), 4);

/// A stream of any kind.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// How to open streams to one Engine.
pub(super) enum Dial {
    Unix(PathBuf),
    Tcp { host: String, port: u16, tls: Option<Tls> },
    Ssh(Box<Tunnel>),
}

impl Dial {
    /// Reads certificates, opens the tunnel.
    pub(super) async fn new(address: &Address) -> EngineResult<Self> {
        match address {
            Address::Unix(path) => Ok(Self::Unix(path.clone())),
            Address::Tcp { host, port, tls } => {
                let tls = tls.as_deref().map(|folder| Tls::new(folder, host)).transpose()?;
                Ok(Self::Tcp { host: host.clone(), port: *port, tls })
            }
            Address::Ssh { user, host, port, path } => {
                Tunnel::open(user.as_deref(), host, *port, path.as_deref())
                    .await
                    .map(|tunnel| Self::Ssh(Box::new(tunnel)))
            }
        }
    }

    /// A stream.
    pub(super) async fn open(&self) -> EngineResult<Box<dyn Stream>> {
        let opened = timeout(TIMEOUT, self.connect()).await;
        opened.unwrap_or_else(|_| {
            Err(unreachable(&format!("no connection within {} seconds", TIMEOUT.as_secs())))
        })
    }

    async fn connect(&self) -> EngineResult<Box<dyn Stream>> {
        match self {
            Self::Unix(path) => {
                let stream = UnixStream::connect(path).await.map_err(|error| socket_error(path, &error))?;
                Ok(Box::new(stream))
            }
            Self::Ssh(tunnel) => tunnel.connect().await,
            Self::Tcp { host, port, tls } => {
                let stream = tcp(host, *port, tls.is_none()).await?;
                match tls {
                    Some(tls) => tls.wrap(stream).await,
                    None => Ok(Box::new(stream)),
                }
            }
        }
    }

    /// What this side knows beside the error itself: ssh's own words.
    pub(super) fn explain(&self, error: EngineError) -> EngineError {
        match self {
            Self::Ssh(tunnel) if error.kind == ErrorKind::Unreachable => tunnel.explain(error),
            _ => error,
        }
    }
}

pub(super) fn unreachable(words: &str) -> EngineError {
    EngineError::new(ErrorKind::Unreachable, 0, words)
}

async fn tcp(host: &str, port: u16, plain: bool) -> EngineResult<TcpStream> {
    let found = lookup_host((host, port)).await;
    let found: Vec<SocketAddr> =
        found.map_err(|error| unreachable(&format!("{host} is not known: {error}")))?.collect();
    if plain && !found.iter().all(|address| is_loopback(address.ip())) {
        let words = format!("{host}:{port} is not this machine, and plain tcp protects nothing");
        return Err(unreachable(&words).hint("give it certificates (`tls`), or use ssh://"));
    }
    let stream = TcpStream::connect(found.as_slice())
        .await
        .map_err(|error| unreachable(&format!("{host}:{port}: {error}")))?;
    // A request is small and waited for.
    let _ = stream.set_nodelay(true);
    keep_alive(&stream);
    Ok(stream)
}

/// Lets the kernel find a link that is gone without a word. One that cannot be watched works all the same.
fn keep_alive(stream: &TcpStream) {
    use rustix::net::sockopt;
    let (pause, times) = ALIVE;
    let _ = sockopt::set_socket_keepalive(stream, true)
        .and_then(|()| sockopt::set_tcp_keepidle(stream, pause))
        .and_then(|()| sockopt::set_tcp_keepintvl(stream, pause))
        .and_then(|()| sockopt::set_tcp_keepcnt(stream, times));
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// How the Engine of a socket is started: Podman's is called so, and a user's is below its own folder.
fn start_hint(path: &Path) -> &'static str {
    let podman = path.to_string_lossy().contains("podman");
    match (podman, path.starts_with("/run/user")) {
        (true, true) => "is Podman's service running? systemctl --user start podman.socket",
        (true, false) => "is Podman's service running? sudo systemctl start podman.socket",
        (false, true) => "is the Engine running? systemctl --user start docker",
        (false, false) => "is the Engine running? systemctl start docker",
    }
}

fn access_hint(path: &Path) -> &'static str {
    match path.to_string_lossy().contains("podman") {
        true => {
            "this is another user's Podman: name your own, unix:///run/user/UID/podman/podman.sock, or ssh://root@HOST"
        }
        false => "add yourself to the group docker and log in again: sudo usermod -aG docker \"$USER\"",
    }
}

fn socket_error(path: &Path, error: &io::Error) -> EngineError {
    let (start, access) = (start_hint(path), access_hint(path));
    let path = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => unreachable(&format!("there is no socket at {path}")).hint(start),
        io::ErrorKind::ConnectionRefused => unreachable(&format!("no Engine listens at {path}")).hint(start),
        io::ErrorKind::PermissionDenied => {
            unreachable(&format!("{path} may not be opened: permission denied")).hint(access)
        }
        _ => unreachable(&format!("{path}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn refused(address: Address) -> EngineError {
        let opened = match Dial::new(&address).await {
            Ok(dial) => dial.open().await.map(drop),
            Err(error) => Err(error),
        };
        opened.expect_err("refused")
    }

    #[tokio::test]
    async fn a_missing_socket_says_so() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = refused(Address::Unix(folder.path().join("docker.sock"))).await;
        assert_eq!(error.kind, ErrorKind::Unreachable);
        assert!(error.message.starts_with("there is no socket at"), "{}", error.message);
        assert_eq!(error.hints.len(), 1);
    }

    #[test]
    fn the_hint_names_the_service_of_the_socket() {
        for (path, service) in [
            ("/var/run/docker.sock", "systemctl start docker"),
            ("/run/user/1000/docker.sock", "systemctl --user start docker"),
            ("/run/podman/podman.sock", "sudo systemctl start podman.socket"),
            ("/run/user/1000/podman/podman.sock", "systemctl --user start podman.socket"),
        ] {
            assert!(start_hint(Path::new(path)).ends_with(service), "{path}");
        }
    }

    #[tokio::test]
    async fn a_socket_without_a_listener_says_so() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("docker.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).expect("a socket"));
        assert!(refused(Address::Unix(path)).await.message.starts_with("no Engine listens at"));
    }

    #[tokio::test]
    async fn plain_tcp_never_leaves_this_machine() {
        let error = refused(Address::Tcp { host: "192.0.2.1".to_owned(), port: 2375, tls: None }).await;
        assert!(error.message.contains("plain tcp"), "{}", error.message);
    }

    #[tokio::test]
    async fn missing_certificates_are_named() {
        let tls = Some(PathBuf::from("/nonexistent"));
        let error = refused(Address::Tcp { host: "192.0.2.1".to_owned(), port: 2376, tls }).await;
        assert!(error.message.contains("/nonexistent/ca.pem"), "{}", error.message);
    }
}
