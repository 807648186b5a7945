//! The processes of the load generator.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use hdrhistogram::Histogram;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command as Program};
use tokio::time::sleep;

use super::clock::{nanos, now, until};
use super::figures::Delays;
use super::wire::{Command, Measured, Pace, Reply, Seat, Settled};
use super::worker::Flaws;
use crate::cli::WORKER;
use crate::figures::{quotient, real, round};
use crate::probe::process;

/// For commands to reach all processes.
const LEAD: Duration = Duration::from_millis(200);
/// How long what is on its way may take at the end.
const SETTLE: Duration = Duration::from_secs(20);

/// The running processes; dropping it kills them.
#[derive(Debug)]
pub struct Fleet {
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    child: Child,
    commands: ChildStdin,
    replies: Lines<BufReader<ChildStdout>>,
}

/// How long to publish, and how.
#[derive(Clone, Copy, Debug)]
pub struct Course {
    /// The pace of all processes together.
    pub pace: Pace,
    /// What is not counted.
    pub warm_up: Duration,
    /// What is.
    pub time: Duration,
}

/// What all processes have measured.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// The time that was counted.
    pub seconds: f64,
    /// What was counted, over all.
    pub measured: Measured,
    /// Times from publishing to delivery on the same node.
    pub near: Vec<(u64, u64)>,
    /// On other nodes.
    pub across: Vec<(u64, u64)>,
    /// What went wrong since the connections were opened.
    pub faults: Faults,
    /// CPU time of the generator's processes.
    pub generator: Duration,
}

/// What went wrong, over all processes.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// With the order of messages.
    pub flaws: Flaws,
    /// Connections that ended, by reason.
    pub ended: BTreeMap<String, u64>,
    /// Publications that were refused, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Publications without an answer.
    pub unanswered: u64,
    /// Announced gaps.
    pub announced: u64,
}

impl Fleet {
    /// Starts a process for each plan and opens its connections; the plans are written into `folder`.
    pub async fn open(folder: &Path, plans: Vec<Vec<Seat>>) -> Result<Self> {
        let mut fleet = Self { members: Vec::new() };
        let mut commands = Vec::new();
        for (number, seats) in plans.into_iter().enumerate() {
            let plan = folder.join(format!("plan-{number}.jsonl"));
            let lines: Result<Vec<String>, _> = seats.iter().map(serde_json::to_string).collect();
            fs::write(&plan, lines?.join("\n"))?;
            fleet.members.push(Member::start()?);
            commands.push(Command::Open { plan });
        }
        for reply in fleet.call(commands).await? {
            let Reply::Opened = reply else { bail!("a process of the generator is confused: {reply:?}") };
        }
        Ok(fleet)
    }

    /// Publishes and measures; `sample` is called when counting begins and when it ends.
    pub async fn measure<T>(
        &mut self,
        course: Course,
        mut sample: impl FnMut() -> Result<T>,
    ) -> Result<(Taken, [T; 2])> {
        let begin = now() + nanos(LEAD + course.warm_up);
        let end = begin + nanos(course.time);
        let pace = share(course.pace, self.members.len());
        self.tell(vec![Command::Measure { pace, begin, end }; self.members.len()]).await?;
        sleep(until(begin)).await;
        let (cpu, first) = (self.cpu()?, sample()?);
        sleep(until(end)).await;
        let (cpu, second) = (self.cpu()?.saturating_sub(cpu), sample()?);
        let mut taken = Taken { seconds: course.time.as_secs_f64(), generator: cpu, ..Taken::default() };
        for reply in self.hear().await? {
            let Reply::Measured(measured) = reply else { bail!("a process of the generator is confused") };
            taken.count(measured);
        }
        self.settle(&mut taken).await?;
        Ok((taken, [first, second]))
    }

    async fn settle(&mut self, taken: &mut Taken) -> Result<()> {
        let tops = taken.measured.tops.clone();
        let settle = Command::Settle { tops, within_ms: u64::try_from(SETTLE.as_millis())? };
        for reply in self.call(vec![settle; self.members.len()]).await? {
            let Reply::Settled(settled) = reply else { bail!("a process of the generator is confused") };
            taken.settle(settled);
        }
        Ok(())
    }

    /// Has the slow connections stop reading, or go on.
    pub async fn stall(&mut self, is_stalled: bool) -> Result<()> {
        self.call(vec![Command::Stall(is_stalled); self.members.len()]).await.map(drop)
    }

    /// Closes all connections.
    pub async fn close(self) -> Result<()> {
        for Member { mut child, commands, .. } in self.members {
            drop(commands);
            child.wait().await?;
        }
        Ok(())
    }

    fn cpu(&self) -> Result<Duration> {
        self.members
            .iter()
            .map(|member| process::cpu(member.child.id().context("a process has ended")?))
            .sum()
    }

    async fn call(&mut self, commands: Vec<Command>) -> Result<Vec<Reply>> {
        self.tell(commands).await?;
        self.hear().await
    }

    async fn tell(&mut self, commands: Vec<Command>) -> Result<()> {
        for (member, command) in self.members.iter_mut().zip(commands) {
            let mut line = serde_json::to_vec(&command)?;
            line.push(b'\n');
            member.commands.write_all(&line).await.context("a process of the generator has ended")?;
        }
        Ok(())
    }

    async fn hear(&mut self) -> Result<Vec<Reply>> {
        let mut replies = Vec::new();
        for member in &mut self.members {
            let line = member.replies.next_line().await?.context("a process of the generator has ended")?;
            match serde_json::from_str(&line)? {
                Reply::Failed(why) => bail!(why),
                reply => replies.push(reply),
            }
        }
        Ok(replies)
    }
}

impl Member {
    fn start() -> Result<Self> {
        let mut program = Program::new(std::env::current_exe()?);
        program.arg(WORKER).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = program.spawn().context("start a process of the generator")?;
        let commands = child.stdin.take().context("no standard input")?;
        let replies = BufReader::new(child.stdout.take().context("no standard output")?).lines();
        Ok(Self { child, commands, replies })
    }
}

/// What one of `members` processes does of a pace.
fn share(pace: Pace, members: usize) -> Pace {
    let members = u64::try_from(members).unwrap_or(u64::MAX).max(1);
    match pace {
        Pace::Listen => Pace::Listen,
        Pace::PerSecond(rate) => Pace::PerSecond(quotient(rate, real(members))),
        Pace::Window(window) => Pace::Window((window / members).max(1)),
    }
}

impl Taken {
    fn count(&mut self, other: Measured) {
        let measured = &mut self.measured;
        measured.deliveries += other.deliveries;
        measured.bytes += other.bytes;
        measured.reads += other.reads;
        measured.published += other.published;
        measured.lag_us = measured.lag_us.max(other.lag_us);
        if measured.tops.len() < other.tops.len() {
            measured.tops.resize(other.tops.len(), 0);
        }
        for (top, other) in measured.tops.iter_mut().zip(other.tops) {
            *top = other.max(*top);
        }
    }

    fn settle(&mut self, settled: Settled) {
        self.near.extend(settled.near);
        self.across.extend(settled.across);
        self.faults.flaws.add(&settled.flaws);
        for (sum, parts) in
            [(&mut self.faults.ended, settled.ended), (&mut self.faults.refused, settled.refused)]
        {
            for (reason, count) in parts {
                *sum.entry(reason).or_default() += count;
            }
        }
        self.faults.unanswered += settled.unanswered;
        self.faults.announced += settled.announced;
    }

    /// Messages that were delivered, a second.
    pub fn deliveries_per_s(&self) -> f64 {
        quotient(real(self.measured.deliveries), self.seconds)
    }

    /// Messages that were published, a second.
    pub fn published_per_s(&self) -> f64 {
        quotient(real(self.measured.published), self.seconds)
    }

    /// Bytes of a delivery, and deliveries of a call that reads some.
    pub fn per_delivery(&self) -> (f64, f64) {
        let Measured { deliveries, bytes, reads, .. } = self.measured;
        (quotient(real(bytes / 1024) * 1024.0, real(deliveries)), quotient(real(deliveries), real(reads)))
    }

    /// The generator's CPU, as a part of one processor.
    pub fn generator_cpu(&self) -> f64 {
        round(quotient(self.generator.as_secs_f64(), self.seconds), 2)
    }
}

/// Percentiles of times in µs, of which there are so many each.
pub fn delays(counts: &[(u64, u64)]) -> Result<Delays> {
    let mut histogram = Histogram::<u64>::new(3)?;
    for (value, count) in counts {
        histogram.record_n(*value, *count)?;
    }
    let ms = |micros: u64| round(real(micros) / 1000.0, 2);
    let at = |part: f64| ms(histogram.value_at_quantile(part));
    Ok(Delays {
        deliveries: histogram.len(),
        p50_ms: at(0.5),
        p99_ms: at(0.99),
        p999_ms: at(0.999),
        max_ms: ms(histogram.max()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_processes_are_those_of_all() {
        let counts = [(1_000, 98), (20_000, 1), (1_000, 98), (50_000, 3)];
        let delays = delays(&counts).unwrap();
        assert_eq!(delays.deliveries, 200);
        assert!((delays.p50_ms - 1.0).abs() < 0.01, "{delays:?}");
        assert!((delays.p99_ms - 50.0).abs() < 0.1, "{delays:?}");
    }
}
