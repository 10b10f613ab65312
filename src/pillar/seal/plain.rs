//! The plaintext of a sealed value: a strict text header that binds it, and the padded secret.
//!
//! ```text
//! pillarbox-secret/1
//! place ["apps.toml","api","db_password"]
//! id 9f2c41d70b6e83aa
//! kind text
//! len 00000024
//!
//! the secret, then line feeds up to a multiple of 64 bytes
//! ```
//! The place is a JSON array because file names and TOML keys may hold anything. The secret is
//! padded by itself, so that the length of the place does not shift the steps by which its length
//! shows; the length has eight digits, so that a ninth does not show either.

use super::Kind;
use crate::name::KeyPath;
use crate::pillar::{Origin, SealId};
use zeroize::Zeroizing;

const TITLE: &str = "pillarbox-secret/1";
const BLOCK: usize = 64;

/// The longest secret, in bytes: what eight digits can say.
pub(super) const MAX_LEN: usize = 99_999_999;

/// The header of a plaintext.
#[derive(Debug, PartialEq)]
pub(super) struct Header {
    pub(super) origin: Origin,
    pub(super) id: SealId,
    pub(super) kind: Kind,
    pub(super) len: usize,
}

impl Header {
    fn text(&self) -> String {
        let file = std::iter::once(self.origin.file.as_str());
        let parts: Vec<&str> = file.chain(self.origin.key.parts().iter().map(String::as_str)).collect();
        // An array of strings in its shortest form, the same as `serde_json::to_string` writes.
        let place = serde_json::Value::from(parts);
        format!("{TITLE}\nplace {place}\nid {}\nkind {}\nlen {:08}\n\n", self.id, self.kind.word(), self.len)
    }

    /// The whole plaintext.
    pub(super) fn with(&self, secret: &[u8]) -> Zeroizing<Vec<u8>> {
        let header = self.text();
        let end = header.len() + padded(secret.len());
        let mut plain = Zeroizing::new(Vec::with_capacity(end));
        plain.extend_from_slice(header.as_bytes());
        plain.extend_from_slice(secret);
        plain.resize(end, b'\n');
        plain
    }

    /// Reads a plaintext; the secret is a part of it.
    pub(super) fn read(plain: &[u8]) -> Option<(Self, &[u8])> {
        let (mut lines, mut start) = ([""; 5], 0);
        for line in &mut lines {
            let rest = &plain[start..];
            let end = rest.iter().position(|byte| *byte == b'\n')?;
            *line = std::str::from_utf8(&rest[..end]).ok()?;
            start += end + 1;
        }
        let [_, place, id, kind, len] = lines;
        let mut place: Vec<String> = serde_json::from_str(place.strip_prefix("place ")?).ok()?;
        if place.is_empty() {
            return None;
        }
        let file = place.remove(0);
        let header = Self {
            origin: Origin { file, key: KeyPath::from_parts(place)? },
            id: SealId::parse(id.strip_prefix("id ")?).ok()?,
            kind: Kind::of_word(kind.strip_prefix("kind ")?)?,
            len: len.strip_prefix("len ")?.parse().ok()?,
        };
        // Written again it must give the same bytes: so there is one way to write each header.
        let body = plain.strip_prefix(header.text().as_bytes())?;
        let padding = body.get(header.len..)?;
        let whole = body.len() == padded(header.len) && padding.iter().all(|byte| *byte == b'\n');
        whole.then(|| (header, &body[..body.len() - padding.len()]))
    }
}

/// At least one block, so that an empty secret looks like any short one.
fn padded(len: usize) -> usize {
    len.max(1).next_multiple_of(BLOCK)
}

/// Whether a plaintext of this length can belong to a value at this place.
pub(super) fn is_length_of(plain_len: usize, origin: &Origin, id: &SealId) -> bool {
    // Both kinds and all lengths take the same number of bytes.
    let header = Header { origin: origin.clone(), id: id.clone(), kind: Kind::Text, len: 0 };
    let body = plain_len.checked_sub(header.text().len());
    body.is_some_and(|body| body > 0 && body % BLOCK == 0 && body <= padded(MAX_LEN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header(file: &str, key: Vec<String>, kind: Kind, len: usize) -> Header {
        let key = KeyPath::from_parts(key).expect("parts");
        Header { origin: Origin { file: file.into(), key }, id: SealId::from_bits([7; 8]), kind, len }
    }

    #[test]
    fn the_plaintext_is_as_documented() {
        let plain = header("apps.toml", vec!["api".into(), "db.\"pw\n".into()], Kind::Text, 3).with(b"abc");
        let expected = "pillarbox-secret/1\nplace [\"apps.toml\",\"api\",\"db.\\\"pw\\n\"]\n\
                        id 0707070707070707\nkind text\nlen 00000003\n\nabc";
        assert!(plain.starts_with(expected.as_bytes()));
        assert_eq!(plain.len(), expected.len() - 3 + 64);
        assert!(plain[expected.len()..].iter().all(|byte| *byte == b'\n'));
    }

    #[test]
    fn the_length_shows_in_steps_of_64_and_nothing_else_does() {
        let length =
            |len: usize, kind| header("a.toml", vec!["k".into()], kind, len).with(&vec![1; len]).len();
        assert_eq!(length(0, Kind::Text), length(64, Kind::Data));
        assert_eq!(length(64, Kind::Text) + 64, length(65, Kind::Text));
        let any = header("a.toml", vec!["k".into()], Kind::Text, 0);
        assert!(is_length_of(length(0, Kind::Text), &any.origin, &any.id));
        assert!(!is_length_of(length(0, Kind::Text) + 1, &any.origin, &any.id));
        assert!(!is_length_of(length(0, Kind::Text) - 64, &any.origin, &any.id));
    }

    #[test]
    fn another_way_to_write_the_same_is_refused() {
        let plain = header("a.toml", vec!["k".into()], Kind::Text, 3).with(b"abc");
        let text = std::str::from_utf8(&plain).expect("text").to_owned();
        assert!(Header::read(text.as_bytes()).is_some());
        for (from, to) in [
            ("[\"a.toml\",\"k\"]", "[\"a.toml\", \"k\"]"),
            ("[\"a.toml\",\"k\"]", "[\"\\u0061.toml\",\"k\"]"),
            ("[\"a.toml\",\"k\"]", "[\"a.toml\"]"),
            ("[\"a.toml\",\"k\"]", "[]"),
            ("[\"a.toml\",\"k\"]", "[\"a.toml\",1]"),
            ("len 00000003", "len 3"),
            ("len 00000003", "len +0000003"),
            ("len 00000003", "len 00000002"),
            ("len 00000003", "len 00000065"),
            ("len 00000003", "len 99999999"),
            ("kind text", "kind Text"),
            ("kind text\n", "kind text\r\n"),
            ("kind text\n", "kind text\nmore text\n"),
            ("secret/1", "secret/2"),
            ("\n\nabc", "\nabc"),
            ("abc\n", "abc "),
        ] {
            assert!(text.contains(from));
            assert!(Header::read(text.replacen(from, to, 1).as_bytes()).is_none(), "{from} → {to}");
        }
        assert!(Header::read(&[text.as_bytes(), &[b'\n'; 64]].concat()).is_none());
        assert!(Header::read(&text.as_bytes()[..text.len() - 1]).is_none());
        assert!(Header::read(b"").is_none());
    }

    proptest! {
        #[test]
        fn every_header_reads_back(
            file in ".*",
            key in proptest::collection::vec(".*", 1..4),
            data in any::<bool>(),
            secret in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let kind = if data { Kind::Data } else { Kind::Text };
            let header = header(&file, key, kind, secret.len());
            let plain = header.with(&secret);
            prop_assert!(is_length_of(plain.len(), &header.origin, &header.id));
            let (read, found) = Header::read(&plain).expect("reads back");
            prop_assert_eq!(read, header);
            prop_assert_eq!(found, &secret[..]);
        }

        #[test]
        fn no_bytes_break_the_parser(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(Header::read(&bytes).is_none());
        }
    }
}
