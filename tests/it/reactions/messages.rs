//! Messages to rooms because of events, through a strict stand-in for Qiniu's IM service.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use liveloom::event::{DomainEvent, GiftRow, append};
use rstest::rstest;
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::{Value, json};
use store::db::{Db, StoreError};
use store::entity::room_lane;

use crate::support::client::Client;
use crate::support::fake::Mood;
use crate::support::fake_im::{APP_ID, FakeIm, Sent, TOKEN};
use crate::support::server::{Backend, ServerProcess, Setup};
use crate::support::wait::wait_until;

const SOON: Duration = Duration::from_secs(30);

/// A server with an IM service, and a room that is live.
struct Bed {
    im: FakeIm,
    db: Db,
    anchor: Client,
    live_id: String,
    chat_id: i64,
    server: ServerProcess,
}

impl Bed {
    async fn new() -> Self {
        Self::crashing_at(None).await
    }

    async fn crashing_at(step: Option<&str>) -> Self {
        let im = FakeIm::start().await;
        let section = format!(
            "im: {{provider: qiniu, app_id: {APP_ID}, endpoint: '{}', token: {TOKEN}}}",
            im.endpoint()
        );
        let mut setup = Setup::new(Backend::Redis).await.with(&section);
        if let Some(step) = step {
            setup = setup.crashing_at(step);
        }
        let server = setup.start().await;
        let db = server.database().connect().await;
        let anchor = server.client_of("anchor").await;
        let room = anchor.post("/client/live/room/instance", json!({ "title": "t" })).await.data();
        let live_id = room["live_id"].as_str().unwrap().to_owned();
        Self { im, db, anchor, live_id, chat_id: room["chat_id"].as_i64().unwrap(), server }
    }

    async fn append(&self, event: &DomainEvent, at: DateTime<Utc>) {
        let db = &self.db;
        let live_id = &self.live_id;
        let done = db.transaction(|tx| Box::pin(async move { append(tx, db, live_id, event, at).await }));
        done.await.unwrap();
    }

    /// As if it had been appended so long ago, by the database's clock.
    async fn append_ago(&self, age: Duration, event: &DomainEvent, at: DateTime<Utc>) {
        let (db, live_id) = (&self.db, &self.live_id);
        let ms = age.as_millis();
        let back =
            format!("UPDATE event_log SET appended_ms = appended_ms - {ms} WHERE live_id = '{live_id}'");
        let done = db.transaction(|tx| {
            let back = &back;
            Box::pin(async move {
                append(tx, db, live_id, event, at).await?;
                tx.execute_unprepared(back).await?;
                Ok::<_, StoreError>(())
            })
        });
        done.await.unwrap();
    }

    async fn wait_settled(&self) {
        wait_until("the lane has nothing left", SOON, async || {
            let lane = room_lane::Entity::find_by_id(&self.live_id).one(self.db.writer()).await.unwrap();
            lane.is_some_and(|lane| lane.reaction_due.is_none() && lane.reaction_done == Some(lane.seq))
        })
        .await;
    }

    async fn account(&self, user_id: &str) -> i64 {
        let sql = format!("SELECT im_userid FROM live_users WHERE user_id = '{user_id}'");
        let asked = sea_orm::Statement::from_string(self.db.dialect().backend(), sql);
        self.db.writer().query_one_raw(asked).await.unwrap().unwrap().try_get("", "im_userid").unwrap()
    }

    async fn sent(&self, from: &str, action: &str, data: Value) -> Sent {
        let from = Some(self.account(from).await);
        Sent { from, to_group: true, target: self.chat_id, action: action.to_owned(), data }
    }
}

fn gift(live_id: &str) -> DomainEvent {
    let gift = GiftRow {
        biz_id: "77".into(),
        user_id: "viewer".into(),
        live_id: live_id.into(),
        anchor_id: "anchor".into(),
        gift_id: 5,
        amount: 30,
        status: 1,
    };
    DomainEvent::GiftSent { gift: Box::new(gift) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_told_in_the_words_that_the_apps_know() {
    let bed = Bed::new().await;
    bed.server.client_of("viewer").await;
    let live_id = bed.live_id.clone();
    let path = format!("/client/live/room/{live_id}");
    bed.anchor.put(&path, json!({})).await.data();
    bed.append(&gift(&live_id), Utc::now()).await;
    let changed = DomainEvent::PkExtendsChanged {
        sid: "6".into(),
        init_room_id: live_id.clone(),
        recv_room_id: "2".into(),
        extends: [("a".to_owned(), "b".to_owned())].into_iter().collect(),
    };
    bed.append(&changed, Utc::now()).await;
    bed.append(&DomainEvent::MicJoined { user_id: "viewer".into() }, Utc::now()).await;
    bed.append(&DomainEvent::CensorStopped { message: "bye".into() }, Utc::now()).await;
    bed.anchor.post(&path, json!({})).await.data();
    bed.wait_settled().await;
    let expected = [
        bed.sent("anchor", "live_started", json!({ "live_id": live_id })).await,
        bed.sent(
            "viewer",
            "gift_notify",
            json!({"live_id": live_id, "user_id": "viewer", "gift_id": 5, "amount": 30, "biz_id": "77"}),
        )
        .await,
        bed.sent(
            "anchor",
            "pk_extends_notify",
            json!({"sid": "6", "init_room_id": live_id, "recv_room_id": "2", "extends": {"a": "b"}}),
        )
        .await,
        bed.sent("anchor", "censor_stop", json!({"live_id": live_id, "message": "bye"})).await,
        bed.sent("anchor", "live_stopped", json!({"live_id": live_id, "reason": "anchor"})).await,
    ];
    assert_eq!(bed.im.sent(), expected);
}

#[rstest]
#[case::behind(-3600)]
#[case::ahead(3600)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clock_of_a_node_neither_drops_messages_nor_sends_stale_ones(#[case] wrong_by_s: i64) {
    let bed = Bed::new().await;
    let at = Utc::now() + TimeDelta::seconds(wrong_by_s);
    bed.append_ago(Duration::from_secs(90), &DomainEvent::LiveStarted, at).await;
    bed.append(&DomainEvent::CensorStopped { message: "bye".into() }, at).await;
    bed.wait_settled().await;
    let data = json!({ "live_id": bed.live_id, "message": "bye" });
    assert_eq!(bed.im.sent(), [bed.sent("anchor", "censor_stop", data).await]);
}

/// It was appended by a server that did not yet note the time of the database's clock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_event_of_an_earlier_version_is_not_told() {
    let bed = Bed::new().await;
    let (db, live_id) = (&bed.db, &bed.live_id);
    let at = Utc::now() - TimeDelta::seconds(90);
    let done = db.transaction(|tx| {
        Box::pin(async move {
            append(tx, db, live_id, &DomainEvent::LiveStarted, at).await?;
            tx.execute_unprepared("UPDATE event_log SET appended_ms = NULL").await?;
            Ok::<_, StoreError>(())
        })
    });
    done.await.unwrap();
    bed.wait_settled().await;
    assert!(bed.im.sent().is_empty(), "{:?}", bed.im.sent());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_long_past_or_of_nobody_is_not_told() {
    let bed = Bed::new().await;
    bed.append_ago(Duration::from_secs(90), &DomainEvent::LiveStarted, Utc::now()).await;
    bed.append(&gift(&bed.live_id), Utc::now()).await;
    bed.wait_settled().await;
    assert!(bed.im.sent().is_empty(), "nobody knows the user of the gift: {:?}", bed.im.sent());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_is_deleted_while_it_is_live_is_told_of_its_end() {
    let bed = Bed::new().await;
    let live_id = bed.live_id.clone();
    bed.anchor.put(&format!("/client/live/room/{live_id}"), json!({})).await.data();
    assert_eq!(bed.anchor.delete(&format!("/client/live/room/instance/{live_id}")).await.status, 200);
    bed.wait_settled().await;
    let data = json!({ "live_id": live_id, "reason": "deleted" });
    let expected = bed.sent("anchor", "live_stopped", data).await;
    assert!(bed.im.sent().contains(&expected), "{:?}", bed.im.sent());
}

#[rstest]
#[case::broken(Mood::Status(500))]
#[case::slow(Mood::Slow(Duration::from_secs(60)))]
#[case::garbage(Mood::Garbage(b"no".to_vec()))]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_im_service_that_fails_holds_nothing_up(#[case] mood: Mood) {
    let bed = Bed::new().await;
    bed.im.set_mood(mood);
    let begun = Instant::now();
    for _ in 0..40 {
        bed.append(&DomainEvent::LiveStarted, Utc::now()).await;
    }
    bed.wait_settled().await;
    // Three of them wait a second each, in each of the few rounds until all are done.
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    bed.im.set_mood(Mood::Well);
    let told = async || {
        bed.append(&DomainEvent::LiveStarted, Utc::now()).await;
        !bed.im.sent().is_empty()
    };
    wait_until("it is used again", SOON, told).await;
}

#[rstest]
#[case::claimed("reactions.claimed")]
#[case::reacted("reactions.reacted")]
#[case::recorded("reactions.recorded")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_tells_the_room_after_its_return(#[case] step: &str) {
    // The creation is the first event; by the second one, the room is started.
    let mut bed = Bed::crashing_at(Some(&format!("{step}:2"))).await;
    let live_id = bed.live_id.clone();
    bed.anchor.try_put(&format!("/client/live/room/{live_id}"), json!({})).await;
    bed.server.crashed(SOON).await;
    let expire = "UPDATE room_lane SET reaction_due = 1 WHERE reaction_owner IS NOT NULL";
    bed.db.writer().execute_unprepared(expire).await.unwrap();
    bed.server.start().await;
    bed.wait_settled().await;
    let expected = bed.sent("anchor", "live_started", json!({ "live_id": live_id })).await;
    assert!(bed.im.sent().contains(&expected), "{:?}", bed.im.sent());
}
