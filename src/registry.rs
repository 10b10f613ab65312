//! Registries: which credential belongs to an image, and the header that carries it.

mod entry;
mod fields;
mod header;
mod placeholder;
mod read;
mod scope;
mod short_lived;

pub use entry::{Credential, CredentialId, Credentials, Entry, How, Kind, Lookup};
pub use fields::{
    ANONYMOUS, EMAIL, EXPIRES, HELPER, IDENTITY_TOKEN, PASSWORD, TABLE, USERNAME, check_key, fields,
    unquoted_key,
};
pub use header::{AuthHeader, TOKEN_USER};
pub use placeholder::placeholder;
pub use scope::Scope;
pub use short_lived::{ShortLived, expiry, short_lived};
