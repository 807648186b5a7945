//! Jobs while the review service, or this server, is in trouble.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use liveloom::event::{DomainEvent, StopReason};
use rstest::rstest;
use sea_orm::{ActiveValue::Set, EntityTrait};
use store::entity::live_censor;

use super::bed::{ASKED, Bed, CLOSED, CLOSING, RUNNING};
use crate::support::fake_review::Mood;
use crate::support::wait::wait_until;

/// After this long nobody waits for a lost answer any more.
const LATER: Duration = Duration::from_secs(20);

impl Bed {
    async fn with_user(is_embedded: bool, users: &[&str]) -> Self {
        let bed = Self::start(is_embedded).await;
        for user in users {
            bed.register(user).await;
        }
        bed
    }

    /// How many jobs of the room the service works on.
    fn running(&self, live_id: &str) -> usize {
        self.service.jobs_of(live_id).iter().filter(|job| job.status == "doing").count()
    }
}

#[rstest]
#[case::sqlite(true)]
#[case::mariadb(false)]
#[tokio::test]
async fn a_live_that_is_told_of_on_many_nodes_has_one_job(#[case] is_embedded: bool) {
    let bed = Bed::with_user(is_embedded, &["ann"]).await;
    let live_id = bed.live("ann").await;
    let nodes: Vec<_> = (0..8).map(|_| bed.other_node()).collect();
    join_all(nodes.iter().map(|node| node.live_started(&live_id))).await;
    bed.reviews.live_started(&live_id).await;
    assert_eq!(bed.service.jobs_of(&live_id).len(), 1);
    assert_eq!(bed.states(&live_id).await, [RUNNING]);
    assert_eq!(bed.repair().await, 0, "nothing is left to do");

    join_all(nodes.iter().map(|node| node.live_ended(&live_id))).await;
    assert_eq!(bed.states(&live_id).await, [CLOSED]);
    assert_eq!(bed.running(&live_id), 0);
    bed.reviews.live_started(&live_id).await;
    assert_eq!(bed.service.jobs_of(&live_id).len(), 1, "told again, late");
}

#[rstest]
#[case::sqlite(true)]
#[case::mariadb(false)]
#[tokio::test]
async fn a_live_that_ends_while_its_job_is_started_leaves_none_behind(#[case] is_embedded: bool) {
    let bed = Bed::with_user(is_embedded, &["ann"]).await;
    let live_id = bed.live("ann").await;
    bed.service.set_mood(Mood::Slow(Duration::from_millis(1200)));
    let starting = tokio::spawn({
        let (reviews, live_id) = (bed.reviews.clone(), live_id.clone());
        async move { reviews.live_started(&live_id).await }
    });
    wait_until("the service is asked", LATER, async || bed.states(&live_id).await == [ASKED]).await;
    bed.lives.stop(&live_id, "ann").await.unwrap();
    bed.reviews.live_ended(&live_id).await;
    starting.await.unwrap();
    assert_eq!(bed.states(&live_id).await, [CLOSED]);
    assert_eq!((bed.service.jobs_of(&live_id).len(), bed.running(&live_id)), (1, 0));
}

#[rstest]
#[case::sqlite(true)]
#[case::mariadb(false)]
#[tokio::test]
async fn a_job_whose_answer_was_lost_is_found_and_not_started_twice(#[case] is_embedded: bool) {
    let bed = Bed::with_user(is_embedded, &["ann", "bob", "cid"]).await;
    bed.service.set_mood(Mood::Mute);
    let mut rooms = Vec::new();
    for anchor in ["ann", "bob", "cid"] {
        let live_id = bed.live(anchor).await;
        bed.reviews.live_started(&live_id).await;
        assert_eq!(bed.states(&live_id).await, [ASKED]);
        rooms.push(live_id);
    }
    bed.service.set_mood(Mood::Well);
    // One has ended before it is found.
    bed.lives.stop(&rooms[2], "cid").await.unwrap();
    bed.reviews.live_ended(&rooms[2]).await;
    assert_eq!(bed.repair().await, 0, "somebody may still wait for the answer");
    bed.pass(LATER);
    assert_eq!(bed.repair().await, 3);
    for live_id in &rooms[..2] {
        assert_eq!(bed.service.jobs_of(live_id).len(), 1);
        let rows = bed.rows(live_id).await;
        assert_eq!((rows.len(), rows[0].state), (1, RUNNING));
        assert_eq!(rows[0].job_id.as_deref(), Some(bed.service.jobs_of(live_id)[0].id.as_str()));
    }
    assert_eq!((bed.states(&rooms[2]).await, bed.running(&rooms[2])), (vec![CLOSED], 0));
}

#[rstest]
#[case::sqlite(true)]
#[case::mariadb(false)]
#[tokio::test]
async fn what_failed_is_made_good_by_the_leader(#[case] is_embedded: bool) {
    let bed = Bed::with_user(is_embedded, &["ann", "bob"]).await;
    let (first, second) = (bed.live("ann").await, bed.live("bob").await);
    bed.service.set_mood(Mood::Status(500));
    bed.reviews.live_started(&first).await;
    assert_eq!(bed.states(&first).await, [ASKED]);
    assert!(bed.metrics().contains("liveloom_review_calls_total{call=\"start\",result=\"failed\"} 1"));
    // The second was never told of.
    bed.service.set_mood(Mood::Well);
    bed.pass(LATER);
    bed.repair().await;
    for live_id in [&first, &second] {
        assert_eq!((bed.states(live_id).await, bed.running(live_id)), (vec![RUNNING], 1));
    }

    bed.service.set_mood(Mood::Status(500));
    bed.lives.stop(&first, "ann").await.unwrap();
    bed.reviews.live_ended(&first).await;
    assert_eq!(bed.states(&first).await, [CLOSING]);
    bed.lives.delete(&second, Some("bob")).await.unwrap();
    bed.service.set_mood(Mood::Well);
    assert_eq!(bed.repair().await, 2);
    for live_id in [&first, &second] {
        assert_eq!((bed.states(live_id).await, bed.running(live_id)), (vec![CLOSED], 0));
    }
    assert_eq!(bed.repair().await, 0);
}

#[tokio::test]
async fn a_refused_start_is_tried_again_and_an_unknown_job_counts_as_closed() {
    let bed = Bed::with_user(true, &["ann"]).await;
    let live_id = bed.live("ann").await;
    bed.service.set_mood(Mood::Refusing);
    bed.reviews.live_started(&live_id).await;
    assert!(bed.rows(&live_id).await.is_empty(), "nothing was started, for certain");
    assert_eq!(bed.repair().await, 0);
    bed.service.set_mood(Mood::Well);
    assert_eq!(bed.repair().await, 1);
    assert_eq!(bed.states(&live_id).await, [RUNNING]);
    bed.service.set_mood(Mood::Refusing);
    bed.lives.stop(&live_id, "ann").await.unwrap();
    bed.reviews.live_ended(&live_id).await;
    assert_eq!(bed.states(&live_id).await, [CLOSED]);
}

#[tokio::test]
async fn the_rows_of_the_old_server_are_respected() {
    let bed = Bed::with_user(true, &["ann", "bob"]).await;
    let (live, over) = (bed.live("ann").await, bed.live("bob").await);
    bed.lives.stop(&over, "bob").await.unwrap();
    for live_id in [&live, &over] {
        let row = live_censor::ActiveModel {
            live_id: Set(Some(live_id.clone())),
            job_id: Set(Some("job-of-the-old-server".to_owned())),
            ..Default::default()
        };
        live_censor::Entity::insert(row).exec(bed.db.writer()).await.unwrap();
    }
    bed.pass(LATER);
    assert_eq!(bed.repair().await, 0, "those that ended long ago are left alone");
    assert!(bed.service.calls().is_empty());
    bed.reviews.live_started(&live).await;
    assert!(bed.service.calls().is_empty(), "the live has a job");
    bed.lives.stop(&live, "ann").await.unwrap();
    bed.reviews.live_ended(&live).await;
    assert_eq!(bed.service.calls(), ["/v3/live/censor/close"]);
    assert_eq!((bed.states(&live).await, bed.states(&over).await), (vec![CLOSED], vec![None]));
}

#[tokio::test]
async fn a_service_that_is_away_is_not_hammered_and_holds_up_nobody() {
    let users: Vec<String> = (0..40).map(|number| format!("user{number}")).collect();
    let names: Vec<&str> = users.iter().map(String::as_str).collect();
    let bed = Bed::with_user(true, &names).await;
    let mut rooms = Vec::new();
    for user in &users {
        rooms.push(bed.live(user).await);
    }
    bed.service.set_mood(Mood::Status(503));
    assert_eq!(bed.repair().await, 0);
    let calls = bed.service.calls().len();
    assert!((12..=16).contains(&calls), "{calls} calls");

    bed.service.set_mood(Mood::Slow(Duration::from_secs(60)));
    let asked = Instant::now();
    bed.reviews.live_started(&rooms[39]).await;
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());

    bed.service.set_mood(Mood::Well);
    bed.pass(LATER);
    bed.repair().await;
    for live_id in &rooms {
        assert_eq!(bed.states(live_id).await, [RUNNING], "{live_id}");
    }
    // The answer of the slow one came to nobody; the job was found, or its stream has another.
    assert!(rooms.iter().all(|live_id| bed.service.jobs_of(live_id).len() == 1));
}

#[tokio::test]
async fn a_former_leader_starts_nothing() {
    let bed = Bed::with_user(true, &["ann"]).await;
    let live_id = bed.live("ann").await;
    bed.fence.is_former.store(true, Ordering::Relaxed);
    bed.reviews.repair(&bed.fence).await.unwrap_err();
    assert!(bed.rows(&live_id).await.is_empty() && bed.service.calls().is_empty());
    bed.fence.is_former.store(false, Ordering::Relaxed);
    assert_eq!(bed.repair().await, 1);
}

#[rstest]
#[case::sqlite(true)]
#[case::mariadb(false)]
#[tokio::test]
async fn the_end_by_an_operator_is_two_events_and_one_change(#[case] is_embedded: bool) {
    let bed = Bed::with_user(is_embedded, &["ann"]).await;
    let live_id = bed.live("ann").await;
    let stops = (0..4).map(|_| bed.reviews.stop_live(&live_id, "admin", Some("against the rules")));
    let stops = join_all(stops).await;
    assert_eq!(stops.iter().filter(|stop| stop.is_ok()).count(), 1);
    let events = bed.events(&live_id).await;
    let wanted = [
        DomainEvent::LiveStopped { reason: StopReason::Censor },
        DomainEvent::CensorStopped { message: "against the rules".to_owned() },
    ];
    assert_eq!(events[events.len() - 2..], wanted);
    assert_eq!(events.iter().filter(|event| **event == wanted[1]).count(), 1);
}
