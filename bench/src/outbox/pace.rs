//! Rooms that are created at a steady pace, each an event with a callback.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use crate::api::call;
use crate::fixture::Person;
use crate::http::Connection;
use crate::request::{Renderer, Request};

/// Rooms per second.
pub const PER_S: u32 = 200;
/// For how long.
pub const SECONDS: u32 = 10;
const CONNECTIONS: usize = 32;

/// A room that was made.
#[derive(Clone, Debug)]
pub struct Created {
    /// Its id.
    pub live_id: String,
    /// When the request was sent: before the commit, so that what is measured from here is no less than what is
    /// measured from there.
    pub asked: Instant,
}

/// Creates rooms, each at its time.
pub async fn create_rooms(
    address: SocketAddr,
    renderer: &Renderer,
    anchors: &[Person],
) -> Result<Vec<Created>> {
    let owners = anchors.iter().cycle().zip(0..PER_S * SECONDS);
    let requests: Vec<Request> = owners.map(|(anchor, number)| create(renderer, anchor, number)).collect();
    let requests: Arc<[Request]> = requests.into();
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(Connection::open(address).await?);
    }
    let begin = Instant::now();
    let mut workers = JoinSet::new();
    for (worker, connection) in connections.into_iter().enumerate() {
        workers.spawn(work(connection, Arc::clone(&requests), worker, begin));
    }
    let mut created = Vec::with_capacity(requests.len());
    while let Some(done) = workers.join_next().await {
        created.extend(done??);
    }
    Ok(created)
}

fn create(renderer: &Renderer, anchor: &Person, number: u32) -> Request {
    let body = json!({ "anchor_id": anchor.user_id, "title": format!("Announced, number {number}") });
    renderer.server("POST", "/server/live", Some(&body))
}

async fn work(
    mut connection: Connection,
    requests: Arc<[Request]>,
    worker: usize,
    begin: Instant,
) -> Result<Vec<Created>> {
    let mut created = Vec::new();
    for (number, request) in requests.iter().enumerate().skip(worker).step_by(CONNECTIONS) {
        let due = Duration::from_secs(1) * u32::try_from(number)? / PER_S;
        sleep_until((begin + due).into()).await;
        let asked = Instant::now();
        let room = call(&mut connection, request).await?;
        let live_id =
            room.get("live_id").and_then(Value::as_str).context("a room without live_id")?.to_owned();
        created.push(Created { live_id, asked });
    }
    Ok(created)
}
