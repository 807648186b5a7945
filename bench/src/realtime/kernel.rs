//! What the kernel knows: limits of open files, memory of sockets, what it could not send.

use std::fs;

use anyhow::{Context, Result};
use rustix::param::page_size;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Open files of a server that are no connections of the generator: its databases, its log, its own sockets.
const OWN_FILES: u64 = 256;

/// Raises the limit of open files as far as this process may; those that it starts inherit it. The answer is how
/// many connections one process can hold.
pub fn raise_open_files() -> Result<usize> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
        .context("raise the limit of open files")?;
    Ok(maximum
        .map_or(usize::MAX, |most| usize::try_from(most.saturating_sub(OWN_FILES)).unwrap_or(usize::MAX)))
}

/// Memory of the kernel, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Buffers of all TCP sockets.
    pub buffers: u64,
    /// Slab that cannot be reclaimed: the records of sockets, files and polls are in it.
    pub records: u64,
}

impl Memory {
    /// What it is now, of the whole machine.
    pub fn now() -> Result<Self> {
        let sockets = fs::read_to_string("/proc/net/sockstat").context("read /proc/net/sockstat")?;
        let memory = fs::read_to_string("/proc/meminfo").context("read /proc/meminfo")?;
        let pages = socket_pages(&sockets).context("/proc/net/sockstat has an unknown form")?;
        let records = slab(&memory).context("/proc/meminfo has an unknown form")?;
        Ok(Self { buffers: pages * u64::try_from(page_size())?, records })
    }
}

fn socket_pages(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("TCP:"))?;
    let mut words = line.split_ascii_whitespace().skip_while(|word| *word != "mem");
    words.nth(1)?.parse().ok()
}

fn slab(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("SUnreclaim:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024)
}

/// For each socket of the loopback interface that was accepted on `port`: what was written and not acknowledged.
pub fn unsent(port: u16) -> Result<Vec<u64>> {
    let text = fs::read_to_string("/proc/net/tcp").context("read /proc/net/tcp")?;
    Ok(text.lines().skip(1).filter_map(|line| queue(line, port)).collect())
}

/// Columns: number, local address, remote address, state (01: established), `tx_queue:rx_queue`; all hexadecimal.
fn queue(line: &str, port: u16) -> Option<u64> {
    let mut columns = line.split_ascii_whitespace().skip(1);
    let (_, local) = columns.next()?.rsplit_once(':')?;
    let (_, state) = (columns.next()?, columns.next()?);
    let (unsent, _) = columns.next()?.split_once(':')?;
    let is_ours = u16::from_str_radix(local, 16) == Ok(port) && state == "01";
    is_ours.then(|| u64::from_str_radix(unsent, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_memory_of_sockets() {
        let text = "sockets: used 15\nTCP: inuse 1 orphan 0 tw 0 alloc 1 mem 388\nUDP: inuse 0 mem 7\n";
        assert_eq!(socket_pages(text), Some(388));
        assert_eq!(slab("Slab: 9 kB\nSUnreclaim:      2 kB\n"), Some(2048));
    }

    #[test]
    fn reads_what_a_socket_of_the_port_could_not_send() {
        let line = "   1: 0100007F:1F90 0200007F:D431 01 00000A00:00000000 01:00000014 00000000 0 0 123";
        assert_eq!(queue(line, 8080), Some(2560));
        assert_eq!(queue(line, 8081), None);
        assert_eq!(queue(&line.replace(" 01 ", " 06 "), 8080), None);
    }
}
