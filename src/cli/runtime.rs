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
