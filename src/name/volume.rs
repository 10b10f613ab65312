//! Names that an Engine gives to volumes by itself.

/// Whether a volume is anonymous: an Engine named it by itself, with 64 hexadecimal digits.
pub fn is_anonymous(volume: &str) -> bool {
    volume.len() == 64 && volume.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// The first twelve digits of an anonymous volume, for people.
pub fn short_volume(volume: &str) -> &str {
    volume.get(..12).unwrap_or(volume)
}
