//! The three encoders that may follow a secret. The same functions encode clear text while states
//! are compiled and a secret when it is opened, so that both give the same.

use super::Encoder;
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;

impl Encoder {
    /// Encodes the bytes of a text or an opened secret. `None` if they have no such form:
    /// [`Encoder::ToJson`] of bytes that are not UTF-8.
    pub fn apply(self, plain: &Secret) -> Option<Secret> {
        let bytes = plain.reveal();
        let mut out = String::with_capacity(self.longest(bytes.len()));
        match self {
            Self::UrlEncode => {
                for &byte in bytes {
                    if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                        out.push(char::from(byte));
                    } else {
                        // Writing to a String cannot fail.
                        let _ = write!(out, "%{byte:02X}");
                    }
                }
            }
            Self::B64Encode => STANDARD.encode_string(bytes, &mut out),
            Self::ToJson => quote(plain.reveal_text()?, &mut out),
        }
        Some(out.into())
    }

    /// Enough room that the text never moves in memory: a move would leave a copy behind.
    fn longest(self, bytes: usize) -> usize {
        match self {
            Self::UrlEncode => bytes.saturating_mul(3),
            Self::B64Encode => bytes.div_ceil(3).saturating_mul(4),
            Self::ToJson => bytes.saturating_mul(6).saturating_add(2),
        }
    }

    /// Its name in expressions.
    pub fn word(self) -> &'static str {
        match self {
            Self::UrlEncode => "urlencode",
            Self::B64Encode => "b64encode",
            Self::ToJson => "tojson",
        }
    }
}

/// A JSON string (RFC 8259) with its quotes.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(encoder: Encoder, text: &str) -> String {
        let secret = encoder.apply(&Secret::from(text.to_owned())).expect("has this form");
        secret.reveal_text().expect("text").to_owned()
    }

    #[test]
    fn a_password_fits_between_the_slashes_of_a_url() {
        assert_eq!(encoded(Encoder::UrlEncode, "p@ss/w:rd é~-._"), "p%40ss%2Fw%3Ard%20%C3%A9~-._");
    }

    #[test]
    fn base64_is_padded_with_the_standard_alphabet() {
        assert_eq!(encoded(Encoder::B64Encode, "ab?>"), "YWI/Pg==");
    }

    #[test]
    fn bytes_that_are_not_text_have_no_json_form() {
        assert!(Encoder::ToJson.apply(&Secret::new(vec![0xff])).is_none());
    }

    proptest! {
        #[test]
        fn json_gives_the_text_back(text: String) {
            let back: String = serde_json::from_str(&encoded(Encoder::ToJson, &text)).expect("JSON");
            prop_assert_eq!(back, text);
        }

        #[test]
        fn no_encoding_outgrows_its_room(text: String) {
            for encoder in [Encoder::UrlEncode, Encoder::B64Encode, Encoder::ToJson] {
                prop_assert!(encoded(encoder, &text).len() <= encoder.longest(text.len()));
            }
        }
    }
}
