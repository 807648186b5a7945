//! What comes at the same time as a ban comes before it or after it, and is undone or refused.

use std::time::Duration;

use liveloom::live;
use liveloom::mic::Flags;
use liveloom::moderation::{Actor, Error, Kind, NewSanction};
use rstest::rstest;

use super::bed::{ANCHOR, Bed};
use crate::support::wait::wait_until;

const SOON: Duration = Duration::from_secs(10);

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_joins_past_a_ban(#[values(true, false)] is_embedded: bool) {
    let bed = Bed::new(is_embedded).await;
    let (lives, live) = (&bed.rooms.lives, bed.live.as_str());
    for round in 0..24 {
        let guest = format!("g{round}");
        bed.register(&[&guest]).await;
        if round % 2 == 0 {
            lives.join(live, &guest).await.unwrap();
        }
        let new = NewSanction::default();
        let ban = bed.moderation.impose(Kind::Ban, live, ANCHOR, &guest, &new);
        let (banned, joined) = tokio::join!(ban, lives.join(live, &guest));
        banned.unwrap();
        assert!(matches!(joined, Ok(_) | Err(live::Error::Banned)), "{joined:?}");
        assert!(matches!(lives.join(live, &guest).await, Err(live::Error::Banned)));
    }
    // A join that was there first may have reached the cache after the ban did.
    for round in 0..24 {
        let guest = format!("g{round}");
        wait_until("the cache knows that they are out", SOON, async || {
            matches!(lives.heartbeat(live, &guest).await, Err(live::Error::NotInRoom))
        })
        .await;
        assert!(!lives.is_in_room(live, &guest).await.unwrap());
    }
    assert_eq!(lives.view(live).await.unwrap().online_count, 1, "the anchor is left");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kick_frees_the_seat_that_is_being_taken(#[values(true, false)] is_embedded: bool) {
    let bed = Bed::new(is_embedded).await;
    let live = bed.live.as_str();
    for round in 0..12 {
        let guest = format!("g{round}");
        bed.rooms.join(&guest, live).await;
        let up = bed.rooms.mics.up(live, &guest, Flags::default());
        let (taken, kicked) = tokio::join!(up, bed.moderation.kick(live, ANCHOR, &guest, ""));
        kicked.unwrap();
        assert!(matches!(taken, Ok(_) | Err(liveloom::mic::Error::NotInRoom)), "{taken:?}");
        assert_eq!(bed.rooms.lives.view(live).await.unwrap().total_mics, 0, "round {round}");
        // They may come back.
        bed.rooms.join(&guest, live).await;
        bed.rooms.lives.leave(live, &guest).await.unwrap();
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_moderators_none_acts_on_the_other(#[values(true, false)] is_embedded: bool) {
    let bed = Bed::new(is_embedded).await;
    let live = bed.live.as_str();
    for round in 0..8 {
        let (helper, guest) = (format!("h{round}"), format!("g{round}"));
        bed.register(&[&helper, &guest]).await;
        bed.moderation.appoint(live, ANCHOR, &helper).await.unwrap();
        let new = NewSanction::default();
        let ban = bed.moderation.impose(Kind::Ban, live, Actor::User(&helper), &guest, &new);
        let (banned, appointed) = tokio::join!(ban, bed.moderation.appoint(live, ANCHOR, &guest));
        let rules = bed.moderation.rules(live).await.unwrap();
        let is_moderator = rules.moderators.contains(&guest);
        match (banned, appointed) {
            (Ok(()), Err(Error::TargetIsBanned)) => assert!(!is_moderator),
            (Err(Error::TargetIsModerator), Ok(())) => assert!(is_moderator),
            other => panic!("{other:?}"),
        }
        bed.moderation.dismiss(live, ANCHOR, &helper).await.unwrap();
        bed.moderation.dismiss(live, ANCHOR, &guest).await.unwrap();
    }
}
