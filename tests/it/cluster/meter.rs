//! Requests at a steady pace, and what became of each.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::client::{Answer, Client};

/// Between two requests of one prober.
const PACE: Duration = Duration::from_millis(50);
/// Without an error for so long, a fault counts as over.
const CALM: Duration = Duration::from_secs(3);

/// One answer, or that there was none.
#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Instant,
    /// None: the connection broke.
    status: Option<u16>,
}

impl Sample {
    fn is_error(&self) -> bool {
        self.status.is_none_or(|status| status >= 500 || status == 408)
    }
}

/// What was counted from one moment on.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    pub requests: usize,
    pub errors: usize,
    /// From the moment to the last error; zero without one.
    pub until_last_error: Duration,
}

/// Probers that ask for all kinds of things in turn.
pub struct Meter {
    samples: Arc<Mutex<Vec<Sample>>>,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Meter {
    /// Starts a prober for each of the users, all of whom are in the live room.
    pub fn start(live_id: &str, users: Vec<Client>) -> Self {
        let samples = Arc::<Mutex<Vec<Sample>>>::default();
        let stop = CancellationToken::new();
        let tasks = users.into_iter().map(|user| {
            let (samples, stop, live_id) = (Arc::clone(&samples), stop.clone(), live_id.to_owned());
            tokio::spawn(async move {
                for turn in 0_usize.. {
                    let status = ask(&user, &live_id, turn).await.map(|answer| answer.status);
                    let sample = Sample { at: Instant::now(), status };
                    assert!(sample.is_error() || status == Some(200), "turn {turn}: {status:?}");
                    samples.lock().unwrap().push(sample);
                    if stop.run_until_cancelled(tokio::time::sleep(PACE)).await.is_none() {
                        return;
                    }
                }
            })
        });
        Self { tasks: tasks.collect(), samples, stop }
    }

    /// What has happened since.
    pub fn since(&self, moment: Instant) -> Count {
        let samples = self.samples.lock().unwrap();
        let after = samples.iter().filter(|sample| sample.at >= moment);
        let errors: Vec<Instant> =
            after.clone().filter(|sample| sample.is_error()).map(|one| one.at).collect();
        let last = errors.iter().max();
        Count {
            requests: after.count(),
            errors: errors.len(),
            until_last_error: last.map_or(Duration::ZERO, |last| *last - moment),
        }
    }

    /// Waits until requests have succeeded for a while after `moment`; how long that took at first.
    ///
    /// # Panics
    /// When errors go on for longer than `limit`.
    pub async fn calm_after(&self, moment: Instant, limit: Duration) -> Duration {
        loop {
            let count = self.since(moment);
            assert!(count.until_last_error <= limit, "errors went on for {:?}", count.until_last_error);
            if count.requests > 0 && moment.elapsed() >= count.until_last_error + CALM {
                return count.until_last_error;
            }
            assert!(moment.elapsed() < limit + CALM + CALM, "nothing is answered: {count:?}");
            tokio::time::sleep(PACE).await;
        }
    }

    /// Ends the probers, and fails when one of them met what it should not.
    pub async fn stop(self) {
        self.stop.cancel();
        for task in self.tasks {
            task.await.unwrap();
        }
    }
}

async fn ask(user: &Client, live_id: &str, turn: usize) -> Option<Answer> {
    match turn % 5 {
        0 => user.try_get(&format!("/client/live/room/info/{live_id}")).await,
        1 => user.try_get(&format!("/client/live/room/heartbeat/{live_id}")).await,
        2 => user.try_get("/client/live/room/list?page_num=1&page_size=20").await,
        3 => user.try_put(&format!("/client/live/room/{live_id}/like"), json!({"count": 1})).await,
        _ => user.try_post(&format!("/client/live/room/user/{live_id}"), json!({})).await,
    }
}
