//! http-api.md §11: content review.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::answer::Answer;
use super::own::OwnServer;
use super::world::{User, column, eventually, next_second, now};
use super::{Api, NotApplicable, Verdict, cases};
use crate::support::fake_im::FakeIm;
use crate::support::fake_review::{CALLBACK, IMAGES, Job, Mood};

cases![
    settings_begin_with_defaults_and_are_replaced,
    settings_are_checked,
    a_live_gets_a_job_by_itself,
    a_job_is_started_once,
    jobs_are_for_rooms_that_are_not_over,
    without_a_review_no_job_is_started,
    the_job_of_an_ended_live_is_closed,
    a_closed_job_stays_closed,
    jobs_and_results_are_passed_through,
    parameters_of_the_review_service_are_checked,
    a_service_in_trouble_is_told_of_and_hurts_no_live,
    what_the_service_refuses_is_told,
    a_picture_is_stored_once,
    only_signed_callbacks_are_taken,
    unsigned_callbacks_are_limited,
    callbacks_are_checked,
    pictures_come_late_too,
    pictures_are_listed,
    rooms_with_pictures_are_listed,
    a_verdict_is_written,
    a_verdict_is_about_one_room,
    verdicts_are_checked,
    an_anchor_is_warned_of_a_violation,
    a_live_is_stopped_for_what_it_shows,
];

const SOON: Duration = Duration::from_secs(40);

/// A live room with a job: the anchor, the room, and the job at the review service.
pub(super) async fn reviewed(api: &Api, by: &User) -> Result<(User, String, Job), NotApplicable> {
    let review = api.review()?;
    let anchor = api.user().await;
    let room = api.live_room(&anchor).await;
    start_job(api, by, &room).await.done();
    eventually("the job is known", SOON, || async { review.jobs_of(&room).len() == 1 }).await;
    let job = review.jobs_of(&room).remove(0);
    Ok((anchor, room, job))
}

/// Asks for a job; the server may be about to start one by itself.
async fn start_job(api: &Api, by: &User, room: &str) -> Answer {
    loop {
        let call = api.post("/admin/censor/job/start").by(by).json(&json!({"live_id": room}));
        let answer = call.may_fail().send().await;
        if !answer.message().contains("is being started") {
            return answer;
        }
    }
}

/// What the service posts of a picture.
fn picture(job: &Job, name: &str, taken_at: i64) -> Value {
    json!({
        "job": job.id,
        "live": {"id": job.room, "uri": job.uri, "info": ""},
        "image": {
            "code": 200, "message": "OK", "job": job.id, "timestamp": taken_at,
            "url": format!("qiniu:///review-bucket/live/{name}.jpg"),
            "result": {"suggestion": "block", "scenes": {
                "pulp": {"suggestion": "block", "details": [{"suggestion": "block", "label": "sexy", "score": 0.9}]},
                "terror": {"suggestion": "pass"}, "politician": {"suggestion": "review"},
            }},
        },
    })
}

/// Delivers a picture; panics unless it is taken.
pub(super) async fn deliver(api: &Api, job: &Job, name: &str, taken_at: i64) {
    api.post(job.callback()).json(&picture(job, name, taken_at)).send().await.done();
}

/// The pictures of a room, as the query wants them.
async fn pictures(api: &Api, by: &User, room: &str, query: &str) -> Vec<Value> {
    let target = format!("/admin/censor/record?live_id={room}&page_size=200{query}");
    let answer = api.get(target).by(by).send().await;
    answer.ok()["list"].as_array().expect("a list").clone()
}

/// The room in the list of reviewed ones, if it is there.
async fn listed(api: &Api, by: &User, room: &str, query: &str) -> Option<Value> {
    for page in 1.. {
        let target = format!("/admin/censor/live?page_num={page}&page_size=200{query}");
        let answer = api.get(target).by(by).send().await;
        let list = answer.ok()["list"].as_array().expect("a list");
        if let Some(row) = list.iter().find(|row| row["live_id"] == room) {
            return Some(row.clone());
        }
        if answer.ok()["end_page"] == true {
            return None;
        }
    }
    None
}

fn ids(pictures: &[Value]) -> Vec<i64> {
    pictures.iter().map(|row| row["id"].as_i64().expect("an id")).collect()
}

/// A server of its own, whose settings a case may change.
async fn alone(api: &Api) -> Result<(OwnServer, Api, User), NotApplicable> {
    let own = api.own_server(|_| {}).await?;
    let api = own.api();
    let operator = api.operator().await;
    Ok((own, api, operator))
}

async fn settings_begin_with_defaults_and_are_replaced(api: Api) -> Verdict {
    let (own, api, operator) = alone(&api).await?;
    let get = || async { api.get("/admin/censor/config").by(&operator).send().await.ok().clone() };
    let all = |enable: bool, pulp: bool, ads: bool, interval: i64| json!({"enable": enable, "pulp": pulp, "terror": false, "politician": false, "ads": ads, "interval": interval});
    assert_eq!(get().await, all(true, true, false, 20));
    for (sent, stored) in [
        (json!({"enable": true, "ads": true, "interval": 1}), all(true, false, true, 1)),
        (json!({"enable": true, "pulp": true, "interval": 60}), all(true, true, false, 60)),
        (json!({"enable": false}), all(false, false, false, 0)),
        (json!({"interval": 99}), all(false, false, false, 99)),
    ] {
        let answer = api.post("/admin/censor/config").by(&operator).json(&sent).send().await;
        assert_eq!(answer.ok(), &stored);
        assert_eq!(get().await, stored);
    }
    own.stop().await;
    Ok(())
}

async fn settings_are_checked(api: Api) -> Verdict {
    let operator = api.operator().await;
    let before = api.get("/admin/censor/config").by(&operator).send().await.ok().clone();
    for interval in [json!(0), json!(61), json!(-1), Value::Null] {
        let body = json!({"enable": true, "pulp": true, "interval": interval});
        api.post("/admin/censor/config").by(&operator).json(&body).send().await.bad_in("interval");
    }
    for (field, value) in [("interval", json!("x")), ("enable", json!("yes")), ("pulp", json!(3))] {
        let mut body = json!({"enable": false});
        body[field] = value;
        api.post("/admin/censor/config").by(&operator).json(&body).send().await.bad_in(field);
    }
    assert_eq!(api.get("/admin/censor/config").by(&operator).send().await.ok(), &before);
    Ok(())
}

async fn a_live_gets_a_job_by_itself(api: Api) -> Verdict {
    let review = api.review()?;
    let anchor = api.user().await;
    let waiting = api.room(&anchor).await;
    let room = api.live_room(&anchor).await;
    eventually("the live has a job", SOON, || async { !review.jobs_of(&room).is_empty() }).await;
    let job = review.jobs_of(&room).remove(0);
    assert_eq!((job.scenes.as_slice(), job.interval_msecs), (&["pulp".to_owned()][..], 20_000));
    assert_eq!(api.server_info(&room).await["push_url"], job.uri.as_str());
    assert!(job.hook_url.starts_with(&format!("{CALLBACK}/manager/censor/callback?")), "{}", job.hook_url);
    assert!(review.jobs_of(&waiting).is_empty(), "a room that is not live has none");
    Ok(())
}

async fn a_job_is_started_once(api: Api) -> Verdict {
    let operator = api.operator().await;
    let review = api.review()?;
    let room = api.live_room(&api.user().await).await;
    let all = (0..6).map(|_| start_job(&api, &operator, &room));
    for answer in futures_util::future::join_all(all).await {
        answer.done();
    }
    start_job(&api, &operator, &room).await.done();
    assert_eq!(review.jobs_of(&room).len(), 1);
    Ok(())
}

async fn jobs_are_for_rooms_that_are_not_over(api: Api) -> Verdict {
    let (operator, anchor) = (api.operator().await, api.user().await);
    let review = api.review()?;
    let start = |id: &str| api.post("/admin/censor/job/start").by(&operator).json(&json!({"live_id": id}));
    start("1").send().await.not_found();
    api.post("/admin/censor/job/start").by(&operator).send().await.bad_in("live_id");
    start(&"1".repeat(65)).send().await.bad_in("live_id");
    let room = api.room(&anchor).await;
    start(&room).send().await.done();
    api.start(&anchor, &room).await;
    api.stop(&anchor, &room).await;
    start(&room).send().await.bad();
    assert_eq!(review.jobs_of(&room).len(), 1);
    Ok(())
}

async fn without_a_review_no_job_is_started(api: Api) -> Verdict {
    let (own, api, operator) = alone(&api).await?;
    let room = api.live_room(&api.user().await).await;
    for off in [json!({"enable": false}), json!({"enable": true, "interval": 5})] {
        api.post("/admin/censor/config").by(&operator).json(&off).send().await.ok();
        let start = api.post("/admin/censor/job/start").by(&operator).json(&json!({"live_id": room}));
        let answer = start.send().await;
        // The job may have been started before.
        if api.review()?.jobs_of(&room).is_empty() {
            answer.bad();
        }
    }
    own.stop().await;
    let without = api.own_server(|config| config.censor.callback = String::new()).await?;
    let api = without.api();
    let operator = api.operator().await;
    let room = api.live_room(&api.user().await).await;
    let start = api.post("/admin/censor/job/start").by(&operator).json(&json!({"live_id": room}));
    start.send().await.bad_in("censor.callback");
    assert!(api.review()?.calls().is_empty());
    without.stop().await;
    Ok(())
}

async fn the_job_of_an_ended_live_is_closed(api: Api) -> Verdict {
    let operator = api.operator().await;
    let review = api.review()?;
    let (anchor, room, _) = reviewed(&api, &operator).await?;
    let (other, deleted, _) = reviewed(&api, &operator).await?;
    api.stop(&anchor, &room).await;
    api.delete(format!("/client/live/room/instance/{deleted}")).by(&other).send().await.done();
    for room in [room, deleted] {
        eventually("the job is closed", SOON, || async {
            review.jobs_of(&room).iter().all(|job| job.status == "stop")
        })
        .await;
    }
    Ok(())
}

async fn a_closed_job_stays_closed(api: Api) -> Verdict {
    let operator = api.operator().await;
    let review = api.review()?;
    let (_, room, _) = reviewed(&api, &operator).await?;
    let close = |id: &str| api.post("/admin/censor/job/close").by(&operator).json(&json!({"live_id": id}));
    close("1").send().await.not_found();
    api.post("/admin/censor/job/close").by(&operator).json(&json!({})).send().await.bad_in("live_id");
    close(&room).send().await.done();
    assert_eq!(review.jobs_of(&room)[0].status, "stop");
    close(&room).send().await.done();
    // A live that began later has a job by now: this one was passed over.
    let later = api.live_room(&api.user().await).await;
    eventually("the later live has a job", SOON, || async { !review.jobs_of(&later).is_empty() }).await;
    assert_eq!(review.jobs_of(&room).len(), 1);
    // An operator may start another.
    start_job(&api, &operator, &room).await.done();
    assert_eq!(review.jobs_of(&room).len(), 2);
    Ok(())
}

async fn jobs_and_results_are_passed_through(api: Api) -> Verdict {
    let operator = api.operator().await;
    let (_, room, job) = reviewed(&api, &operator).await?;
    let mut seen = BTreeSet::new();
    let mut marker = String::new();
    loop {
        let target =
            format!("/admin/censor/job/list?start={}&status=doing&limit=500&marker={marker}", job.created_at);
        let page = api.get(target).by(&operator).send().await.ok().clone();
        let rooms = page["items"].as_array().expect("items").iter();
        seen.extend(rooms.map(|item| item["data"]["id"].as_str().expect("an id").to_owned()));
        marker = page["marker"].as_str().expect("a marker").to_owned();
        if marker.is_empty() {
            break;
        }
    }
    assert!(seen.contains(&room));
    let body = json!({"start": job.created_at + 1000, "end": "2099-01-01 00:00:00", "limit": 1});
    let none = api.call("GET", "/admin/censor/job/list").by(&operator).json(&body).send().await;
    assert_eq!(none.ok(), &json!({"marker": "", "items": []}));

    let target =
        format!("/admin/censor/job/query?job={}&start=5&end=7&suggestions=block&suggestions=review", job.id);
    let wanted = json!({"job": job.id, "suggestions": ["block", "review"], "start": 5, "end": 7});
    let answer = api.get(target).by(&operator).send().await;
    assert_eq!(answer.ok()["asked"], wanted);
    let answer = api.call("GET", "/admin/censor/job/query").by(&operator).json(&wanted).send().await;
    assert_eq!(answer.ok()["asked"], wanted);
    // Without a span the last ten minutes, which is what the service takes at most.
    let answer = api.get(format!("/admin/censor/job/query?job={}", job.id)).by(&operator).send().await;
    let asked = &answer.ok()["asked"];
    let (start, end) = (asked["start"].as_i64().expect("start"), asked["end"].as_i64().expect("end"));
    assert!(end - start == 600 && (now() - end).abs() < 60, "{asked}");
    Ok(())
}

async fn parameters_of_the_review_service_are_checked(api: Api) -> Verdict {
    let operator = api.operator().await;
    for (path, field) in [
        ("/admin/censor/job/list?limit=0", "limit"),
        ("/admin/censor/job/list?limit=x", "limit"),
        ("/admin/censor/job/list?start=x", "start"),
        ("/admin/censor/job/list?start=9&end=8", "start"),
        ("/admin/censor/job/query", "job"),
        ("/admin/censor/job/query?job=x&end=-1", "end"),
    ] {
        api.get(path).by(&operator).send().await.bad_in(field);
    }
    let long = "x".repeat(1025);
    api.get(format!("/admin/censor/job/list?marker={long}")).by(&operator).send().await.bad_in("marker");
    api.get(format!("/admin/censor/job/list?status={long}")).by(&operator).send().await.bad_in("status");
    api.get(format!("/admin/censor/job/query?job={long}")).by(&operator).send().await.bad_in("job");
    api.get(format!("/admin/censor/job/query?job=x&suggestions={long}"))
        .by(&operator)
        .send()
        .await
        .bad_in("suggestions");
    let body = json!({"limit": "many"});
    api.call("GET", "/admin/censor/job/list").by(&operator).json(&body).send().await.bad_in("limit");
    Ok(())
}

async fn a_service_in_trouble_is_told_of_and_hurts_no_live(api: Api) -> Verdict {
    let (own, api, operator) = alone(&api).await?;
    let review = api.review()?;
    let moods = [
        Mood::Status(500),
        Mood::Status(302),
        Mood::Status(403),
        Mood::Garbage(b"<html>".to_vec()),
        Mood::Garbage(b"{\"code\":200}".to_vec()),
        Mood::Garbage(vec![b' '; 2 << 20]),
        Mood::Slow(Duration::from_secs(8)),
    ];
    for mood in moods {
        review.set_mood(mood.clone());
        let asked = std::time::Instant::now();
        for target in ["/admin/censor/job/list", "/admin/censor/job/query?job=x"] {
            let is_empty = matches!(&mood, Mood::Garbage(bytes) if bytes.starts_with(b"{"));
            let answer = api.get(target).by(&operator).may_fail().send().await;
            if !is_empty {
                answer.refused(503, 503);
                assert!(answer.message().contains("review service"), "{answer:?}");
            }
        }
        let anchor = api.user().await;
        // Of a live the server has asked by itself; of a room that is not live yet it has not.
        let room = api.room(&anchor).await;
        let answer = start_job(&api, &operator, &room).await;
        answer.refused(503, 503);
        assert!(answer.message().contains("review service"), "{mood:?}: {answer:?}");
        let room = api.live_room(&anchor).await;
        api.stop(&anchor, &room).await;
        assert!(asked.elapsed() < Duration::from_secs(30), "{mood:?}: no caller waits long");
    }
    // All is made good by itself.
    let room = api.live_room(&api.user().await).await;
    review.set_mood(Mood::Well);
    eventually("the live has a job", SOON, || async { review.jobs_of(&room).len() == 1 }).await;
    own.stop().await;

    let down = api.own_server(|config| config.censor.api_url = "http://127.0.0.1:1".to_owned()).await?;
    let api = down.api();
    let operator = api.operator().await;
    api.get("/admin/censor/job/list").by(&operator).may_fail().send().await.refused(503, 503);
    let anchor = api.user().await;
    let room = api.room(&anchor).await;
    start_job(&api, &operator, &room).await.refused(503, 503);
    api.start(&anchor, &room).await;
    api.stop(&anchor, &room).await;
    down.stop().await;
    Ok(())
}

async fn what_the_service_refuses_is_told(api: Api) -> Verdict {
    let operator = api.operator().await;
    api.review()?;
    let answer = api.get("/admin/censor/job/query?job=unknown").by(&operator).send().await;
    answer.bad_in("no such job");
    let (own, api, operator) = alone(&api).await?;
    api.review()?.set_mood(Mood::Refusing);
    let anchor = api.user().await;
    let room = api.room(&anchor).await;
    start_job(&api, &operator, &room).await.bad_in("the stream is not there");
    // It is asked again.
    api.start(&anchor, &room).await;
    api.review()?.set_mood(Mood::Well);
    eventually("the live has a job", SOON, || async {
        api.review().is_ok_and(|review| review.jobs_of(&room).len() == 1)
    })
    .await;
    own.stop().await;
    Ok(())
}

async fn a_picture_is_stored_once(api: Api) -> Verdict {
    let operator = api.operator().await;
    let (_, room, job) = reviewed(&api, &operator).await?;
    let taken = 1_700_000_000;
    let all = (0..8).map(|_| deliver(&api, &job, "a", taken));
    futures_util::future::join_all(all).await;
    deliver(&api, &job, "a", taken).await;
    let stored = pictures(&api, &operator, &room, "").await;
    assert_eq!(stored.len(), 1, "{stored:?}");
    let wanted = json!({
        "id": stored[0]["id"], "url": format!("{IMAGES}/live/a.jpg"), "job_id": job.id,
        "created_at": taken * 1000, "suggestion": "block", "pulp": "block", "terror": "pass",
        "politician": "review", "ads": "", "live_id": room, "is_review": 0, "review_answer": 0,
        "review_user_id": "", "review_time": 0,
    });
    assert_eq!(stored[0], wanted);
    // Each of another address or time is another one; all are counted.
    let others = [("b", taken), ("a", taken + 1), ("c", taken + 2), ("d", taken + 3)];
    let all = others.map(|(name, taken)| deliver(&api, &job, name, taken));
    futures_util::future::join_all(all).await;
    let row = listed(&api, &operator, &room, "").await.expect("is listed");
    assert_eq!(
        (&row["count"], &row["ai_count"], &row["time"]),
        (&json!(5), &json!(5), &json!((taken + 3) * 1000))
    );
    Ok(())
}

async fn only_signed_callbacks_are_taken(api: Api) -> Verdict {
    let operator = api.operator().await;
    let (_, room, job) = reviewed(&api, &operator).await?;
    let (_, other, other_job) = reviewed(&api, &operator).await?;
    let body = picture(&job, "x", 1_700_000_000);
    let sign = |job: &Job| job.callback().rsplit_once("sign=").expect("a signature").1.to_owned();
    let path = "/manager/censor/callback";
    for target in [
        path.to_owned(),
        format!("{path}?live_id={room}"),
        format!("{path}?live_id={room}&sign="),
        format!("{path}?live_id={room}&sign={}", sign(&other_job)),
        format!("{path}?live_id={other}&sign={}", sign(&job)),
        format!("{path}?sign={}", sign(&job)),
        format!("{path}?live_id={room}&sign={}x", sign(&job)),
    ] {
        api.post(target.as_str()).json(&body).send().await.unauthorized();
        api.post(target.as_str()).body("application/json", "{").send().await.unauthorized();
    }
    api.post(path).server().json(&body).send().await.unauthorized();
    api.post(path).by(&operator).json(&body).send().await.unauthorized();
    assert!(pictures(&api, &operator, &room, "").await.is_empty());
    Ok(())
}

async fn unsigned_callbacks_are_limited(api: Api) -> Verdict {
    let own = api.own_server(|config| config.limits.open_per_s = 1).await?;
    let api = own.api();
    let operator = api.operator().await;
    let (_, room, job) = reviewed(&api, &operator).await?;
    let mut statuses = BTreeSet::new();
    for _ in 0..20 {
        let answer = api.post("/manager/censor/callback").once().send().await;
        statuses.insert(answer.status);
        assert_eq!(answer.status == 429, !answer.header("retry-after").is_empty(), "{answer:?}");
    }
    assert_eq!(statuses, BTreeSet::from([401, 429]));
    // The review service is not held up by that.
    for number in 0..20 {
        deliver(&api, &job, "a", 1_700_000_000 + number).await;
    }
    assert_eq!(pictures(&api, &operator, &room, "").await.len(), 20);
    own.stop().await;
    Ok(())
}

async fn callbacks_are_checked(api: Api) -> Verdict {
    let operator = api.operator().await;
    let (_, room, job) = reviewed(&api, &operator).await?;
    let (_, _, foreign) = reviewed(&api, &operator).await?;
    let good = picture(&job, "x", 1_700_000_000);
    let long = "x".repeat(256);
    for (field, value) in [
        ("code", json!(500)),
        ("code", Value::Null),
        ("job", json!("")),
        ("job", json!(long)),
        ("url", json!("")),
        ("url", json!("javascript:alert(1)")),
        ("url", json!(format!("https://x/{long}"))),
        ("url", json!(format!("qiniu:///review-bucket/{long}"))),
        ("timestamp", json!(0)),
        ("timestamp", json!(-1)),
        ("timestamp", json!(1_700_000_000_000_i64)),
        ("timestamp", json!("x")),
        ("result", json!({"suggestion": long})),
        ("result", json!({"scenes": {"ads": {"suggestion": long}}})),
    ] {
        let mut body = good.clone();
        body["image"][field] = value;
        api.post(job.callback()).json(&body).send().await.bad_in(&format!("image.{field}"));
    }
    for body in
        ["{}", "[]", "{\"image\":7}", "{\"error\":{\"message\":\"the stream is gone\"}}", "{\"audio\":{}}"]
    {
        api.post(job.callback()).body("application/json", body).send().await.bad();
    }
    for unknown in ["no-such-job", &foreign.id, &job.id.to_uppercase()] {
        let mut body = good.clone();
        body["image"]["job"] = json!(unknown);
        api.post(job.callback()).json(&body).send().await.not_found();
    }
    assert!(pictures(&api, &operator, &room, "").await.is_empty());
    assert!(listed(&api, &operator, &room, "").await.is_none(), "no picture, no review");
    Ok(())
}

async fn pictures_come_late_too(api: Api) -> Verdict {
    let operator = api.operator().await;
    let (anchor, room, job) = reviewed(&api, &operator).await?;
    api.stop(&anchor, &room).await;
    deliver(&api, &job, "late", 1_700_000_000).await;
    let row = listed(&api, &operator, &room, "&is_review=0").await.expect("is listed");
    assert_eq!((&row["live_status"], &row["count"]), (&json!(2), &json!(1)));
    api.delete(format!("/client/live/room/instance/{room}")).by(&anchor).send().await.done();
    deliver(&api, &job, "later", 1_700_000_001).await;
    assert_eq!(pictures(&api, &operator, &room, "").await.len(), 2);
    assert!(listed(&api, &operator, &room, "").await.is_none(), "deleted rooms are not listed");
    Ok(())
}

async fn pictures_are_listed(api: Api) -> Verdict {
    let operator = api.operator().await;
    let (_, room, job) = reviewed(&api, &operator).await?;
    let (_, other, other_job) = reviewed(&api, &operator).await?;
    let base = 1_700_000_000;
    for (name, taken) in [("b", base + 2), ("a", base + 1), ("c", base + 3), ("d", base + 4), ("e", base + 4)]
    {
        deliver(&api, &job, name, taken).await;
    }
    deliver(&api, &other_job, "x", base + 9).await;
    let name = |row: &Value| row["url"].as_str().expect("url").replace(&format!("{IMAGES}/live/"), "");
    let names = |rows: &[Value]| rows.iter().map(name).collect::<Vec<_>>().join(" ");
    let all = pictures(&api, &operator, &room, "").await;
    assert_eq!(names(&all), "e.jpg d.jpg c.jpg b.jpg a.jpg", "newest first, then the last stored");

    let numbers = ids(&all);
    let judge = |image_list: Value, answer: i64| {
        let body = json!({"live_id": room, "image_list": image_list, "review_answer": answer});
        api.post("/admin/censor/audit").by(&operator).json(&body).send()
    };
    judge(json!([numbers[0], numbers[3]]), 1).await.done();
    judge(json!([numbers[2], numbers[4]]), 2).await.done();
    assert_eq!(names(&pictures(&api, &operator, &room, "&is_review=0").await), "d.jpg");
    let done = pictures(&api, &operator, &room, "&is_review=1").await;
    assert_eq!(names(&done), "c.jpg a.jpg e.jpg b.jpg", "violations first, each newest first");
    assert_eq!(names(&pictures(&api, &operator, &room, "&is_review=").await), names(&all));

    let target = format!("/admin/censor/record?live_id={room}&page_size=2&page_num=3");
    let page = api.get(target).by(&operator).send().await;
    assert_eq!(names(page.ok()["list"].as_array().expect("a list")), "a.jpg");
    let page = page.ok();
    assert_eq!(
        (&page["total_count"], &page["page_total"], &page["end_page"]),
        (&json!(5), &json!(3), &json!(true))
    );
    let mixed = api.get("/admin/censor/record?page_size=200&is_review=0").by(&operator).send().await;
    assert!(column(&mixed.ok()["list"], "live_id").contains(&other.as_str()), "without a room all rooms");
    assert!(
        pictures(&api, &operator, &format!("{room}%20"), "").await.is_empty(),
        "ids are compared byte by byte"
    );
    for bad in ["is_review=2", "is_review=-1", "is_review=x"] {
        api.get(format!("/admin/censor/record?{bad}")).by(&operator).send().await.bad_in("is_review");
    }
    let long = "1".repeat(65);
    api.get(format!("/admin/censor/record?live_id={long}")).by(&operator).send().await.bad_in("live_id");
    Ok(())
}

async fn rooms_with_pictures_are_listed(api: Api) -> Verdict {
    let (own, api, operator) = alone(&api).await?;
    let base = 1_700_000_000;
    let (anchor, first, first_job) = reviewed(&api, &operator).await?;
    let (_, second, second_job) = reviewed(&api, &operator).await?;
    let (_, without, _) = reviewed(&api, &operator).await?;
    let nick = json!({"nick": "Ann"});
    api.put(format!("/server/user/{}", anchor.id)).server().json(&nick).send().await.done();
    deliver(&api, &second_job, "x", base).await;
    deliver(&api, &first_job, "y", base + 5).await;
    deliver(&api, &first_job, "z", base + 1).await;
    let rooms = |query: &'static str| {
        let (api, operator) = (api.clone(), operator.clone());
        async move {
            let answer = api.get(format!("/admin/censor/live?{query}")).by(&operator).send().await;
            column(&answer.ok()["list"], "live_id").into_iter().map(str::to_owned).collect::<Vec<_>>()
        }
    };
    assert_eq!(rooms("").await, [first.clone(), second.clone()], "newest picture first; {without} has none");
    assert_eq!(rooms("is_review=0").await, [first.clone(), second.clone()]);
    assert_eq!(rooms("page_size=1&page_num=2").await, std::slice::from_ref(&second));

    let info = api.server_info(&first).await;
    let row = listed(&api, &operator, &first, "").await.expect("is listed");
    let wanted = json!({
        "live_id": first, "title": info["title"], "anchor_id": anchor.id, "nick": "Ann", "live_status": 1,
        "anchor_status": 1, "stop_reason": "", "stop_at": 0, "start_at": info["start_time"].as_i64().expect("start") * 1000,
        "time": (base + 5) * 1000, "count": 2, "violation_count": 0, "ai_count": 2, "push_url": info["push_url"],
        "rtmp_play_url": info["rtmp_url"], "flv_play_url": info["flv_url"], "hls_play_url": info["hls_url"],
    });
    assert_eq!(row, wanted);

    // Judged: out of the list of those that wait, not of the whole.
    let numbers = ids(&pictures(&api, &operator, &first, "").await);
    let body = json!({"live_id": first, "image_list": numbers, "review_answer": 2});
    api.post("/admin/censor/audit").by(&operator).json(&body).send().await.done();
    // Ended by the review: the same, with a picture that waits.
    api.post(format!("/admin/censor/stoplive/{second}")).by(&operator).send().await.done();
    api.leave(&anchor, &first).await;
    assert_eq!(rooms("is_review=0").await, Vec::<String>::new());
    assert_eq!(rooms("").await, [first.clone(), second.clone()]);
    let row = listed(&api, &operator, &first, "").await.expect("is listed");
    let figures = ["count", "violation_count", "ai_count", "anchor_status"].map(|name| row[name].clone());
    assert_eq!(figures, [json!(0), json!(2), json!(2), json!(0)]);
    let row = listed(&api, &operator, &second, "").await.expect("is listed");
    assert_eq!(
        (&row["stop_reason"], &row["live_status"], &row["count"]),
        (&json!("censor"), &json!(2), &json!(1))
    );
    let stopped = row["stop_at"].as_i64().expect("stop_at");
    assert!((stopped - now() * 1000).abs() < 60_000, "{row}");
    for bad in ["is_review=1", "is_review=x", "page_num=0"] {
        let field = bad.split('=').next().expect("a name");
        api.get(format!("/admin/censor/live?{bad}")).by(&operator).send().await.bad_in(field);
    }
    own.stop().await;
    Ok(())
}

async fn a_verdict_is_written(api: Api) -> Verdict {
    let (operator, second) = (api.operator().await, api.operator().await);
    let (_, room, job) = reviewed(&api, &operator).await?;
    for number in 0..3 {
        deliver(&api, &job, "a", 1_700_000_000 + number).await;
    }
    let numbers = ids(&pictures(&api, &operator, &room, "").await);
    let judge = |by: &User, image_list: Value, answer: i64| {
        let body = json!({"live_id": room, "image_list": image_list, "review_answer": answer});
        api.post("/admin/censor/audit").by(by).json(&body).send()
    };
    let before = now();
    judge(&operator, json!([numbers[0], numbers[1], numbers[0]]), 1).await.done();
    let row = listed(&api, &operator, &room, "").await.expect("is listed");
    assert_eq!((&row["count"], &row["violation_count"]), (&json!(1), &json!(0)));
    let all = pictures(&api, &operator, &room, "").await;
    assert_eq!((&all[0]["is_review"], &all[0]["review_answer"]), (&json!(1), &json!(1)));
    assert_eq!(all[0]["review_user_id"], operator.id.as_str());
    let at = all[0]["review_time"].as_i64().expect("a time");
    assert!((before * 1000 - 1000..=now() * 1000).contains(&at), "{at}");
    assert_eq!((&all[2]["is_review"], &all[2]["review_time"]), (&json!(0), &json!(0)));

    // A verdict may be replaced; the operator who did it is named.
    next_second().await;
    judge(&second, json!([numbers[0]]), 2).await.done();
    let all = pictures(&api, &operator, &room, "").await;
    assert_eq!((&all[0]["review_answer"], &all[0]["review_user_id"]), (&json!(2), &json!(second.id)));
    assert!(all[0]["review_time"].as_i64() > all[1]["review_time"].as_i64());
    let row = listed(&api, &operator, &room, "").await.expect("is listed");
    assert_eq!((&row["count"], &row["violation_count"], &row["ai_count"]), (&json!(1), &json!(1), &json!(3)));

    // Verdicts and pictures at the same time: the count is right in the end.
    let more = (10..14).map(|number| deliver(&api, &job, "b", 1_700_000_000 + number));
    let verdicts = numbers.iter().map(|id| judge(&operator, json!([id]), 1));
    let (_, verdicts) =
        tokio::join!(futures_util::future::join_all(more), futures_util::future::join_all(verdicts));
    for verdict in verdicts {
        verdict.done();
    }
    let row = listed(&api, &operator, &room, "&is_review=0").await.expect("is listed");
    assert_eq!((&row["count"], &row["ai_count"]), (&json!(4), &json!(7)));
    Ok(())
}

async fn a_verdict_is_about_one_room(api: Api) -> Verdict {
    let operator = api.operator().await;
    let (_, room, job) = reviewed(&api, &operator).await?;
    let (_, other, other_job) = reviewed(&api, &operator).await?;
    deliver(&api, &job, "a", 1_700_000_000).await;
    deliver(&api, &other_job, "b", 1_700_000_000).await;
    let own = ids(&pictures(&api, &operator, &room, "").await)[0];
    let foreign = ids(&pictures(&api, &operator, &other, "").await)[0];
    for image_list in [json!([foreign]), json!([own, foreign]), json!([4_294_967_295_u32])] {
        let body = json!({"live_id": room, "image_list": image_list, "review_answer": 2});
        api.post("/admin/censor/audit").by(&operator).json(&body).send().await.not_found();
    }
    let body = json!({"live_id": "1", "image_list": [own], "review_answer": 2});
    api.post("/admin/censor/audit").by(&operator).json(&body).send().await.not_found();
    for room in [&room, &other] {
        assert_eq!(pictures(&api, &operator, room, "&is_review=0").await.len(), 1, "none was changed");
    }
    Ok(())
}

async fn verdicts_are_checked(api: Api) -> Verdict {
    let operator = api.operator().await;
    let good = json!({"live_id": "1", "image_list": [1], "review_answer": 1});
    let many: Vec<u32> = (1..=201).collect();
    for (field, value) in [
        ("live_id", Value::Null),
        ("live_id", json!("")),
        ("live_id", json!("1".repeat(65))),
        ("image_list", Value::Null),
        ("image_list", json!([])),
        ("image_list", json!(many)),
        ("image_list", json!(["x"])),
        ("image_list", json!([-1])),
        ("review_answer", Value::Null),
        ("review_answer", json!(0)),
        ("review_answer", json!(3)),
        ("notify", json!("x")),
        ("message", json!("x".repeat(256))),
    ] {
        let mut body = good.clone();
        body[field] = value;
        api.post("/admin/censor/audit").by(&operator).json(&body).send().await.bad_in(field);
    }
    Ok(())
}

async fn an_anchor_is_warned_of_a_violation(api: Api) -> Verdict {
    let im = FakeIm::start().await;
    let own = api.own_server(|config| config.im = im.config()).await?;
    let api = own.api();
    let operator = api.operator().await;
    let (anchor, room, job) = reviewed(&api, &operator).await?;
    deliver(&api, &job, "a", 1_700_000_000).await;
    let image_list = json!(ids(&pictures(&api, &operator, &room, "").await));
    let warnings = || im.sent().into_iter().filter(|sent| sent.action == "censor_notify").collect::<Vec<_>>();
    let judge = |answer: i64, notify: Value, message: Value| {
        let body = json!({
            "live_id": room, "image_list": image_list, "review_answer": answer, "notify": notify, "message": message,
        });
        api.post("/admin/censor/audit").by(&operator).json(&body).send()
    };
    judge(1, json!(true), Value::Null).await.done();
    judge(2, json!(false), Value::Null).await.done();
    judge(2, Value::Null, Value::Null).await.done();
    assert!(warnings().is_empty(), "only a violation with `notify`");
    judge(2, json!(true), Value::Null).await.done();
    judge(2, json!(true), json!("mind the rules")).await.done();
    let sent = warnings();
    let account = im.accounts()[&format!("ql{}", anchor.id)].id;
    assert_eq!(sent.len(), 2, "{sent:?}");
    for warning in &sent {
        assert_eq!((warning.from, warning.to_group, warning.target), (None, false, account));
        assert_eq!(warning.data["live_id"], room.as_str());
    }
    assert!(!sent[0].data["message"].as_str().expect("a message").is_empty());
    assert_eq!(sent[1].data, json!({"live_id": room, "message": "mind the rules"}));
    // A verdict does not wait for the IM service to work.
    im.set_mood(crate::support::fake::Mood::Status(500));
    judge(2, json!(true), Value::Null).await.done();
    own.stop().await;
    Ok(())
}

async fn a_live_is_stopped_for_what_it_shows(api: Api) -> Verdict {
    let (operator, anchor) = (api.operator().await, api.user().await);
    let stop = |id: &str| api.post(format!("/admin/censor/stoplive/{id}")).by(&operator);
    let room = api.room(&anchor).await;
    stop(&room).send().await.bad();
    api.start(&anchor, &room).await;
    let long = json!({"message": "x".repeat(256)});
    stop(&room).json(&long).send().await.bad_in("message");
    let before = now();
    // The administration page of QNLiveKit posts the id once more.
    let stops = (0..4).map(|_| stop(&room).json(&json!({"live_id": room})).send());
    let answers = futures_util::future::join_all(stops).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "{answers:?}");
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.bad();
    }
    let info = api.server_info(&room).await;
    assert_eq!((&info["live_status"], &info["stop_reason"]), (&json!(2), &json!("censor")));
    assert_eq!(info["stop_user_id"], operator.id.as_str());
    let at = info["stop_at"].as_i64().expect("stop_at");
    assert!((before - 1..=now()).contains(&at), "{info}");
    assert_eq!(api.beat(&anchor, &room).await, 2);
    api.put(format!("/client/live/room/{room}")).by(&anchor).send().await.bad();
    stop("1").send().await.not_found();
    stop(&"1".repeat(65)).send().await.bad();
    Ok(())
}
