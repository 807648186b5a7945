//! What a process has in memory, as Linux tells it.

use std::fs;

/// In bytes.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Now.
    pub resident: usize,
    /// The most that it ever was.
    pub peak: usize,
}

/// The memory of a process.
pub fn memory_of(pid: u32) -> Memory {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process is there");
    let bytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect(name);
        let kib: usize = line.trim().strip_suffix(" kB").expect("kB").parse().unwrap();
        kib * 1024
    };
    Memory { resident: bytes("VmRSS:"), peak: bytes("VmHWM:") }
}
