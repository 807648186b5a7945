//! An event as consumers read it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Condition, Expr};
use sea_orm::{EntityTrait, FromQueryResult, QueryFilter, QuerySelect};

use super::DomainEvent;
use store::db::{Db, StoreError, WallTime};
use store::entity::event_log::{self, Column};
use telemetry::context;
use telemetry::span::Span;

/// An event as it is stored.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    /// The room.
    pub live_id: String,
    /// Place among the room's events.
    pub seq: i64,
    /// Kind, as stored.
    pub kind: String,
    /// The event; None when a newer version wrote one that this version does not know.
    pub event: Option<DomainEvent>,
    /// When it happened, in whole seconds, by the clock of the node where it did.
    pub at: DateTime<Utc>,
    /// Its age when it was read, by the database's clock.
    pub age_when_read: Duration,
    /// When it was read.
    pub read_at: Instant,
    /// The request, or the run of a job, that made it; what names the event where nobody noted it. The
    /// same whenever it is read.
    pub request_id: Arc<str>,
    /// The span that made it, where requests are traced.
    pub traceparent: Option<String>,
}

/// What is read of a row.
#[derive(FromQueryResult)]
struct Row {
    live_id: String,
    seq: i64,
    kind: String,
    body: String,
    created_at: WallTime,
    appended_ms: Option<i64>,
    request_id: Option<String>,
    traceparent: Option<String>,
    now_ms: i64,
}

impl StoredEvent {
    /// How long a partition rests before an event that this version does not know.
    pub const REST: Duration = Duration::from_secs(5);
    /// Rests until it is passed over: ten minutes.
    const RESTS: i32 = 120;

    /// The events that are `wanted`, in any order. One statement.
    pub(super) async fn find(db: &Db, wanted: Condition) -> Result<Vec<Self>, StoreError> {
        let columns = [
            Column::LiveId,
            Column::Seq,
            Column::Kind,
            Column::Body,
            Column::CreatedAt,
            Column::AppendedMs,
            Column::RequestId,
            Column::Traceparent,
        ];
        let rows = event_log::Entity::find()
            .select_only()
            .columns(columns)
            .expr_as(Expr::cust(db.dialect().now_ms_sql()), "now_ms")
            .filter(wanted)
            .into_model::<Row>()
            .all(db.primary())
            .await?;
        Ok(rows.into_iter().map(|row| Self::of(db, row)).collect())
    }

    fn of(db: &Db, row: Row) -> Self {
        let Row { live_id, seq, kind, body, created_at, appended_ms, request_id, traceparent, now_ms } = row;
        let event = DomainEvent::decode(&kind, &body);
        if let Err(error) = &event {
            tracing::warn!(%error, live_id, seq, kind, "an event that this version does not know");
        }
        let at = db.instant(created_at);
        // A server of an earlier version knew the time of its own clock alone.
        let age_ms = now_ms.saturating_sub(appended_ms.unwrap_or_else(|| at.timestamp_millis()));
        let age_when_read = Duration::from_millis(u64::try_from(age_ms).unwrap_or_default());
        let request_id = request_id.unwrap_or_else(|| format!("{live_id}-{seq}")).into();
        let read_at = Instant::now();
        Self { live_id, seq, kind, event: event.ok(), at, age_when_read, read_at, request_id, traceparent }
    }

    /// Runs `work`, that `what` does because of this event, on behalf of the request that made it.
    pub async fn within<F: Future>(&self, what: &str, work: F) -> F::Output {
        let span = Span::consumer(format!("{what} {}", self.kind), self.traceparent.as_deref());
        context::within_span(Arc::clone(&self.request_id), span.as_parent(), work).await
    }

    /// How long ago it was appended. The clocks of the nodes do not matter.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.age_when_read + self.read_at.elapsed()
    }

    /// Whether the event is to be left to a newer version of the server: while versions are changed,
    /// both run. In the end it is passed over, lest the partition stands still for good.
    #[must_use]
    pub fn is_too_new(&self, attempts: i32) -> bool {
        self.event.is_none() && attempts < Self::RESTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_newer_version_wrote_is_left_to_it_for_a_while() {
        let event = |event| StoredEvent {
            live_id: "1".to_owned(),
            seq: 1,
            kind: "of_the_future".to_owned(),
            event,
            at: DateTime::UNIX_EPOCH,
            age_when_read: Duration::ZERO,
            read_at: Instant::now(),
            request_id: "1-1".into(),
            traceparent: None,
        };
        assert!(event(None).is_too_new(0));
        assert!(!event(None).is_too_new(StoredEvent::RESTS), "the partition does not stand still for good");
        assert!(!event(Some(DomainEvent::LiveStarted)).is_too_new(0));
    }
}
