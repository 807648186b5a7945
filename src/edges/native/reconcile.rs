//! Connections are compared with the tables, since an order to end one, or a subscription of one, may not have
//! reached this node: at once after every interruption of what the nodes announce, and every few seconds.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::sleep;

use super::{Parts, closing_of};
use crate::auth::Standing;
use crate::rest::ApiError;
use common::failure::Failure;
use realtime::{Channel, Kind, LocalHub};

/// From one comparison to the next: half of what a missed order may take to have its effect.
const EVERY: Duration = Duration::from_secs(15);
/// The pause between two comparisons, however often there are interruptions, and before one that failed is
/// repeated.
const PAUSE: Duration = Duration::from_secs(1);
/// Users of one statement.
const BATCH: usize = 500;

/// Compares the connections of a worker for as long as the worker lives.
pub(super) async fn keep(local: LocalHub, parts: Rc<Parts>) {
    let mut interruptions = local.hub().interruptions();
    loop {
        tokio::select! {
            changed = interruptions.changed() => if changed.is_err() { return },
            () = sleep(EVERY) => {}
        }
        let mut is_told = false;
        while let Err(error) = compare(&local, &parts).await {
            if !is_told {
                tracing::warn!(%error, "connections cannot be compared with the tables yet");
                is_told = true;
            }
            sleep(PAUSE).await;
        }
        sleep(PAUSE).await;
    }
}

async fn compare(local: &LocalHub, parts: &Parts) -> Result<(), ApiError> {
    for users in local.users().chunks(BATCH) {
        let ids: Vec<&str> = users.iter().map(AsRef::as_ref).collect();
        let began = local.now();
        let found = Found {
            local,
            began,
            standings: parts.users.standings_of(&ids).await?,
            rooms: parts.lives.rooms_of(&ids).await?,
        };
        for user_id in users {
            if found.end_refused(user_id) {
                parts.users.forget(Some(user_id)).await;
            }
            for room in found.end_strays(user_id) {
                parts.lives.forget_presence(room.id(), user_id).await;
            }
        }
    }
    Ok(())
}

/// What the tables say of some users.
struct Found<'a> {
    local: &'a LocalHub,
    /// Just before they were asked, by the worker's clock.
    began: Duration,
    standings: HashMap<String, Standing>,
    rooms: HashMap<String, Vec<String>>,
}

impl Found<'_> {
    /// Closes the connections of a user that are not let in any more; whether there was one.
    fn end_refused(&self, user_id: &str) -> bool {
        let Some(standing) = self.standings.get(user_id) else { return false };
        let (now, mut has_ended) = (self.local.hub().clock().now(), false);
        for connection in self.local.of_user(user_id) {
            // One that came meanwhile was looked at as it came.
            let Some(login) = connection.login().filter(|_| connection.opened() <= self.began) else {
                continue;
            };
            if connection.is_closing() {
                continue;
            }
            if let Err(refused) = standing.admit_issued(login.issued_at, now) {
                tracing::info!(user_id, %refused, "a connection ends whose end this node was not told of");
                connection.close_now(closing_of(refused.kind()));
                self.count("connection");
                has_ended = true;
            }
        }
        has_ended
    }

    /// Ends the subscriptions of a user to rooms that they are not in any more; these rooms.
    fn end_strays(&self, user_id: &str) -> Vec<Channel> {
        let theirs = self.rooms.get(user_id).map(Vec::as_slice).unwrap_or_default();
        let mut strays = Vec::new();
        for connection in self.local.of_user(user_id) {
            let rooms = connection.channels();
            let rooms = rooms.iter().filter_map(|name| Channel::parse(name));
            for room in rooms.filter(|room| room.kind() == Kind::Room) {
                if theirs.iter().any(|live_id| live_id == room.id()) {
                    continue;
                }
                self.local.end_subscription(&connection, room.name(), 403, "you are not in the room");
                self.count("subscription");
                strays.push(room);
            }
        }
        strays
    }

    fn count(&self, what: &str) {
        self.local.hub().metrics().reconciled.with_label_values(&[what]).inc();
    }
}
