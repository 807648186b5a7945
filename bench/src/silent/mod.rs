//! Many viewers fall silent at once: how long until all are out, and what others feel of it.

mod load;
mod pace;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use sqlx::Row as _;
use sqlx::mysql::MySqlConnection;
use tokio::time::{sleep, sleep_until};

use crate::api::call;
use crate::bed::Bed;
use crate::figures::{megabytes, round};
use crate::fixture::{Fixture, create_rooms};
use crate::http::Connection;
use crate::presence::Presence;
use crate::probe::process;
use crate::probe::sql::SqlProbe;
use crate::report::SilentFigures;
use crate::routes::heartbeats;
use crate::server::{Launcher, Server};

/// How often to ask who is still in.
const POLL: Duration = Duration::from_millis(25);
/// When to give up.
const PATIENCE: Duration = Duration::from_secs(60);
const SILENT_IN_ROOMS: &str =
    "SELECT COUNT(*) FROM live_room_user_entities WHERE status = 1 AND user_id LIKE 'silent-%'";

/// How many viewers, where, and when they are out.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    /// Viewers who fall silent.
    pub viewers: u32,
    /// Rooms that they are spread over.
    pub rooms: u32,
    /// The server's time-out in seconds.
    pub timeout_s: u64,
}

/// When the first and the last were seen to be out.
#[derive(Clone, Copy, Debug)]
struct Out {
    first: Instant,
    last: Instant,
}

/// Puts the viewers in, waits for the time-out, and measures.
pub async fn measure(
    bed: &Bed,
    launcher: &Launcher,
    server: &Server,
    fixture: &Fixture,
    scene: Scene,
) -> Result<SilentFigures> {
    let renderer = launcher.renderer();
    let pacer = pace::start(launcher.address(), heartbeats(&renderer, &fixture.viewers)).await?;
    eprintln!("creating {} rooms", scene.rooms);
    let rooms = create_rooms(launcher.address(), &renderer, "host", scene.rooms).await?;
    let ids: Vec<&str> = rooms.iter().map(|room| room.live_id.as_str()).collect();
    let mut database = bed.database.connect().await?;
    eprintln!("putting {} viewers in", scene.viewers);
    load::put_in_rows(&mut database, &ids, scene.viewers).await?;
    let mut presence = Presence::find(&bed.cache).await?;
    let others = presence.count().await?;
    let heard = presence.put_in(&ids, scene.viewers).await?;
    let due = heard + Duration::from_secs(scene.timeout_s);
    expect_online(launcher, &ids, scene).await?;

    eprintln!("waiting for their time-out");
    sleep_until(due.into()).await;
    let mut sql = SqlProbe::connect(&bed.database.options()).await?;
    let database_pid = bed.database_pid()?;
    let statements = sql.read().await?;
    let (cpu, database_cpu) = (process::cpu(server.pid())?, process::cpu(database_pid)?);
    let (out, polls) = watch(&mut database, &mut presence, others, due).await?;
    let statements = sql.read().await?.since(&statements).statements().saturating_sub(polls);
    let cpu = process::cpu(server.pid())?.saturating_sub(cpu);
    let database_cpu = process::cpu(database_pid)?.saturating_sub(database_cpu);
    let (before, meanwhile) = pacer.stop(due, out.last).await?;
    Ok(SilentFigures {
        viewers: scene.viewers,
        rooms: scene.rooms,
        first_out_s: round((out.first - due).as_secs_f64(), 2),
        all_out_s: round((out.last - due).as_secs_f64(), 2),
        server_cpu_s: round(cpu.as_secs_f64(), 2),
        database_cpu_s: round(database_cpu.as_secs_f64(), 2),
        statements,
        before,
        meanwhile,
        resident_mb: round(megabytes(server.resident()?), 1),
    })
}

/// Asks the server how many are in one of the rooms: proof that what was loaded is what it works with.
async fn expect_online(launcher: &Launcher, ids: &[&str], scene: Scene) -> Result<()> {
    let live_id = ids.first().context("no rooms")?;
    let request = launcher.renderer().server("GET", &format!("/server/live/{live_id}"), None);
    let mut connection = Connection::open(launcher.address()).await?;
    let room = call(&mut connection, &request).await?;
    let online = room.get("online_count").and_then(Value::as_u64).context("a room without online_count")?;
    if online < u64::from(scene.viewers / scene.rooms) {
        bail!(
            "the server sees {online} viewers in a loaded room: the layout of presence has changed, see presence.rs"
        );
    }
    Ok(())
}

/// Polls until no silent viewer is in; also how often it asked the database. That question is dear, and only asked
/// when no more than the `others` are left in the cache.
async fn watch(
    database: &mut MySqlConnection,
    presence: &mut Presence,
    others: u64,
    due: Instant,
) -> Result<(Out, u64)> {
    let full = presence.count().await?;
    if full <= others {
        bail!("the viewers were out before their time-out");
    }
    let mut polls = 0;
    let mut first = None;
    while due.elapsed() < PATIENCE {
        let left = presence.count().await?;
        if left < full {
            first.get_or_insert_with(Instant::now);
        }
        if left <= others {
            polls += 1;
            if ask(database, SILENT_IN_ROOMS).await? == 0 {
                let last = Instant::now();
                return Ok((Out { first: first.unwrap_or(last), last }, polls));
            }
        }
        sleep(POLL).await;
    }
    let left = ask(database, SILENT_IN_ROOMS).await?;
    bail!("{} s after the time-out {left} rows are still in", PATIENCE.as_secs())
}

async fn ask(database: &mut MySqlConnection, question: &'static str) -> Result<u64> {
    let row = sqlx::query(question).fetch_one(database).await?;
    Ok(u64::try_from(row.try_get::<i64, _>(0)?)?)
}
