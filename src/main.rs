//! `pillarbox`: all but the interpreter of states in Starlark is in the library.
// The macros of `starlark` write `unsafe impl`; the word stands nowhere here, which a test holds.
#![deny(unsafe_code)]

#[cfg(feature = "starlark")]
mod interpreter;

#[cfg(feature = "starlark")]
use interpreter::run;
#[cfg(not(feature = "starlark"))]
use pillarbox::script::without_interpreter as run;
#[cfg(feature = "starlark")]
use pillarbox::{pillar, problem, script, secret, state};

fn main() -> std::process::ExitCode {
    pillarbox::cli::main(std::env::args_os(), run)
}
