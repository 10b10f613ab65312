//! Image references, by the grammar of `distribution/reference`: `[host/]path[:tag][@digest]`.

use super::RegistryHost;
use crate::problem::{Problem, Result, escaped};
use serde::{Deserialize, Serialize};
use std::fmt;

/// `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

impl Digest {
    /// Reads a digest.
    ///
    /// # Errors
    /// If it is not `sha256:` and 64 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self> {
        let hex = text.strip_prefix("sha256:").unwrap_or_default();
        if hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            return Ok(Self(text.to_owned()));
        }
        Err(Problem::failed(format!("`{}` is not a digest", escaped(text)))
            .hint("a digest is `sha256:` and 64 hexadecimal digits")
            .into())
    }

    /// The whole digest, `sha256:…`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Twelve digits of it, for display.
    pub fn short(&self) -> &str {
        &self.0["sha256:".len()..][..12]
    }
}

impl TryFrom<String> for Digest {
    type Error = crate::problem::Problems;
    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of an image: its registry and path, without tag and digest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageName {
    host: RegistryHost,
    path: String,
}

impl ImageName {
    /// Reads `registry.example.com/web/nginx`; `nginx` is `docker.io/library/nginx`.
    ///
    /// # Errors
    /// If the path does not follow the grammar.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Problem::failed(format!("`{}` is not an image name: {why}", escaped(text))).hint(
                "write it as [HOST[:PORT]/]PATH in lower case, for example 'registry.example.com/web/nginx'",
            )
        };
        let (host, path) = match text.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':', '[']) || first == "localhost" => {
                (RegistryHost::parse(first)?, rest.to_owned())
            }
            _ => (RegistryHost::hub(), text.to_owned()),
        };
        let path = if host.is_hub() && !path.contains('/') { format!("library/{path}") } else { path };
        for part in path.split('/') {
            let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
            let bytes = part.as_bytes();
            if !edge(bytes.first().copied()) || !edge(bytes.last().copied()) {
                return Err(wrong("every part begins and ends with a lower-case letter or digit").into());
            }
            if !bytes
                .iter()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-'))
            {
                return Err(wrong("it may hold lower-case letters, digits, `.`, `_`, `-` and `/`").into());
            }
        }
        if path.len() + host.as_str().len() > 254 {
            return Err(wrong("it is longer than 255 characters").into());
        }
        Ok(Self { host, path })
    }

    /// The registry that holds it.
    pub fn host(&self) -> &RegistryHost {
        &self.host
    }

    /// The path within the registry, `library/nginx`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The name with its registry always written, `docker.io/library/nginx`, as credentials are matched.
    pub fn full(&self) -> String {
        format!("{}/{}", self.host, self.path)
    }
}

impl fmt::Display for ImageName {
    /// As Docker shows it: the Hub and `library/` are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.is_hub() {
            return f.write_str(self.path.strip_prefix("library/").unwrap_or(&self.path));
        }
        write!(f, "{}/{}", self.host, self.path)
    }
}

/// A reference to an image: a name with a tag, a digest or both.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageRef {
    /// Registry and path.
    pub name: ImageName,
    /// The tag; `latest` where neither tag nor digest is written.
    pub tag: Option<String>,
    /// The digest that pins it.
    pub digest: Option<Digest>,
}

impl ImageRef {
    /// Reads a reference.
    ///
    /// # Errors
    /// If name, tag or digest do not follow the grammar.
    pub fn parse(text: &str) -> Result<Self> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(Digest::parse(digest)?)),
            None => (text, None),
        };
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag.to_owned())),
            _ => (rest, None),
        };
        if let Some(tag) = &tag {
            Self::check_tag(tag)?;
        }
        let tag = tag.or_else(|| digest.is_none().then(|| "latest".to_owned()));
        Ok(Self { name: ImageName::parse(name)?, tag, digest })
    }

    /// Says whether a tag follows the grammar.
    ///
    /// # Errors
    /// If it does not.
    pub fn check_tag(tag: &str) -> Result<()> {
        let first = tag.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
        let rest = tag.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        if first && rest && tag.len() <= 128 {
            return Ok(());
        }
        Err(Problem::failed(format!("`{}` is not a tag", escaped(tag)))
            .hint("a tag has up to 128 letters, digits, `_`, `.` and `-`, and does not begin with `.` or `-`")
            .into())
    }

    /// The same name only by digest, `repo@sha256:…`: what is pulled and compared.
    pub fn by_digest(&self, digest: &Digest) -> Self {
        Self { name: self.name.clone(), tag: None, digest: Some(digest.clone()) }
    }

    /// The same reference with a digest beside its tag, `repo:1.9.0@sha256:…`: what a container is
    /// created from, so that `docker ps` shows the version.
    pub fn pinned(&self, digest: &Digest) -> Self {
        Self { digest: Some(digest.clone()), ..self.clone() }
    }
}

impl TryFrom<String> for ImageRef {
    type Error = crate::problem::Problems;
    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl From<ImageRef> for String {
    fn from(image: ImageRef) -> Self {
        image.to_string()
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_of_the_hub_and_print_short() {
        let image = ImageRef::parse("nginx").expect("a reference");
        assert_eq!(image.name.full(), "docker.io/library/nginx");
        assert_eq!(image.to_string(), "nginx:latest");
    }

    #[test]
    fn ports_are_not_tags() {
        let image = ImageRef::parse("localhost:5000/web/nginx:1.9").expect("a reference");
        assert_eq!(image.name.host().as_str(), "localhost:5000");
        assert_eq!(image.tag.as_deref(), Some("1.9"));
        let untagged = ImageRef::parse("localhost:5000/web").expect("a reference");
        assert_eq!(untagged.to_string(), "localhost:5000/web:latest");
    }

    #[test]
    fn a_digest_alone_gets_no_tag() {
        let text = format!("ghcr.io/acme/api@sha256:{}", "a".repeat(64));
        assert_eq!(ImageRef::parse(&text).expect("a reference").to_string(), text);
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        for text in ["", "Nginx", "a//b", "a:", "a:.x", "a@sha256:12", "-x", "a b", "ghcr.io/", "a/-b"] {
            assert!(ImageRef::parse(text).is_err(), "{text:?}");
        }
    }
}
