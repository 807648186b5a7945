//! Callbacks to a receiver that answers at once: how fast a backlog is delivered, and how long after an event its
//! callback comes.

mod arrivals;
mod backlog;
mod pace;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::time::sleep;

use crate::bed::Bed;
use crate::figures::{latency, micros, quotient, real, round};
use crate::fixture::Person;
use crate::peers::Receiver;
use crate::probe::process;
use crate::report::{BacklogFigures, OutboxFigures, PacedFigures};
use crate::server::{Launcher, Server, Variant};

const POLL: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(60);
/// Between the two measurements: what the first one leaves behind is done by then.
const REST: Duration = Duration::from_secs(2);

/// How many events wait, and in how many rooms.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    /// Events; the same number in each room.
    pub events: u32,
    /// Rooms.
    pub rooms: u32,
}

/// CPU time of the server, of MariaDB and of this process, in which the receiver is.
#[derive(Clone, Copy, Debug, Default)]
struct Cpu {
    server: Duration,
    database: Duration,
    own: Duration,
}

/// Puts events into the database while no server runs, starts one, and measures; then has events happen at a steady
/// pace. `anchors` own the rooms of these.
pub async fn measure(
    bed: &Bed,
    launcher: &Launcher,
    scene: Scene,
    variant: &Variant,
    receiver: &Receiver,
    anchors: &[Person],
) -> Result<OutboxFigures> {
    eprintln!("putting {} events of {} rooms into the log", scene.events, scene.rooms);
    backlog::put_in(&mut bed.database.connect().await?, scene).await?;
    eprintln!("delivering them");
    let idle = Cpu { database: process::cpu(bed.database_pid()?)?, own: own_cpu()?, ..Cpu::default() };
    let begin = Instant::now();
    let server = launcher.start(variant).await?;
    let backlog = deliver(bed, &server, scene, receiver, begin, idle).await?;
    sleep(REST).await;
    receiver.take();
    let paced = paced(bed, &server, launcher, receiver, anchors).await?;
    server.stop().await?;
    Ok(OutboxFigures { backlog, paced })
}

async fn deliver(
    bed: &Bed,
    server: &Server,
    scene: Scene,
    receiver: &Receiver,
    begin: Instant,
    idle: Cpu,
) -> Result<BacklogFigures> {
    let wanted = usize::try_from(scene.events)?;
    wait_for(receiver, wanted).await?;
    let mut cpu = read_cpu(bed, server)?.since(&idle);
    let mut arrived = receiver.take();
    let mut delivered = arrivals::Delivered::of(&arrived, backlog::PREFIX);
    while delivered.different < wanted {
        // Callbacks of other rooms were among them, or some came twice.
        wait_for(receiver, 1).await?;
        cpu = read_cpu(bed, server)?.since(&idle);
        arrived.extend(receiver.take());
        delivered = arrivals::Delivered::of(&arrived, backlog::PREFIX);
    }
    let each = |cpu: Duration| round(quotient(micros(cpu), f64::from(scene.events)), 1);
    Ok(BacklogFigures {
        callbacks: u64::from(scene.events),
        rooms: scene.rooms,
        per_s: round(delivered.per_s, 0),
        first_s: round(delivered.first.map_or(0.0, |at| (at - begin).as_secs_f64()), 2),
        repeated: delivered.repeated,
        out_of_order: delivered.out_of_order,
        server_us: each(cpu.server),
        database_us: each(cpu.database),
        receiver_us: each(cpu.own),
    })
}

async fn paced(
    bed: &Bed,
    server: &Server,
    launcher: &Launcher,
    receiver: &Receiver,
    anchors: &[Person],
) -> Result<PacedFigures> {
    eprintln!("creating {} rooms a second for {} s", pace::PER_S, pace::SECONDS);
    let before = read_cpu(bed, server)?;
    let begin = Instant::now();
    let created = pace::create_rooms(launcher.address(), &launcher.renderer(), anchors).await?;
    let took = begin.elapsed();
    let cpu = read_cpu(bed, server)?.since(&before);
    wait_for(receiver, created.len()).await?;
    let arrived = receiver.take();
    let came: HashMap<&str, Instant> =
        arrived.iter().rev().map(|arrival| (arrival.webhook_id.as_str(), arrival.at)).collect();
    let mut latencies = Vec::with_capacity(created.len());
    for room in &created {
        let Some(at) = came.get(arrivals::webhook_id(&room.live_id, 1).as_str()) else {
            bail!("no callback of room {} came", room.live_id);
        };
        latencies.push(u32::try_from(at.duration_since(room.asked).as_micros()).unwrap_or(u32::MAX));
    }
    let part = |cpu: Duration| round(quotient(cpu.as_secs_f64(), took.as_secs_f64()), 2);
    Ok(PacedFigures {
        asked_per_s: pace::PER_S,
        per_s: round(quotient(real(u64::try_from(created.len())?), took.as_secs_f64()), 1),
        latency: latency(latencies, 0),
        server_cpu: part(cpu.server),
        database_cpu: part(cpu.database),
    })
}

/// Waits until that many callbacks have come.
async fn wait_for(receiver: &Receiver, count: usize) -> Result<()> {
    let begin = Instant::now();
    while receiver.count() < count {
        if begin.elapsed() > PATIENCE {
            let came = receiver.count();
            bail!("only {came} of {count} callbacks came within {} s", PATIENCE.as_secs());
        }
        sleep(POLL).await;
    }
    Ok(())
}

fn read_cpu(bed: &Bed, server: &Server) -> Result<Cpu> {
    let database = process::cpu(bed.database_pid()?)?;
    Ok(Cpu { server: process::cpu(server.pid())?, database, own: own_cpu()? })
}

fn own_cpu() -> Result<Duration> {
    process::cpu(std::process::id())
}

impl Cpu {
    fn since(&self, earlier: &Self) -> Self {
        Self {
            server: self.server.saturating_sub(earlier.server),
            database: self.database.saturating_sub(earlier.database),
            own: self.own.saturating_sub(earlier.own),
        }
    }
}
