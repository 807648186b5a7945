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

impl Source {
    /// Loads the configuration; its warnings go to standard error.
    ///
    /// # Errors
    /// All mistakes, a line each.
    pub fn load(&self) -> anyhow::Result<crate::config::Config> {
        anyhow::bail!("stub")
    }
}
