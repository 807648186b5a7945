//! Children that die with this process, however it ends.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::LazyLock;
use std::sync::mpsc::{Sender, channel, sync_channel};
use std::thread;

type Job = Box<dyn FnOnce() + Send>;

/// The kernel kills a child when the *thread* that made it ends, so that all are made by one which never does.
static SPAWNER: LazyLock<Sender<Job>> = LazyLock::new(|| {
    let (sender, jobs) = channel::<Job>();
    thread::spawn(move || jobs.into_iter().for_each(|job| job()));
    sender
});

/// A command for `program` whose process is killed when this one ends, and that has a process group of its own, so
/// that a Ctrl-C in the terminal is not for it.
pub fn tethered(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program).process_group(0);
    command
}

/// Starts it, and gives the command back to be started again.
///
/// # Errors
/// As [`Command::spawn`].
pub fn spawn(mut command: Command) -> (Command, io::Result<Child>) {
    let (answer, answered) = sync_channel(1);
    let job = move || {
        let child = command.spawn();
        // Whoever asked waits below.
        let _ = answer.send((command, child));
    };
    match SPAWNER.send(Box::new(job)).ok().and_then(|()| answered.recv().ok()) {
        Some(spawned) => spawned,
        None => (Command::new("false"), Err(io::Error::other("the spawning thread is gone"))),
    }
}
