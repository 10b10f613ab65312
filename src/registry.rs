//! Registries: which credential belongs to an image, and the header that carries it.

mod entry;
mod fields;
mod header;
mod read;
mod scope;

pub use entry::{Credential, CredentialId, Credentials, Entry, How, Kind, Lookup};
pub use fields::{
    ANONYMOUS, EMAIL, HELPER, IDENTITY_TOKEN, PASSWORD, TABLE, USERNAME, check_key, fields, unquoted_key,
};
pub use header::{AuthHeader, TOKEN_USER};

pub use scope::Scope;
