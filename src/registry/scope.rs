//! For which images a credential is: a registry, or a part of one.

use crate::name::{ImageName, RegistryHost};
use crate::problem::{Problem, Result, escaped};
use std::fmt;

/// `registry.example.com` or `ghcr.io/acme`: a registry, and whole segments that image paths begin with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    host: RegistryHost,
    /// No segments: the whole registry.
    prefix: Vec<String>,
}

impl Scope {
    /// Reads the key of a `registries` table: `HOST` or `HOST/PREFIX`; every address of Docker Hub
    /// is one registry.
    ///
    /// # Errors
    /// Where it is neither, or names what no image reference can name.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Problem::failed(format!("`{}` is not a registry: {why}", escaped(text)))
                .hint("write it as HOST or HOST/PREFIX, for example 'registry.example.com' or 'ghcr.io/acme'")
        };
        let text = text.trim();
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(wrong("it has a blank or a control character").into());
        }
        let bare = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
        // `HOST/v1/` and `HOST/v2/` are what clients call a registry, not a part of it.
        let (host, prefix) = match (RegistryHost::parse(text), bare.split_once('/')) {
            (Ok(host), _) => (host, ""),
            (Err(_), Some((host, prefix))) => (RegistryHost::parse(host)?, prefix.trim_end_matches('/')),
            (Err(problems), None) => return Err(problems),
        };
        if !host.as_str().contains(['.', ':', '[']) && host.as_str() != "localhost" {
            let why = "the first part of an image's name is a registry only if it has a `.` or a `:`";
            return Err(wrong(why).hint(format!("for Docker Hub: 'docker.io/{}'", escaped(bare))).into());
        }
        if prefix.is_empty() {
            return Ok(Self { host, prefix: Vec::new() });
        }
        let end = prefix.rsplit('/').next().unwrap_or_default();
        if end.contains([':', '@']) {
            return Err(wrong("a credential is for repositories, not for a tag or digest").into());
        }
        // `library/` is put before a lone segment of the Hub, where here it is an account.
        ImageName::parse(&format!("{host}/{prefix}"))?;
        Ok(Self { host, prefix: prefix.split('/').map(str::to_owned).collect() })
    }

    /// The registry.
    pub fn host(&self) -> &RegistryHost {
        &self.host
    }

    /// Whether it covers an image; whole segments only.
    pub fn covers(&self, image: &ImageName) -> bool {
        let mut segments = image.path().split('/');
        *image.host() == self.host && self.prefix.iter().all(|part| segments.next() == Some(part))
    }

    /// Whether it covers all of another: the same registry, and the other is as long or longer.
    pub fn holds(&self, other: &Self) -> bool {
        self.host == other.host && other.prefix.starts_with(&self.prefix)
    }

    /// Whether it is a registry as a whole.
    pub fn is_whole(&self) -> bool {
        self.prefix.is_empty()
    }

    /// How much of a name it says: of two that cover an image, the greater one is meant.
    pub fn depth(&self) -> usize {
        self.prefix.len()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.host)?;
        self.prefix.iter().try_for_each(|part| write!(f, "/{part}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(scope: &str, image: &str) -> bool {
        Scope::parse(scope).expect("a scope").covers(&ImageName::parse(image).expect("a name"))
    }

    #[test]
    fn only_whole_segments_match() {
        assert!(covers("ghcr.io/acme", "ghcr.io/acme/api"));
        assert!(covers("ghcr.io/acme/", "ghcr.io/acme/api/v2"));
        assert!(covers("ghcr.io/acme/api", "ghcr.io/acme/api"));
        assert!(!covers("ghcr.io/acme", "ghcr.io/acme-evil/api"));
        assert!(!covers("ghcr.io/acme/api", "ghcr.io/acme"));
        assert!(!covers("ghcr.io", "ghcr.io.example.com/acme/api"));
        assert!(!covers("r.example.com:5000", "r.example.com/a"));
    }

    #[test]
    fn a_registry_holds_its_parts_and_not_the_other_way_round() {
        let scope = |text| Scope::parse(text).expect("a scope");
        assert!(scope("ghcr.io").holds(&scope("ghcr.io/acme")));
        assert!(scope("ghcr.io/acme").holds(&scope("ghcr.io/acme/api")));
        assert!(scope("ghcr.io/acme").holds(&scope("ghcr.io/acme")));
        assert!(!scope("ghcr.io/acme").holds(&scope("ghcr.io")));
        assert!(!scope("ghcr.io/acme").holds(&scope("ghcr.io/acme-evil")));
        assert!(!scope("ghcr.io").holds(&scope("ghcr.io:5000")));
    }

    #[test]
    fn every_address_of_the_hub_is_one_registry() {
        for hub in ["docker.io", "index.docker.io", "registry-1.docker.io", "https://index.docker.io/v1/"] {
            assert!(covers(hub, "nginx"), "{hub}");
            assert_eq!(Scope::parse(hub).expect("the Hub").to_string(), "docker.io");
        }
        assert!(covers("docker.io/acme", "acme/api"));
        assert!(!covers("docker.io/acme", "nginx"));
    }

    #[test]
    fn what_no_image_can_name_is_refused() {
        for text in ["", "acme", "acme/api", "ghcr.io/Acme", "ghcr.io//a", "ghcr.io/a:1", "-x.io", "a b.io"] {
            assert!(Scope::parse(text).is_err(), "{text:?}");
        }
    }
}
