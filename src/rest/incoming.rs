//! Bodies on their way in. Nothing is set aside for what a head announces, and all bodies of the process
//! together are bounded, from their first byte to the end of their requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::HttpMessage;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::Bytes;
use futures_util::StreamExt;
use prometheus::{Opts, Registry};

use super::error::ApiError;
use common::failure::{Failure, Kind};
use telemetry::asked;

/// Bytes that a body may have where nothing else is said.
pub const SMALL: usize = 64 << 10;
/// Bytes that the body of a batch may have.
pub const BATCH: usize = 1 << 20;

/// How long a caller may take to send its body.
const DEADLINE: Duration = Duration::from_secs(15);
/// How long a body that nobody wants may hold up the answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// What the first bytes of a body are put into.
const FIRST: usize = 4 << 10;
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
    #[error("too many request bodies are under way, try again")]
    Full,
}

impl Failure for BodyError {
    fn kind(&self) -> Kind {
        match self {
            Self::TooLarge(_) => Kind::TooLarge,
            Self::Broken(_) => Kind::Invalid,
            Self::TooSlow => Kind::TooSlow,
            Self::Full => Kind::Busy(BUSY),
        }
    }
}

/// The bytes that all bodies under way may have together; clones share them.
#[derive(Clone, Debug)]
pub struct BodyBudget(Arc<Budget>);

#[derive(Debug)]
struct Budget {
    limit: usize,
    taken: AtomicUsize,
}

/// Whether the sender of a body has shown who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Known, and so may use all of the budget.
    Known,
    /// A stranger: their bodies never take more than half, so that they shut nobody out.
    Stranger,
}

impl BodyBudget {
    /// A budget of `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Budget { limit, taken: AtomicUsize::new(0) }))
    }

    /// Registers `liveloom_http_body_bytes`.
    ///
    /// # Errors
    /// When the registry holds that name already.
    pub fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        let help = "Bytes that request bodies under way take together.";
        let budget = self.clone();
        asked::gauge(registry, Opts::new("http_body_bytes", help).namespace("liveloom"), move || {
            i64::try_from(budget.taken()).unwrap_or(i64::MAX)
        })
    }

    fn taken(&self) -> usize {
        self.0.taken.load(Ordering::Relaxed)
    }

    fn share(&self, trust: Trust) -> Share {
        let limit = match trust {
            Trust::Known => self.0.limit,
            Trust::Stranger => self.0.limit / 2,
        };
        Share { budget: Arc::clone(&self.0), limit, bytes: 0 }
    }
}

/// What one body takes of the budget, until this is dropped.
#[derive(Debug)]
struct Share {
    budget: Arc<Budget>,
    limit: usize,
    bytes: usize,
}

impl Share {
    fn grow_to(&mut self, bytes: usize) -> Result<(), BodyError> {
        let more = bytes.saturating_sub(self.bytes);
        let fits = |taken: usize| taken.checked_add(more).filter(|sum| *sum <= self.limit);
        let taken = self.budget.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        taken.map_err(|_| BodyError::Full)?;
        self.bytes += more;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.taken.fetch_sub(self.bytes, Ordering::Relaxed);
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
/// 413 for a larger one, 400 when it breaks off, 408 when it takes too long, 503 while the budget is spent.
pub async fn take(
    request: &mut ServiceRequest,
    limit: usize,
    trust: Trust,
    budget: &BodyBudget,
) -> Result<(), ApiError> {
    let announced = announced(request);
    if announced.is_some_and(|length| length > limit) {
        return Err(BodyError::TooLarge(limit).into());
    }
    let mut reading =
        Reading { bytes: Vec::new(), share: budget.share(trust), most: announced.unwrap_or(limit), limit };
    let mut payload = request.take_payload();
    let whole = async {
        while let Some(chunk) = payload.next().await {
            reading.push(&chunk.map_err(|error| BodyError::Broken(error.to_string()))?)?;
        }
        Ok::<_, BodyError>(())
    };
    tokio::time::timeout(DEADLINE, whole).await.map_err(|_| BodyError::TooSlow)??;
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
    drop(tokio::time::timeout(PATIENCE, passing).await);
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
        if len > self.share.bytes {
            let wanted = len.max(FIRST).max(2 * self.share.bytes).min(self.most.max(len));
            self.share.grow_to(wanted)?;
            self.bytes.reserve_exact(wanted - self.bytes.len());
        }
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_takes_what_has_arrived_and_gives_it_back() {
        let budget = BodyBudget::new(100_000);
        let mut reading =
            Reading { bytes: Vec::new(), share: budget.share(Trust::Known), most: 60_000, limit: SMALL };
        assert_eq!(budget.taken(), 0, "nothing for what is announced");
        reading.push(b"x").expect("room");
        assert_eq!(budget.taken(), FIRST);
        for _ in 0..59 {
            reading.push(&[0; 1000]).expect("room");
        }
        assert!(reading.bytes.capacity() <= 60_000 && budget.taken() == 60_000, "{}", budget.taken());
        assert!(matches!(reading.push(&[0; 8000]), Err(BodyError::TooLarge(SMALL))));
        let mut other = budget.share(Trust::Known);
        assert!(matches!(other.grow_to(40_001), Err(BodyError::Full)));
        assert!(other.grow_to(40_000).is_ok());
        drop((reading, other));
        assert_eq!(budget.taken(), 0);
    }

    #[test]
    fn strangers_have_half() {
        let budget = BodyBudget::new(10_000);
        let (mut stranger, mut known) = (budget.share(Trust::Stranger), budget.share(Trust::Known));
        assert!(stranger.grow_to(5001).is_err() && stranger.grow_to(5000).is_ok());
        assert!(known.grow_to(5000).is_ok() && known.grow_to(5001).is_err());
    }
}
