//! Files: the only module that touches them.
//!
//! A change of the workspace is all or nothing, however many files it has and wherever it is cut off
//! (see `journal`); one writer at a time holds the lock. Whatever is read from a workspace is a regular
//! file in it, of bounded size; symbolic links are refused, for a clone of a stranger's workspace must
//! be safe to look at. Personal files (identity, known file, stored plans) are 0600.

mod change;
mod disk;
mod fault;
mod journal;
mod listing;
mod lock;
mod path;
mod personal;
mod private;
mod process;
mod repository;
mod runs;
mod scratch;
mod search;
mod socket;
mod tree;
mod whose;
mod workspace;
mod writer;

#[cfg(test)]
mod tests;

pub use change::Change;
pub use personal::{Environment, PersonalPaths};
pub use private::{
    PrivateLock, changed_by_others, create_private, hold, read_identity, read_identity_if_there,
    read_key_file, read_private, read_secret, read_text, read_trusted, remove_private, update_private,
    write_alike, write_private, write_public,
};
pub use process::Process;
pub use repository::Repository;
pub use runs::{RunFile, is_being_written, prune_runs, run_files};
pub use scratch::Scratch;
pub use search::{Search, find};
pub use socket::stranger_of_socket;
pub use tree::files_below;
pub use whose::{is_below, owner_and_mode};
pub use workspace::Workspace;
pub use writer::Writer;
