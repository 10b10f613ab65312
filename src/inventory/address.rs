//! The address of an Engine.

use crate::problem::{Problem, Result, escaped};
use std::fmt;
use std::net::IpAddr;

/// The address of an Engine, as `engine` gives it. Nothing in it begins with `-`, so that no part can
/// be taken for an option of `ssh` or `docker`. Printed in one form only, which the known file keeps.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EngineAddress {
    /// `unix:///var/run/docker.sock`: a socket of this machine.
    Unix {
        /// Absolute path.
        path: String,
    },
    /// `tcp://HOST[:PORT]`.
    Tcp {
        /// A name or an IP address (IPv6 without brackets).
        host: String,
        /// 2376 with TLS, 2375 without, unless given.
        port: u16,
        /// Which certificates.
        tls: Tls,
    },
    /// `ssh://[USER@]HOST[:PORT][/SOCKET]`: by OpenSSH with the user's own configuration.
    Ssh {
        /// The login name, if given.
        user: Option<String>,
        /// A host or an alias of `~/.ssh/config`.
        host: String,
        /// The port, if given.
        port: Option<u16>,
        /// Path of the Engine's socket there, if not the usual one.
        socket: Option<String>,
    },
    /// `context:NAME`: a docker context of this machine.
    Context {
        /// Its name.
        name: String,
    },
}

/// TLS of a `tcp://` address: the key `tls` of a host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tls {
    /// A folder with `ca.pem`, `cert.pem` and `key.pem`, as docker names them: absolute, `~/…`, or
    /// relative to the workspace.
    Folder(String),
    /// No `tls` given: the folder of `DOCKER_CERT_PATH`, else `~/.docker`.
    Default,
    /// None: on loopback only.
    Off,
}

/// What the key `tls` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TlsKey {
    Folder(String),
    Off,
}

impl EngineAddress {
    /// Reads an address without a `tls` key.
    ///
    /// # Errors
    /// If the scheme is unknown or a part has characters that it may not have.
    pub fn parse(text: &str) -> Result<Self> {
        Self::with_tls(text, None)
    }

    pub(super) fn with_tls(text: &str, tls: Option<&TlsKey>) -> Result<Self> {
        let wrong = |why: &str| {
            Problem::failed(format!("`{}` is not the address of an Engine: {why}", escaped(text)))
                .hint("it is unix:///PATH, tcp://HOST:PORT, ssh://[USER@]HOST[:PORT] or context:NAME")
        };
        let address = if let Some(path) = text.strip_prefix("unix://") {
            if !path.starts_with('/') || path.len() < 2 || path.chars().any(char::is_control) {
                return Err(wrong("the path of the socket must be absolute").into());
            }
            Self::Unix { path: path.to_owned() }
        } else if let Some(rest) = text.strip_prefix("tcp://") {
            let (host, port) = host_and_port(rest.trim_end_matches('/')).map_err(wrong)?;
            let local = is_loopback(&host);
            let tls = match tls {
                Some(TlsKey::Off) if !local => {
                    return Err(wrong("without TLS anyone on the network could read every credential, so `tls = false` is allowed only on loopback").into());
                }
                Some(TlsKey::Folder(folder)) => Tls::Folder(folder.clone()),
                Some(TlsKey::Off) => Tls::Off,
                None if local => Tls::Off,
                None => Tls::Default,
            };
            let port = port.unwrap_or(if tls == Tls::Off { 2375 } else { 2376 });
            return Ok(Self::Tcp { host, port, tls });
        } else if let Some(rest) = text.strip_prefix("ssh://") {
            let (login, socket) = match rest.split_once('/') {
                Some((login, path)) if !path.is_empty() => (login, Some(format!("/{path}"))),
                Some((login, _)) => (login, None),
                None => (rest, None),
            };
            let (user, host) = match login.rsplit_once('@') {
                Some((user, host)) => (Some(user), host),
                None => (None, login),
            };
            if user.is_some_and(|user| !is_word(user)) {
                return Err(wrong(
                    "a user has letters, digits, `.`, `_` and `-`, and does not begin with `-`",
                )
                .into());
            }
            let fine =
                |path: &String| path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b));
            if !socket.as_ref().is_none_or(fine) {
                return Err(wrong("the path of the socket has letters, digits, `/`, `.`, `_` and `-`").into());
            }
            let (host, port) = host_and_port(host).map_err(wrong)?;
            Self::Ssh { user: user.map(ToOwned::to_owned), host, port, socket }
        } else if let Some(name) = text.strip_prefix("context:") {
            if !is_word(name) {
                return Err(wrong(
                    "a context has letters, digits, `.`, `_`, `+` and `-`, and does not begin with `-`",
                )
                .into());
            }
            Self::Context { name: name.to_owned() }
        } else {
            return Err(wrong("its scheme is unknown").into());
        };
        match tls {
            Some(_) => Err(wrong("`tls` is for tcp:// only").into()),
            None => Ok(address),
        }
    }
}

impl fmt::Display for EngineAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bracketed = |host: &str| if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        match self {
            Self::Unix { path } => write!(f, "unix://{path}"),
            Self::Tcp { host, port, .. } => write!(f, "tcp://{}:{port}", bracketed(host)),
            Self::Ssh { user, host, port, socket } => {
                f.write_str("ssh://")?;
                if let Some(user) = user {
                    write!(f, "{user}@")?;
                }
                f.write_str(&bracketed(host))?;
                if let Some(port) = port {
                    write!(f, ":{port}")?;
                }
                f.write_str(socket.as_deref().unwrap_or_default())
            }
            Self::Context { name } => write!(f, "context:{name}"),
        }
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(['-', '.', '+'])
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+".contains(&b))
}

fn host_and_port(text: &str) -> std::result::Result<(String, Option<u16>), &'static str> {
    const HOST: &str = "a host has letters, digits, `.`, `_` and `-`, and does not begin with `-`";
    const PORT: &str = "a port is a number from 1 to 65535";
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0).ok_or(PORT);
    if let Some(rest) = text.strip_prefix('[') {
        let (address, rest) = rest.split_once(']').ok_or(HOST)?;
        let address: std::net::Ipv6Addr = address.parse().map_err(|_| HOST)?;
        return match rest.strip_prefix(':') {
            Some(text) => Ok((address.to_string(), Some(port(text)?))),
            None if rest.is_empty() => Ok((address.to_string(), None)),
            None => Err(HOST),
        };
    }
    let (host, given) = match text.split_once(':') {
        Some((host, text)) => (host, Some(port(text)?)),
        None => (text, None),
    };
    if is_word(host) && !host.contains('+') { Ok((host.to_ascii_lowercase(), given)) } else { Err(HOST) }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
