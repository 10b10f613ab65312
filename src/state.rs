//! The files in `states/` after their expressions were evaluated: declarations with arguments
//! whose strings may contain secrets as references.

mod arg;
mod bytes;
mod declaration;
mod encode;
mod text;

pub use arg::{Arg, ArgValue};
pub use bytes::FileBytes;
pub use declaration::{Declaration, Function};
pub use text::{Encoder, SecretRef, Segment, Text};
