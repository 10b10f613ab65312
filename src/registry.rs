//! Registries: which credential belongs to an image, and the header that carries it.

mod header;

pub use header::AuthHeader;
