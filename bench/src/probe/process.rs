//! CPU time and memory of a process, from `/proc`.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// Length of a clock tick in `/proc/<pid>/stat`: user space sees 100 per second on every Linux that we run on.
const TICK: Duration = Duration::from_millis(10);

/// utime + stime of a process and its threads.
pub fn cpu(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("read the CPU time of a process")?;
    let ticks = parse_ticks(&stat).context("/proc/<pid>/stat has an unknown form")?;
    Ok(TICK.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX)))
}

/// Resident memory in bytes (VmRSS).
pub fn resident(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("read the memory of a process")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024)
}

/// The sum of fields 14 and 15. The command in field 2 may hold spaces and parentheses: count from its end.
fn parse_ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::parse_ticks;

    #[test]
    fn reads_behind_a_command_with_parentheses() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 1200 34 0 0 20 0 1";
        assert_eq!(parse_ticks(stat), Some(1234));
    }
}
