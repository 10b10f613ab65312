//! Plans as people read them: what is there, what is wanted, which steps follow.

mod adopting;
mod data;
mod held;
mod images;
mod kept;
mod leftovers;
mod linear;
mod no_update;
mod one_offs;
mod operate;
mod owners;
mod preflight;
mod refusals;
mod renamed;
mod replacing;
mod resources;
mod sharing;
mod shown;
pub(crate) mod start_first;
mod things;
mod watching;
