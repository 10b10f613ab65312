//! `docker-credential-pillarbox`: Docker finds it by this name in `PATH`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    pillarbox::cli::credential_helper(std::env::args_os().skip(1))
}
