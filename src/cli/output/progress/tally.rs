//! One bar on a terminal for work on many things of a kind: how many are done. Nothing elsewhere.

use super::Level;
use super::bars::style;
use crate::session;
use indicatif::ProgressBar;

/// Fewer than this are done before a bar could be read.
const FEW: usize = 200;

/// A bar that goes when it is dropped.
pub(in crate::cli) struct Tally(Option<ProgressBar>);

impl Tally {
    /// Of `total` things; `what` is said of them: "values sealed again". `terminal`: it can be drawn on
    /// standard error.
    pub(in crate::cli) fn new(what: &'static str, total: usize, level: Level, terminal: bool) -> Self {
        let drawn = terminal && level > Level::Quiet && total >= FEW;
        Self(drawn.then(|| {
            let bar = ProgressBar::new(u64::try_from(total).unwrap_or(u64::MAX));
            bar.with_style(style("  [{bar:24}] {pos} of {len} {msg} {elapsed}")).with_message(what)
        }))
    }
}

impl session::Tally for Tally {
    fn one_done(&self) {
        if let Some(bar) = &self.0 {
            bar.inc(1);
        }
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
