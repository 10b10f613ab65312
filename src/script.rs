//! States written in Starlark, a dialect of Python: the input and the result of a program. The interpreter
//! belongs only to the program `pillarbox` (`src/interpreter.rs`).

mod absent;
mod ask;
mod unknown_fact;
mod wire;

pub use absent::without_interpreter;
pub use ask::{HIDDEN, Unsendable, given, secrets};
pub use unknown_fact::unknown_fact;
pub use wire::{Fault, Given, Host, Line, Outcome, Part, Piece, Ran, Request, Value};

/// Runs the programs of a request, and passes on each line of the answer as soon as it is known.
pub type Run = fn(&Request, &mut dyn FnMut(&Line) -> std::io::Result<()>) -> std::io::Result<()>;

/// Loop iterations and calls of one file.
pub const TICKS: u64 = 10_000_000;

/// Bytes of Starlark values of one file.
pub const HEAP: usize = 256 << 20;

/// Levels of nested calls.
pub const CALLS: usize = 200;

/// Levels of nested lists and dicts, in the input and in the result of `run`.
pub const DEEPEST: usize = 24;
