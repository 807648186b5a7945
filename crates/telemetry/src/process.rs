//! What the process uses.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus::proto::MetricFamily;
use rustix::time::{ClockId, clock_gettime};

/// When the process began to count.
static STARTED: LazyLock<SystemTime> = LazyLock::new(SystemTime::now);

/// What the process uses, as far as the system tells.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Start of the process, Unix seconds.
    pub started_at: u64,
    /// CPU time.
    pub cpu_seconds: f64,
    /// Resident memory.
    pub memory_bytes: u64,
}

/// Remembers the start.
pub(super) fn begin() {
    LazyLock::force(&STARTED);
}

/// The metrics of the process (memory, CPU, open files, start time). Not for every second: the open
/// files are counted one by one.
#[must_use]
pub fn metrics() -> Vec<MetricFamily> {
    #[cfg(target_os = "linux")]
    {
        use prometheus::core::Collector;
        use prometheus::process_collector::ProcessCollector;
        static COLLECTOR: LazyLock<ProcessCollector> = LazyLock::new(ProcessCollector::for_self);
        COLLECTOR.collect()
    }
    #[cfg(not(target_os = "linux"))]
    Vec::new()
}

/// What the process uses now; costs little however many files are open.
#[must_use]
pub fn usage() -> Usage {
    // The metric has whole seconds, too few to draw a rate from.
    let cpu = Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default();
    Usage {
        started_at: STARTED.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
        cpu_seconds: cpu.as_secs_f64(),
        memory_bytes: resident_bytes().unwrap_or_default(),
    }
}

/// From `VmRSS:  123 kB` (`proc_pid_status(5)`).
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
