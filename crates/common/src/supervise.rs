//! Supervises the tasks that the node cannot do without.
//!
//! A task that panics, or ends before it should, is logged with its name and counted, and the process has
//! failed: `/healthz` says so, and `liveloom serve` stops with an error, so that whatever runs it starts it
//! again. Half a node would go on answering while, for example, nobody hears of changes any more.
//! Work that is done again anyway, such as a run of a job, is only caught ([`catch`]).

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::LazyLock;

use futures_util::FutureExt;
use prometheus::{IntCounterVec, Opts, Registry};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Values of the label `how`.
const PANICKED: &str = "panicked";
const ENDED: &str = "ended";

static PROCESS: LazyLock<Supervisor> = LazyLock::new(Supervisor::new);

/// Work that panicked; it is logged and counted already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it panicked")]
pub struct Panicked;

/// Starts a task that ends by itself when nobody needs it any more. A panic in it fails the process.
pub fn spawn(task: &'static str, work: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(PROCESS.watch(task, || true, work))
}

/// As [`spawn`], for a task of this thread; within a `LocalSet`.
pub fn spawn_local(task: &'static str, work: impl Future<Output = ()> + 'static) -> JoinHandle<()> {
    tokio::task::spawn_local(PROCESS.watch(task, || true, work))
}

/// Starts a task that must go on until `stop`. A panic in it, or its end before that, fails the process.
pub fn spawn_until(
    task: &'static str,
    stop: &CancellationToken,
    work: impl Future<Output = ()> + Send + 'static,
) -> JoinHandle<()> {
    tokio::spawn(until(task, stop, work))
}

/// What [`spawn_until`] starts, for whoever starts it otherwise.
pub fn until<W: Future<Output = ()>>(
    task: &'static str,
    stop: &CancellationToken,
    work: W,
) -> impl Future<Output = ()> + use<W> {
    let stop = stop.clone();
    PROCESS.watch(task, move || stop.is_cancelled(), work)
}

/// Starts work of one request or event that nobody waits for. A panic in it is logged and counted, no more.
pub fn spawn_once(task: &'static str, work: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(catch(task, work));
}

/// Does `work`; a panic in it is logged and counted under the name `task`.
///
/// # Errors
/// When it panicked.
pub async fn catch<T>(task: &'static str, work: impl Future<Output = T>) -> Result<T, Panicked> {
    PROCESS.catch(task, work).await
}

/// Counts a panic that was caught elsewhere, with the text that it came with.
pub fn note_panic(task: &'static str, payload: &(dyn Any + Send)) {
    PROCESS.note_panic(task, payload);
}

/// Shows a task in the metrics before it fails: a rate of what never happened is 0, not unknown.
pub fn announce(task: &'static str) {
    PROCESS.announce(task);
}

/// The task whose failure made the process fail, if one did.
#[must_use]
pub fn failure() -> Option<&'static str> {
    *PROCESS.failure.borrow()
}

/// Waits until the process has failed; answers the task.
pub async fn failed() -> &'static str {
    PROCESS.failed().await
}

/// Registers `liveloom_task_failures_total{task, how}`.
///
/// # Errors
/// When the registry holds it already.
pub fn register(registry: &Registry) -> prometheus::Result<()> {
    match &PROCESS.failures {
        Ok(failures) => registry.register(Box::new(failures.clone())),
        Err(error) => Err(prometheus::Error::Msg(error.to_string())),
    }
}

/// What a panic was told with; empty for anything but text.
#[must_use]
pub fn text_of(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or_default()
}

/// The supervisor of a process; there are others in tests alone.
struct Supervisor {
    /// The first task that failed.
    failure: watch::Sender<Option<&'static str>>,
    failures: prometheus::Result<IntCounterVec>,
}

impl Supervisor {
    fn new() -> Self {
        let opts = Opts::new(
            "liveloom_task_failures_total",
            "Background tasks, runs of jobs and other work that panicked, or tasks that ended before they should.",
        );
        Self { failure: watch::Sender::new(None), failures: IntCounterVec::new(opts, &["task", "how"]) }
    }

    async fn watch(&self, task: &'static str, is_over: impl Fn() -> bool, work: impl Future<Output = ()>) {
        self.announce(task);
        match self.catch(task, work).await {
            Ok(()) if is_over() => return,
            Ok(()) => {
                self.count(task, ENDED);
                tracing::error!(task, "a background task has ended");
            }
            Err(Panicked) => {}
        }
        self.failure.send_if_modified(|failure| {
            let is_first = failure.is_none();
            failure.get_or_insert(task);
            is_first
        });
    }

    async fn catch<T>(&self, task: &'static str, work: impl Future<Output = T>) -> Result<T, Panicked> {
        AssertUnwindSafe(work).catch_unwind().await.map_err(|payload| {
            self.note_panic(task, payload.as_ref());
            Panicked
        })
    }

    fn note_panic(&self, task: &'static str, payload: &(dyn Any + Send)) {
        self.count(task, PANICKED);
        tracing::error!(task, panic = text_of(payload), "a background task panicked");
    }

    fn announce(&self, task: &'static str) {
        if let Ok(failures) = &self.failures {
            [PANICKED, ENDED].iter().for_each(|how| _ = failures.with_label_values(&[task, how]));
        }
    }

    fn count(&self, task: &'static str, how: &str) {
        if let Ok(failures) = &self.failures {
            failures.with_label_values(&[task, how]).inc();
        }
    }

    async fn failed(&self) -> &'static str {
        let mut failure = self.failure.subscribe();
        match failure.wait_for(Option::is_some).await.ok().and_then(|failure| *failure) {
            Some(task) => task,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn count(supervisor: &Supervisor, task: &str, how: &str) -> u64 {
        supervisor.failures.as_ref().unwrap().with_label_values(&[task, how]).get()
    }

    #[tokio::test]
    async fn a_task_that_ends_before_its_time_is_a_failure_and_one_that_ends_in_time_is_none() {
        let (supervisor, stop) = (Supervisor::new(), CancellationToken::new());
        supervisor.watch("in time", || true, async {}).await;
        assert_eq!(*supervisor.failure.borrow(), None);
        supervisor.watch("early", || stop.is_cancelled(), async {}).await;
        assert_eq!(supervisor.failed().await, "early");
        assert_eq!((count(&supervisor, "early", ENDED), count(&supervisor, "early", PANICKED)), (1, 0));
        supervisor.watch("later", || false, async {}).await;
        assert_eq!(supervisor.failed().await, "early", "the first one is the cause");
    }

    #[tokio::test]
    async fn a_panic_is_a_failure_of_a_task_at_any_time_but_not_of_work_that_is_caught() {
        let supervisor = Supervisor::new();
        assert_eq!(supervisor.catch("caught", async { panic!("so") }).await, Err::<(), _>(Panicked));
        assert_eq!(supervisor.catch("caught", async { 7 }).await, Ok(7));
        assert_eq!(*supervisor.failure.borrow(), None);
        supervisor.watch("task", || true, async { panic!("so") }).await;
        assert_eq!(supervisor.failed().await, "task");
        let counted = ["caught", "task"].map(|task| count(&supervisor, task, PANICKED));
        assert_eq!(counted, [1, 1]);
    }

    #[tokio::test]
    async fn a_task_that_is_aborted_has_not_failed() {
        static OTHER: LazyLock<Supervisor> = LazyLock::new(Supervisor::new);
        let task = tokio::spawn(OTHER.watch("aborted", || false, std::future::pending()));
        tokio::task::yield_now().await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(*OTHER.failure.borrow(), None);
    }

    #[test]
    fn the_text_of_a_panic_is_told_however_it_was_made() {
        assert_eq!(text_of(&"static"), "static");
        assert_eq!(text_of(&"made".to_owned()), "made");
        assert_eq!(text_of(&7), "");
    }
}
