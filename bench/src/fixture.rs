//! The data that the routes are measured on, made through the API.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use crate::api::call_all;
use crate::request::{Renderer, Request};

/// Rooms that are live.
const ROOMS: u32 = 120;
/// Of these, how many the keyword finds: one page.
const FOUND: u32 = 20;
/// Viewers who are in a room and stay.
const VIEWERS: u32 = 640;
/// Users who are in no room.
const JOINERS: u32 = 2_048;
/// Users per registration call, the API's limit.
const BATCH: usize = 200;

/// What titles that the search finds start with.
pub const KEYWORD: &str = "Evening";

/// A user with an access token.
#[derive(Clone, Debug)]
pub struct Person {
    /// The user's id.
    pub user_id: String,
    /// The client token.
    pub token: String,
}

/// A live room.
#[derive(Clone, Debug)]
pub struct Room {
    /// Its id.
    pub live_id: String,
    /// Its anchor, who is in.
    pub anchor: Person,
}

/// The data.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// Live rooms.
    pub rooms: Vec<Room>,
    /// Viewers with the rooms that they are in.
    pub viewers: Vec<(Person, String)>,
    /// Users who are in no room.
    pub joiners: Vec<Person>,
}

impl Fixture {
    /// Makes everything on the server at `address`.
    pub async fn create(address: SocketAddr, renderer: &Renderer) -> Result<Self> {
        eprintln!("registering {VIEWERS} viewers in {ROOMS} live rooms and {JOINERS} users outside");
        let rooms = create_rooms(address, renderer, "anchor", ROOMS).await?;
        let people = create_people(address, renderer, "viewer", VIEWERS).await?;
        let ids = rooms.iter().map(|room| room.live_id.clone()).cycle();
        let viewers: Vec<_> = people.into_iter().zip(ids).collect();
        call_all(address, viewers.iter().map(|(person, live_id)| join(renderer, person, live_id)).collect())
            .await?;
        let joiners = create_people(address, renderer, "joiner", JOINERS).await?;
        Ok(Self { rooms, viewers, joiners })
    }
}

/// Rooms, each with an anchor of its own, started.
pub async fn create_rooms(
    address: SocketAddr,
    renderer: &Renderer,
    prefix: &str,
    count: u32,
) -> Result<Vec<Room>> {
    let anchors = create_people(address, renderer, prefix, count).await?;
    let numbered = anchors.iter().zip(0_u32..);
    let requests = numbered
        .map(|(anchor, number)| renderer.server("POST", "/server/live", Some(&room_body(anchor, number))));
    let created = call_all(address, requests.collect()).await?;
    let mut rooms = Vec::with_capacity(anchors.len());
    for (room, anchor) in created.iter().zip(anchors) {
        let live_id =
            room.get("live_id").and_then(Value::as_str).context("a room without live_id")?.to_owned();
        rooms.push(Room { live_id, anchor });
    }
    let starts = rooms.iter().map(|room| {
        renderer.client("PUT", &format!("/client/live/room/{}", room.live_id), &room.anchor.token, None)
    });
    call_all(address, starts.collect()).await?;
    Ok(rooms)
}

/// Registered users with client tokens.
pub async fn create_people(
    address: SocketAddr,
    renderer: &Renderer,
    prefix: &str,
    count: u32,
) -> Result<Vec<Person>> {
    let names: Vec<String> = (0..count).map(|number| format!("{prefix}-{number:06}")).collect();
    let batches = names.chunks(BATCH).map(|names| {
        let users: Vec<Value> = names.iter().map(|name| user_body(name)).collect();
        renderer.server("POST", "/server/user/register/batch", Some(&Value::Array(users)))
    });
    for refused in call_all(address, batches.collect()).await? {
        if let Some(refused) = refused.as_object().and_then(|map| map.iter().next()) {
            bail!("registration of {} was refused: {}", refused.0, refused.1);
        }
    }
    let requests = names.iter().map(|name| token(renderer, name)).collect();
    let tokens = call_all(address, requests).await?;
    let mut people = Vec::with_capacity(names.len());
    for (user_id, answer) in names.into_iter().zip(tokens) {
        let token = answer.get("access_token").and_then(Value::as_str).context("no access_token")?.to_owned();
        people.push(Person { user_id, token });
    }
    Ok(people)
}

/// The request for a client token.
pub fn token(renderer: &Renderer, user_id: &str) -> Request {
    let target = format!("/server/auth/token?app_id=bench&user_id={user_id}&device_id=phone");
    renderer.server("GET", &target, None)
}

/// The request to join.
pub fn join(renderer: &Renderer, person: &Person, live_id: &str) -> Request {
    renderer.client("POST", &format!("/client/live/room/user/{live_id}"), &person.token, None)
}

fn user_body(name: &str) -> Value {
    json!({
        "user_id": name,
        "nick": format!("Nick of {name}"),
        "avatar": format!("https://cdn.example.com/avatars/{name}.png"),
        "extends": { "age": "18", "level": "7" },
    })
}

fn room_body(anchor: &Person, number: u32) -> Value {
    let title = if number < FOUND { KEYWORD } else { "Morning" };
    let mut body = Map::new();
    body.insert("anchor_id".into(), anchor.user_id.clone().into());
    body.insert("title".into(), format!("{title} songs, number {number}").into());
    body.insert("notice".into(), "Be kind to each other".into());
    body.insert("cover_url".into(), format!("https://cdn.example.com/covers/{number}.jpg").into());
    body.insert("extends".into(), json!({ "category": "music", "language": "en" }));
    Value::Object(body)
}
