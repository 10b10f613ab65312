//! `docker-credential-pillarbox`: Docker finds it by this name in `PATH`.
#![forbid(unsafe_code)]

use std::io;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|a| a.to_string_lossy().into_owned()).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match pillarbox::credential::serve(&arguments, &mut io::stdout().lock(), &mut io::stderr().lock()) {
        Ok(code) => code.into(),
        Err(_) => ExitCode::FAILURE,
    }
}
