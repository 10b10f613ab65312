//! What Salt renders, as files of a workspace: states, pillar values and hosts.
//!
//! Salt renders itself (`state.show_highstate`, `state.show_sls`, `pillar.items`, `grains.items`), so that Jinja,
//! `include`, `extend` and top files are done before anything is read here. What its names mean is in `salt`.

mod answers;
mod files;
mod host_files;
mod hosts;
mod merge;
mod pillar;
mod rendered;
mod requisites;
mod secrets;
mod sls;
mod sort;
mod write;

pub use answers::answers;
pub use files::{Content, Finds};
pub use hosts::{Grains, grains};
pub use merge::{Group, Placed, file_of, placed};
pub use pillar::{LeafValue, PillarLeaf, Share, is_registries, leaves, pillar_file, shares};
pub use rendered::{Minion, RenderedState, rendered};
pub use secrets::{Secrets, looks_secret};
pub use sls::sls;
pub use sort::{Imported, LeftOut, Sorted, sorted};
pub use write::{GivenFiles, file, state};

#[cfg(test)]
mod tests;
