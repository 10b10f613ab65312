//! States written in Starlark, a dialect of Python: what a program is given and what it gives. What runs it
//! belongs to the program `pillarbox` alone (`src/interpreter.rs`).

mod absent;
mod ask;
mod wire;

pub use absent::without_interpreter;
pub use ask::{HIDDEN, Unsendable, given, secrets};
pub use wire::{Fault, Given, Host, Line, Outcome, Part, Piece, Ran, Request, Value};

/// Runs the programs of a request, and says each line of the answer as soon as it is known.
pub type Run = fn(&Request, &mut dyn FnMut(&Line) -> std::io::Result<()>) -> std::io::Result<()>;

/// Loop turns and calls of one file.
pub const TICKS: u64 = 10_000_000;

/// Bytes of Starlark values of one file.
pub const HEAP: usize = 256 << 20;

/// Calls within each other.
pub const CALLS: usize = 200;

/// Lists and dicts within each other, in what is given and in what `run` gives.
pub const DEEPEST: usize = 24;
