//! Who holds a registration: one process, told apart from every other one that ever was.

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};

/// A process, as `<hostname>/<boot id>/<pid namespace>/<pid>/<start time>/<count>`.
///
/// With the first three the same, another process sees the same processes (Linux, `proc(5)`), and so
/// can tell whether this one still lives. The count tells registrations of one process apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner(String);

/// Stands for a part that the system does not tell.
const UNKNOWN: &str = "-";

impl Owner {
    /// This process. No two calls answer the same.
    pub(super) fn of_this_process() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let pid = std::process::id();
        // Without a start time, chance has to tell processes with the same pid apart.
        let started = start_time(pid).unwrap_or_else(|| format!("r{:016x}", rand::random::<u64>()));
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(format!("{}/{pid}/{started}/{count}", machine()))
    }

    /// As a row of the registry has it.
    pub(super) fn stored(text: String) -> Self {
        Self(text)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of its host.
    pub(super) fn host(&self) -> &str {
        self.0.split('/').next().unwrap_or(UNKNOWN)
    }

    /// Its process id, as text.
    pub(super) fn pid(&self) -> &str {
        self.0.split('/').nth(3).unwrap_or(UNKNOWN)
    }

    /// Whether it is certain that the process has ended: it ran here and is not there any more.
    pub(super) fn has_ended(&self) -> bool {
        let here = machine();
        let Some(process) = self.0.strip_prefix(&here).and_then(|rest| rest.strip_prefix('/')) else {
            return false;
        };
        let mut parts = process.split('/');
        let (Some(Ok(pid)), Some(started)) = (parts.next().map(str::parse::<u32>), parts.next()) else {
            return false;
        };
        // Where /proc hides the processes of others, a process that is not seen may well live; the
        // first one always does.
        !here.contains(&format!("/{UNKNOWN}")) && start_time(1).is_some() && ended(pid, started)
    }
}

/// `<hostname>/<boot id>/<pid namespace>`.
fn machine() -> String {
    let read = |path| fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    let host = read("/proc/sys/kernel/hostname").or_else(|| std::env::var("HOSTNAME").ok());
    let boot = read("/proc/sys/kernel/random/boot_id");
    let namespace = fs::read_link("/proc/self/ns/pid").ok().map(|link| link.display().to_string());
    // A slash would shift the parts.
    let [host, boot, namespace] = [host, boot, namespace].map(|part| {
        part.filter(|text| !text.is_empty() && !text.contains('/')).unwrap_or_else(|| UNKNOWN.into())
    });
    format!("{host}/{boot}/{namespace}")
}

/// Whether there is no process `pid` that began at `started`, or only its remains.
fn ended(pid: u32, started: &str) -> bool {
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => match after_name(&stat) {
            Some(fields) => {
                let mut fields = fields.split_ascii_whitespace();
                let is_dead = matches!(fields.next(), Some("Z" | "X" | "x"));
                is_dead || fields.nth(START_TIME - 1).is_some_and(|time| time != started)
            }
            None => false,
        },
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// Place of the start time in `/proc/<pid>/stat`, counted from the state (fields 22 and 3).
const START_TIME: usize = 19;

fn start_time(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    after_name(&stat)?.split_ascii_whitespace().nth(START_TIME).map(str::to_owned)
}

/// The fields behind the program's name, which is in brackets and may hold anything.
fn after_name(stat: &str) -> Option<&str> {
    stat.rsplit_once(')').map(|(_, fields)| fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_each_registration_is_another() {
        let (one, two) = (Owner::of_this_process(), Owner::of_this_process());
        assert_ne!(one, two);
        assert!(!one.has_ended());
        assert!(one.as_str().len() <= 255);
        assert_eq!(one.pid(), std::process::id().to_string());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_that_began_at_another_time_has_ended() {
        let own = Owner::of_this_process();
        let mut parts: Vec<_> = own.as_str().split('/').collect();
        parts[4] = "1";
        assert!(Owner::stored(parts.join("/")).has_ended());
    }

    #[test]
    fn nothing_is_said_about_processes_elsewhere() {
        let own = Owner::of_this_process();
        for place in 0..3 {
            let mut parts: Vec<_> = own.as_str().split('/').collect();
            parts[place] = "elsewhere";
            parts[4] = "1";
            assert!(!Owner::stored(parts.join("/")).has_ended());
        }
        assert!(!Owner::stored("nonsense".into()).has_ended());
        assert!(!Owner::stored(String::new()).has_ended());
    }
}
