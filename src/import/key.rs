//! What the key of an entry names: a registry, or a part of one.

use crate::name::{RegistryHost, punycode};
use crate::registry::Scope;

/// How the client that wrote a source reads its keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Keys {
    /// The host, whatever follows it: docker (docker/cli `ConvertToHostname`).
    Hosts,
    /// `HOST/PREFIX` is a part of a registry: podman (containers-auth.json(5)), Kubernetes, and the pillar.
    #[default]
    Prefixes,
}

/// A key, understood.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) scope: Scope,
    /// It says `http://`.
    pub(super) is_plain: bool,
    /// How close it is to the key that a client looks up first: of two keys for one registry the lower one is
    /// read.
    pub(super) rank: u8,
}

/// The key under which every client stores Docker Hub.
const HUB_KEY: &str = "https://index.docker.io/v1/";
/// Where Docker Hub has its pages; no registry.
const HUB_SITE: &str = "hub.docker.com";

/// Reads a key.
///
/// # Errors
/// Why it names no registry.
pub(super) fn taken(key: &str, keys: Keys) -> Result<Taken, String> {
    let key = key.trim();
    let is_plain = key.starts_with("http://");
    let bare = key.strip_prefix("http://").or_else(|| key.strip_prefix("https://"));
    let (host, path) = bare.unwrap_or(key).split_once('/').unwrap_or((bare.unwrap_or(key), ""));
    let path = path.trim_end_matches('/');
    let ascii = punycode(host);
    let host = ascii.as_deref().unwrap_or(host);
    if host.eq_ignore_ascii_case(HUB_SITE) {
        return Err("it is the web site of Docker Hub and no registry; the registry is docker.io".to_owned());
    }
    let is_hub = RegistryHost::parse(host).is_ok_and(|host| host.is_hub());
    if is_hub && matches!(path, "v1/access-token" | "v1/refresh-token") {
        return Err("it is a token of docker's own login in the browser; make an access token at Docker Hub instead, \
                    and add it: pillarbox registry add docker.io -u USER"
            .to_owned());
    }
    let is_host = bare.is_some() || keys == Keys::Hosts || matches!(path, "" | "v1" | "v2");
    let named = if is_host { host.to_owned() } else { format!("{host}/{path}") };
    let scope = Scope::parse(&named).map_err(|problems| {
        let first = problems.iter().next();
        first.map_or_else(|| "it is not a registry".to_owned(), |problem| problem.what.clone())
    })?;
    let rank = match () {
        () if key == HUB_KEY => 0,
        () if bare.is_none() && (!is_host || path.is_empty()) => 1,
        () if bare.is_some() => 2,
        () => 3,
    };
    Ok(Taken { scope, is_plain, rank })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(key: &str, keys: Keys) -> String {
        taken(key, keys).map_or_else(|why| why, |taken| taken.scope.to_string())
    }

    #[test]
    fn a_key_with_a_scheme_is_the_host_and_one_with_a_path_is_what_its_client_makes_of_it() {
        for (key, docker, podman) in [
            ("quay.io", "quay.io", "quay.io"),
            ("https://quay.io/v2/x/", "quay.io", "quay.io"),
            ("https://quay.io/acme", "quay.io", "quay.io"),
            ("quay.io/acme", "quay.io", "quay.io/acme"),
            ("quay.io/v1/", "quay.io", "quay.io"),
            ("https://index.docker.io/v1/", "docker.io", "docker.io"),
            ("index.docker.io/acme", "docker.io", "docker.io/acme"),
            ("http://localhost:5000/v2/", "localhost:5000", "localhost:5000"),
            ("bücher.example/a", "xn--bcher-kva.example", "xn--bcher-kva.example/a"),
        ] {
            assert_eq!(scope(key, Keys::Hosts), docker, "{key}");
            assert_eq!(scope(key, Keys::Prefixes), podman, "{key}");
        }
        assert!(scope("https://hub.docker.com", Keys::Hosts).contains("docker.io"));
        assert!(scope("https://index.docker.io/v1/access-token", Keys::Hosts).contains("browser"));
    }

    #[test]
    fn of_keys_for_one_registry_the_one_that_is_looked_up_first_counts() {
        let rank = |key: &str| taken(key, Keys::Hosts).expect(key).rank;
        assert!(rank("https://index.docker.io/v1/") < rank("docker.io"));
        assert!(rank("quay.io") < rank("https://quay.io"));
        assert!(rank("https://quay.io") < rank("quay.io/acme"));
    }
}
