//! Where a bed keeps its data, settings and logs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// A folder that is removed with this value, or stays.
#[derive(Debug)]
pub enum Folder {
    /// A temporary one.
    Removed(TempDir),
    /// Left behind.
    Kept(PathBuf),
}

impl Folder {
    /// A temporary one, its name begins with `prefix`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn temporary(prefix: &str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix(prefix).tempdir().context("make a temporary folder")?;
        Ok(Self::Removed(folder))
    }

    /// One that stays. It must be empty or not exist yet.
    ///
    /// # Errors
    /// When it cannot be made, or has something in it.
    pub fn at(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).with_context(|| format!("make {}", path.display()))?;
        if fs::read_dir(path)?.next().is_some() {
            bail!("{} is not empty", path.display());
        }
        Ok(Self::Kept(fs::canonicalize(path)?))
    }

    /// Leaves a temporary one behind.
    #[must_use]
    pub fn keep(self) -> Self {
        match self {
            Self::Removed(folder) => Self::Kept(folder.keep()),
            kept @ Self::Kept(_) => kept,
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        match self {
            Self::Removed(folder) => folder.path(),
            Self::Kept(folder) => folder,
        }
    }
}
