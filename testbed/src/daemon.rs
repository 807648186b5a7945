//! A server process: started and waited for, frozen, killed, and started again on the same port.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::time::{Instant, sleep};

use crate::probe::Probe;
use crate::spawner;

/// How long a process may take to be ready, on a busy machine with a debug build.
const START_LIMIT: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(10);
/// How much of a log an error shows.
const TAIL_LINES: usize = 15;

/// A process of the bed. All methods take `&self`, so that several tasks can hold it. Killed when dropped, and when
/// this process ends in whatever way.
#[derive(Debug)]
pub struct Daemon {
    name: String,
    log: PathBuf,
    probe: Probe,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// None only while it is being started.
    command: Option<Command>,
    child: Option<Child>,
    /// How long the log was when the process was last started.
    log_offset: u64,
}

/// Somebody else listens on the port that the process was given.
#[derive(Debug)]
pub struct PortTaken(String);

impl PortTaken {
    /// The port of the server of that name.
    pub fn of(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl std::fmt::Display for PortTaken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the port of {} is taken", self.0)
    }
}

impl std::error::Error for PortTaken {}

impl Daemon {
    /// One that is not running yet. `command` comes from [`crate::tethered`], `log` gets what it prints, `probe` says
    /// when it is ready.
    pub fn new(name: impl Into<String>, command: Command, log: impl Into<PathBuf>, probe: Probe) -> Self {
        let state = Mutex::new(State { command: Some(command), child: None, log_offset: 0 });
        Self { name: name.into(), log: log.into(), probe, state }
    }

    /// What it is called, such as `node-2` or `redis-5`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file with what it prints, of all its starts.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Starts it, again too, and waits until it is ready.
    ///
    /// # Errors
    /// When it runs already, ends, or is not ready in time; with the end of its log.
    pub async fn start(&self) -> Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        self.spawn()?;
        let mut attempts = 1;
        while !self.is_ready().await {
            match self.check() {
                // A look for a free port elsewhere takes this one for a moment.
                Err(error) if error.is::<PortTaken>() && attempts < 5 => {
                    attempts += 1;
                    sleep(Duration::from_millis(100)).await;
                    self.spawn()?;
                }
                Err(error) => return Err(error),
                Ok(()) if Instant::now() > deadline => {
                    bail!("{} is not ready after {START_LIMIT:?}:\n{}", self.name, self.tail())
                }
                Ok(()) => sleep(PAUSE).await,
            }
        }
        Ok(())
    }

    /// Starts it and does not wait.
    ///
    /// # Errors
    /// When it runs already, or the program cannot be run.
    pub fn spawn(&self) -> Result<()> {
        let mut state = self.state();
        if state.child.is_some() {
            bail!("{} runs already", self.name);
        }
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.with_context(|| format!("open {}", self.log.display()))?;
        state.log_offset = log.metadata()?.len();
        let mut command = state.command.take().context("it is being started")?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let (command, child) = spawner::spawn(command);
        state.command = Some(command);
        state.child = Some(child.with_context(|| format!("start {}: is setpriv installed?", self.name))?);
        Ok(())
    }

    /// Whether it runs and answers as it should.
    pub async fn is_ready(&self) -> bool {
        self.probe.answers().await && self.pid().is_some()
    }

    /// Its process id while it runs.
    pub fn pid(&self) -> Option<u32> {
        let mut state = self.state();
        match state.child.as_mut().map(Child::try_wait) {
            Some(Ok(None)) => state.child.as_ref().map(Child::id),
            _ => None,
        }
    }

    /// Takes notice of its end.
    ///
    /// # Errors
    /// When it has ended by itself, with the end of its log; [`PortTaken`] when that is why.
    pub fn check(&self) -> Result<()> {
        let mut state = self.state();
        let Some(status) = state.child.as_mut().map(Child::try_wait).transpose()?.flatten() else {
            return Ok(());
        };
        state.child = None;
        drop(state);
        let tail = self.tail();
        let error = anyhow!("{} ended: {status}\n{tail}", self.name);
        let is_taken = tail.to_ascii_lowercase().contains("address already in use");
        if is_taken { Err(error.context(PortTaken::of(&self.name))) } else { Err(error) }
    }

    /// Kills it with all of its group, with SIGKILL; nothing when it does not run.
    pub fn kill(&self) {
        if let Some(mut child) = self.state().child.take() {
            if let Ok(pid) = pid_of(&child) {
                // Either may be gone already.
                let _ = kill_process_group(pid, Signal::KILL);
            }
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Asks it to end, with SIGTERM, and waits for that.
    ///
    /// # Errors
    /// When it does not run, or not end within `limit`.
    pub async fn terminate(&self, limit: Duration) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        self.ended(limit).await
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// When it does not run, or not end within `limit`.
    pub async fn ended(&self, limit: Duration) -> Result<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.try_ended()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                bail!("{} does not end within {limit:?}:\n{}", self.name, self.tail());
            }
            sleep(PAUSE).await;
        }
    }

    fn try_ended(&self) -> Result<Option<ExitStatus>> {
        let mut state = self.state();
        let child = state.child.as_mut().with_context(|| format!("{} does not run", self.name))?;
        let status = child.try_wait()?;
        if status.is_some() {
            state.child = None;
        }
        Ok(status)
    }

    /// Stops the process where it is, with SIGSTOP: connections stay open, and nothing is answered.
    ///
    /// # Errors
    /// When it does not run.
    pub fn freeze(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets a frozen process go on.
    ///
    /// # Errors
    /// When it does not run.
    pub fn thaw(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    /// Asks it to read its configuration again, with SIGHUP.
    ///
    /// # Errors
    /// When it does not run.
    pub fn reload(&self) -> Result<()> {
        self.signal(Signal::HUP)
    }

    /// What it printed since its last start, the last lines.
    pub fn tail(&self) -> String {
        let offset = self.state().log_offset;
        let mut text = Vec::new();
        // Without its log there is nothing to show.
        let _ = File::open(&self.log).and_then(|mut file| {
            file.seek(SeekFrom::Start(offset))?;
            file.read_to_end(&mut text)
        });
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(TAIL_LINES)..).unwrap_or_default().join("\n")
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let state = self.state();
        let child = state.child.as_ref().with_context(|| format!("{} does not run", self.name))?;
        kill_process(pid_of(child)?, signal).with_context(|| format!("signal {}", self.name))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

fn pid_of(child: &Child) -> Result<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("a process id")
}
