//! http-api.md §10: statistics.

use serde_json::{Value, json};

use super::world::{User, unique};
use super::{Api, Verdict, cases};

cases![
    a_room_without_statistics_has_seven_zeros,
    reports_add_up_per_type,
    reports_are_the_callers_whatever_they_say,
    what_the_server_counts_is_not_reported,
    a_report_is_checked,
    an_entry_twice_counts_twice,
    unknown_rooms_are_passed_over,
    who_left_may_still_report,
    the_statistics_of_an_unknown_room_are_not_found,
    statistics_want_credentials,
    reports_at_once_all_count,
];

const REPORT: &str = "/client/stats/singleLive";

impl Api {
    /// Reports these entries.
    async fn report(&self, user: &User, data: Value) {
        self.post(REPORT).by(user).json(&json!({"data": data})).send().await.done();
    }

    /// (page views, unique visitors) of the types 1 to 7.
    async fn figures(&self, user: &User, live_id: &str) -> Vec<(i64, i64)> {
        let answer = self.get(format!("{REPORT}/{live_id}")).by(user).send().await;
        let answer = answer.ok();
        assert_eq!(answer["flow"], "", "{answer}");
        let names = ["Live", "Item", "Comment", "Relay", "Mic", "Like", "Gift"];
        let info = answer["info"].as_array().expect("info");
        assert_eq!(info.len(), names.len());
        for ((number, name), figure) in (1..).zip(names).zip(info) {
            assert_eq!((&figure["type"], &figure["type_description"]), (&json!(number), &json!(name)));
            assert_eq!(figure.as_object().map(serde_json::Map::len), Some(4), "{figure}");
        }
        let number = |figure: &Value, key: &str| figure[key].as_i64().expect("a number");
        info.iter().map(|one| (number(one, "page_view"), number(one, "unique_visitor"))).collect()
    }
}

fn entry(live_id: &str, kind: i64, biz_id: &str, count: i64) -> Value {
    json!({"live_id": live_id, "user_id": "whoever", "biz_id": biz_id, "type": kind, "count": count})
}

async fn a_room_without_statistics_has_seven_zeros(api: Api) -> Verdict {
    let anchor = api.user().await;
    let id = api.room(&anchor).await;
    assert_eq!(api.figures(&anchor, &id).await, [(0, 0); 7]);
    Ok(())
}

async fn reports_add_up_per_type(api: Api) -> Verdict {
    let (anchor, one, two) = (api.user().await, api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    for viewer in [&one, &two] {
        api.join(viewer, &id).await;
    }
    let data = json!([
        entry(&id, 2, "item-1", 1000),
        entry(&id, 2, "item-2", 1),
        entry(&id, 3, "", 7),
        entry(&id, 4, "pk", 2),
        entry(&id, 5, "", 3),
    ]);
    api.report(&one, data).await;
    api.report(&two, json!([entry(&id, 2, "item-1", 4)])).await;
    // Without a business id, and with names in other cases at the top.
    let bare = json!({"Data": [{"live_id": id, "type": 3, "count": 1}], "else": 1});
    api.post(REPORT).by(&one).json(&bare).send().await.done();
    let expected = [(2, 2), (1005, 2), (8, 1), (2, 1), (3, 1), (0, 0), (0, 0)];
    assert_eq!(api.figures(&two, &id).await, expected);
    Ok(())
}

async fn reports_are_the_callers_whatever_they_say(api: Api) -> Verdict {
    let (anchor, viewer) = (api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    let named = |user_id: Value| json!([{"live_id": id, "user_id": user_id, "type": 2, "count": 1}]);
    let long = "x".repeat(100);
    for user_id in [json!(anchor.id), json!("nobody"), json!(7), json!(null), json!(long)] {
        api.report(&viewer, named(user_id)).await;
    }
    assert_eq!(api.figures(&viewer, &id).await[1], (5, 1));
    Ok(())
}

async fn what_the_server_counts_is_not_reported(api: Api) -> Verdict {
    let (anchor, viewer) = (api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    let data = json!([
        entry(&id, 1, "", 10),
        entry(&id, 6, "", 10),
        entry(&id, 7, "", 10),
        entry(&id, 7, "", 100_000),
        entry(&id, 5, "", 10),
    ]);
    api.report(&viewer, data).await;
    api.report(&viewer, json!([entry(&id, 6, "", 1)])).await;
    let expected = [(0, 0), (0, 0), (0, 0), (0, 0), (10, 1), (0, 0), (0, 0)];
    assert_eq!(api.figures(&viewer, &id).await, expected);
    Ok(())
}

async fn a_report_is_checked(api: Api) -> Verdict {
    let anchor = api.user().await;
    let id = api.live_room(&anchor).await;
    let wrong = [
        ("data", json!({})),
        ("data", json!({"data": []})),
        ("data", json!({"data": "x"})),
        ("data", json!({"data": vec![entry(&id, 2, "", 1); 201]})),
        ("data[0].count", json!({"data": [entry(&id, 2, "", 0)]})),
        ("data[1].count", json!({"data": [entry(&id, 2, "", 1), entry(&id, 5, "", 1001)]})),
        ("data[0].count", json!({"data": [entry(&id, 3, "", -1)]})),
        ("data[0].count", json!({"data": [{"live_id": id, "type": 3}]})),
        ("count", json!({"data": [{"live_id": id, "type": 3, "count": "1"}]})),
        ("type", json!({"data": [entry(&id, 0, "", 1)]})),
        ("type", json!({"data": [entry(&id, 8, "", 1)]})),
        ("type", json!({"data": [{"live_id": id, "count": 1}]})),
        ("live_id", json!({"data": [{"type": 2, "count": 1}]})),
        ("live_id", json!({"data": [entry("", 2, "", 1)]})),
        ("live_id", json!({"data": [entry(&"1".repeat(65), 2, "", 1)]})),
        ("biz_id", json!({"data": [entry(&id, 2, &"x".repeat(65), 1)]})),
    ];
    for (field, body) in wrong {
        api.post(REPORT).by(&anchor).json(&body).send().await.bad_in(field);
    }
    assert_eq!(api.figures(&anchor, &id).await[1], (0, 0), "nothing of a refused report counts");
    api.report(&anchor, json!(vec![entry(&id, 2, &"x".repeat(64), 1); 200])).await;
    assert_eq!(api.figures(&anchor, &id).await[1], (200, 1));
    let odd = api.get(format!("{REPORT}/{}", "1".repeat(65))).by(&anchor).send().await;
    odd.bad_in("live_id");
    Ok(())
}

async fn an_entry_twice_counts_twice(api: Api) -> Verdict {
    let anchor = api.user().await;
    let (one, two) = (api.live_room(&anchor).await, api.room(&anchor).await);
    let data = json!([entry(&one, 2, "a", 1), entry(&two, 2, "a", 2), entry(&one, 2, "a", 4)]);
    api.report(&anchor, data.clone()).await;
    api.report(&anchor, data).await;
    assert_eq!(api.figures(&anchor, &one).await[1], (10, 1));
    assert_eq!(api.figures(&anchor, &two).await[1], (4, 1));
    Ok(())
}

async fn unknown_rooms_are_passed_over(api: Api) -> Verdict {
    let anchor = api.user().await;
    let id = api.live_room(&anchor).await;
    let unknown = unique("room");
    api.report(&anchor, json!([entry(&unknown, 2, "", 1), entry(&id, 2, "", 1)])).await;
    api.report(&anchor, json!([entry(&unknown, 2, "", 1)])).await;
    assert_eq!(api.figures(&anchor, &id).await[1], (1, 1));
    Ok(())
}

async fn who_left_may_still_report(api: Api) -> Verdict {
    let (anchor, viewer) = (api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    api.join(&viewer, &id).await;
    api.leave(&viewer, &id).await;
    api.stop(&anchor, &id).await;
    api.report(&viewer, json!([entry(&id, 3, "", 2)])).await;
    let figures = api.figures(&viewer, &id).await;
    assert_eq!((figures[0].1, figures[2]), (1, (2, 1)));
    Ok(())
}

async fn the_statistics_of_an_unknown_room_are_not_found(api: Api) -> Verdict {
    let anchor = api.user().await;
    let id = api.room(&anchor).await;
    api.delete(format!("/client/live/room/instance/{id}")).by(&anchor).send().await.done();
    for id in ["nope", &id] {
        api.get(format!("{REPORT}/{id}")).by(&anchor).send().await.not_found();
    }
    Ok(())
}

async fn statistics_want_credentials(api: Api) -> Verdict {
    let id = api.room(&api.user().await).await;
    api.get(format!("{REPORT}/{id}")).send().await.unauthorized();
    api.post(REPORT).json(&json!({"data": [entry(&id, 2, "", 1)]})).send().await.unauthorized();
    Ok(())
}

async fn reports_at_once_all_count(api: Api) -> Verdict {
    let (anchor, viewer) = (api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    let reports = (0..20).map(|number: i64| {
        let mut data = vec![entry(&id, 2, "a", 1), entry(&id, 2, "b", 1), entry(&id, 3, "", 1)];
        // Each in another order: they must not lock each other out.
        data.rotate_left(usize::try_from(number % 3).unwrap());
        api.report(&viewer, json!(data))
    });
    futures_util::future::join_all(reports).await;
    let figures = api.figures(&viewer, &id).await;
    assert_eq!((figures[1], figures[2]), ((40, 1), (20, 1)));
    Ok(())
}
