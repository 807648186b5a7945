//! Who has just written sees it in every list, though replicas of the database lag.
//!
//! A call that may have written leaves a mark for its caller in the cache, which stands for as long as a
//! replica may lag. While it stands, or while the cache cannot be asked, what the caller reads comes from the
//! writable database, on every node. Without replicas nothing of this is done.

use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpRequest, web};

use super::{Admin, Backend, Client};
use store::cache::Cache;
use store::db::{Db, WriterRead, reading_own_writes};

/// How long a mark stands beyond the lag that a replica may have.
const RESERVE: Duration = Duration::from_secs(1);

/// The marks of those who have just written.
#[derive(Clone)]
pub struct OwnWrites {
    cache: Cache,
    keep: Duration,
    has_replicas: bool,
}

impl OwnWrites {
    /// The marks in `cache`, for replicas of `db` that lag up to `lag`.
    #[must_use]
    pub fn new(db: &Db, cache: Cache, lag: Duration) -> Self {
        Self { cache, keep: lag + RESERVE, has_replicas: db.has_replicas() }
    }

    /// Without a mark the caller may miss their own write for a moment; that is no reason to fail.
    async fn leave(&self, caller: &str) {
        if let Err(error) = self.cache.set(&key(caller), "", self.keep).await {
            tracing::debug!(%error, "a write could not be marked");
        }
    }

    /// Why the caller is not to read from replicas; None when they may.
    async fn stands(&self, caller: &str) -> Option<WriterRead> {
        match self.cache.get(&key(caller)).await {
            Ok(None) => None,
            Ok(Some(_)) => Some(WriterRead::OwnWrite),
            Err(_) => Some(WriterRead::CacheAway),
        }
    }
}

fn key(caller: &str) -> String {
    format!("wrote:{caller}")
}

/// Callers of one kind.
pub trait Caller {
    /// Names the caller of a request among those of all kinds; None when it is nobody's.
    fn key(request: &HttpRequest) -> impl Future<Output = Option<String>>;
}

impl Caller for Client {
    async fn key(request: &HttpRequest) -> Option<String> {
        let client = Self::extract(request).await.ok()?;
        Some(format!("client:{}", client.user_id()))
    }
}

impl Caller for Admin {
    async fn key(request: &HttpRequest) -> Option<String> {
        let admin = Self::extract(request).await.ok()?;
        Some(format!("admin:{}", admin.user_id()))
    }
}

impl Caller for Backend {
    /// Backends share one key pair, and so their marks. Whether it is one is the handler's to find out: a
    /// signature may be checked only once.
    async fn key(_: &HttpRequest) -> Option<String> {
        Some("server".to_owned())
    }
}

/// Marks what callers of one kind write, for a scope: a call that is no GET and went well.
///
/// # Errors
/// Those of the call.
pub async fn mark<C: Caller, B: MessageBody>(
    marks: web::Data<OwnWrites>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    if !marks.has_replicas || request.method() == Method::GET {
        return next.call(request).await;
    }
    let response = next.call(request).await?;
    if response.status().is_success()
        && let Some(caller) = C::key(response.request()).await
    {
        marks.leave(&caller).await;
    }
    Ok(response)
}

/// Lets callers of one kind see what they wrote, for a route that reads from replicas.
///
/// # Errors
/// Those of the call.
pub async fn see<C: Caller, B: MessageBody>(
    marks: web::Data<OwnWrites>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    if marks.has_replicas
        && request.method() == Method::GET
        && let Some(caller) = C::key(request.request()).await
        && let Some(why) = marks.stands(&caller).await
    {
        return reading_own_writes(why, next.call(request)).await;
    }
    next.call(request).await
}
