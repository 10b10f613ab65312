//! A public key, as it stands in `keys/NAME.pub` and as the slot of a box.

use crate::problem::{Place, Problem, Result};
use sha2::{Digest, Sha256};
use std::cmp::Ordering;
use std::fmt;

/// An X25519 public key, `age1…` (age specification, "The X25519 recipient type"). Two are equal if
/// their texts are; only the canonical text is read.
#[derive(Clone)]
pub struct Recipient {
    text: String,
    key: age::x25519::Recipient,
}

impl Recipient {
    /// Reads `age1…`.
    ///
    /// # Errors
    /// Where it is no such key. The text is not repeated: it may be a private key in the wrong place.
    pub fn parse(text: &str) -> Result<Self> {
        let refused = |what: &str, hint: &str| Err(Problem::failed(what).hint(hint).into());
        let data = text.strip_prefix("age1");
        if text.to_ascii_uppercase().contains("AGE-SECRET-KEY-") {
            return refused(
                "a private key stands where a public key belongs",
                "take it out, and use another key if anybody else has seen it; 'pillarbox identity public' prints the public half",
            );
        }
        if text.starts_with("ssh-") || text.starts_with("ecdsa-") || text.starts_with("sk-") {
            return refused(
                "ssh keys are not supported as readers",
                "use an age key: 'pillarbox identity new' makes one and prints its public half",
            );
        }
        if data.is_some_and(|data| data.contains('1')) {
            return refused(
                "keys of age plugins and of other kinds than X25519 are not supported as readers",
                "use an X25519 key, `age1` and 58 letters and digits: 'pillarbox identity new' makes one",
            );
        }
        let fine = data.and_then(point).is_some_and(|point| !is_weak(&point));
        match text.parse::<age::x25519::Recipient>() {
            Ok(key) if fine && key.to_string() == text => Ok(Self { text: text.to_owned(), key }),
            _ => refused(
                "this is not a public key",
                "a public key is `age1` and 58 lower-case letters and digits; a mistyped one fails its checksum",
            ),
        }
    }

    /// Reads a `keys/NAME.pub` file: one key on a line of its own; blank lines and `#` comments may
    /// stand around it. `file` is its path, for errors.
    ///
    /// # Errors
    /// Where there is no key, more than one, or one that [`Recipient::parse`] refuses.
    pub fn parse_file(text: &str, file: &str) -> Result<Self> {
        let mut found: Option<Self> = None;
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let place = Place::new(file, number);
            if found.is_some() {
                return Err(Problem::failed("a second key stands in the file of one reader")
                    .at(&place)
                    .hint("give each key a file and name of its own, such as 'keys/alice-laptop.pub'")
                    .into());
            }
            found = Some(Self::parse(line).map_err(|problems| problems.map(|problem| problem.at(&place)))?);
        }
        found.ok_or_else(|| {
            Problem::failed("no public key stands in this file")
                .at(&Place::new(file, 0))
                .hint("write the reader's `age1…` key into it, as 'pillarbox identity public' prints it")
                .into()
        })
    }

    /// The whole key, `age1…`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// 80 bits of a hash of the key, for people to compare: `1f0c-77ab-90de-3c55-0d1e`.
    pub fn fingerprint(&self) -> String {
        fingerprint_of("pillarbox-key/1", [self.as_str()])
    }

    /// Of a private key, whose public half needs no checks.
    pub(super) fn of(key: &age::x25519::Identity) -> Self {
        let key = key.to_public();
        Self { text: key.to_string(), key }
    }

    pub(super) fn age(&self) -> &age::x25519::Recipient {
        &self.key
    }
}

/// 80 bits of the SHA-256 of a title and lines, in five groups of four hexadecimal digits.
pub fn fingerprint_of<'a>(title: &'a str, lines: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for line in std::iter::once(title).chain(lines) {
        hash.update(line);
        hash.update("\n");
    }
    let groups: Vec<String> =
        hash.finalize()[..10].chunks(2).map(|pair| format!("{:02x}{:02x}", pair[0], pair[1])).collect();
    groups.join("-")
}

/// The 32 bytes of a key whose checksum somebody else checks: 52 characters of five bits each, then
/// six of checksum (BIP 173).
fn point(data: &str) -> Option<[u8; 32]> {
    const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let data = data.as_bytes().get(..data.len().checked_sub(6)?)?;
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::with_capacity(32));
    for character in data {
        let five = ALPHABET.iter().position(|known| known == character)?;
        bits = (bits << 5 | u32::try_from(five).ok()?) & 0xfff;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).ok()?);
        }
    }
    bytes.try_into().ok()
}

/// Whether a point has a small order or is not written in its canonical form. Nobody's private key
/// belongs to one, anybody could read what is sealed to it, and `age` ends the program over it.
fn is_weak(point: &[u8; 32]) -> bool {
    /// The points of order 8, little-endian; the ones of order 1, 2 and 4 are 0, 1 and p - 1.
    const ORDER_8: [[u8; 32]; 2] = [
        [
            0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
            0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
        ],
        [
            0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
            0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
        ],
    ];
    let zero_or_one = point[0] <= 1 && point[1..].iter().all(|byte| *byte == 0);
    // p is 2^255 - 19: from p - 1 on, and whatever has the highest bit set.
    let at_least_p_less_1 =
        point[31] > 0x7f || point[31] == 0x7f && point[0] >= 0xec && point[1..31].iter().all(|b| *b == 0xff);
    zero_or_one || at_least_p_less_1 || ORDER_8.contains(point)
}

impl PartialEq for Recipient {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Recipient {}

impl PartialOrd for Recipient {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Recipient {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Identity;

    /// Bech32 (BIP 173) of a point, for keys that no private key has.
    fn written(point: &[u8; 32]) -> String {
        const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
        let step = |sum: u32, value: u8| {
            let generators = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
            let shifted = (sum & 0x1ff_ffff) << 5 ^ u32::from(value);
            (0..5).filter(|bit| sum >> (25 + bit) & 1 == 1).fold(shifted, |sum, bit| sum ^ generators[bit])
        };
        let bits: Vec<u8> =
            point.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
        let mut data: Vec<u8> = bits
            .chunks(5)
            .map(|five| (0..5).fold(0, |all, index| all << 1 | five.get(index).copied().unwrap_or(0)))
            .collect();
        let prefix = b"age".iter().map(|b| b >> 5).chain([0]).chain(b"age".iter().map(|b| b & 31));
        let sum = prefix.chain(data.iter().copied()).chain([0; 6]).fold(1, step) ^ 1;
        data.extend((0..6).map(|index| u8::try_from(sum >> (5 * (5 - index)) & 31).expect("five bits")));
        format!(
            "age1{}",
            data.iter().map(|five| char::from(ALPHABET[usize::from(*five)])).collect::<String>()
        )
    }

    #[test]
    fn a_key_prints_as_it_was_written() {
        let text = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";
        let key = Recipient::parse(text).expect("a key");
        assert_eq!(key.to_string(), text);
        assert_eq!(written(&point(&text[4..]).expect("32 bytes")), text);
        assert_eq!(key.fingerprint().len(), 24);
    }

    #[test]
    fn points_of_small_order_are_refused_before_age_meets_them() {
        let mut points: Vec<[u8; 32]> = vec![[0; 32]];
        let mut one = [0; 32];
        one[0] = 1;
        points.push(one);
        for low in [0xec, 0xed, 0xee] {
            let mut point = [0xff; 32];
            (point[0], point[31]) = (low, 0x7f);
            points.push(point);
        }
        for hex in [
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        ] {
            let byte = |index: usize| u8::from_str_radix(&hex[2 * index..2 * index + 2], 16).expect("hex");
            points.push(std::array::from_fn(byte));
        }
        for mut point in points {
            for high in [0, 0x80] {
                point[31] |= high;
                let text = written(&point);
                assert!(text.parse::<age::x25519::Recipient>().is_ok(), "age takes {text}");
                assert!(Recipient::parse(&text).is_err(), "{text}");
            }
        }
    }

    #[test]
    fn other_kinds_of_keys_are_refused_with_a_way_on() {
        let own = Identity::generate().recipient().to_string();
        for (text, said) in [
            ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL alice", "ssh keys"),
            ("age1yubikey1q2w7u3vpya839jxxuq8g0sedh3d740d4xvn639sqhr95ejj8vu3hyfumptt", "plugins"),
            ("age1pq1qqqqqqqq", "plugins"),
            ("AGE-SECRET-KEY-1QQQQ", "private key"),
            (&own.to_ascii_uppercase(), "not a public key"),
            (&format!("{own} alice"), "not a public key"),
            (&own[..own.len() - 1], "not a public key"),
            ("", "not a public key"),
        ] {
            let problems = Recipient::parse(text).expect_err(text);
            let problem = problems.iter().next().expect("one");
            assert!(problem.what.contains(said), "{text}: {}", problem.what);
            assert!(!problem.hints.is_empty());
            assert!(text.is_empty() || !format!("{problem:?}").contains(text));
        }
    }

    #[test]
    fn a_public_key_file_holds_one_key_and_comments() {
        let key = Identity::generate().recipient().clone();
        let read = Recipient::parse_file(&format!("# Alice's laptop\n\n {key}\r\n# end\n"), "keys/alice.pub");
        assert_eq!(read.expect("a key"), key);
        let two = Recipient::parse_file(&format!("{key}\n{key}\n"), "keys/alice.pub").expect_err("two keys");
        assert_eq!(two.to_string(), "keys/alice.pub:2: a second key stands in the file of one reader");
        assert!(Recipient::parse_file("# nothing\n", "keys/alice.pub").is_err());
    }
}
