//! Programs that pillarbox starts: credential helpers, ssh, git, and itself as the child that runs Starlark.
//! Each gets a fixed folder, an environment that is listed, a process group of its own, and, where its output
//! is read, bounded space and time. Blocking, with threads and without an async runtime, so that both binaries
//! use it.
//!
//! An editor is the exception: it is the operator's own and runs as they would start it.

mod child;
mod environment;
mod lookup;

pub use child::{Child, End, Limits, Output, Stopper};
pub use environment::Inherited;
pub use lookup::{find, find_in};

use std::path::Path;
use std::process::Command;

/// A command that runs a program in the root folder, so that nothing it names leads into a workspace, with the
/// listed variables alone, and in a process group of its own: Ctrl-C at the terminal is for us.
pub fn command(program: &Path, inherited: Inherited) -> Command {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new(program);
    command.env_clear().envs(environment::listed(inherited)).current_dir("/").process_group(0);
    command
}
