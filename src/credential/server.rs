//! The address of a server, in each form in which clients write it.

use crate::name::RegistryHost;
use crate::problem::{Problem, Result};
use crate::registry::Scope;
use std::fmt;

/// The longest address, in bytes.
const LONGEST: usize = 2048;

/// A server, always written in the same way: `registry.example.com`, `ghcr.io/acme`,
/// `https://index.docker.io/v1/` (the Hub), `http://localhost:5000`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Server {
    /// A registry, or a part of one. Without a scheme or with `https://`, with or without `/v1/` or
    /// `/v2/` behind it; every address of Docker Hub is one registry.
    Registry(Scope),
    /// Anything else, which matches only itself. So do registries with `http://`: what was stored for
    /// an encrypted connection does not answer for another. And so do keys below an API version,
    /// `https://index.docker.io/v1/refresh-token`, where the docker CLI keeps tokens of its own.
    Key(String),
}

impl Server {
    /// Reads an address.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        // No client means a registry by this, and what means none must not be taken for one.
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Self::Key(text.to_owned());
        }
        let (scheme, bare) = match text.split_once("://") {
            Some((scheme, bare)) => (scheme.to_ascii_lowercase(), bare),
            None => (String::new(), text),
        };
        if bare.contains("://") {
            return Self::Key(text.to_owned());
        }
        match scheme.as_str() {
            "http" => match whole(bare) {
                Some(name) => Self::Key(format!("http://{name}")),
                None => Self::Key(text.to_owned()),
            },
            "" | "https" if !is_below_version(bare, !scheme.is_empty()) => match Scope::parse(bare) {
                Ok(scope) => Self::Registry(scope),
                // A name without a dot or port: no image can name it, and clients log in to it all the same.
                Err(_) => {
                    Self::Key(RegistryHost::parse(bare).map_or(text.to_owned(), |host| host.to_string()))
                }
            },
            _ => Self::Key(text.to_owned()),
        }
    }

    /// Whether a login can be stored under it: the address is in clear text.
    ///
    /// # Errors
    /// If it holds a password, or characters that no address has.
    pub fn check(&self) -> Result<()> {
        let Self::Key(key) = self else { return Ok(()) };
        let why = if key.len() > LONGEST {
            "it is too long"
        } else if key.contains(|c: char| c.is_control() || c.is_whitespace()) {
            "it has a space or a control character"
        } else if key.contains('@') {
            "it has a user name or password in it"
        } else {
            return Ok(());
        };
        // The address itself is not shown: it may hold a secret.
        Err(Problem::failed("this server address cannot be kept")
            .cause(why)
            .hint("give HOST or HOST:PORT")
            .into())
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Clients look for the Hub under its old address.
            Self::Registry(scope) if scope.is_whole() => f.write_str(scope.host().server_address()),
            Self::Registry(scope) => write!(f, "{scope}"),
            Self::Key(key) => f.write_str(key),
        }
    }
}

/// The canonical form of what follows `http://`.
fn whole(bare: &str) -> Option<String> {
    if is_below_version(bare, true) {
        return None;
    }
    let scope = Scope::parse(bare).map(|scope| scope.to_string());
    scope.or_else(|_| RegistryHost::parse(bare).map(|host| host.to_string())).ok()
}

/// Whether a path goes on behind `/v1/` or `/v2/`. Without a scheme that is a repository, but on the Hub,
/// where no account can have so short a name.
fn is_below_version(bare: &str, has_scheme: bool) -> bool {
    let Some((host, path)) = bare.split_once('/') else { return false };
    let below = path.strip_prefix("v1/").or_else(|| path.strip_prefix("v2/"));
    let goes_on = below.is_some_and(|rest| !rest.trim_matches('/').is_empty());
    goes_on && (has_scheme || RegistryHost::parse(host).is_ok_and(|host| host.is_hub()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn same(all: &[&str]) {
        for text in all {
            assert_eq!(Server::parse(text), Server::parse(all[0]), "{text} and {}", all[0]);
        }
    }

    fn differ(all: &[&str]) {
        for (at, one) in all.iter().enumerate() {
            for other in &all[at + 1..] {
                assert_ne!(Server::parse(one), Server::parse(other), "{one} and {other}");
            }
        }
    }

    #[test]
    fn every_form_of_a_registry_is_one_server() {
        same(&[
            "r.example.com",
            "https://r.example.com",
            "https://r.example.com/",
            "https://r.example.com/v1/",
        ]);
        same(&["r.example.com", "https://r.example.com/v2/", "r.example.com/v2/", " R.Example.COM\n"]);
        same(&["localhost:5000", "https://LOCALHOST:5000/v2"]);
        same(&["ghcr.io/acme/api", "https://ghcr.io/acme/api/", "GHCR.io/acme/api"]);
        same(&["http://localhost:5000", "http://localhost:5000/v2/", "HTTP://localhost:5000/"]);
        same(&["[::1]", "::1", "https://::1", "https://[::1]/v2/"]);
        same(&["myregistry", "https://myregistry/", "MyRegistry"]);
    }

    #[test]
    fn every_address_of_the_hub_is_one_server_and_prints_as_clients_look_for_it() {
        let hub = [
            "https://index.docker.io/v1/",
            "https://index.docker.io/v1",
            "index.docker.io",
            "docker.io",
            "registry-1.docker.io",
        ];
        same(&hub);
        assert_eq!(Server::parse("docker.io").to_string(), "https://index.docker.io/v1/");
    }

    #[test]
    fn other_schemes_ports_paths_and_versions_are_other_servers() {
        differ(&[
            "r.example.com",
            "http://r.example.com",
            "r.example.com:443",
            "r.example.com/a",
            "x.r.example.com",
        ]);
        differ(&["http://r.example.com", "http://r.example.com:5000", "http://r.example.com/a"]);
        differ(&["::1", "[::1]:5000", "http://[::1]", "127.0.0.1"]);
        differ(&["ghcr.io/acme", "ghcr.io/acme-evil", "ghcr.io/acme/api", "ghcr.io/v2/acme"]);
    }

    #[test]
    fn an_address_with_two_schemes_or_a_blank_is_no_registry() {
        for text in [
            "https://http://r.example.com",
            "https://https://r.example.com",
            "http://https://r.example.com",
            "https:// r.example.com",
            "r.example.com /v2/",
            "r.example.com /acme",
            "https://r.example.com/\tacme",
            "https://r.example.com\n/v1/",
        ] {
            assert_eq!(Server::parse(text), Server::Key(text.trim().to_owned()), "{text}");
        }
    }

    #[test]
    fn tokens_of_the_docker_cli_have_keys_of_their_own() {
        let all = [
            "https://index.docker.io/v1/",
            "https://index.docker.io/v1/access-token",
            "https://index.docker.io/v1/refresh-token",
        ];
        differ(&all);
        for text in &all[1..] {
            assert_eq!(Server::parse(text), Server::Key((*text).to_owned()));
        }
        assert!(matches!(Server::parse("index.docker.io/v1/access-token"), Server::Key(_)));
        assert!(matches!(Server::parse("r.example.com/v2/api"), Server::Registry(_)));
        assert!(matches!(Server::parse("https://r.example.com/v2/api"), Server::Key(_)));
    }

    #[test]
    fn an_address_that_could_hold_a_secret_is_not_kept_and_not_shown() {
        for text in ["https://bot:CANARY@r.example.com", "a b", "x\u{7}", "ftp://a@b", &"x".repeat(3000)] {
            let problems = Server::parse(text).check().expect_err(text);
            assert!(!format!("{problems:?}").contains("CANARY"));
        }
        for text in
            ["r.example.com", "http://h:5000", "https://index.docker.io/v1/access-token", "myregistry"]
        {
            assert!(Server::parse(text).check().is_ok(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_server_and_its_name_is_the_same_server(text in ".{0,40}") {
            let server = Server::parse(&text);
            prop_assert_eq!(Server::parse(&server.to_string()), server);
        }

        #[test]
        fn schemes_slashes_case_and_versions_make_no_other_registry(
            host in "[a-z0-9]{1,8}\\.[a-z]{2,4}(:[1-9][0-9]{1,3})?",
            scheme in prop::sample::select(vec!["", "https://", "HTTPS://"]),
            tail in prop::sample::select(vec!["", "/", "/v1", "/v1/", "/v2", "/v2/"]),
            upper in any::<bool>(),
        ) {
            let written = if upper { host.to_uppercase() } else { host.clone() };
            prop_assert_eq!(Server::parse(&format!("{scheme}{written}{tail}")), Server::parse(&host));
            prop_assert_ne!(Server::parse(&format!("http://{written}{tail}")), Server::parse(&host));
        }
    }
}
