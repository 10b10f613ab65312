//! What the user's own configuration of ssh says of a destination (`ssh -G`).

use crate::process::{self, Inherited};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::timeout;

/// How long it may take to say so: a `Match exec` may run programs.
const LIMIT: Duration = Duration::from_secs(5);

/// What counts of it here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SshConfig {
    /// `ConnectTimeout` in seconds, where one is configured.
    pub(super) timeout: Option<u64>,
    /// What logins to it go through: the first jump host, a proxy command, or its own sshd.
    pub(super) through: String,
}

impl SshConfig {
    /// Of a destination; where ssh does not say, nothing is configured.
    pub(super) async fn read(ssh: &Path, destination: &str, port: Option<u16>) -> Self {
        let mut command = Command::from(process::command(ssh, Inherited::Tools));
        command.arg("-G");
        if let Some(port) = port {
            command.args(["-p", &port.to_string()]);
        }
        command.args(["--", destination]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let said = timeout(LIMIT, command.output()).await.ok().and_then(Result::ok);
        let text = said.map(|said| String::from_utf8_lossy(&said.stdout).into_owned()).unwrap_or_default();
        Self::parse(&text, destination)
    }

    fn parse(text: &str, destination: &str) -> Self {
        let value = |key: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once(' '));
            lines.find(|(name, value)| *name == key && *value != "none").map(|(_, value)| value.trim())
        };
        let jump = value("proxyjump").map(|jumps| jumps.split(',').next().unwrap_or(jumps).to_owned());
        let sshd = || Some(format!("{}:{}", value("hostname")?, value("port")?));
        let through = jump.or_else(|| value("proxycommand").map(str::to_owned)).or_else(sshd);
        Self {
            timeout: value("connecttimeout").and_then(|seconds| seconds.parse().ok()),
            through: through.unwrap_or_else(|| destination.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_behind_one_jump_host_proxy_or_sshd_go_through_the_same() {
        let through = |text: &str| SshConfig::parse(text, "deploy@web1").through;
        assert_eq!(
            through("hostname web1\nport 22\nproxyjump jump@a:2222,b\nproxycommand none\n"),
            "jump@a:2222"
        );
        assert_eq!(through("hostname web1\nport 22\nproxycommand ssh -W %h:%p a\n"), "ssh -W %h:%p a");
        assert_eq!(through("hostname 10.0.0.1\nport 2222\nproxyjump none\n"), "10.0.0.1:2222");
        assert_eq!(through(""), "deploy@web1");
    }

    #[test]
    fn a_timeout_counts_where_one_is_configured() {
        let timeout = |text: &str| SshConfig::parse(text, "web1").timeout;
        assert_eq!(timeout("connecttimeout none\n"), None);
        assert_eq!(timeout("connectionattempts 1\nconnecttimeout 45\n"), Some(45));
        assert_eq!(timeout("unsupported option\n"), None);
    }
}
