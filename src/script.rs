//! States written in Starlark, a dialect of Python: what a program is given, how it is run, and what it
//! gives. The only place that names the crate `starlark`. Pure: it is run in a child without keys and
//! with limits of the system (`sandbox`), because an interpreter's own limits are best-effort; secrets
//! come in as numbers, so that neither a program nor the child can know, print or compare one.

mod ask;
mod branch;
mod convert;
mod encoders;
mod fault;
mod files;
mod functions;
mod lines;
mod log;
mod run;
mod sealed;
mod wire;

pub use ask::{Unsendable, given, secrets};
pub use run::run;
pub use wire::{Fault, Given, Host, Line, Outcome, Part, Piece, Ran, Request, Value};

/// Loop turns and calls of one file.
pub const TICKS: u64 = 10_000_000;

/// Bytes of Starlark values of one file.
pub const HEAP: usize = 256 << 20;

/// Calls within each other.
pub const CALLS: usize = 200;

/// Lists and dicts within each other, in what is given and in what `run` gives.
pub const DEEPEST: usize = 24;

#[cfg(test)]
mod tests;
