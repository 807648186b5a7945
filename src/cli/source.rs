//! Where the configuration comes from, the same for all commands.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use config::{Config, KEYS_FILE, Loaded, Problems, Sources};

/// The data folder of embedded mode, unless `LIVELOOM__NODE__DATA_DIR` names another.
const DATA_DIR: &str = "./data";

/// Names another one.
const DATA_DIR_VARIABLE: &str = "LIVELOOM__NODE__DATA_DIR";

/// The files of the configuration.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Source {
    /// Configuration file. Without one: embedded mode (SQLite, in-process cache, built-in IM), whose data is in
    /// ./data or where LIVELOOM__NODE__DATA_DIR says.
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
            return Ok(data_dir());
        }
        let config = self.load()?;
        ensure!(
            config.mysql.databases.is_empty(),
            "the database is a MySQL (mysql.databases): copy it with mysqldump, see Back-up in docs/operations.md"
        );
        Ok(config.node.data_dir)
    }

    /// Loads the configuration of a server that is there: without a file nothing is made in the data folder. Its
    /// warnings go to standard error, but for those of weak secrets, which are for whoever starts the server.
    ///
    /// # Errors
    /// All mistakes, a line each; or there is no such data.
    pub fn load(&self) -> anyhow::Result<Config> {
        if self.config.is_none() {
            ensure_kept(&data_dir())?;
        }
        Ok(self.load_with_warnings()?.config)
    }

    /// As [`Source::load`], with the warnings; a first start of embedded mode makes its data folder.
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
        // Of weak secrets the log of the server tells.
        for warning in loaded.warnings.iter().filter(|warning| !warning.is_weak_secret()) {
            eprintln!("warning: {warning}");
        }
        Ok(loaded)
    }
}

/// The folder of embedded mode.
fn data_dir() -> PathBuf {
    let named = std::env::var_os(DATA_DIR_VARIABLE).filter(|named| !named.is_empty());
    named.map_or_else(|| DATA_DIR.into(), PathBuf::from)
}

/// Without its keys a command would make others, which no server knows.
fn ensure_kept(folder: &Path) -> anyhow::Result<()> {
    ensure!(
        folder.join(KEYS_FILE).is_file(),
        "there is no server's data in {}: name its configuration by --config",
        folder.display()
    );
    Ok(())
}

/// Says into the log, where it cannot be missed, which secrets protect nothing.
pub(super) fn tell_of_weak_secrets(loaded: &Loaded) {
    for warning in loaded.warnings.iter().filter(|warning| warning.is_weak_secret()) {
        tracing::error!(%warning, "a secret is known or can be guessed: change it");
    }
}
