//! The generated keys of embedded mode, kept in `keys.yaml`.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The file's name in the data folder.
pub const KEYS_FILE: &str = "keys.yaml";

/// The keys as they are on disk: a part of a configuration file.
pub(super) struct Kept {
    pub path: PathBuf,
    pub text: String,
    /// Whether other users may read the file.
    pub exposed: bool,
}

/// What could not be done, and with which file.
pub(super) struct Failure {
    pub path: PathBuf,
    pub reason: io::Error,
}

/// The keys in `data_dir`, made now when there are none yet.
pub(super) fn load_or_create(data_dir: &Path) -> Result<Kept, Failure> {
    let path = data_dir.join(KEYS_FILE);
    let kept = match read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            create(data_dir, &path).and_then(|()| read(&path))
        }
        other => other,
    };
    match kept {
        Ok((text, exposed)) => Ok(Kept { path, text, exposed }),
        Err(reason) => Err(Failure { path, reason }),
    }
}

fn read(path: &Path) -> io::Result<(String, bool)> {
    let exposed = fs::metadata(path)?.permissions().mode() & 0o077 != 0;
    Ok((fs::read_to_string(path)?, exposed))
}

/// Writes a complete file beside `path` and links it there: whoever reads `path` sees all of it or
/// nothing, and of two first starts at once both use the keys of one.
fn create(data_dir: &Path, path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(data_dir)?;
    let draft = data_dir.join(format!(".{KEYS_FILE}.{:016x}", rand::random::<u64>()));
    let linked = write(&draft, &generate()).and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => removed?,
    }
    File::open(data_dir)?.sync_all()
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn generate() -> String {
    format!(
        "# Made on the first start of embedded mode. Keep it secret; without it, issued tokens and URLs end.\n\
         auth:\n  jwt_key: {}\n  server:\n    access_key: {}\n    secret_key: {}\n\
         pili:\n  publish_key: {}\n",
        random::<32>(),
        random::<15>(),
        random::<30>(),
        random::<30>(),
    )
}

/// `BYTES` random bytes as URL-safe text, never beginning with a character that YAML would take for its own.
fn random<const BYTES: usize>() -> String {
    format!("k{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; BYTES]>()))
}
