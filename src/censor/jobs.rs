//! Jobs of the review service: one for each live.
//!
//! A row is committed before the service is asked, so that a job that was started is never lost
//! sight of: what became of a call without an answer is found out by [`Reviews::repair`].

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::error::Error;
use super::job_queries::{self as queries, Change, Job, State};
use super::service::Reviews;
use super::settings::Settings;
use crate::live::{LiveStatus, Room};
use crate::media::ReviewError;
use crate::media::review::{ListJobs, NewJob, QueryJob};
use common::crash;
use common::failure::with_causes;
use store::fence::Fence;

/// After this long nobody waits for the service's answer any more, in this process or another.
pub(super) const STALE: TimeDelta = TimeDelta::seconds(10);

/// Why a job is started.
#[derive(Clone, Copy)]
pub(super) enum Cause<'a> {
    /// An operator wants one.
    Operator,
    /// The live began.
    Live,
    /// The live has none yet.
    Repair(&'a dyn Fence),
}

impl Reviews {
    /// Starts a job for a room, unless one runs already.
    ///
    /// # Errors
    /// [`Error::Off`], [`Error::Ended`], [`Error::Starting`], the room's, or the review service's.
    pub async fn start_job(&self, live_id: &str) -> Result<(), Error> {
        let settings = self.settings().await?;
        self.check_on(&settings)?;
        let room = self.0.lives.room(live_id).await?;
        if room.push_url.is_empty() {
            return Err(Error::Off("the room has no stream"));
        }
        let Some(row_id) = self.intend(live_id, &settings, Cause::Operator).await? else { return Ok(()) };
        self.ask(row_id, &room, &settings).await
    }

    /// Ends the jobs of a room. Harmless when they have ended.
    ///
    /// # Errors
    /// [`Error::NoJob`] when the room never had one, or the review service's: then they are ended as
    /// soon as it can be reached.
    pub async fn close_job(&self, live_id: &str) -> Result<(), Error> {
        let rows = queries::of_room(self.0.db.reader_for(true), live_id).await?;
        if rows.is_empty() {
            return Err(Error::NoJob);
        }
        self.close_open(live_id).await
    }

    /// A live began: a job is started when the review is on. Never fails; what goes wrong is logged,
    /// counted, and made good by [`Reviews::repair`]. Doing it twice starts one job.
    pub async fn live_started(&self, live_id: &str) {
        if let Err(error) = self.start_for_live(live_id, Cause::Live).await {
            tracing::warn!(error = %with_causes(&error), live_id, "no review job was started yet");
        }
    }

    /// A live ended: its jobs end. Never fails, as [`Reviews::live_started`].
    pub async fn live_ended(&self, live_id: &str) {
        if let Err(error) = self.close_open(live_id).await {
            tracing::warn!(error = %with_causes(&error), live_id, "the review job was not closed yet");
        }
    }

    /// Jobs, as the review service tells of them.
    ///
    /// # Errors
    /// The review service's.
    pub async fn list_jobs(&self, wanted: &ListJobs) -> Result<Value, Error> {
        Ok(self.counted("list", self.0.client.list(wanted).await)?)
    }

    /// Results of a job, as the review service tells of them.
    ///
    /// # Errors
    /// The review service's.
    pub async fn query_job(&self, wanted: &QueryJob) -> Result<Value, Error> {
        Ok(self.counted("query", self.0.client.query(wanted).await)?)
    }

    /// Whether jobs can be started.
    pub(super) fn check_on(&self, settings: &Settings) -> Result<(), Error> {
        if self.0.config.callback.is_empty() {
            Err(Error::Off("censor.callback is not configured"))
        } else if !settings.enable {
            Err(Error::Off("the content review is switched off"))
        } else if settings.scenes().is_empty() {
            Err(Error::Off("nothing is chosen to look for"))
        } else {
            Ok(())
        }
    }

    /// Starts a job for a live that never had one.
    pub(super) async fn start_for_live(&self, live_id: &str, cause: Cause<'_>) -> Result<(), Error> {
        if self.0.config.callback.is_empty() {
            return Ok(());
        }
        let settings = self.settings().await?;
        let room = self.0.lives.room(live_id).await?;
        if self.check_on(&settings).is_err() || room.push_url.is_empty() {
            return Ok(());
        }
        let Some(row_id) = self.intend(live_id, &settings, cause).await? else { return Ok(()) };
        self.ask(row_id, &room, &settings).await
    }

    /// Stores that the service will be asked for a job; `None` when there is nothing to ask for. The
    /// room is locked, so that of two callers one asks.
    async fn intend(
        &self,
        live_id: &str,
        settings: &Settings,
        cause: Cause<'_>,
    ) -> Result<Option<u32>, Error> {
        let inner = &self.0;
        let now = inner.clock.now();
        let intended = inner
            .db
            .transaction(|tx| {
                Box::pin(async move {
                    if let Cause::Repair(fence) = cause {
                        fence.check(tx).await?;
                    }
                    let status = inner.lives.lock_for_review(tx, live_id).await?;
                    let rows = queries::of_room(tx, live_id).await?;
                    let jobs: Vec<Job> =
                        rows.iter().filter_map(|row| queries::open(&inner.db, row)).collect();
                    let wanted = match cause {
                        Cause::Operator => may_start(status, &jobs)?,
                        // One that an operator has closed is not started again.
                        Cause::Live | Cause::Repair(_) => status == Some(LiveStatus::Live) && rows.is_empty(),
                    };
                    if !wanted {
                        return Ok(None);
                    }
                    Ok::<_, Error>(Some(queries::insert(&inner.db, tx, live_id, settings, now).await?))
                })
            })
            .await?;
        crash::point("review.asked");
        Ok(intended)
    }

    /// Asks the service for the job of a row that says so, and stores what it answers.
    pub(super) async fn ask(&self, row_id: u32, room: &Room, settings: &Settings) -> Result<(), Error> {
        let inner = &self.0;
        let scenes = settings.scenes();
        let new = NewJob {
            id: &room.live_id,
            uri: &room.push_url,
            scenes: &scenes,
            interval_msecs: i64::from(settings.interval) * 1000,
            hook_url: &inner.hooks.get().url(&inner.config.callback, &room.live_id),
            bucket: &inner.config.bucket,
        };
        let asked = self.counted("start", inner.client.start(&new).await);
        crash::point("review.started");
        match asked {
            Ok(job_id) => self.started(row_id, &job_id).await,
            Err(error) => {
                if error.is_refusal() {
                    queries::change(&inner.db, inner.db.writer(), row_id, &Change::Forget).await?;
                }
                Err(error.into())
            }
        }
    }

    /// The service's id of a job is known; one that shall end by now is ended.
    pub(super) async fn started(&self, row_id: u32, job_id: &str) -> Result<(), Error> {
        let (db, change) = (&self.0.db, Change::Started(job_id));
        if !queries::change(db, db.writer(), row_id, &change).await? {
            // Somebody else has found it out, or the row is gone with its room.
            return Ok(());
        }
        crash::point("review.known");
        let row = queries::find(db.reader_for(true), row_id).await?;
        match row.and_then(|row| queries::open(db, &row)) {
            Some(job) if job.state == Some(State::Closing) => self.close(&job).await,
            _ => Ok(()),
        }
    }

    /// Ends all open jobs of a room whose ids are known; the others end once they are.
    async fn close_open(&self, live_id: &str) -> Result<(), Error> {
        let db = &self.0.db;
        queries::close_all(db.writer(), live_id).await?;
        crash::point("review.closing");
        let rows = queries::of_room(db.reader_for(true), live_id).await?;
        for job in rows.iter().filter_map(|row| queries::open(db, row)).filter(|job| !job.job_id.is_empty()) {
            self.close(&job).await?;
        }
        Ok(())
    }

    /// Ends one job that is marked to be ended.
    pub(super) async fn close(&self, job: &Job) -> Result<(), Error> {
        match self.counted("close", self.0.client.close(&job.job_id).await) {
            Ok(()) => {}
            // It has ended by itself, as jobs do when their stream is gone.
            Err(error @ ReviewError::Refused { .. }) => {
                tracing::info!(%error, job = job.job_id, "the review job is taken as ended");
            }
            Err(error) => return Err(error.into()),
        }
        queries::change(&self.0.db, self.0.db.writer(), job.row_id, &Change::Closed).await?;
        Ok(())
    }
}

/// Whether an operator's wish for a job is to be followed: not when one runs.
fn may_start(status: Option<LiveStatus>, jobs: &[Job]) -> Result<bool, Error> {
    match status {
        None => return Err(crate::live::Error::NotFound.into()),
        Some(LiveStatus::Ended) => return Err(Error::Ended),
        Some(LiveStatus::Created | LiveStatus::Live) => {}
    }
    // However long ago: the repair goes on asking until it is known.
    if jobs.iter().any(|job| job.state == Some(State::Asked)) {
        return Err(Error::Starting);
    }
    Ok(jobs.iter().all(|job| job.state == Some(State::Closing)))
}

/// Whether nobody waits any more for the answer that would have told the job's id.
pub(super) fn is_stale(job: &Job, now: DateTime<Utc>) -> bool {
    job.asked_at.is_none_or(|at| now - at > STALE)
}
