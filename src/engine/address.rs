//! Where an Engine answers.

use std::fmt;
use std::path::PathBuf;

/// Where an Engine answers. The parts were checked where they were read: no user, host or path begins
/// with `-`, none has control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `unix:///run/docker.sock`.
    Unix(PathBuf),
    /// `tcp://host:port`.
    Tcp {
        /// Name or address; an IPv6 address without its brackets.
        host: String,
        /// 2376 by custom with TLS, 2375 without.
        port: u16,
        /// Folder with `ca.pem`, `cert.pem` and `key.pem`; `None`: plain, which only loopback gets.
        tls: Option<PathBuf>,
    },
    /// `ssh://user@host:port/path/to/docker.sock`.
    Ssh {
        /// `None`: what the user's ssh configuration says.
        user: Option<String>,
        /// A name that ssh knows.
        host: String,
        /// `None`: what the user's ssh configuration says.
        port: Option<u16>,
        /// The Engine's socket there; `None`: `/var/run/docker.sock`.
        path: Option<String>,
    },
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { host, port, .. } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port, .. } => write!(f, "tcp://{host}:{port}"),
            Self::Ssh { user, host, port, path } => {
                f.write_str("ssh://")?;
                if let Some(user) = user {
                    write!(f, "{user}@")?;
                }
                f.write_str(host)?;
                if let Some(port) = port {
                    write!(f, ":{port}")?;
                }
                f.write_str(path.as_deref().unwrap_or_default())
            }
        }
    }
}
