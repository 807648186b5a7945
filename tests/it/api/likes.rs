//! http-api.md §5: likes.

use std::time::Duration;

use serde_json::{Value, json};

use super::world::{User, eventually};
use super::{Api, Verdict, cases};

cases![
    likes_add_up_per_user_and_room,
    both_paths_like_the_same_room,
    a_like_counts_one_to_a_thousand,
    the_anchor_may_not_like_the_own_room,
    only_who_is_in_the_room_may_like_it,
    an_unknown_room_is_liked_by_nobody,
    likes_want_credentials,
    likes_at_once_all_count,
    a_created_and_an_ended_room_are_liked_by_who_is_in,
    likes_appear_in_the_statistics,
];

/// Both spellings.
fn paths(live_id: &str) -> [String; 2] {
    [format!("/client/live/room/{live_id}/like"), format!("/client/live/{live_id}/like")]
}

impl Api {
    /// Likes; answers (mine, total).
    async fn like(&self, user: &User, live_id: &str, count: i64) -> (i64, i64) {
        let answer = self.put(&paths(live_id)[0]).by(user).json(&json!({"count": count})).send().await;
        numbers(answer.ok())
    }
}

fn numbers(likes: &Value) -> (i64, i64) {
    assert_eq!(likes.as_object().map(serde_json::Map::len), Some(2), "{likes}");
    (likes["count"].as_i64().expect("count"), likes["total"].as_i64().expect("total"))
}

async fn likes_add_up_per_user_and_room(api: Api) -> Verdict {
    let (anchor, one, two) = (api.user().await, api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    for viewer in [&one, &two] {
        api.join(viewer, &id).await;
    }
    assert_eq!(api.like(&one, &id, 3).await, (3, 3));
    assert_eq!(api.like(&two, &id, 5).await, (5, 8));
    assert_eq!(api.like(&one, &id, 1).await, (4, 9));
    let other = api.live_room(&api.user().await).await;
    api.join(&one, &other).await;
    assert_eq!(api.like(&one, &other, 2).await, (2, 2));
    api.join(&one, &id).await;
    assert_eq!(api.like(&one, &id, 1).await, (5, 10), "they stay when one leaves");
    Ok(())
}

async fn both_paths_like_the_same_room(api: Api) -> Verdict {
    let (anchor, viewer) = (api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    api.join(&viewer, &id).await;
    for (number, path) in (1..).zip(paths(&id)) {
        let answer = api.put(path).by(&viewer).send().await;
        assert_eq!(numbers(answer.ok()), (number, number), "one, without a body");
    }
    let answer = api.put(format!("/client//live/room/{id}/like/")).by(&viewer).send().await;
    assert_eq!(numbers(answer.ok()), (3, 3));
    Ok(())
}

async fn a_like_counts_one_to_a_thousand(api: Api) -> Verdict {
    let (anchor, viewer) = (api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    api.join(&viewer, &id).await;
    for path in paths(&id) {
        for count in
            [json!(0), json!(-1), json!(1001), json!("1"), json!(1.5), json!(9_223_372_036_854_775_807_i64)]
        {
            api.put(&path).by(&viewer).json(&json!({"count": count})).send().await.bad_in("count");
        }
        api.put(&path).by(&viewer).body("application/json", "[").send().await.bad();
    }
    assert_eq!(api.like(&viewer, &id, 1000).await, (1000, 1000), "the refused ones count nothing");
    let absent = api.put(&paths(&id)[0]).by(&viewer).json(&json!({"count": null, "else": 1})).send().await;
    assert_eq!(numbers(absent.ok()), (1001, 1001));
    let spelled = api.put(&paths(&id)[0]).by(&viewer).json(&json!({"Count": 2})).send().await;
    assert_eq!(numbers(spelled.ok()), (1003, 1003));
    Ok(())
}

async fn the_anchor_may_not_like_the_own_room(api: Api) -> Verdict {
    let anchor = api.user().await;
    let id = api.live_room(&anchor).await;
    for path in paths(&id) {
        api.put(path).by(&anchor).send().await.forbidden();
    }
    Ok(())
}

async fn only_who_is_in_the_room_may_like_it(api: Api) -> Verdict {
    let (anchor, stranger, viewer) = (api.user().await, api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    let elsewhere = api.live_room(&api.user().await).await;
    api.join(&stranger, &elsewhere).await;
    api.join(&viewer, &id).await;
    assert_eq!(api.like(&viewer, &id, 1).await, (1, 1));
    api.leave(&viewer, &id).await;
    for path in paths(&id) {
        for user in [&stranger, &viewer] {
            api.put(&path).by(user).send().await.forbidden();
        }
    }
    api.join(&viewer, &id).await;
    assert_eq!(api.like(&viewer, &id, 1).await, (2, 2));
    Ok(())
}

async fn an_unknown_room_is_liked_by_nobody(api: Api) -> Verdict {
    let (anchor, viewer) = (api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    api.join(&viewer, &id).await;
    api.delete(format!("/client/live/room/instance/{id}")).by(&anchor).send().await.done();
    for id in ["nope", "{x}", &id] {
        for path in paths(&super::client::escape(id)) {
            api.put(path).by(&viewer).send().await.not_found();
        }
    }
    Ok(())
}

async fn likes_want_credentials(api: Api) -> Verdict {
    let id = api.live_room(&api.user().await).await;
    for path in paths(&id) {
        api.put(&path).send().await.unauthorized();
        api.put(&path).authorization("Bearer x.y.z").send().await.unauthorized();
    }
    Ok(())
}

async fn likes_at_once_all_count(api: Api) -> Verdict {
    let (anchor, one, two) = (api.user().await, api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    for viewer in [&one, &two] {
        api.join(viewer, &id).await;
    }
    let likes = (0..30).map(|number| api.like(if number % 3 == 0 { &one } else { &two }, &id, 2));
    let mut totals: Vec<i64> =
        futures_util::future::join_all(likes).await.into_iter().map(|(_, total)| total).collect();
    totals.sort_unstable();
    assert_eq!(totals, (1..=30).map(|number| number * 2).collect::<Vec<_>>());
    assert_eq!(api.like(&one, &id, 1).await, (21, 61));
    Ok(())
}

async fn a_created_and_an_ended_room_are_liked_by_who_is_in(api: Api) -> Verdict {
    let (anchor, viewer) = (api.user().await, api.user().await);
    let id = api.room(&anchor).await;
    api.join(&viewer, &id).await;
    assert_eq!(api.like(&viewer, &id, 1).await, (1, 1));
    api.start(&anchor, &id).await;
    api.stop(&anchor, &id).await;
    assert_eq!(api.like(&viewer, &id, 1).await, (2, 2), "members stay after the end");
    Ok(())
}

async fn likes_appear_in_the_statistics(api: Api) -> Verdict {
    let (anchor, one, two) = (api.user().await, api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    for (viewer, count) in [(&one, 3), (&two, 5)] {
        api.join(viewer, &id).await;
        api.like(viewer, &id, count).await;
    }
    eventually("likes are written", Duration::from_secs(10), || async {
        let answer = api.get(format!("/client/stats/singleLive/{id}")).by(&one).send().await;
        let likes = &answer.ok()["info"][5];
        likes["type"] == 6 && likes["page_view"] == 8 && likes["unique_visitor"] == 2
    })
    .await;
    Ok(())
}
