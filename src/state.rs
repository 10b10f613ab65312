//! What people write in `states/`, after its expressions were evaluated: declarations with arguments
//! whose strings may hold secrets as references.

mod arg;
mod declaration;
mod encode;
mod text;

pub use arg::{Arg, ArgValue};
pub use declaration::{Declaration, Function};
pub use text::{Encoder, SecretRef, Segment, Text};
