//! Text that may contain secrets as references: the only form in which a secret passes through
//! compile, plan and fingerprints.

use crate::pillar::{Origin, SealId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Text in segments; adjacent clear segments are one, empty ones are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Vec<Segment>);

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// As it reads.
    Clear(String),
    /// A secret, opened at the last moment.
    Secret(SecretRef),
}

/// A reference to a secret that is not opened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretRef {
    /// Where it is sealed.
    pub origin: Origin,
    /// Identifies the secret; used in fingerprints instead of it.
    pub id: SealId,
    /// Applied in this order when it is opened.
    pub encoders: Vec<Encoder>,
}

/// Operations on a secret that do not look into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoder {
    /// Percent-encoding of everything but unreserved characters (RFC 3986).
    UrlEncode,
    /// Base64, standard alphabet, padded.
    B64Encode,
    /// A JSON string with its quotes.
    ToJson,
}

impl Text {
    /// Clear text.
    pub fn clear(text: impl Into<String>) -> Self {
        Self::from_segments([Segment::Clear(text.into())])
    }

    /// One secret, whole.
    pub fn secret(secret: SecretRef) -> Self {
        Self(vec![Segment::Secret(secret)])
    }

    /// From segments in order.
    pub fn from_segments(segments: impl IntoIterator<Item = Segment>) -> Self {
        let mut joined: Vec<Segment> = Vec::new();
        for segment in segments {
            match (joined.last_mut(), segment) {
                (_, Segment::Clear(text)) if text.is_empty() => {}
                (Some(Segment::Clear(before)), Segment::Clear(text)) => before.push_str(&text),
                (_, segment) => joined.push(segment),
            }
        }
        Self(joined)
    }

    /// Its segments in order.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The whole text, if no secret is in it.
    pub fn as_clear(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Segment::Clear(text)] => Some(text),
            _ => None,
        }
    }

    /// The secrets in it.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretRef> {
        self.0.iter().filter_map(|segment| match segment {
            Segment::Secret(secret) => Some(secret),
            Segment::Clear(_) => None,
        })
    }

    /// How it enters a fingerprint: a string if it is clear, else a tagged list in which a secret is
    /// its id with its encoders, so that no clear text can look like a reference.
    pub fn canonical(&self) -> serde_json::Value {
        if let Some(text) = self.as_clear() {
            return serde_json::Value::from(text);
        }
        let parts: Vec<serde_json::Value> = self
            .0
            .iter()
            .map(|segment| match segment {
                Segment::Clear(text) => serde_json::json!(text),
                Segment::Secret(secret) => {
                    serde_json::json!({ "secret": secret.id.as_str(), "encoders": secret.encoders })
                }
            })
            .collect();
        serde_json::json!({ "joined": parts })
    }
}

impl fmt::Display for Text {
    /// For display: a secret is `(sealed 9f2c)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.0 {
            match segment {
                Segment::Clear(text) => f.write_str(text)?,
                Segment::Secret(secret) => write!(f, "(sealed {})", secret.id.short())?,
            }
        }
        Ok(())
    }
}
