//! One file out of an archive (tar), as `GET /containers/{id}/archive` answers it.

use crate::secret::Secret;

const BLOCK: usize = 512;

/// The bytes of the first entry, if that is a regular file. Headers of PAX before it (`x`, `g`) are passed over.
pub(super) fn first_file(archive: &[u8]) -> Option<Secret> {
    let mut rest = archive;
    loop {
        let header = rest.get(..BLOCK)?;
        let size = octal(header.get(124..136)?)?;
        let content = rest.get(BLOCK..BLOCK.checked_add(size)?)?;
        match header.get(156)? {
            b'0' | 0 => return Some(Secret::new(content.to_vec())),
            b'x' | b'g' => rest = rest.get(BLOCK + size.checked_next_multiple_of(BLOCK)?..)?,
            _ => return None,
        }
    }
}

/// Octal digits with blanks or a NUL byte behind them.
fn octal(field: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(field).ok()?;
    usize::from_str_radix(text.trim_matches(|c| c == ' ' || c == '\0'), 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; BLOCK];
        bytes[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        bytes[156] = kind;
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        bytes
    }

    fn text(archive: &[u8]) -> Option<String> {
        first_file(archive).and_then(|file| file.reveal_text().map(str::to_owned))
    }

    #[test]
    fn a_file_is_found_behind_its_own_headers_and_nothing_else_is() {
        assert_eq!(text(&entry(b'0', b"secret")), Some("secret".to_owned()));
        assert_eq!(text(&entry(0, b"")), Some(String::new()));
        let behind = [entry(b'x', b"30 mtime=1"), entry(b'0', b"secret")].concat();
        assert_eq!(text(&behind), Some("secret".to_owned()));
        assert_eq!(text(&entry(b'2', b"")), None, "a link");
        assert_eq!(text(&entry(b'5', b"")), None, "a folder");
        // Cut short, or no archive at all.
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 5] {
            assert_eq!(text(&entry(b'0', b"secret")[..length]), None, "{length}");
        }
        assert_eq!(text(&[b'9'; 2 * BLOCK]), None);
        let mut endless = entry(b'x', b"");
        endless[124..135].copy_from_slice(b"77777777777");
        assert_eq!(text(&endless), None);
    }
}
