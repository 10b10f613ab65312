//! `pillarbox`: all but the interpreter of states in Starlark is in the library.
// The macros of `starlark` write `unsafe impl`; the word stands nowhere here, which a test holds.
#![deny(unsafe_code)]

mod interpreter;

use pillarbox::{problem, script, secret, state};

fn main() -> std::process::ExitCode {
    pillarbox::cli::main(std::env::args_os(), interpreter::run)
}
