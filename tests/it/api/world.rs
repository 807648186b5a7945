//! What cases are made of: users, rooms and names that nobody else uses.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::client::{Api, escape};

/// A registered user with a client token.
#[derive(Clone, Debug)]
pub struct User {
    pub id: String,
    pub token: String,
}

/// A text that no other case and no former run has used: lower case letters and digits, starting with
/// `start`.
pub fn unique(start: &str) -> String {
    static RUN: LazyLock<u32> = LazyLock::new(rand::random);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{start}{:08x}n{}", *RUN, COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Seconds since 1970.
pub fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

/// Waits until the wall clock shows another second, so that what happens next is later in a column of
/// whole seconds too.
pub async fn next_second() {
    let start = now();
    while now() == start {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Asks `probe` again and again until it answers true; panics with `what` after `deadline`.
pub async fn eventually<F: Future<Output = bool>>(what: &str, deadline: Duration, probe: impl Fn() -> F) {
    let started = std::time::Instant::now();
    while !probe().await {
        assert!(started.elapsed() < deadline, "not within {deadline:?}: {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The strings at `key` of every object of a list.
pub fn column<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    let rows = list.as_array().unwrap_or_else(|| panic!("not a list: {list}"));
    rows.iter().map(|row| row[key].as_str().unwrap_or_else(|| panic!("no {key} in {row}"))).collect()
}

impl Api {
    /// A new user with a token.
    pub async fn user(&self) -> User {
        self.user_called(&unique("u")).await
    }

    /// A new user of that id with a token.
    pub async fn user_called(&self, id: &str) -> User {
        let target = format!("/server/auth/token?app_id=suite&user_id={}&device_id=d1", escape(id));
        let answer = self.get(target).server().send().await;
        let token = answer.ok()["access_token"].as_str().expect("access_token").to_owned();
        User { id: id.to_owned(), token }
    }

    /// The id of a room that `anchor` has created.
    pub async fn room(&self, anchor: &User) -> String {
        let room = self.room_with(anchor, json!({"title": unique("t")})).await;
        room["live_id"].as_str().expect("live_id").to_owned()
    }

    /// The room that `anchor` has created with that body.
    pub async fn room_with(&self, anchor: &User, body: Value) -> Value {
        self.post("/client/live/room/instance").by(anchor).json(&body).send().await.ok().clone()
    }

    /// The id of a room that `anchor` has created and started.
    pub async fn live_room(&self, anchor: &User) -> String {
        let id = self.room(anchor).await;
        self.start(anchor, &id).await;
        id
    }

    /// Starts the room; returns it.
    pub async fn start(&self, anchor: &User, live_id: &str) -> Value {
        self.put(format!("/client/live/room/{live_id}")).by(anchor).send().await.ok().clone()
    }

    /// Ends the room.
    pub async fn stop(&self, anchor: &User, live_id: &str) {
        self.delete(format!("/client/live/room/{live_id}")).by(anchor).send().await.done();
    }

    /// Joins the room; returns it.
    pub async fn join(&self, user: &User, live_id: &str) -> Value {
        self.post(format!("/client/live/room/user/{live_id}")).by(user).send().await.ok().clone()
    }

    /// Leaves the room.
    pub async fn leave(&self, user: &User, live_id: &str) {
        self.delete(format!("/client/live/room/user/{live_id}")).by(user).send().await.done();
    }

    /// The room as `user` sees it.
    pub async fn info(&self, user: &User, live_id: &str) -> Value {
        self.get(format!("/client/live/room/info/{live_id}")).by(user).send().await.ok().clone()
    }

    /// The room as a business backend sees it.
    pub async fn server_info(&self, live_id: &str) -> Value {
        self.get(format!("/server/live/{live_id}")).server().send().await.ok().clone()
    }

    /// The ids of those in the room, latest first.
    pub async fn members(&self, viewer: &User, live_id: &str) -> Vec<String> {
        let target = format!("/client/live/room/user_list?live_id={live_id}&page_size=200");
        let answer = self.get(target).by(viewer).send().await;
        column(&answer.ok()["list"], "user_id").into_iter().map(str::to_owned).collect()
    }

    /// Panics unless a heartbeat of `user` is taken; returns the `live_status` that it says.
    pub async fn beat(&self, user: &User, live_id: &str) -> i64 {
        let answer = self.get(format!("/client/live/room/heartbeat/{live_id}")).by(user).send().await;
        assert_eq!(answer.ok()["live_id"], live_id, "{answer:?}");
        answer.ok()["live_status"].as_i64().expect("live_status")
    }

    /// Panics unless a heartbeat of `user` is refused as that of one who is not in the room.
    pub async fn beat_refused(&self, user: &User, live_id: &str) {
        let answer = self.get(format!("/client/live/room/heartbeat/{live_id}")).by(user).send().await;
        answer.refused(500, 500).says("user not in live room");
    }
}
