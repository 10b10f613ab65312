//! Which hosts a command is for.

/// Which hosts.
#[derive(clap::Args, Clone, Debug, Default)]
pub(in crate::cli) struct Selection {
    /// Only hosts whose name matches; may be given several times
    #[arg(long, value_name = "GLOB")]
    pub host: Vec<String>,
}
