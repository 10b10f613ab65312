//! A registry host, `host[:port]`: the one place that knows that Docker Hub has several names.

use crate::problem::{Problem, Result};
use std::fmt;

/// A registry's host with its port, lower case, without scheme or path; every alias of Docker Hub
/// is `docker.io`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistryHost(String);

const HUB: &str = "docker.io";
const HUB_ALIASES: [&str; 4] =
    ["docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"];

impl RegistryHost {
    /// Reads a host in each form in which users and clients write it: `ghcr.io`, `localhost:5000`, `https://ghcr.io/v2/`.
    ///
    /// # Errors
    /// If it is empty or has characters that no host has.
    pub fn parse(text: &str) -> Result<Self> {
        let bare = text.trim();
        let bare = bare.strip_prefix("https://").or_else(|| bare.strip_prefix("http://")).unwrap_or(bare);
        let bare = bare.trim_end_matches('/');
        let bare = bare.strip_suffix("/v1").or_else(|| bare.strip_suffix("/v2")).unwrap_or(bare);
        let mut host = bare.to_ascii_lowercase();
        if host.parse::<std::net::Ipv6Addr>().is_ok() {
            host = format!("[{host}]");
        }
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.contains(']') => (name, Some(port)),
            _ => (host.as_str(), None),
        };
        let bracketed = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let fine_name = match bracketed {
            Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                !name.is_empty()
                    && !name.starts_with(['-', '.'])
                    && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
            }
        };
        let fine_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        if !fine_name || !fine_port {
            let shown = crate::problem::escaped(text);
            return Err(Problem::failed(format!("`{shown}` is not a registry host"))
                .hint("write it as HOST or HOST:PORT, for example 'registry.example.com' or 'localhost:5000'")
                .into());
        }
        if HUB_ALIASES.contains(&host.as_str()) {
            return Ok(Self(HUB.to_owned()));
        }
        Ok(Self(host))
    }

    /// Docker Hub.
    pub fn hub() -> Self {
        Self(HUB.to_owned())
    }

    /// Whether this is Docker Hub.
    pub fn is_hub(&self) -> bool {
        self.0 == HUB
    }

    /// The host with its port, as in an image reference.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the `serveraddress` of an `X-Registry-Auth` header must be: the bare host, but for the
    /// Hub its old address. Newer Engines drop the credential on a mismatch (moby#45397).
    pub fn server_address(&self) -> &str {
        if self.is_hub() { "https://index.docker.io/v1/" } else { &self.0 }
    }

    /// Whether a text of TOML may name this registry as it is or by an alias: a look that costs little.
    pub fn may_be_in(&self, text: &str) -> bool {
        let name = match self.0.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(address) => address,
            None if self.is_hub() => "docker.",
            None => &self.0,
        };
        // What is escaped could be anything.
        text.contains('\\') || text.to_ascii_lowercase().contains(name)
    }

    /// The name of its pillar file without the ending: `:` becomes `_`.
    pub fn file_stem(&self) -> String {
        self.0.replace(':', "_")
    }
}

impl fmt::Display for RegistryHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alias_of_the_hub_is_one_registry() {
        for alias in ["docker.io", "index.docker.io", "registry-1.docker.io", "https://index.docker.io/v1/"] {
            assert!(RegistryHost::parse(alias).expect(alias).is_hub(), "{alias}");
        }
    }

    #[test]
    fn schemes_and_api_paths_are_dropped_and_case_is_folded() {
        let host = RegistryHost::parse("https://Registry.Example.com:5000/v2/").expect("a host");
        assert_eq!(host.as_str(), "registry.example.com:5000");
        assert_eq!(host.file_stem(), "registry.example.com_5000");
    }

    #[test]
    fn an_ipv6_address_has_brackets_whether_they_were_written_or_not() {
        for (written, host) in [("::1", "[::1]"), ("https://[::1]/", "[::1]"), ("[::1]:5000", "[::1]:5000")] {
            assert_eq!(RegistryHost::parse(written).expect(written).as_str(), host);
        }
    }

    #[test]
    fn every_text_that_names_a_registry_is_found() {
        for (host, text) in [
            ("ghcr.io", "[registries.\"GHCR.io/acme\"]"),
            ("ghcr.io", "[registries.\"\\u0067hcr.io\"]"),
            ("docker.io", "[registries.\"https://index.docker.io/v1/\"]"),
            ("docker.io", "[registries.\"registry.hub.docker.com\"]"),
            ("::1", "[registries.\"::1\"]"),
            ("[::1]:5000", "[registries.\"https://[::1]:5000\"]"),
        ] {
            assert!(RegistryHost::parse(host).expect(host).may_be_in(text), "{host} in {text}");
        }
        assert!(!RegistryHost::parse("ghcr.io").expect("a host").may_be_in("[registries.\"quay.io\"]"));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in ["", "-oProxy", "a b", "host:0", "host:99999", "h/../x", "[::1", "a\u{7}"] {
            assert!(RegistryHost::parse(text).is_err(), "{text:?}");
        }
    }
}
