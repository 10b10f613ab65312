//! The pillar: values in TOML files, merged per host; secrets sealed, the rest in clear.
//!
//! `document` turns text into a tree and edits it keeping comments; `seal` binds a secret to its
//! place; `boxes` holds slot, lock and readers; `known` is what this machine has accepted, outside of the
//! workspace; `merge` merges files; `readership` is who
//! could open what over time; `gate` says what may run; `schema` holds tables with fixed fields.

pub mod boxes;
pub mod document;
pub mod fields;
pub mod gate;
pub mod known;
pub mod merge;
pub mod readership;
pub mod schema;
pub mod seal;
mod table;
mod value;

pub use table::Table;
pub use value::{Float, Node, Origin, SealId, Sealed, Value};
