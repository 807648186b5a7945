//! A process that the benchmark started and stops.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::{Child, Command};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

/// A child process; killed when dropped.
#[derive(Debug)]
pub struct Process {
    name: &'static str,
    child: Child,
    /// Its process id.
    pub pid: u32,
}

impl Process {
    /// Starts `program`, with what it prints in `log`.
    pub fn start(name: &'static str, mut program: Command, log: &Path) -> Result<Self> {
        let log = File::create(log).with_context(|| format!("create {}", log.display()))?;
        program.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
        let child = program.spawn().with_context(|| format!("start {name} (is it installed?)"))?;
        let pid = child.id().with_context(|| format!("{name} ended at once"))?;
        Ok(Self { name, child, pid })
    }

    /// An error when the process has ended.
    pub fn check(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) => bail!("{} ended: {status}", self.name),
            None => Ok(()),
        }
    }

    /// Asks the process to end (SIGTERM) and waits for it.
    pub async fn stop(mut self) -> Result<()> {
        let asked = Command::new("sh").arg("-c").arg(format!("kill -TERM {}", self.pid)).status().await?;
        if !asked.success() {
            bail!("{} ended before it was asked to", self.name);
        }
        let ended = timeout(PATIENCE, self.child.wait()).await;
        ended.with_context(|| format!("{} does not end on SIGTERM", self.name))??;
        Ok(())
    }
}
