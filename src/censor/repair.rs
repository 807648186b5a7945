//! Making good what failed: lives without a job get one, jobs whose id was never learnt are looked
//! for, jobs of rooms that are over end.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, stream};
use serde_json::Value;

use super::error::Error;
use super::job_queries::{self as queries, Change, Job, State};
use super::jobs::{Cause, is_stale};
use super::service::Reviews;
use crate::media::review::{ListJobs, MAX_LISTED};
use common::failure::with_causes;
use store::fence::Fence;

/// Rooms, or jobs, looked at with one statement each.
const BATCH: usize = 500;
/// Calls to the review service at the same time.
const AT_ONCE: usize = 4;
/// After so many failures without any success the service is taken as away, until the next run.
const FAILURES: u64 = 12;
/// Pages of the service's list that one run reads at most.
const PAGES: usize = 20;
/// The clocks of the service and of this server may differ by this much.
const SKEW: TimeDelta = TimeDelta::minutes(2);

/// What is to be done with one job or room.
enum Task {
    Start(String),
    Close(Job),
    Settle(Job),
}

/// How a run goes.
#[derive(Default)]
struct Run {
    done: u64,
    failures: u64,
}

impl Run {
    /// Single jobs may keep failing; when nothing at all succeeds, the service is away.
    fn is_hopeless(&self) -> bool {
        self.done == 0 && self.failures >= FAILURES
    }
}

impl Reviews {
    /// One run; answers how many rooms and jobs were put right. Look-ups are for 500 at a time.
    ///
    /// # Errors
    /// The store's. What the review service does not do is logged, and tried again by the next run.
    pub async fn repair(&self, fence: &dyn Fence) -> Result<u64, Error> {
        let mut run = Run::default();
        let mut after = Some(0);
        while let Some(row) = after
            && !run.is_hopeless()
        {
            let tasks;
            (after, tasks) = self.jobs_due(row).await?;
            self.put_all_right(tasks, fence, &mut run).await?;
        }
        after = self.check_on(&self.settings().await?).is_ok().then_some(0);
        while let Some(row) = after
            && !run.is_hopeless()
        {
            let tasks;
            (after, tasks) = self.rooms_due(row).await?;
            self.put_all_right(tasks, fence, &mut run).await?;
        }
        Ok(run.done)
    }

    async fn put_all_right(&self, tasks: Vec<Task>, fence: &dyn Fence, run: &mut Run) -> Result<(), Error> {
        let found = self.look_for(&tasks).await?;
        let mut running = stream::iter(tasks)
            .map(|task| self.put_right(task, fence, found.as_ref()))
            .buffer_unordered(AT_ONCE);
        while let Some(result) = running.next().await {
            match result {
                Ok(did) => run.done += u64::from(did),
                Err(error @ (Error::Store(_) | Error::LeaseLost(_))) => return Err(error),
                Err(error) => {
                    tracing::warn!(error = %with_causes(&error), "a review job could not be put right yet");
                    run.failures += 1;
                    if run.is_hopeless() {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// Live rooms that never had a job, of those after row `after`; and where to go on.
    async fn rooms_due(&self, after: u32) -> Result<(Option<u32>, Vec<Task>), Error> {
        let (next, rooms) = self.0.lives.live_rooms_after(after, BATCH).await?;
        let known = queries::known(self.0.db.reader_for(true), &rooms).await?;
        let with_job: HashSet<&str> = known.iter().map(|(live_id, _)| live_id.as_str()).collect();
        let without = rooms.iter().filter(|live_id| !with_job.contains(live_id.as_str()));
        Ok((next, without.cloned().map(Task::Start).collect()))
    }

    /// What the open jobs after row `after` need; and where to go on.
    async fn jobs_due(&self, after: u32) -> Result<(Option<u32>, Vec<Task>), Error> {
        let inner = &self.0;
        let jobs = queries::open_after(&inner.db, inner.db.reader_for(true), after, BATCH).await?;
        let next = (jobs.len() == BATCH).then(|| jobs.last().map(|job| job.row_id)).flatten();
        let ids: Vec<String> = jobs.iter().map(|job| job.live_id.clone()).collect();
        let over = if ids.is_empty() { HashSet::new() } else { inner.lives.over_among(&ids).await? };
        let now = inner.clock.now();
        let due = jobs.into_iter().filter_map(|job| {
            let is_over = over.contains(&job.live_id);
            if job.job_id.is_empty() {
                is_stale(&job, now).then_some(Task::Settle(job))
            } else {
                (is_over || job.state == Some(State::Closing)).then_some(Task::Close(job))
            }
        });
        Ok((next, due.collect()))
    }

    /// The service's jobs of the rooms whose job is not known, by room; `None` when the service did
    /// not tell. One look for all of them.
    async fn look_for(&self, tasks: &[Task]) -> Result<Option<HashMap<String, String>>, Error> {
        let lost = tasks.iter().filter_map(|task| match task {
            Task::Settle(job) => Some(job),
            Task::Start(_) | Task::Close(_) => None,
        });
        let lost: Vec<&Job> = lost.collect();
        let Some(since) = lost.iter().filter_map(|job| job.asked_at).min() else {
            return Ok(Some(HashMap::new()));
        };
        let rooms: Vec<String> = lost.iter().map(|job| job.live_id.clone()).collect();
        let known = queries::known(self.0.db.reader_for(true), &rooms).await?;
        let known: HashSet<String> = known.into_iter().map(|(_, job_id)| job_id).collect();
        match self.started_since(since).await {
            Ok(jobs) => Ok(Some(jobs.into_iter().filter(|(_, job_id)| !known.contains(job_id)).collect())),
            Err(error) => {
                tracing::warn!(error = %with_causes(&error), "review jobs without an answer stay unknown");
                Ok(None)
            }
        }
    }

    /// Room and id of the jobs that the service has begun since then and that have not ended.
    async fn started_since(&self, since: DateTime<Utc>) -> Result<Vec<(String, String)>, Error> {
        let now = self.0.clock.now();
        let mut jobs = Vec::new();
        for status in ["waiting", "doing"] {
            let mut wanted = ListJobs {
                start: (since - SKEW).timestamp(),
                end: (now + SKEW).timestamp(),
                status: status.to_owned(),
                limit: MAX_LISTED,
                marker: String::new(),
            };
            for _ in 0..PAGES {
                let page = self.list_jobs(&wanted).await?;
                let items = page.get("items").and_then(Value::as_array);
                jobs.extend(items.into_iter().flatten().filter_map(room_and_id));
                let marker = page.get("marker").and_then(Value::as_str).unwrap_or_default();
                if marker.is_empty() {
                    break;
                }
                wanted.marker = marker.to_owned();
            }
        }
        Ok(jobs)
    }

    async fn put_right(
        &self,
        task: Task,
        fence: &dyn Fence,
        found: Option<&HashMap<String, String>>,
    ) -> Result<bool, Error> {
        match task {
            Task::Start(live_id) => {
                self.start_for_live(&live_id, Cause::Repair(fence)).await?;
            }
            Task::Close(job) => {
                self.fenced(fence, job.row_id, &Change::Close).await?;
                self.close(&job).await?;
            }
            Task::Settle(job) => {
                let Some(found) = found else { return Ok(false) };
                self.settle(&job, fence, found.get(&job.live_id)).await?;
            }
        }
        Ok(true)
    }

    /// A job whose id was not learnt: the service has it, or it is asked once more while the room is
    /// live, or it is given up.
    async fn settle(&self, job: &Job, fence: &dyn Fence, found: Option<&String>) -> Result<(), Error> {
        if let Some(job_id) = found {
            return self.started(job.row_id, job_id).await;
        }
        let settings = self.settings().await?;
        let rooms = std::slice::from_ref(&job.live_id);
        let is_wanted = job.state == Some(State::Asked)
            && self.check_on(&settings).is_ok()
            && self.0.lives.over_among(rooms).await?.is_empty();
        let (true, Some(former)) = (is_wanted, job.asked_at) else {
            self.fenced(fence, job.row_id, &Change::Forget).await?;
            return Ok(());
        };
        let again = Change::AskAgain { former, now: self.0.clock.now() };
        if self.fenced(fence, job.row_id, &again).await? {
            let room = self.0.lives.room(&job.live_id).await?;
            self.ask(job.row_id, &room, &settings).await?;
        }
        Ok(())
    }

    /// A change that only the leader may make.
    async fn fenced(&self, fence: &dyn Fence, row_id: u32, change: &Change<'_>) -> Result<bool, Error> {
        let db = &self.0.db;
        db.transaction(|tx| {
            Box::pin(async move {
                fence.check(tx).await?;
                Ok::<_, Error>(queries::change(db, tx, row_id, change).await?)
            })
        })
        .await
    }
}

/// The room that an entry of the service's list is for, and the job's id.
fn room_and_id(item: &Value) -> Option<(String, String)> {
    let room = item.get("data")?.get("id")?.as_str()?;
    let job = item.get("id")?.as_str()?;
    (!room.is_empty() && !job.is_empty()).then(|| (room.to_owned(), job.to_owned()))
}
