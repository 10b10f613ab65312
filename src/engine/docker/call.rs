//! One request, before it is sent; it can be sent again.

use super::bounds::Bounds;
use crate::engine::{EngineError, EngineResult, ErrorKind};
use crate::registry::AuthHeader;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderValue, UPGRADE, USER_AGENT};
use hyper::{Method, Request};
use serde_json::Value;
use std::fmt::Write as _;
use zeroize::Zeroizing;

/// The type of an archive.
pub(super) const ARCHIVE: &str = "application/x-tar";

/// A request. There is no `Debug`: bodies hold secrets.
#[derive(Clone)]
pub(super) struct Call {
    method: Method,
    path: String,
    body: Bytes,
    kind: &'static str,
    auth: Option<HeaderValue>,
    bounds: Bounds,
    secret: Option<Names>,
    upgrade: bool,
}

/// What the words of an answer may name without meaning anything by it, in lower case, the longest first.
pub(super) type Names = Vec<String>;

impl Call {
    /// A call without a body; `path` with its query, already encoded.
    pub(super) fn new(method: Method, path: &str) -> Self {
        Self {
            method,
            path: path.to_owned(),
            body: Bytes::new(),
            kind: "application/json",
            auth: None,
            bounds: Bounds::SHORT,
            secret: None,
            upgrade: false,
        }
    }

    /// With other bounds than those of a short answer.
    pub(super) fn within(mut self, bounds: Bounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// It carries a secret, which an answer may repeat in any form: of its words only those are shown that
    /// are known.
    pub(super) fn secret(mut self, names: Names) -> Self {
        self.secret = Some(names);
        self
    }

    /// After its answer the connection is one to a process.
    pub(super) fn upgrade(mut self) -> Self {
        self.upgrade = true;
        self
    }

    /// How much of its answer is read.
    pub(super) fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// What is left out of the words of its answer, if it carries a secret.
    pub(super) fn names(&self) -> Option<&Names> {
        self.secret.as_ref()
    }

    /// In words: `GET /containers/json`.
    pub(super) fn name(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        let path = match path.strip_prefix("/v").and_then(|rest| rest.split_once('/')) {
            Some((version, rest)) if version.starts_with(|c: char| c.is_ascii_digit()) => format!("/{rest}"),
            _ => path.to_owned(),
        };
        format!("{} {path}", self.method)
    }

    /// With a JSON body, wiped when it has been sent.
    pub(super) fn body(mut self, body: &Value) -> EngineResult<Self> {
        let text = serde_json::to_vec(body)
            .map_err(|error| EngineError::new(ErrorKind::Other, 0, &error.to_string()))?;
        self.body = Bytes::from_owner(Zeroizing::new(text));
        Ok(self)
    }

    /// With a body that is JSON already, wiped when it has been sent.
    pub(super) fn json(mut self, body: &[u8]) -> Self {
        self.body = Bytes::from_owner(Zeroizing::new(body.to_vec()));
        self
    }

    /// With an archive, wiped when it has been sent.
    pub(super) fn archive(mut self, archive: &[u8]) -> Self {
        self.kind = ARCHIVE;
        self.json(archive)
    }

    /// With a credential for a registry; `names` as for [`Call::secret`].
    pub(super) fn auth(mut self, auth: Option<&AuthHeader>, names: Names) -> EngineResult<Self> {
        let Some(auth) = auth else { return Ok(self) };
        self = self.secret(names);
        let mut value = HeaderValue::from_str(auth.reveal()).map_err(|_| {
            EngineError::new(ErrorKind::Other, 0, "the credential does not fit into a header")
        })?;
        value.set_sensitive(true);
        self.auth = Some(value);
        Ok(self)
    }

    /// Whether doing it twice is the same as doing it once.
    pub(super) fn may_repeat(&self) -> bool {
        self.method == Method::GET
    }

    pub(super) fn request(&self) -> EngineResult<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(&self.method)
            .uri(&self.path)
            .header(HOST, "engine")
            .header(USER_AGENT, concat!("pillarbox/", env!("CARGO_PKG_VERSION")));
        if !self.body.is_empty() {
            request = request.header(CONTENT_TYPE, self.kind);
        }
        if self.upgrade {
            request = request.header(CONNECTION, "Upgrade").header(UPGRADE, "tcp");
        }
        if let Some(auth) = &self.auth {
            request = request.header("X-Registry-Auth", auth);
        }
        request
            .body(Full::new(self.body.clone()))
            .map_err(|error| EngineError::new(ErrorKind::Other, 0, &error.to_string()))
    }
}

/// A query with its `?`.
pub(super) fn query(pairs: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (key, value) in pairs {
        text.push(if text.is_empty() { '?' } else { '&' });
        text.push_str(key);
        text.push('=');
        encode(value, "", &mut text);
    }
    text
}

/// A name within a path. Image references keep their `/`, `:` and `@`: Engines route on them.
pub(super) fn segment(name: &str) -> String {
    let mut text = String::new();
    encode(name, "/:@", &mut text);
    text
}

/// Percent-encoding (RFC 3986) of everything but unreserved characters and some more.
fn encode(text: &str, keep: &str, out: &mut String) {
    for byte in text.bytes() {
        let plain =
            byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep.as_bytes().contains(&byte);
        if plain {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_named_without_its_version_and_query() {
        let named = |path| Call::new(Method::GET, path).name();
        assert_eq!(named("/v1.51/containers/json?all=1"), "GET /containers/json");
        assert_eq!(named("/v1.41/volumes/v1"), "GET /volumes/v1");
        assert_eq!(named("/_ping"), "GET /_ping");
    }

    #[test]
    fn names_cannot_leave_their_place_in_a_path() {
        assert_eq!(segment("reg:5000/a/b:1@sha256:0"), "reg:5000/a/b:1@sha256:0");
        assert_eq!(segment("a?b#c d%2e"), "a%3Fb%23c%20d%252e");
        assert_eq!(query(&[("name", "a&b=c"), ("t", "1")]), "?name=a%26b%3Dc&t=1");
    }
}
