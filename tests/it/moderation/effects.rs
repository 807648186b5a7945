//! What moderation does to those who write, and what connections learn of it.

use std::time::Duration;

use common::failure::Failure;
use liveloom::moderation::{Actor, ChangeSettings, Error, Kind, NewSanction, Refusal};
use liveloom::user::Bans;
use liveloom::user::bans::NewBan;
use rstest::rstest;
use serde_json::json;

use super::bed::{ANCHOR, Bed};
use crate::mic::cost::cost;
use crate::support::rooms::Rooms;

#[rstest]
#[tokio::test]
async fn who_is_muted_may_not_write_until_the_end(#[values(true, false)] is_embedded: bool) {
    let bed = Bed::new(is_embedded).await;
    bed.register(&["guest", "other"]).await;
    bed.publish("guest", "hello").await.unwrap();
    bed.impose(Kind::Mute, "guest", Some(60)).await;
    let refused = bed.publish("guest", "hello").await.unwrap_err();
    assert_eq!(refused.retry_after(), Some(Duration::from_secs(60)));
    bed.publish("other", "hello").await.unwrap();
    bed.moderation.may_enter(&bed.live, "guest").await.unwrap();
    bed.pass(59);
    let refused = bed.publish("guest", "hello").await.unwrap_err();
    assert_eq!(refused.retry_after(), Some(Duration::from_secs(1)));
    bed.pass(1);
    bed.publish("guest", "hello").await.unwrap();

    bed.impose(Kind::Mute, "guest", None).await;
    bed.pass(400 * 24 * 3600);
    let refused = bed.publish("guest", "hello").await.unwrap_err();
    assert!(matches!(refused, Refusal::Muted { retry_after: None }));
    bed.moderation.lift(Kind::Mute, &bed.live, ANCHOR, "guest").await.unwrap();
    bed.publish("guest", "hello").await.unwrap();
}

#[rstest]
#[tokio::test]
async fn who_is_banned_may_not_enter_until_the_end(#[values(true, false)] is_embedded: bool) {
    let bed = Bed::new(is_embedded).await;
    bed.rooms.join("guest", &bed.live).await;
    bed.impose(Kind::Ban, "guest", Some(60)).await;
    assert!(!bed.rooms.lives.is_in_room(&bed.live, "guest").await.unwrap());
    assert!(bed.rooms.lives.join(&bed.live, "guest").await.is_err());
    assert!(matches!(bed.moderation.may_enter(&bed.live, "guest").await, Err(Refusal::Banned)));
    assert!(matches!(bed.publish("guest", "hello").await, Err(Refusal::Banned)));
    bed.pass(60);
    bed.moderation.may_enter(&bed.live, "guest").await.unwrap();
    bed.publish("guest", "hello").await.unwrap();
}

#[rstest]
#[tokio::test]
async fn slow_mode_and_a_muted_room_are_for_guests(#[values(true, false)] is_embedded: bool) {
    let bed = Bed::new(is_embedded).await;
    bed.register(&["guest", "helper"]).await;
    bed.moderation.appoint(&bed.live, ANCHOR, "helper").await.unwrap();
    let slow = ChangeSettings { slow_mode_s: Some(9), is_muted: None };
    bed.moderation.change_settings(&bed.live, Actor::User("helper"), slow).await.unwrap();
    assert_eq!(bed.publish("guest", "x").await.unwrap().slow, Some(Duration::from_secs(9)));
    for exempt in ["helper", "anchor"] {
        assert_eq!(bed.publish(exempt, "x").await.unwrap().slow, None);
    }
    let muted = ChangeSettings { slow_mode_s: None, is_muted: Some(true) };
    bed.moderation.change_settings(&bed.live, Actor::Backend, muted).await.unwrap();
    assert!(matches!(bed.publish("guest", "x").await, Err(Refusal::RoomMuted)));
    for exempt in ["helper", "anchor"] {
        bed.publish(exempt, "x").await.unwrap();
    }
    bed.moderation.dismiss(&bed.live, ANCHOR, "helper").await.unwrap();
    assert!(matches!(bed.publish("helper", "x").await, Err(Refusal::RoomMuted)));
}

#[rstest]
#[tokio::test]
async fn nobody_writes_banned_words(#[values(true, false)] is_embedded: bool) {
    let bed = Bed::new(is_embedded).await;
    bed.register(&["guest", "helper"]).await;
    bed.moderation.appoint(&bed.live, ANCHOR, "helper").await.unwrap();
    let words = bed.moderation.words();
    bed.publish("guest", "a Bad Wörd").await.unwrap();
    let list = ["bad wörd".to_owned(), "敏感词".to_owned()];
    assert_eq!(words.add(&list, "").await.unwrap(), 2);
    for user in ["guest", "helper", "anchor"] {
        for text in ["such a B.A.D-WÖRD!", "敏\u{200b}感 词"] {
            assert!(matches!(bed.publish(user, text).await, Err(Refusal::BannedWord)), "{user}: {text}");
        }
        bed.publish(user, "a good word").await.unwrap();
    }
    assert_eq!(words.add(&list, "").await.unwrap(), 0, "they are there already");
    assert_eq!(words.delete(&list[..1]).await.unwrap(), 1);
    bed.publish("guest", "bad wörd").await.unwrap();
    assert!(matches!(bed.publish("guest", "敏感词").await, Err(Refusal::BannedWord)));
}

#[tokio::test]
async fn connections_learn_what_was_done() {
    let bed = Bed::new(true).await;
    let live = bed.live.as_str();
    bed.rooms.join("guest", live).await;
    let (moderation, helper) = (&bed.moderation, Actor::User("helper"));
    bed.register(&["helper"]).await;
    moderation.appoint(live, ANCHOR, "helper").await.unwrap();
    moderation.appoint(live, ANCHOR, "helper").await.unwrap();
    let appointed = json!({"live_id": live, "user_id": "helper", "is_moderator": true});
    assert_eq!(bed.orders.take(), [json!({"tell": [live, "anchor", "moderators", appointed]})]);

    bed.impose(Kind::Mute, "guest", None).await;
    let told = json!({"live_id": live, "user_id": "guest", "until": 0});
    assert_eq!(bed.orders.take(), [json!({"tell": [live, "anchor", "muted", told]})]);
    for _ in 0..2 {
        moderation.lift(Kind::Mute, live, helper, "guest").await.unwrap();
    }
    let told = json!({"live_id": live, "user_id": "guest"});
    assert_eq!(bed.orders.take(), [json!({"tell": [live, "helper", "unmuted", told]})], "told once");

    moderation.kick(live, helper, "guest", "be nice").await.unwrap();
    let why = "you were taken out of this room: be nice";
    let kicked =
        [json!({"kick": [live, "guest", 403, why]}), json!({"tell": [live, "helper", "kicked", told]})];
    assert_eq!(bed.orders.take(), kicked);

    let change = ChangeSettings { slow_mode_s: Some(5), is_muted: Some(true) };
    for _ in 0..2 {
        moderation.change_settings(live, Actor::Admin("boss"), change).await.unwrap();
    }
    let slow = json!({"tell": [live, "", "slow_mode", {"live_id": live, "seconds": 5}]});
    let muted = json!({"tell": [live, "", "room_muted", {"live_id": live, "is_muted": true}]});
    assert_eq!(bed.orders.take(), [slow, muted], "told once");

    moderation.delete_message(live, helper, 0xab, 7).await.unwrap();
    let told = json!({"live_id": live, "epoch": "00000000000000ab", "offset": 7});
    let deleted = [json!({"delete": [live, 0xab, 7]}), json!({"tell": [live, "helper", "deleted", told]})];
    assert_eq!(bed.orders.take(), deleted);
    assert!(matches!(moderation.delete_message(live, helper, 0xab, 11).await, Err(Error::NoMessage)));
    let refused = moderation.delete_message(live, Actor::User("guest"), 0xab, 7).await;
    assert!(matches!(refused, Err(Error::NotModerator)));
    assert_eq!(bed.orders.take().len(), 1, "a message that is not kept is told of to nobody");

    let reason = NewSanction { duration: None, reason: "spam".to_owned() };
    moderation.impose(Kind::Ban, live, ANCHOR, "helper", &reason).await.unwrap();
    let actions = bed.orders.take();
    assert_eq!(actions[0], json!({"kick": [live, "helper", 403, "you are banned from this room: spam"]}));
    let names: Vec<_> = actions[1..].iter().map(|order| order["tell"][2].clone()).collect();
    assert_eq!(names, ["banned", "moderators"], "one who is banned moderates no more");
}

#[tokio::test]
async fn who_is_banned_from_the_platform_is_disconnected() {
    let bed = Bed::new(true).await;
    bed.register(&["guest"]).await;
    let bans = Bans::new(bed.rooms.users.clone(), bed.orders.clone());
    let new = NewBan { duration: None, reason: "fraud".to_owned(), by_user: "boss".to_owned() };
    bans.impose("guest", &new).await.unwrap();
    assert_eq!(bed.orders.take(), [json!({"disconnect": ["guest", "you are banned: fraud"]})]);
    let standing = bed.rooms.users.standing_of("guest").await.unwrap().unwrap();
    assert!(standing.ban.is_some() && standing.revoked_at.is_some());
    bans.lift("guest").await.unwrap();
    let standing = bed.rooms.users.standing_of("guest").await.unwrap().unwrap();
    assert!(standing.ban.is_none() && standing.revoked_at.is_some());
}

#[tokio::test]
async fn a_message_costs_no_statement() {
    let bed = Bed::of(Rooms::on_one_connection().await).await;
    bed.register(&["guest", "helper"]).await;
    bed.moderation.appoint(&bed.live, ANCHOR, "helper").await.unwrap();
    bed.moderation.words().add(&["bad".to_owned()], "").await.unwrap();
    bed.publish("guest", "first").await.unwrap();
    let many = async {
        for number in 0..20 {
            bed.publish(["guest", "helper", "anchor"][number % 3], "good").await.unwrap();
            bed.publish("guest", "bad").await.unwrap_err();
            bed.moderation.may_enter(&bed.live, "guest").await.unwrap();
        }
    };
    assert_eq!(cost(&bed.rooms, many).await, 0);
}
