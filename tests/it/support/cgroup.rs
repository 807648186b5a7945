//! A bound for the memory of a process.

use std::fs;
use std::path::{Path, PathBuf};

/// A cgroup of one process, which counts what the kernel holds for it as well, such as the buffers of sockets, and
/// lets the process be killed rather than the machine be swamped.
pub struct Cgroup {
    folder: PathBuf,
    peak_file: &'static str,
}

impl Cgroup {
    /// Puts a process into one that may take `limit` bytes; None where none can be made.
    pub fn around(pid: u32, limit: u64) -> Option<Self> {
        let own = fs::read_to_string("/proc/self/cgroup").ok()?;
        let (parent, limit_file, peak_file) = own.lines().find_map(hierarchy)?;
        let folder = parent.join(format!("liveloom-test-{pid}"));
        fs::create_dir(&folder).ok()?;
        let cgroup = Self { folder, peak_file };
        cgroup.put(limit_file, limit)?;
        cgroup.put("cgroup.procs", pid.into())?;
        Some(cgroup)
    }

    /// The most that it has taken, in bytes.
    pub fn peak(&self) -> Option<u64> {
        fs::read_to_string(self.folder.join(self.peak_file)).ok()?.trim().parse().ok()
    }

    fn put(&self, file: &str, value: u64) -> Option<()> {
        fs::write(self.folder.join(file), value.to_string()).ok()
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // It stays while somebody is in it.
        let _ = fs::remove_dir(&self.folder);
    }
}

/// The folder of this process's cgroup that bounds memory, and the names of its files, from a line of
/// `/proc/self/cgroup`: version 1 has a hierarchy for memory, version 2 one for everything.
fn hierarchy(line: &str) -> Option<(PathBuf, &'static str, &'static str)> {
    let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
    let root = Path::new("/sys/fs/cgroup");
    let (root, limit, peak) = match controllers {
        "memory" => (root.join("memory"), "memory.limit_in_bytes", "memory.max_usage_in_bytes"),
        "" if root.join("cgroup.controllers").exists() => (root.to_owned(), "memory.max", "memory.peak"),
        _ => return None,
    };
    // In a container the mount may begin at its own group.
    let own = root.join(path.trim_start_matches('/'));
    Some((if own.is_dir() { own } else { root }, limit, peak))
}
