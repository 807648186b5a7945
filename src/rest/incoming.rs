//! Bodies on their way in. Nothing is set aside for what a head announces, and all bodies of the process
//! together are bounded, from their first byte to the end of their requests.

use std::time::Duration;

use actix_web::HttpMessage;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::Bytes;
use futures_util::StreamExt;
use tokio::time::{Instant, timeout, timeout_at};

pub use super::body_budget::{BATCH, BodyBudget, Sender};
use super::body_budget::{FIRST, NoRoom, Share};
use super::error::ApiError;
use common::failure::{Failure, Kind};

/// Bytes that a body may have where nothing else is said.
pub const SMALL: usize = 64 << 10;

/// How long a caller may take to send its body.
const DEADLINE: Duration = Duration::from_secs(15);
/// How long a body that nobody wants may hold up the answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// While there is little room, [`LEAST`] bytes of a larger body arrive within this, or it gives its room up.
const LOOK: Duration = Duration::from_secs(2);
/// Bytes: 16 KiB a second.
const LEAST: usize = 32 << 10;
/// When to come back to a server that has too many bodies.
const BUSY: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
enum BodyError {
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    #[error("the body did not arrive whole: {0}")]
    Broken(String),
    #[error("the body did not arrive within {} s", DEADLINE.as_secs())]
    TooSlow,
    #[error("the body arrived too slowly while there is little room for bodies, try again")]
    Stalled,
    #[error("too many request bodies are under way, try again")]
    Full,
    #[error("too many request bodies of yours are under way, try again")]
    FullForSender,
}

impl From<NoRoom> for BodyError {
    fn from(no_room: NoRoom) -> Self {
        match no_room {
            NoRoom::AtAll => Self::Full,
            NoRoom::OfSender => Self::FullForSender,
        }
    }
}

impl Failure for BodyError {
    fn kind(&self) -> Kind {
        match self {
            Self::TooLarge(_) => Kind::TooLarge,
            Self::Broken(_) => Kind::Invalid,
            Self::TooSlow | Self::Stalled => Kind::TooSlow,
            Self::Full => Kind::Busy(BUSY),
            Self::FullForSender => Kind::RateLimited(BUSY),
        }
    }
}

/// The whole body of a request, in its extensions, so that the signature check and the handler can both read it.
#[derive(Debug)]
pub(super) struct RawBody {
    bytes: Bytes,
    _share: Share,
}

impl RawBody {
    pub(super) fn bytes(&self) -> Bytes {
        self.bytes.clone()
    }
}

/// Whether a request comes with a body that was not taken yet.
#[must_use]
pub fn has_body(request: &mut ServiceRequest) -> bool {
    !matches!(request.parts_mut().1, Payload::None)
}

/// Reads the body of `request`, at most `limit` bytes, for [`super::body`].
///
/// # Errors
/// 413 for a larger one, 400 when it breaks off, 408 when it takes too long, 429 while the sender's share of the
/// budget is spent, 503 while all of it is.
pub async fn take(
    request: &mut ServiceRequest,
    limit: usize,
    sender: Sender,
    budget: &BodyBudget,
) -> Result<(), ApiError> {
    let announced = announced(request);
    if announced.is_some_and(|length| length > limit) {
        return Err(BodyError::TooLarge(limit).into());
    }
    let mut reading =
        Reading { bytes: Vec::new(), share: budget.share(sender), most: announced.unwrap_or(limit), limit };
    let mut payload = request.take_payload();
    let whole = async {
        let (mut look_at, mut seen) = (Instant::now() + LOOK, 0);
        loop {
            match timeout_at(look_at, payload.next()).await {
                Ok(None) => return Ok::<_, BodyError>(()),
                Ok(Some(chunk)) => {
                    reading.push(&chunk.map_err(|error| BodyError::Broken(error.to_string()))?)?;
                }
                Err(_) if reading.is_held_up(seen) => return Err(BodyError::Stalled),
                Err(_) => (look_at, seen) = (Instant::now() + LOOK, reading.bytes.len()),
            }
        }
    };
    timeout(DEADLINE, whole).await.map_err(|_| BodyError::TooSlow)??;
    if !reading.bytes.is_empty() {
        let body = RawBody { bytes: reading.bytes.into(), _share: reading.share };
        request.extensions_mut().insert(body);
    }
    Ok(())
}

/// Lets a body pass by that nobody wants, so that its connection can go on; a large or slow one ends it.
pub async fn pass_by(request: &mut ServiceRequest) {
    if announced(request).is_some_and(|length| length > SMALL) {
        return;
    }
    let mut payload = request.take_payload();
    let passing = async {
        let mut left = SMALL;
        while let Some(Ok(chunk)) = payload.next().await {
            match left.checked_sub(chunk.len()) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    // What is left of it then is for the connection's end.
    drop(timeout(PATIENCE, passing).await);
}

fn announced(request: &ServiceRequest) -> Option<usize> {
    request.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// A body of which some has arrived.
struct Reading {
    bytes: Vec<u8>,
    share: Share,
    /// Bytes that there will be at most, if the caller is right.
    most: usize,
    limit: usize,
}

impl Reading {
    fn push(&mut self, chunk: &[u8]) -> Result<(), BodyError> {
        let len = self.bytes.len() + chunk.len();
        if len > self.limit {
            return Err(BodyError::TooLarge(self.limit));
        }
        if len > self.share.bytes() {
            let wanted = len.max(FIRST).max(2 * self.share.bytes()).min(self.most.max(len));
            self.share.grow_to(wanted)?;
            self.bytes.reserve_exact(wanted - self.bytes.len());
        }
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }

    /// Whether it keeps others from room that they need, since `seen` bytes had arrived at the last look.
    fn is_held_up(&self, seen: usize) -> bool {
        self.share.bytes() > FIRST && self.bytes.len() - seen < LEAST && self.share.is_scarce()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(budget: &BodyBudget, user: &str, limit: usize) -> Reading {
        Reading { bytes: Vec::new(), share: budget.share(budget.user(user)), most: limit, limit }
    }

    #[test]
    fn a_body_takes_what_has_arrived_and_gives_it_back() {
        let budget = BodyBudget::new(4 << 20);
        let mut reading = Reading { most: 60_000, ..reading(&budget, "u", SMALL) };
        assert_eq!(budget.taken(), 0, "nothing for what is announced");
        reading.push(b"x").expect("room");
        assert_eq!(budget.taken(), FIRST);
        for _ in 0..59 {
            reading.push(&[0; 1000]).expect("room");
        }
        assert!(reading.bytes.capacity() <= 60_000 && budget.taken() == 60_000, "{}", budget.taken());
        assert!(matches!(reading.push(&[0; 8000]), Err(BodyError::TooLarge(SMALL))));
        drop(reading);
        assert_eq!(budget.taken(), 0);
    }

    #[test]
    fn a_slow_body_gives_way_only_where_there_is_little_room() {
        let budget = BodyBudget::new(4 << 20);
        let mut slow = reading(&budget, "u", BATCH);
        slow.push(&[0; BATCH / 2 + 1]).expect("room");
        assert!(!slow.is_held_up(slow.bytes.len()), "there is room");
        let others = ["v", "w"].map(|user| {
            let mut other = reading(&budget, user, BATCH);
            other.push(&[0; BATCH]).expect("room");
            other
        });
        assert!(slow.is_held_up(slow.bytes.len()) && slow.is_held_up(slow.bytes.len() - LEAST + 1));
        assert!(!slow.is_held_up(slow.bytes.len() - LEAST), "it is fast enough");
        let mut small = reading(&budget, "x", SMALL);
        small.push(b"x").expect("room");
        assert!(!small.is_held_up(1), "it takes next to nothing");
        drop(others);
    }
}
