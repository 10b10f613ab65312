//! The search for a secret: as it is, in base64 and in hex.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::fs;
use std::path::Path;

/// What a secret may look like.
fn faces(secret: &str) -> Vec<Vec<u8>> {
    let mut faces = vec![secret.as_bytes().to_vec()];
    for before in 0..3 {
        let padded = [&vec![0; before][..], secret.as_bytes()].concat();
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let text = engine.encode(&padded);
            // Characters at the ends depend on the neighbours.
            let start = [0, 2, 3][before];
            faces.push(text.as_bytes()[start..text.len() - 2].to_vec());
        }
    }
    let hex = |upper: bool| {
        let digits =
            secret.bytes().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") });
        digits.collect::<String>().into_bytes()
    };
    faces.extend([hex(false), hex(true)]);
    faces
}

/// Whether bytes hold a secret in one of its faces.
pub(crate) fn holds(bytes: &[u8], secret: &str) -> bool {
    faces(secret).iter().any(|face| bytes.windows(face.len()).any(|window| window == face.as_slice()))
}

/// The files below a folder that hold a secret.
pub(crate) fn files_with(folder: &Path, secret: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files_with(&path, secret, found),
            Ok(kind) if kind.is_file() && fs::read(&path).is_ok_and(|bytes| holds(&bytes, secret)) => {
                found.push(path.display().to_string());
            }
            _ => {}
        }
    }
}

#[test]
fn the_search_finds_every_face() {
    for text in ["xCANARY-1~?y", "AENBTkFSWS0xfj8", "43414e4152592d31", "43414E4152592D31"] {
        assert!(holds(text.as_bytes(), "CANARY-1"), "{text}");
    }
    for before in 0..3 {
        let text = STANDARD_NO_PAD.encode(format!("{}CANARY-1 and more", "x".repeat(before)));
        assert!(holds(text.as_bytes(), "CANARY-1"), "{text}");
    }
    assert!(!holds(b"CANARI-1", "CANARY-1"));
}
