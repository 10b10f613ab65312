//! Which variables a program is started with: those that are listed here, and no others.

use std::env;
use std::ffi::OsString;

/// Which variables a program inherits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inherited {
    /// None.
    Nothing,
    /// Who and where the user is, and their language.
    Basic,
    /// Also what leads to agents, proxies, clouds and password stores: for ssh, whose configuration may start
    /// programs of a cloud, and for credential helpers.
    Tools,
    /// Also where SOPS finds its keys: for sops alone.
    Sops,
}

const BASIC: [&str; 11] =
    ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "LC_*", "TZ", "TMPDIR", "XDG_*"];

const TOOLS: [&str; 32] = [
    // Agents and sessions.
    "SSH_AUTH_SOCK",
    "KRB5*",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "GNUPGHOME",
    "GPG_TTY",
    "PINENTRY_USER_DATA",
    // Ways out.
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    // Clouds, and password stores.
    "AWS_*",
    "AZURE_*",
    "MSI_*",
    "IDENTITY_*",
    "GOOGLE_*",
    "CLOUDSDK_*",
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "VAULT_*",
    "OP_*",
    "BW_*",
    "PASSWORD_STORE_*",
    "DOCKER_CONFIG",
];

/// Names of further variables that [`Inherited::Tools`] hands on, separated by commas; one may end with `*`.
const MORE: &str = "PILLARBOX_PASS_ENV";
/// What leads SOPS to its keys, and may be one.
const SOPS: &str = "SOPS_";
/// Our own: a key, and the ways to one. Never handed on, however they are listed.
const OURS: &str = "PILLARBOX_";

/// The variables of this process that a child gets.
pub(super) fn listed(inherited: Inherited) -> Vec<(OsString, OsString)> {
    let more = env::var(MORE).unwrap_or_default();
    let more: Vec<&str> = more.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    env::vars_os()
        .filter(|(name, _)| name.to_str().is_some_and(|name| is_listed(name, inherited, &more)))
        .collect()
}

fn is_listed(name: &str, inherited: Inherited, more: &[&str]) -> bool {
    let covers = |listed: &&str| match listed.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == *listed,
    };
    let tools = || TOOLS.iter().any(covers) || more.iter().any(covers);
    match inherited {
        _ if name.starts_with(OURS) => false,
        Inherited::Nothing => false,
        Inherited::Basic => BASIC.iter().any(covers),
        Inherited::Tools => BASIC.iter().any(covers) || tools(),
        Inherited::Sops => BASIC.iter().any(covers) || tools() || name.starts_with(SOPS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_variables_are_handed_on_and_our_own_never() {
        let all =
            ["HOME", "LC_ALL", "AWS_PROFILE", "ACME_TOKEN", "LD_PRELOAD", "GIT_DIR", "PILLARBOX_AGE_KEY"];
        let passed = |inherited, more: &[&str]| {
            all.into_iter().filter(|name| is_listed(name, inherited, more)).collect::<Vec<_>>()
        };
        assert_eq!(passed(Inherited::Nothing, &["*"]), Vec::<&str>::new());
        assert_eq!(passed(Inherited::Basic, &["ACME_TOKEN"]), ["HOME", "LC_ALL"]);
        assert_eq!(passed(Inherited::Tools, &[]), ["HOME", "LC_ALL", "AWS_PROFILE"]);
        let more = ["ACME_*", "PILLARBOX_AGE_KEY"];
        assert_eq!(passed(Inherited::Tools, &more), ["HOME", "LC_ALL", "AWS_PROFILE", "ACME_TOKEN"]);
        assert!(is_listed("SOPS_AGE_KEY_FILE", Inherited::Sops, &[]));
        assert!(!is_listed("SOPS_AGE_KEY_FILE", Inherited::Tools, &[]));
    }
}
