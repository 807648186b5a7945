//! Where the configuration comes from, the same for all commands.

use std::path::PathBuf;

/// The files of the configuration.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Source {
    /// Configuration file. Without one: embedded mode (SQLite, in-process cache, built-in IM).
    #[arg(short = 'f', long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Second configuration file, merged over the first.
    #[arg(short = 'e', long, value_name = "FILE", requires = "config")]
    pub extra: Option<PathBuf>,
}
