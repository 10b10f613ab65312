//! `ssh-ed25519 AAAA…`: which ssh keys are accepted, and why others are refused.

use super::SshTag;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The first word of a key that is taken.
pub(super) const KIND: &str = "ssh-ed25519";

/// The bytes of a key before the point: the kind, and the length of the point
/// (RFC 8709, section 4).
const HEAD: &[u8; 19] = b"\0\0\0\x0bssh-ed25519\0\0\0\x20";

/// Reads a key and its comment, if it has one: its canonical text, the key, and its tag in an age
/// file. `None` if it is cut short, not on the curve, not canonical, or has no private key.
pub(super) fn parse(text: &str) -> Option<(String, age::ssh::Recipient, SshTag)> {
    let mut words = text.split_ascii_whitespace();
    let bytes = match (words.next()?, STANDARD.decode(words.next()?)) {
        (KIND, Ok(bytes)) => bytes,
        _ => return None,
    };
    let point: [u8; 32] = bytes.strip_prefix(HEAD)?.try_into().ok()?;
    if is_weak(point) || text.contains(['\n', '\r']) {
        return None;
    }
    let canonical = written(&bytes);
    let key = canonical.parse().ok()?;
    let hash = Sha256::digest(&bytes);
    Some((canonical, key, [hash[0], hash[1], hash[2], hash[3]]))
}

/// The text of a key's bytes, without a comment.
pub(super) fn written(bytes: &[u8]) -> String {
    format!("{KIND} {}", STANDARD.encode(bytes))
}

/// Why another kind of ssh key is refused, and what to do.
pub(super) fn why_not(kind: &str) -> Option<(&'static str, &'static str)> {
    let make = "use an ssh-ed25519 key, which 'ssh-keygen -t ed25519' makes, or an age key, which 'pillarbox identity new' makes";
    if kind.contains("-cert-v0") {
        Some(("ssh certificates are not supported as readers", "give the ssh-ed25519 key itself"))
    } else if kind.starts_with("sk-") {
        Some(("ssh keys on hardware (sk-…) are not supported as readers: they sign and cannot decrypt", make))
    } else if kind == "ssh-rsa" || kind.starts_with("rsa-") {
        Some(("RSA keys are not supported as readers", make))
    } else if ["ssh-", "ecdsa-", "sntrup"].iter().any(|start| kind.starts_with(start)) {
        Some(("ssh keys of other kinds than ssh-ed25519 are not supported as readers", make))
    } else {
        None
    }
}

/// Whether a point has a small order or is not written in its canonical form (RFC 8032, section 5.1.3).
/// `age` accepts such points, and anyone could read what is sealed to them.
fn is_weak(mut point: [u8; 32]) -> bool {
    /// The y of the points of order 8, little-endian; the ones of order 1, 2 and 4 are 1, p - 1 and 0.
    const ORDER_8: [[u8; 32]; 2] = [
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
            0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
        ],
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
            0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
        ],
    ];
    // The highest bit is the sign of x.
    point[31] &= 0x7f;
    let zero_or_one = point[0] <= 1 && point[1..].iter().all(|byte| *byte == 0);
    let at_least_p_less_1 =
        point[31] == 0x7f && point[0] >= 0xec && point[1..31].iter().all(|byte| *byte == 0xff);
    zero_or_one || at_least_p_less_1 || ORDER_8.contains(&point)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Recipient;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJlGc6NlwqS2c1T0dlrqQipgAcOePUph3jI/jAA7KWPl";

    #[test]
    fn one_key_written_differently_is_one_key() {
        let key = Recipient::parse(KEY).expect("a key");
        assert_eq!(key.as_str(), KEY);
        for text in [format!("{KEY} alice@laptop"), KEY.replace(' ', " \t "), format!("{KEY} two words ")] {
            assert_eq!(Recipient::parse(&text).expect(&text), key);
        }
        let file = format!("# Alice\n  {KEY} alice@laptop\r\n");
        assert_eq!(Recipient::parse_file(&file, "keys/alice.pub").expect("a key"), key);
        // The tag in a stanza that the age program wrote for this key: sCIXJA.
        assert_eq!(key.ssh_tag(), Some([0xb0, 0x22, 0x17, 0x24]));
    }

    #[test]
    fn a_key_that_is_cut_or_longer_or_not_on_the_curve_is_refused() {
        let bytes = STANDARD.decode(&KEY[12..]).expect("base64");
        let with = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = bytes.clone();
            change(&mut bytes);
            written(&bytes)
        };
        assert!(parse(&with(&|_| {})).is_some());
        let mut none = vec![
            with(&|bytes| bytes.truncate(50)),
            with(&|bytes| bytes.push(0)),
            with(&|bytes| bytes[18] = 31),
            with(&|bytes| bytes[4] = b'S'),
            KEY[..KEY.len() - 1].to_owned(),
            format!("{KEY}AAAA"),
            format!("{KEY}=="),
            format!("{KEY}\nssh-ed25519 AAAA"),
            "ssh-ed25519".to_owned(),
        ];
        // About half of all y belong to no point.
        none.extend(
            (0..64)
                .map(|low| with(&|bytes| bytes[19] = low))
                .filter(|text| text.parse::<age::ssh::Recipient>().is_err()),
        );
        assert!(none.len() > 20);
        for text in none {
            assert!(parse(&text).is_none(), "{text}");
        }
    }

    #[test]
    fn points_of_small_order_are_refused_though_age_takes_them() {
        let mut points: Vec<[u8; 32]> = Vec::new();
        for low in [0, 1] {
            let mut point = [0; 32];
            point[0] = low;
            points.push(point);
        }
        for low in [0xec, 0xed, 0xee] {
            let mut point = [0xff; 32];
            (point[0], point[31]) = (low, 0x7f);
            points.push(point);
        }
        for hex in [
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        ] {
            let byte = |index: usize| u8::from_str_radix(&hex[2 * index..2 * index + 2], 16).expect("hex");
            points.push(std::array::from_fn(byte));
        }
        let mut taken = 0;
        for mut point in points {
            for sign in [0, 0x80] {
                point[31] |= sign;
                let text = written(&[HEAD.as_slice(), &point].concat());
                taken += usize::from(text.parse::<age::ssh::Recipient>().is_ok());
                assert!(Recipient::parse(&text).is_err(), "{text}");
            }
        }
        assert!(taken >= 8, "age takes {taken} of them");
    }
}
