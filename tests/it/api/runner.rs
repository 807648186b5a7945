//! Runs cases side by side and says what became of each.

use std::any::Any;
use std::future::Future;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::sync::Semaphore;
use tokio::task::JoinError;

use super::{Api, Case, NotApplicable, Verdict};

/// How many cases are under way at once.
const AT_ONCE: usize = 12;
/// No case takes longer, however slow the machine.
const DEADLINE: Duration = Duration::from_secs(180);

/// Runs all of `cases`; returns one text per failed case. `LIVELOOM_TARGET_CASES` picks those whose
/// name holds it.
pub async fn run(api: &Api, cases: Vec<Case>) -> Vec<String> {
    let only = std::env::var("LIVELOOM_TARGET_CASES").unwrap_or_default();
    let gate = Arc::new(Semaphore::new(AT_ONCE));
    let started = Instant::now();
    let picked = cases.into_iter().filter(|case| case.name.contains(&only));
    let outcomes = join_all(picked.map(|case| {
        let (api, gate) = (api.clone(), Arc::clone(&gate));
        async move {
            let _slot = gate.acquire().await.unwrap();
            (case.name, settle(case.name, async move { (case.run)(api).await }).await)
        }
    }))
    .await;
    summary(api, &outcomes, started.elapsed());
    outcomes.into_iter().filter_map(|(name, outcome)| failure(api, name, outcome)).collect()
}

/// Runs one thing that wants the target for itself; returns its failure, if it failed.
pub async fn alone<F>(api: &Api, name: &'static str, run: fn(Api) -> F) -> Option<String>
where
    F: Future<Output = Verdict> + Send + 'static,
{
    let only = std::env::var("LIVELOOM_TARGET_CASES").unwrap_or_default();
    if !name.contains(&only) {
        return None;
    }
    let asked = api.clone();
    failure(api, name, settle(name, async move { run(asked).await }).await)
}

enum Outcome {
    Passed,
    NotApplicable(&'static str),
    /// The case and why.
    Failed(String),
}

/// Awaits `work` as its own task, so that a panic ends that task alone.
async fn settle(name: &str, work: impl Future<Output = Verdict> + Send + 'static) -> Outcome {
    let why = match tokio::spawn(tokio::time::timeout(DEADLINE, work)).await {
        Ok(Ok(Ok(()))) => return Outcome::Passed,
        Ok(Ok(Err(NotApplicable(why)))) => return Outcome::NotApplicable(why),
        Ok(Err(_)) => format!("not done within {DEADLINE:?}"),
        Err(crash) => message_of(crash),
    };
    // At once, and past the capture of the test harness: a run that is cut short says it too.
    let told = format!("{name}\n  {}", why.replace('\n', "\n  "));
    let _ = writeln!(std::io::stderr(), "FAILED {told}");
    Outcome::Failed(told)
}

fn message_of(crash: JoinError) -> String {
    if !crash.is_panic() {
        return crash.to_string();
    }
    let payload: Box<dyn Any + Send> = crash.into_panic();
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(other) => other.downcast_ref::<&str>().map_or("a panic without text", |text| text).to_owned(),
    }
}

/// Says in one line that a test did nothing, past the capture of the test harness.
pub fn not_run(test: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "NOT RUN {test}: {why}");
}

fn failure(api: &Api, name: &str, outcome: Outcome) -> Option<String> {
    match outcome {
        Outcome::Failed(told) => Some(told),
        // A server of our own gives whatever a case needs.
        Outcome::NotApplicable(why) if api.backend.is_some() => {
            Some(format!("{name}\n  not applicable: {why}"))
        }
        Outcome::Passed | Outcome::NotApplicable(_) => None,
    }
}

fn summary(api: &Api, outcomes: &[(&'static str, Outcome)], took: Duration) {
    let passed = outcomes.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Passed)).count();
    let skipped = outcomes.iter().filter_map(|(name, outcome)| match outcome {
        Outcome::NotApplicable(why) => Some(format!("  not applicable: {name}: {why}")),
        Outcome::Passed | Outcome::Failed(_) => None,
    });
    println!(
        "API suite on {}: {passed} of {} cases passed in {took:.1?}",
        api.target.base_url,
        outcomes.len()
    );
    skipped.for_each(|line| println!("{line}"));
}
