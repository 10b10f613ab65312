//! The encoding of ssh: numbers of four bytes, and texts after their length (RFC 4251, section 5).

/// What is left to read.
pub(super) struct WireReader<'b>(pub(super) &'b [u8]);

impl<'b> WireReader<'b> {
    /// A number; `None` if the bytes end.
    pub(super) fn number(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*number))
    }

    /// A text; `None` if the bytes end.
    pub(super) fn text(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(text)
    }
}

/// Writes a text.
pub(super) fn text_of(bytes: &mut Vec<u8>, text: &[u8]) {
    bytes.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend_from_slice(text);
}
