//! `pillarbox`: everything is in the library.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    pillarbox::cli::main(std::env::args_os())
}
