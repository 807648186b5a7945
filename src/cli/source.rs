//! Where the configuration comes from, the same for all commands.

use std::path::{Path, PathBuf};

use crate::config::{Config, Loaded, Problems, Sources};

/// The data folder of embedded mode, unless `LIVELOOM__NODE__DATA_DIR` names another.
const DATA_DIR: &str = "./data";

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
    pub fn load(&self) -> Result<Config, Problems> {
        Ok(self.load_with_warnings()?.config)
    }

    /// As [`Source::load`], with the warnings.
    ///
    /// # Errors
    /// All mistakes, a line each.
    pub fn load_with_warnings(&self) -> Result<Loaded, Problems> {
        let loaded = match &self.config {
            Some(file) => Config::load(&Sources::new(file, self.extra.clone()))?,
            None => Config::embedded_here(Path::new(DATA_DIR))?,
        };
        for warning in &loaded.warnings {
            eprintln!("warning: {warning}");
        }
        Ok(loaded)
    }
}
