//! Registries: which credential belongs to an image, and the header that carries it.

mod entry;
mod header;
mod read;
mod schema;
mod scope;

pub use entry::{Credential, CredentialId, Credentials, Entry, How, Kind, Lookup};
pub use header::{AuthHeader, TOKEN_USER};
pub use read::{FIELDS, TABLE};
pub use schema::{check_key, unquoted_key};
pub use scope::Scope;
