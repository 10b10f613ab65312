//! What is in a file that is given to containers.

use sha2::{Digest as _, Sha256};
use std::fmt;
use std::sync::Arc;

/// Bytes with their digest. Hosts that are given the same share them.
#[derive(Clone, PartialEq, Eq)]
pub struct FileBytes {
    bytes: Arc<[u8]>,
    digest: Arc<str>,
}

impl FileBytes {
    /// With their digest.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { bytes, digest: digest.into() }
    }

    /// All of them.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256, hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl fmt::Debug for FileBytes {
    /// Size and digest.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes, sha256:{}", self.len(), self.digest)
    }
}
