//! How a loop of the generator gets its commands: from this process, or over pipes.

use std::io::{BufRead as _, Write as _};
use std::sync::{Arc, mpsc};
use std::thread;

use anyhow::Result;
use mio::Waker;

use super::Worker;
use crate::realtime::wire::Command;

/// Sends commands to a loop in this process.
#[derive(Clone)]
pub struct Control {
    commands: mpsc::Sender<Command>,
    waker: Arc<Waker>,
}

impl Control {
    /// Sends over `commands` and wakes the loop that takes them.
    pub fn new(commands: mpsc::Sender<Command>, waker: Arc<Waker>) -> Self {
        Self { commands, waker }
    }

    /// Sends one; false when the loop has ended.
    pub fn send(&self, command: Command) -> bool {
        self.commands.send(command).is_ok() && self.waker.wake().is_ok()
    }
}

/// Works as a process that reads commands from standard input and answers on standard output, until there are no
/// more.
pub fn serve() -> Result<()> {
    let (mut worker, control) = Worker::new()?;
    thread::spawn(move || {
        // Ends, and with it the loop, when the benchmark closes the pipe, however it ends.
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let Ok(command) = serde_json::from_str(&line) else { break };
            if !control.send(command) {
                break;
            }
        }
        // The loop looks for commands when woken, and finds that there will be none.
        let Control { commands, waker } = control;
        drop(commands);
        _ = waker.wake();
    });
    worker.run(|reply| {
        let mut output = std::io::stdout().lock();
        serde_json::to_writer(&mut output, &reply)?;
        output.write_all(b"\n")?;
        Ok(output.flush()?)
    })
}
