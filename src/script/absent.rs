//! A program that was built without the feature `starlark`.

use super::{Line, Outcome, Request};
use std::io;

/// Says of every file that it cannot be run here. A [`super::Run`].
///
/// # Errors
/// Those of `say`.
pub fn without_interpreter(
    request: &Request,
    say: &mut dyn FnMut(&Line) -> io::Result<()>,
) -> io::Result<()> {
    for (index, host) in request.hosts.iter().enumerate() {
        for file in &host.runs {
            say(&Line::Begin { host: index, file: file.clone() })?;
            say(&Line::End(Outcome::NotBuiltIn))?;
        }
    }
    say(&Line::Done)
}
