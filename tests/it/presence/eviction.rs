//! Silence puts out many, while rooms are busy and parts of it fail.

use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use liveloom::live::LiveStatus;
use liveloom::live::silence::{BATCH, Swept};
use rstest::rstest;
use sqlx::Executor;
use store::db::Tx;
use store::fence::{Fence, LeaseLost};

use super::bed::{fill, number, online, viewers_in};
use crate::support::fence::{FormerLeader, Leader};
use crate::support::rooms::Rooms;
use crate::support::wait::wait_until;

const LIMIT: Duration = Duration::from_secs(60);
const AT_ONCE: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3600);

/// Leads, but for one of the checks.
struct FailingAt(u32, AtomicU32);

impl Fence for FailingAt {
    fn check<'a>(
        &'a self,
        _: &'a Tx<'_>,
    ) -> Pin<Box<dyn Future<Output = Result<(), LeaseLost>> + Send + 'a>> {
        let is_it = self.1.fetch_add(1, Ordering::Relaxed) + 1 == self.0;
        Box::pin(async move { if is_it { Err(LeaseLost::Lost) } else { Ok(()) } })
    }
}

/// Waits until a watch that has just begun is older than the shortest time-out.
async fn until_silence_counts(rooms: &Rooms) {
    rooms.cache.begin_watch().await.unwrap();
    let begun = Instant::now();
    wait_until("silence counts", LIMIT, async || begun.elapsed() > AT_ONCE * 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_eviction_nor_a_join_waits_for_a_room_that_is_locked() {
    let rooms = Rooms::start(false).await;
    let (locked, other) = (rooms.live("anchor").await, rooms.live("other").await);
    for viewer in ["goes", "stays"] {
        rooms.join(viewer, &locked).await;
    }
    let mut holder = rooms.database().mysql().await;
    holder.execute("BEGIN").await.unwrap();
    let lock = format!("SELECT id FROM live_entities WHERE live_id = '{locked}' FOR UPDATE");
    holder.execute(sqlx::AssertSqlSafe(lock)).await.unwrap();
    rooms.lives.join(&other, "goes").await.unwrap();
    rooms.lives.join(&other, "anchor").await.unwrap();
    until_silence_counts(&rooms).await;
    let swept = rooms.lives.put_out_silent(&Leader, AT_ONCE).await.unwrap();
    assert_eq!(swept, Swept::Removed(4), "one in the locked room, and three in the other");
    holder.execute("ROLLBACK").await.unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_fails_is_made_up_for_and_nobody_comes_back_by_it(
    #[values(true, false)] is_embedded: bool,
) {
    let rooms = Rooms::start(is_embedded).await;
    let lives = [rooms.created("a").await, rooms.created("b").await, rooms.created("c").await];
    let viewers = fill(&rooms, &lives, 2 * BATCH + 100).await;
    until_silence_counts(&rooms).await;
    let failing = FailingAt(2, AtomicU32::default());
    rooms.lives.put_out_silent(&failing, AT_ONCE).await.unwrap_err();
    let left = viewers_in(&rooms).await;
    assert!(left == 100 || left == u64::try_from(BATCH).unwrap(), "one batch of three failed: {left}");

    // They are out, whatever the rows say: nothing brings them back but themselves.
    assert_eq!(online(&rooms, &lives).await, 0);
    rooms.lives.restore_presence(None).await.unwrap();
    assert_eq!(online(&rooms, &lives).await, 0);
    let mut heard = None;
    for viewer in viewers.iter().rev() {
        if rooms.lives.is_in_room(&viewer.live_id, &viewer.user_id).await.unwrap() {
            rooms.lives.heartbeat(&viewer.live_id, &viewer.user_id).await.unwrap();
            heard = Some(viewer.clone());
            break;
        }
    }
    let heard = heard.unwrap();
    assert_eq!(online(&rooms, &lives).await, 1);

    // Nobody else is silent for an hour: only what was left is done, and at once.
    rooms.cache.begin_watch().await.unwrap();
    let swept = rooms.lives.put_out_silent(&Leader, HOUR).await.unwrap();
    assert_eq!(swept, Swept::Removed(left - 1));
    assert_eq!((viewers_in(&rooms).await, online(&rooms, &lives).await), (1, 1));
    assert!(rooms.lives.is_in_room(&heard.live_id, &heard.user_id).await.unwrap());
    assert_eq!(rooms.lives.put_out_silent(&Leader, HOUR).await.unwrap(), Swept::Removed(0));
}

#[rstest]
#[tokio::test]
async fn a_live_that_could_not_be_ended_is_ended_by_the_next_sweep(#[values(true, false)] is_embedded: bool) {
    let rooms = Rooms::start(is_embedded).await;
    let live = rooms.live("anchor").await;
    until_silence_counts(&rooms).await;
    rooms.lives.end_silent(&FormerLeader, AT_ONCE).await.unwrap_err();
    rooms.lives.forget(None).await;
    assert_eq!(rooms.lives.room(&live).await.unwrap().status, LiveStatus::Live);
    assert_eq!(rooms.lives.end_silent(&Leader, AT_ONCE).await.unwrap(), Swept::Removed(1));
    assert_eq!(rooms.lives.room(&live).await.unwrap().status, LiveStatus::Ended);
    assert_eq!(rooms.lives.end_silent(&Leader, AT_ONCE).await.unwrap(), Swept::Removed(0));
}

/// Viewers of forty rooms, unless a long run says otherwise.
const VIEWERS: usize = 4000;
const ROOMS: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_are_evicted_while_their_anchors_start_and_stop() {
    const TIMEOUT: Duration = Duration::from_secs(3);
    let rooms = Rooms::start(false).await;
    rooms.cache.begin_watch().await.unwrap();
    let anchors: Vec<String> = (0..ROOMS).map(|number| format!("anchor-{number}")).collect();
    let mut lives = Vec::new();
    for anchor in &anchors {
        lives.push(rooms.created(anchor).await);
    }
    let count = number("LIVELOOM_EVICTIONS", VIEWERS);
    fill(&rooms, &lives, count).await;
    let filled = Instant::now();
    wait_until("all are silent", LIMIT, async || filled.elapsed() > TIMEOUT).await;

    let starting = lives.iter().zip(&anchors).map(async |(live_id, anchor)| {
        rooms.lives.start(live_id, anchor).await.unwrap();
        rooms.lives.leave(live_id, anchor).await.unwrap();
        rooms.lives.join(live_id, anchor).await.unwrap();
        rooms.lives.stop(live_id, anchor).await.unwrap();
    });
    let begun = Instant::now();
    let (swept, _) = tokio::join!(rooms.lives.put_out_silent(&Leader, TIMEOUT), join_all(starting));
    println!("{count} viewers were evicted in {:?}", begun.elapsed());
    let Swept::Removed(removed) = swept.unwrap() else { panic!("it is watched") };
    assert!(removed >= u64::try_from(count).unwrap(), "{removed} of {count}");
    assert_eq!(viewers_in(&rooms).await, 0);
    // Nobody is left behind anywhere who would come back.
    assert_eq!(rooms.lives.restore_presence(None).await.unwrap(), 0);
    for live_id in &lives {
        assert_eq!(rooms.lives.room(live_id).await.unwrap().status, LiveStatus::Ended);
    }
}
