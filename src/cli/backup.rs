//! `liveloom backup`: a consistent copy of embedded mode's data, made while the server runs.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, interval_at};

use super::serve::PASSWORD_FILE;
use super::source::Source;
use config::KEYS_FILE;
use store::db::{SQLITE_FILE, check_sqlite, copy_sqlite};

/// Copied when they are there. Without the keys all tokens and push URLs are void.
const BESIDE: [&str; 2] = [KEYS_FILE, PASSWORD_FILE];

/// How often a long copy tells how far it is.
const PROGRESS: Duration = Duration::from_secs(5);

const MIB: u64 = 1 << 20;

/// Options of `liveloom backup`.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    source: Source,
    /// The folder to make; one that is there must be empty.
    folder: PathBuf,
}

/// Writes the copy, checks it, and shows it under its name only then.
///
/// # Errors
/// When there is nothing to copy, the folder is taken, or a file cannot be read or written; nothing
/// is left behind then.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let data_dir = args.source.embedded_data_dir()?;
    let database = data_dir.join(SQLITE_FILE);
    anyhow::ensure!(
        database.is_file(),
        "there is no database at {}: name the server's configuration by --config",
        database.display()
    );
    refuse_taken(&args.folder)?;
    super::block_on(async {
        let draft = Draft::beside(&args.folder)?;
        let mut ended = signal(SignalKind::terminate())?;
        let written = tokio::select! {
            written = fill(&draft, &data_dir) => written?,
            _ = tokio::signal::ctrl_c() => bail!("interrupted"),
            _ = ended.recv() => bail!("interrupted"),
        };
        draft.publish(&args.folder)?;
        println!("{}: {}", args.folder.display(), written.join(", "));
        if let Some(config) = &args.source.config {
            println!("not in it: your configuration, {}", config.display());
        }
        Ok(())
    })
}

fn refuse_taken(folder: &Path) -> anyhow::Result<()> {
    match fs::read_dir(folder).map(|mut entries| entries.next().is_some()) {
        Ok(true) => bail!("{} is not empty: name a new folder", folder.display()),
        Ok(false) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| folder.display().to_string()),
    }
}

/// Writes all files; answers each name with its size.
async fn fill(draft: &Draft, data_dir: &Path) -> anyhow::Result<Vec<String>> {
    let mut written = Vec::new();
    let (from, to) = (data_dir.join(SQLITE_FILE), draft.path.join(SQLITE_FILE));
    // Made here, so that nobody else may ever read it.
    create_private(&to).with_context(|| to.display().to_string())?;
    copy_with_progress(&from, &to).await?;
    check_sqlite(&to).await?;
    File::open(&to)?.sync_all()?;
    written.push(named(SQLITE_FILE, fs::metadata(&to)?.len()));
    for name in BESIDE {
        let (from, to) = (data_dir.join(name), draft.path.join(name));
        match copy_small(&from, &to) {
            Ok(size) => written.push(named(name, size)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("cannot copy {}", from.display())),
        }
    }
    Ok(written)
}

async fn copy_with_progress(from: &Path, to: &Path) -> anyhow::Result<()> {
    let mut ticks = interval_at(Instant::now() + PROGRESS, PROGRESS);
    let copying = copy_sqlite(from, to);
    tokio::pin!(copying);
    loop {
        tokio::select! {
            copied = &mut copying => return Ok(copied?),
            _ = ticks.tick() => {
                let size = |path: &Path| fs::metadata(path).map_or(0, |file| file.len()) / MIB;
                eprintln!("{} MiB of at most {} MiB", size(to), size(from));
            }
        }
    }
}

fn copy_small(from: &Path, to: &Path) -> io::Result<u64> {
    let mut source = File::open(from)?;
    let mut copy = create_private(to)?;
    let size = io::copy(&mut source, &mut copy)?;
    copy.sync_all()?;
    Ok(size)
}

fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn named(name: &str, size: u64) -> String {
    if size < MIB { format!("{name} ({size} bytes)") } else { format!("{name} ({} MiB)", size / MIB) }
}

/// A folder that is not a back-up yet; it goes with this value unless it is published.
struct Draft {
    path: PathBuf,
}

impl Draft {
    fn beside(folder: &Path) -> anyhow::Result<Self> {
        let name = folder.file_name().with_context(|| format!("{}: name a new folder", folder.display()))?;
        let draft = format!(".{}.{:08x}.unfinished", name.to_string_lossy(), rand::random::<u32>());
        let path = folder.with_file_name(draft);
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.with_context(|| format!("cannot make a folder in {}", parent(folder).display()))?;
        Ok(Self { path })
    }

    /// Gives it its name, in place of an empty folder.
    fn publish(self, folder: &Path) -> anyhow::Result<()> {
        File::open(&self.path)?.sync_all()?;
        fs::rename(&self.path, folder).with_context(|| format!("cannot name it {}", folder.display()))?;
        File::open(parent(folder))?.sync_all()?;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Published, it is not there any more.
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn parent(folder: &Path) -> &Path {
    folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_lies_in_another_or_here() {
        let found = ["a/b", "b", "/b", "a/b/"].map(|folder| parent(Path::new(folder)));
        assert_eq!(found, ["a", ".", "/", "a"].map(Path::new));
    }

    #[test]
    fn sizes_are_told_in_bytes_or_mebibytes() {
        assert_eq!(named("a", 12), "a (12 bytes)");
        assert_eq!(named("a", 3 * MIB), "a (3 MiB)");
    }
}
