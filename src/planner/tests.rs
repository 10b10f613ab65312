//! Plans as people read them: what is there, what is wanted, which steps follow.

mod kept;
mod leftovers;
mod refusals;
mod replacing;
mod sharing;
pub(crate) mod start_first;
mod things;
