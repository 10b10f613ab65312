//! `age1…`: which X25519 keys are accepted.

/// Reads a key in its canonical text; `None` for anything else, and for a key without a private key.
pub(super) fn parse(text: &str) -> Option<age::x25519::Recipient> {
    let data = text.strip_prefix("age1")?;
    point(data).filter(|point| !is_weak(point))?;
    text.parse().ok().filter(|key: &age::x25519::Recipient| key.to_string() == text)
}

/// The 32 bytes of a key whose checksum is checked elsewhere: 52 characters of five bits each, then
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

/// Whether a point has a small order or is not written in its canonical form. No private key
/// belongs to such a point, anyone could read what is sealed to it, and `age` aborts the program on it.
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
    // p is 2^255 - 19: from p - 1 on, and every value with the highest bit set.
    let at_least_p_less_1 =
        point[31] > 0x7f || point[31] == 0x7f && point[0] >= 0xec && point[1..31].iter().all(|b| *b == 0xff);
    zero_or_one || at_least_p_less_1 || ORDER_8.contains(point)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Recipient;

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
}
