//! The RTC service: says who is in a room, and counts how often it is asked.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::http;

type Rooms = HashMap<String, Vec<String>>;

/// The fake service.
#[derive(Clone, Debug)]
pub struct Rtc {
    address: SocketAddr,
    rooms: Arc<Mutex<Rooms>>,
    calls: Arc<AtomicU64>,
}

impl Rtc {
    /// Starts one that knows of nobody.
    pub fn start() -> Result<Self> {
        let (rooms, calls) = (Arc::<Mutex<Rooms>>::default(), Arc::<AtomicU64>::default());
        let (known, counted) = (Arc::clone(&rooms), Arc::clone(&calls));
        let address = http::start("RTC service", move |incoming| {
            counted.fetch_add(1, Ordering::Relaxed);
            let room = room_of(incoming.target)
                .with_context(|| format!("the RTC service is asked for {}", incoming.target))?;
            let rooms = known.lock().unwrap_or_else(PoisonError::into_inner);
            let users = rooms.get(room).into_iter().flatten();
            let users: Vec<Value> = users.map(|user_id| json!({ "userId": user_id })).collect();
            Ok(json!({ "users": users }).to_string())
        })?;
        Ok(Self { address, rooms, calls })
    }

    /// For `rtc.api_url`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on these users are in the RTC room of `live_id`.
    pub fn put_in(&self, live_id: &str, users: Vec<String>) {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner).insert(live_id.to_owned(), users);
    }

    /// How often it was asked for anything.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

/// The room of `/v3/apps/<app>/rooms/<room>/users`.
fn room_of(target: &str) -> Option<&str> {
    let (_, room) = target.strip_prefix("/v3/apps/")?.split_once("/rooms/")?;
    room.strip_suffix("/users")
}

#[cfg(test)]
mod tests {
    use super::room_of;

    #[test]
    fn only_the_list_of_a_rooms_users_is_known() {
        assert_eq!(room_of("/v3/apps/bench-rtc/rooms/7/users"), Some("7"));
        assert_eq!(room_of("/v3/apps/bench-rtc/rooms/7/users/bob"), None);
    }
}
