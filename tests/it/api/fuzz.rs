//! A property test made from the OpenAPI document: whatever is sent to whatever route, with proper
//! credentials, the answer is an envelope and no server error.
//!
//! `LIVELOOM_FUZZ_SEED` is another seed than the usual one, or `random`, and is printed with a failure;
//! `LIVELOOM_FUZZ_SECONDS` makes it longer. proptest shrinks what fails to the smallest request that
//! still fails.

use std::time::{Duration, Instant};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use super::client::Call;
use super::mutation::{Pool, Request, any_request};
use super::world::User;
use super::{Api, Verdict};

/// Sends mutated requests for some seconds; then the server is as well as before.
pub async fn every_route_withstands(api: Api) -> Verdict {
    let seed = asked_seed();
    let seconds = std::env::var("LIVELOOM_FUZZ_SECONDS")
        .map_or(20, |text| text.parse().expect("LIVELOOM_FUZZ_SECONDS is a number"));
    let (started, mut requests) = (Instant::now(), 0_u32);
    for round in 0.. {
        let document = api.document().await;
        let (user, operator) = (api.user().await, api.operator().await);
        let live_ids =
            vec![api.room(&user).await, api.live_room(&user).await, api.live_room(&api.user().await).await];
        let pool = Pool { user, bystander: api.user().await.id, live_ids };
        let asked = api.clone();
        let handle = tokio::runtime::Handle::current();
        let outcome = tokio::task::spawn_blocking(move || {
            let outcome = runner(seed, round).run(&any_request(&document, &pool), |request| {
                handle.block_on(withstands(&asked, [&pool.user, &operator], &request))
            });
            outcome.map_err(Box::new)
        });
        match outcome.await.expect("the property test runs").map_err(|error| *error) {
            Ok(()) => {}
            Err(TestError::Fail(why, request)) => {
                panic!(
                    "LIVELOOM_FUZZ_SEED={seed}, round {round}: {why}\nsmallest request: {}",
                    shown(&request)
                );
            }
            Err(error) => panic!("LIVELOOM_FUZZ_SEED={seed}: {error}"),
        }
        requests += CASES;
        if started.elapsed() > Duration::from_secs(seconds) {
            break;
        }
    }
    println!("API suite on {}: withstood {requests} mutated requests, seed {seed}", api.target.base_url);
    still_well(&api).await;
    Ok(())
}

const CASES: u32 = 200;

/// The same each time unless asked: a change is judged by what it changed.
fn asked_seed() -> u64 {
    match std::env::var("LIVELOOM_FUZZ_SEED").as_deref() {
        Err(_) => 0,
        Ok("random") => rand::random(),
        Ok(number) => number.parse().expect("LIVELOOM_FUZZ_SEED is a number or \"random\""),
    }
}

fn runner(seed: u64, round: u64) -> TestRunner {
    let config =
        Config { cases: CASES, failure_persistence: None, max_shrink_iters: 400, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&round.to_le_bytes());
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

async fn withstands(api: &Api, callers: [&User; 2], request: &Request) -> Result<(), TestCaseError> {
    let mut call = call_of(api, callers, request);
    for _ in 0..100 {
        let answer = call.exchange().await.map_err(TestCaseError::fail)?;
        if answer.status != 429 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        call = call_of(api, callers, request);
    }
    Err(TestCaseError::fail("answered by 429 for ten seconds"))
}

fn call_of(api: &Api, [user, operator]: [&User; 2], request: &Request) -> Call {
    let mut call = api.call(&request.operation.method, &request.target);
    if let Some(bytes) = request.body.bytes() {
        call = call.body(request.content_type, bytes);
    }
    if request.operation.path == "/api/ping" {
        call = call.document();
    }
    match request.operation.path.split('/').nth(1) {
        Some("server" | "v1") => call.server(),
        Some("client" | "live" | "mic") => call.by(user),
        Some("admin") => call.by(operator),
        _ => call,
    }
}

fn shown(request: &Request) -> String {
    let body = request
        .body
        .bytes()
        .map(|bytes| String::from_utf8_lossy(&bytes).chars().take(2000).collect::<String>());
    format!(
        "{} {}\nContent-Type: {}\nbody: {body:?}",
        request.operation.method, request.target, request.content_type
    )
}

/// An ordinary life of a room still works.
async fn still_well(api: &Api) {
    api.get("/healthz").send().await.ok();
    api.get("/readyz").send().await.ok();
    let (anchor, viewer) = (api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    api.join(&viewer, &id).await;
    assert_eq!(api.beat(&viewer, &id).await, 1);
    api.stop(&anchor, &id).await;
    assert_eq!(api.beat(&viewer, &id).await, 2);
}
