//! The calls of `qnweb-audit-admin`, QNLiveKit's public page for content review, as it makes them: numbers
//! of a query as text, the id of a room in the path and in the body, the token as it got it. The types
//! hold the fields that it reads.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::answer::Answer;
use super::censor::{deliver, reviewed};
use super::world::{User, now, unique};
use super::{Api, Verdict, cases};

cases![every_call_is_answered_in_the_fields_and_types_that_it_reads];

#[derive(Debug, Deserialize)]
struct Login {
    access_token: String,
    expires_at: i64,
}

#[derive(Debug, Deserialize)]
struct Settings {
    enable: bool,
    pulp: bool,
    terror: bool,
    politician: bool,
    ads: bool,
    interval: i64,
}

#[derive(Debug, Deserialize)]
struct Page<T> {
    total_count: u64,
    page_total: u64,
    end_page: bool,
    list: Vec<T>,
}

#[derive(Debug, Deserialize)]
struct Room {
    live_id: String,
    title: String,
    anchor_id: String,
    nick: String,
    anchor_status: i64,
    live_status: i64,
    stop_reason: String,
    stop_at: i64,
    start_at: i64,
    count: u64,
    violation_count: u64,
    time: Option<i64>,
    push_url: String,
    rtmp_play_url: String,
    flv_play_url: String,
    hls_play_url: String,
    ai_count: u64,
}

#[derive(Debug, Deserialize)]
struct Picture {
    id: u64,
    url: String,
    job_id: String,
    created_at: i64,
    suggestion: String,
    pulp: String,
    terror: String,
    politician: String,
    ads: String,
    live_id: String,
    is_review: i64,
    review_answer: i64,
    review_user_id: String,
    review_time: i64,
}

fn read<T: DeserializeOwned>(answer: &Answer) -> T {
    let data = answer.ok();
    serde_json::from_value(data.clone()).unwrap_or_else(|error| panic!("{error}: {data}"))
}

/// The page's operator, logged in through its form.
async fn log_in(api: &Api) -> User {
    let (by, name) = (api.operator().await, unique("reviewer"));
    let body = json!({"user_name": name, "password": "a good password"});
    api.post("/admin/users").by(&by).json(&body).send().await.ok();
    let login: Login = read(&api.post("/manager/login").json(&body).send().await);
    assert!(login.expires_at > now());
    User { id: name, token: login.access_token }
}

async fn room(api: &Api, by: &User, live_id: &str, filter: &str) -> Option<Room> {
    for page in 1.. {
        let target = format!("/admin/censor/live?page_num={page}&page_size=100{filter}");
        let answer: Page<Room> = read(&api.get(target).by(by).send().await);
        assert!(
            answer.total_count >= answer.list.len() as u64
                && answer.page_total >= u64::from(answer.total_count > 0)
        );
        if let Some(room) = answer.list.into_iter().find(|room| room.live_id == live_id) {
            return Some(room);
        }
        if answer.end_page {
            return None;
        }
    }
    None
}

async fn pictures(api: &Api, by: &User, live_id: &str, filter: &str) -> Vec<Picture> {
    let target = format!("/admin/censor/record?page_num=1&page_size=10&live_id={live_id}{filter}");
    let page: Page<Picture> = read(&api.get(target).by(by).send().await);
    assert_eq!(page.total_count, page.list.len() as u64);
    page.list
}

/// The switch of the page, and its form; the settings are everybody's, so that they are put back.
async fn settings(api: &Api) -> Verdict {
    let own = api.own_server(|_| {}).await?;
    let api = own.api();
    let by = log_in(&api).await;
    let form = json!({"enable": true, "pulp": true, "terror": true, "ads": false, "politician": true, "interval": 5});
    for sent in [json!({"enable": false, "interval": 1, "pulp": true}), form] {
        let changed: Settings = read(&api.post("/admin/censor/config").by(&by).json(&sent).send().await);
        let found: Settings = read(&api.get("/admin/censor/config").by(&by).send().await);
        let flag = |name: &str| sent.get(name).and_then(Value::as_bool).unwrap_or(false);
        for settings in [changed, found] {
            let Settings { enable, pulp, terror, politician, ads, interval } = settings;
            assert_eq!((enable, pulp, terror), (flag("enable"), flag("pulp"), flag("terror")));
            assert_eq!(
                (politician, ads, interval),
                (flag("politician"), flag("ads"), sent["interval"].as_i64().unwrap())
            );
        }
    }
    own.stop().await;
    Ok(())
}

async fn every_call_is_answered_in_the_fields_and_types_that_it_reads(api: Api) -> Verdict {
    settings(&api).await?;
    let by = log_in(&api).await;
    let (anchor, live_id, job) = reviewed(&api, &by).await?;
    let taken_at = now();
    deliver(&api, &job, "one", taken_at).await;
    deliver(&api, &job, "two", taken_at + 1).await;

    let queued = room(&api, &by, &live_id, "&is_review=0").await.expect("it is in the queue");
    assert_eq!((queued.count, queued.violation_count, queued.ai_count), (2, 0, 2));
    assert_eq!((queued.live_status, queued.stop_at, queued.stop_reason.as_str()), (1, 0, ""));
    assert_eq!((queued.anchor_id.as_str(), queued.anchor_status), (anchor.id.as_str(), 1));
    assert!(!queued.title.is_empty(), "{queued:?}");
    let profile = api.get("/client/user/profile").by(&anchor).send().await;
    assert_eq!(profile.ok()["nick"], queued.nick.as_str());
    // It counts in milliseconds.
    assert!((queued.start_at / 1000 - now()).abs() < 600, "{queued:?}");
    assert_eq!(queued.time, Some((taken_at + 1) * 1000));
    let urls = [&queued.push_url, &queued.rtmp_play_url, &queued.flv_play_url, &queued.hls_play_url];
    assert!(urls.iter().all(|url| url.contains(&live_id)), "{urls:?}");

    let waiting = pictures(&api, &by, &live_id, "&is_review=0").await;
    assert_eq!(waiting.len(), 2);
    for picture in &waiting {
        assert_eq!((picture.job_id.as_str(), picture.live_id.as_str()), (job.id.as_str(), live_id.as_str()));
        assert_eq!((picture.suggestion.as_str(), picture.pulp.as_str()), ("block", "block"));
        let scenes = [picture.terror.as_str(), picture.politician.as_str(), picture.ads.as_str()];
        assert_eq!(scenes, ["pass", "review", ""]);
        assert_eq!((picture.is_review, picture.review_answer, picture.review_time), (0, 0, 0));
        assert!(picture.url.starts_with("http") && picture.created_at > 1_000_000_000_000, "{picture:?}");
    }
    for (picture, verdict) in
        waiting.iter().zip([json!({"review_answer": 1}), json!({"review_answer": 2, "notify": false})])
    {
        let mut body = verdict;
        (body["live_id"], body["image_list"]) = (json!(live_id), json!([picture.id]));
        api.post("/admin/censor/audit").by(&by).json(&body).send().await.done();
    }
    assert!(pictures(&api, &by, &live_id, "&is_review=0").await.is_empty());
    let done = pictures(&api, &by, &live_id, "&is_review=1").await;
    assert!(
        done.iter().all(|picture| picture.review_user_id == by.id && picture.review_time > 0),
        "{done:?}"
    );
    assert_eq!(done.iter().map(|picture| picture.review_answer).collect::<Vec<_>>(), [2, 1]);

    let stop = api.post(format!("/admin/censor/stoplive/{live_id}")).by(&by);
    stop.json(&json!({"live_id": live_id})).send().await.done();
    assert!(room(&api, &by, &live_id, "&is_review=0").await.is_none());
    let stopped = room(&api, &by, &live_id, "").await.expect("it is among all");
    assert_eq!((stopped.live_status, stopped.stop_reason.as_str()), (2, "censor"));
    assert_eq!((stopped.count, stopped.violation_count), (0, 1));
    assert!((stopped.stop_at / 1000 - now()).abs() < 600, "{stopped:?}");
    Ok(())
}
