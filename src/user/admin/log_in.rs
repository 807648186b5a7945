//! The way of a password from a request to its check, which guessers must not make long for operators.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::attempts::{Attempt, Attempts};
use super::{AdminError, Admins, LoggedIn};
use crate::rest::peer;
use crate::rest::rate_limit::{AddressLimit, LimitsAddresses, RateLimited};
use common::clock::SharedClock;
use config::LimitsConfig;
use store::cache::Cache;

/// Passwords that wait for their check, and those under it, before further ones are sent away: so many of
/// anybody, and as many again from known addresses.
const ROOM: usize = 16;
/// After how long those are to come again.
const COME_AGAIN: Duration = Duration::from_secs(1);
/// How long an address is known from which somebody has logged in.
const KNOWN: Duration = Duration::from_secs(30 * 24 * 3600);

/// Logs administrators in.
pub struct LogIns {
    admins: Admins,
    per_address: AddressLimit,
    attempts: Attempts,
    waiting: WaitingRoom,
    /// For those from known addresses, when the other is full.
    waiting_known: WaitingRoom,
    /// Remembers the known addresses. Losing it costs them their advantage until the next log-in.
    cache: Cache,
}

/// Those who wait, at most [`ROOM`].
#[derive(Default)]
struct WaitingRoom(Arc<AtomicUsize>);

/// A place in a waiting room, until it is dropped.
struct Place(Arc<AtomicUsize>);

impl WaitingRoom {
    fn enter(&self) -> Option<Place> {
        let one_more = |taken| (taken < ROOM).then_some(taken + 1);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        Some(Place(Arc::clone(&self.0)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl LogIns {
    /// Log-ins of `admins` within `limits`.
    #[must_use]
    pub fn new(admins: Admins, limits: &LimitsConfig, cache: Cache, clock: SharedClock) -> Self {
        Self {
            admins,
            per_address: AddressLimit::new(limits.login_per_s),
            attempts: Attempts::new(limits.login_failures, clock),
            waiting: WaitingRoom::default(),
            waiting_known: WaitingRoom::default(),
            cache,
        }
    }

    /// Who logs in with `name` and `password` from `ip`.
    ///
    /// # Errors
    /// [`AdminError::LoginFailed`], [`AdminError::Limited`], or the store's.
    pub async fn log_in(&self, ip: IpAddr, name: &str, password: &str) -> Result<LoggedIn, AdminError> {
        let (attempt, _place) = self.enter(ip, name).await?;
        let found = settle(attempt, self.admins.login(name, password).await)?;
        if let Err(error) = self.cache.set(&known_key(ip), "", KNOWN).await {
            tracing::debug!(%error, "an address from which somebody has logged in is not remembered");
        }
        Ok(found)
    }

    /// Checks the password of the administrator `user_id`, who is to change it and has logged in already.
    ///
    /// # Errors
    /// [`AdminError::OldPassword`], [`AdminError::Limited`], or the store's.
    pub async fn check_own(&self, ip: IpAddr, user_id: &str, old: Option<&str>) -> Result<(), AdminError> {
        if !self.admins.has_password(user_id).await? {
            return Ok(());
        }
        let old = old.ok_or(AdminError::OldPassword)?;
        let (attempt, _place) = self.enter(ip, user_id).await?;
        settle(attempt, self.admins.check_password(user_id, old).await)
    }

    /// A place for a password of `account`.
    async fn enter(&self, ip: IpAddr, account: &str) -> Result<(Attempt, Place), AdminError> {
        let attempt = match self.attempts.begin(account, peer::wide_network(ip)) {
            Ok(attempt) => attempt,
            // Counted by itself, so that its neighbours do not delay it.
            Err(_) if self.is_known(ip).await => self.attempts.begin(account, peer::network(ip))?,
            Err(limited) => return Err(limited.into()),
        };
        // Whether an address is known takes a while to find out, in which nobody may hold a place.
        let place = match self.waiting.enter() {
            None if self.is_known(ip).await => self.waiting_known.enter(),
            place => place,
        };
        match place {
            Some(place) => Ok((attempt, place)),
            None => {
                attempt.came_to_nothing();
                Err(RateLimited::for_the_next(COME_AGAIN).into())
            }
        }
    }

    async fn is_known(&self, ip: IpAddr) -> bool {
        matches!(self.cache.get(&known_key(ip)).await, Ok(Some(_)))
    }
}

impl LimitsAddresses for LogIns {
    fn of_address(&self) -> &AddressLimit {
        &self.per_address
    }
}

/// Tells the attempt how it ended.
fn settle<T>(attempt: Attempt, outcome: Result<T, AdminError>) -> Result<T, AdminError> {
    match &outcome {
        Ok(_) => attempt.succeeded(),
        Err(AdminError::LoginFailed | AdminError::OldPassword) => attempt.failed(),
        Err(_) => attempt.came_to_nothing(),
    }
    outcome
}

fn known_key(ip: IpAddr) -> String {
    format!("login:known:{}", peer::network(ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_finds_a_waiting_room_full_takes_no_place() {
        let room = WaitingRoom::default();
        let places: Vec<_> = (0..ROOM).map_while(|_| room.enter()).collect();
        assert_eq!(places.len(), ROOM);
        assert!((0..100).all(|_| room.enter().is_none()));
        drop(places);
        assert!(room.enter().is_some());
    }
}
