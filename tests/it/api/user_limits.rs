//! What one user's token may store: docs/configuration.md, `limits`.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::answer::Answer;
use super::world::{User, unique};
use super::{Api, Verdict, cases};

cases![
    a_user_creates_so_many_rooms_an_hour,
    a_user_writes_so_much_a_second,
    the_reports_of_a_user_make_so_many_rows_in_a_room,
    rows_of_a_report_count_as_writes,
];

/// Panics unless this is 429 that says when to come again; answers the seconds.
#[track_caller]
fn limited(answer: &Answer) -> u64 {
    answer.refused(429, 429);
    let wait: u64 =
        answer.header("retry-after").parse().unwrap_or_else(|_| panic!("Retry-After: {answer:?}"));
    assert!(wait > 0, "{answer:?}");
    wait
}

async fn create(api: &Api, user: &User) -> Answer {
    api.post("/client/live/room/instance").by(user).json(&json!({"title": "t"})).once().send().await
}

async fn a_user_creates_so_many_rooms_an_hour(api: Api) -> Verdict {
    let own = api.own_server(|config| config.limits.rooms_per_user_h = 3).await?;
    let api = own.api();
    let (user, other) = (api.user().await, api.user().await);
    for _ in 0..3 {
        create(&api, &user).await.ok();
    }
    let wait = limited(&create(&api, &user).await);
    assert!((600..=1200).contains(&wait), "a third of an hour for each: {wait}");
    create(&api, &other).await.ok();
    let body = json!({"title": "t", "anchor_id": user.id});
    api.post("/server/live").server().json(&body).send().await.ok();
    drop(api);
    own.stop().await;
    Ok(())
}

async fn a_user_writes_so_much_a_second(api: Api) -> Verdict {
    let own = api.own_server(|config| config.limits.writes_per_user_s = 1).await?;
    let api = own.api();
    let (anchor, user) = (api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    let path = format!("/client/live/room/user/{id}");
    let began = std::time::Instant::now();
    let answers = join_all((0..40).map(|_| api.post(path.clone()).by(&user).once().send())).await;
    let (refused, passed): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 429);
    passed.iter().for_each(|answer| _ = answer.ok());
    refused.iter().for_each(|answer| _ = limited(answer));
    let most = 3 + usize::try_from(began.elapsed().as_secs()).unwrap_or(usize::MAX);
    assert!((2..=most).contains(&passed.len()), "{} passed, {most} may", passed.len());
    // Reading and heartbeats go on, and so does everybody else.
    for _ in 0..10 {
        api.beat(&user, &id).await;
        api.info(&user, &id).await;
    }
    let other = api.user().await;
    api.join(&other, &id).await;
    drop(api);
    own.stop().await;
    Ok(())
}

fn rows(live_id: &str, ids: std::ops::Range<u32>) -> Value {
    let row = |id| json!({"live_id": live_id, "biz_id": format!("item-{id}"), "type": 2, "count": 1});
    json!({"data": ids.map(row).collect::<Vec<_>>()})
}

async fn report(api: &Api, user: &User, body: Value) -> Answer {
    api.post("/client/stats/singleLive").by(user).json(&body).once().send().await
}

async fn the_reports_of_a_user_make_so_many_rows_in_a_room(api: Api) -> Verdict {
    let own = api.own_server(|config| config.limits.stats_rows_per_room = 5).await?;
    let api = own.api();
    let (anchor, user, other) = (api.user_called(&unique("a")).await, api.user().await, api.user().await);
    let (id, second) = (api.live_room(&anchor).await, api.room(&other).await);
    let counted = async || {
        let answer = api.get(format!("/client/stats/singleLive/{id}")).by(&user).send().await;
        answer.ok()["info"][1]["page_view"].as_i64()
    };
    report(&api, &user, rows(&id, 0..4)).await.done();
    report(&api, &user, rows(&id, 0..5)).await.done();
    limited(&report(&api, &user, rows(&id, 5..6)).await);
    limited(&report(&api, &user, rows(&id, 3..7)).await);
    assert_eq!(counted().await, Some(9), "nothing of what was refused is counted");
    // What is there may grow, and other users and rooms have their own.
    report(&api, &user, rows(&id, 0..5)).await.done();
    report(&api, &user, rows(&second, 0..5)).await.done();
    report(&api, &other, rows(&id, 5..10)).await.done();
    assert_eq!(counted().await, Some(19));
    limited(&report(&api, &user, rows(&id, 5..6)).await);
    drop(api);
    own.stop().await;
    Ok(())
}

async fn rows_of_a_report_count_as_writes(api: Api) -> Verdict {
    let own = api.own_server(|config| config.limits.writes_per_user_s = 10).await?;
    let api = own.api();
    let (anchor, user) = (api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    // Far more calls than that would pass without their rows: 20 at once, and 10 a second.
    let began = std::time::Instant::now();
    let mut passed = 0;
    for _ in 0..30 {
        passed += u64::from(report(&api, &user, rows(&id, 0..190)).await.status == 200);
    }
    assert!(passed >= 1, "a report of any length passes");
    // Each is worth 20 calls: one at once, and one in two seconds.
    assert!(passed <= 2 + began.elapsed().as_secs() / 2 + 1, "{passed} in {:?}", began.elapsed());
    drop(api);
    own.stop().await;
    Ok(())
}
