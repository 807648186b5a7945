//! Where the configuration comes from, the same for all commands.

use std::path::{Path, PathBuf};

use config::{Config, Loaded, Problems, Sources};

/// The data folder of embedded mode, unless `LIVELOOM__NODE__DATA_DIR` names another.
const DATA_DIR: &str = "./data";

/// Names another one.
const DATA_DIR_VARIABLE: &str = "LIVELOOM__NODE__DATA_DIR";

/// The files of the configuration.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Source {
    /// Configuration file. Without one: embedded mode (SQLite, in-process cache, built-in IM).
    #[arg(short = 'f', long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Second configuration file, merged over the first.
    #[arg(short = 'e', long, value_name = "FILE", requires = "config")]
    pub extra: Option<PathBuf>,
    /// Address to listen at, of the one command that listens.
    #[arg(skip)]
    pub addr: Option<String>,
}

impl Source {
    /// The data folder of embedded mode; nothing is made there.
    ///
    /// # Errors
    /// The mistakes of the configuration; or it names a MySQL.
    pub fn embedded_data_dir(&self) -> anyhow::Result<PathBuf> {
        if self.config.is_none() {
            let named = std::env::var_os(DATA_DIR_VARIABLE).filter(|named| !named.is_empty());
            return Ok(named.map_or_else(|| DATA_DIR.into(), PathBuf::from));
        }
        let config = self.load()?;
        anyhow::ensure!(
            config.mysql.databases.is_empty(),
            "the database is a MySQL (mysql.databases): copy it with mysqldump, see Back-up in docs/operations.md"
        );
        Ok(config.node.data_dir)
    }

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
            Some(file) => {
                Config::load(&Sources::new(file, self.extra.clone()).listening_at(self.addr.as_deref()))?
            }
            None => Config::embedded_here(Path::new(DATA_DIR), self.addr.as_deref())?,
        };
        for warning in &loaded.warnings {
            eprintln!("warning: {warning}");
        }
        Ok(loaded)
    }
}

/// Says into the log, where it cannot be missed, which secrets protect nothing.
pub(super) fn tell_of_weak_secrets(loaded: &Loaded) {
    for warning in loaded.warnings.iter().filter(|warning| warning.is_weak_secret()) {
        tracing::error!(%warning, "a secret is known or can be guessed: change it");
    }
}
