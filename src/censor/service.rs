//! What the content review is made of, and the end of a live by an operator.

use std::sync::Arc;

use prometheus::{IntCounterVec, Opts, Registry};

use super::error::Error;
use super::hook::HookKeys;
use crate::im::Im;
use crate::live::Lives;
use crate::media::{ReviewClient, ReviewError};
use crate::user::Users;
use common::clock::SharedClock;
use config::{CensorConfig, Current};
use store::db::Db;

/// What a room is told when an operator ends its live, unless the operator says something else. The
/// released apps show it as it is.
const STOP_MESSAGE: &str = "该直播间因内容违规，已被管理员关闭。";

/// What the content review is made of.
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: SharedClock,
    /// The rooms.
    pub lives: Lives,
    /// The users.
    pub users: Users,
    /// Warns anchors.
    pub im: Im,
    /// The review service.
    pub client: ReviewClient,
    /// Signs the callbacks.
    pub hooks: Current<HookKeys>,
    /// The section `censor`.
    pub config: CensorConfig,
}

/// The content review; clones share everything.
#[derive(Clone)]
pub struct Reviews(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub db: Db,
    pub clock: SharedClock,
    pub lives: Lives,
    pub users: Users,
    pub im: Im,
    pub client: ReviewClient,
    pub hooks: Current<HookKeys>,
    pub config: CensorConfig,
    calls: IntCounterVec,
}

impl Reviews {
    /// A review made of `parts`.
    ///
    /// Registers `liveloom_review_calls_total{call, result}`.
    ///
    /// # Errors
    /// When the registry holds that name already.
    pub fn new(parts: Parts, registry: &Registry) -> prometheus::Result<Self> {
        let Parts { db, clock, lives, users, im, client, hooks, config } = parts;
        let help = "Calls to the review service, by call (start, close, list, query) and result (ok, refused, failed).";
        let calls = IntCounterVec::new(Opts::new("liveloom_review_calls_total", help), &["call", "result"])?;
        registry.register(Box::new(calls.clone()))?;
        // A rate of what never happened yet is 0, not unknown.
        for call in ["start", "close", "list", "query"] {
            for result in ["ok", "refused", "failed"] {
                calls.with_label_values(&[call, result]);
            }
        }
        Ok(Self(Arc::new(Inner { db, clock, lives, users, im, client, hooks, config, calls })))
    }

    /// Counts how a call to the review service ended, and hands the result on.
    pub(super) fn counted<T>(
        &self,
        call: &'static str,
        result: Result<T, ReviewError>,
    ) -> Result<T, ReviewError> {
        let label = match &result {
            Ok(_) => "ok",
            Err(ReviewError::Refused { .. }) => "refused",
            Err(_) => "failed",
        };
        self.0.calls.with_label_values(&[call, label]).inc();
        result
    }

    /// Ends a live in the name of the administrator `admin_id`. The room is told `message`, or that
    /// it was closed for its contents.
    ///
    /// # Errors
    /// The room's: unknown, or not live.
    pub async fn stop_live(&self, live_id: &str, admin_id: &str, message: Option<&str>) -> Result<(), Error> {
        Ok(self.0.lives.stop_by_censor(live_id, admin_id, message.unwrap_or(STOP_MESSAGE)).await?)
    }
}
