//! The one async runtime, for what talks to Engines.

use super::signal;
use crate::execute::Interrupt;
use crate::problem::{Problem, Result};

/// Runs what talks to Engines. Ctrl-C before `work` has taken the interrupt over cuts it off: nothing
/// was changed until then.
///
/// # Errors
/// Those of `work`.
pub(in crate::cli) fn on_engines<T>(work: impl AsyncFnOnce(&Interrupt) -> Result<T>) -> Result<T> {
    allow_open_files();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Problem::failed("cannot wait for Engines").because(&error))?;
    let result = runtime.block_on(async {
        let interrupt = Interrupt::new();
        signal::listen(&interrupt)?;
        work(&interrupt).await
    });
    // A question without an answer would be waited for otherwise.
    runtime.shutdown_background();
    result
}

/// Each Engine is a few open files, and a fleet of them more than the 1,024 that a shell allows for the sake of
/// `select(2)`, which nothing here calls.
fn allow_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    const MOST: u64 = 1 << 16;
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(MOST, |maximum| maximum.min(MOST));
    if limit.current.is_some_and(|current| current < wanted) {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum });
    }
}
