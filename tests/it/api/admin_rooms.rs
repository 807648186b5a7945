//! Rooms as administrators see them.

use std::time::Duration;

use serde_json::{Value, json};

use super::lists::assert_page;
use super::world::{User, column, eventually, unique};
use super::{Api, Verdict, cases};

cases![
    rooms_of_any_status_are_listed_newest_first,
    rooms_are_found_by_the_begin_of_title_id_or_anchor,
    a_room_is_shown_with_all_that_its_anchor_sees,
    a_room_shows_who_ended_it,
    those_in_a_room_are_listed,
    what_was_counted_in_a_room_is_shown,
    kept_messages_are_listed_and_can_be_deleted,
    what_is_asked_for_is_checked,
];

async fn list(api: &Api, boss: &User, query: &str) -> Value {
    api.get(format!("/admin/live/list?{query}")).by(boss).send().await.ok().clone()
}

fn ids(page: &Value) -> Vec<&str> {
    column(&page["list"], "live_id")
}

/// A created, a live and an ended room whose titles begin alike.
async fn three(api: &Api, anchor: &User) -> (String, [String; 3]) {
    let title = unique("Title");
    let mut rooms = Vec::new();
    for number in 0..3 {
        let room = api.room_with(anchor, json!({"title": format!("{title}-{number}")})).await;
        rooms.push(room["live_id"].as_str().expect("live_id").to_owned());
    }
    let [created, live, ended] = <[String; 3]>::try_from(rooms).expect("three");
    api.start(anchor, &ended).await;
    api.stop(anchor, &ended).await;
    api.start(anchor, &live).await;
    (title, [created, live, ended])
}

async fn rooms_of_any_status_are_listed_newest_first(api: Api) -> Verdict {
    let (boss, anchor) = (api.operator().await, api.user().await);
    let (title, [created, live, ended]) = three(&api, &anchor).await;
    let all = list(&api, &boss, &format!("keyword={title}")).await;
    assert_eq!(ids(&all), [&ended, &live, &created]);
    assert_page(&all, 3, 3, 1, true);
    let by_status =
        [(-1, vec![&ended, &live, &created]), (0, vec![&created]), (1, vec![&live]), (2, vec![&ended])];
    for (status, wanted) in by_status {
        let page = list(&api, &boss, &format!("keyword={title}&live_status={status}")).await;
        assert_eq!(ids(&page), wanted, "status {status}");
    }
    let page = list(&api, &boss, &format!("keyword={title}&page_num=2&page_size=2")).await;
    assert_eq!(ids(&page), [&created]);
    assert_page(&page, 1, 3, 2, true);
    assert_page(&list(&api, &boss, &format!("keyword={title}&page_num=9")).await, 0, 3, 1, true);
    let newest = list(&api, &boss, "page_size=1").await;
    assert!(newest["total_count"].as_u64().is_some_and(|total| total >= 3), "{newest}");
    api.delete(format!("/server/live/{created}")).server().send().await.done();
    assert_eq!(ids(&list(&api, &boss, &format!("keyword={title}")).await), [&ended, &live]);
    Ok(())
}

async fn rooms_are_found_by_the_begin_of_title_id_or_anchor(api: Api) -> Verdict {
    let (boss, anchor) = (api.operator().await, api.user().await);
    let (title, [created, live, ended]) = three(&api, &anchor).await;
    assert_eq!(ids(&list(&api, &boss, &format!("keyword={}", title.to_uppercase())).await).len(), 3);
    assert_eq!(ids(&list(&api, &boss, &format!("keyword={live}")).await), [&live]);
    assert_eq!(ids(&list(&api, &boss, &format!("keyword={}", anchor.id)).await), [&ended, &live, &created]);
    for keyword in [&title[1..], &format!("%25{}", &title[1..]), &format!("{}_", &title[..3])] {
        assert_page(&list(&api, &boss, &format!("keyword={keyword}")).await, 0, 0, 0, true);
    }
    Ok(())
}

async fn a_room_is_shown_with_all_that_its_anchor_sees(api: Api) -> Verdict {
    let (boss, anchor) = (api.operator().await, api.user().await);
    let live = api.live_room(&anchor).await;
    let mut wanted = api.server_info(&live).await;
    assert_ne!(wanted["push_url"], "");
    wanted["stop_reason"] = json!("");
    wanted["stop_by"] = json!("");
    let shown = api.get(format!("/admin/live/{live}")).by(&boss).send().await.ok().clone();
    assert_eq!(shown, wanted);
    assert_eq!(list(&api, &boss, &format!("keyword={live}")).await["list"][0], wanted);
    api.stop(&anchor, &live).await;
    let ended = api.get(format!("/admin/live/{live}")).by(&boss).send().await.ok().clone();
    assert_eq!((&ended["push_url"], &ended["live_status"]), (&wanted["push_url"], &json!(2)));
    api.get("/admin/live/1").by(&boss).send().await.not_found();
    Ok(())
}

async fn a_room_shows_who_ended_it(api: Api) -> Verdict {
    let (boss, anchor) = (api.operator().await, api.user().await);
    let live = api.live_room(&anchor).await;
    api.post(format!("/admin/censor/stoplive/{live}")).by(&boss).send().await.done();
    let shown = api.get(format!("/admin/live/{live}")).by(&boss).send().await.ok().clone();
    assert_eq!((&shown["stop_reason"], &shown["stop_by"]), (&json!("censor"), &json!(boss.id)));
    Ok(())
}

async fn those_in_a_room_are_listed(api: Api) -> Verdict {
    let (boss, anchor, viewer) = (api.operator().await, api.user().await, api.user().await);
    let live = api.live_room(&anchor).await;
    api.join(&viewer, &live).await;
    let users = api.get(format!("/admin/live/{live}/users")).by(&boss).send().await.ok().clone();
    let mut seen = column(&users["list"], "user_id");
    seen.sort_unstable();
    let mut wanted = [anchor.id.as_str(), viewer.id.as_str()];
    wanted.sort_unstable();
    assert_eq!(seen, wanted);
    let page = api.get(format!("/admin/live/{live}/users?page_size=1&page_num=2")).by(&boss).send().await;
    assert_page(page.ok(), 1, 2, 2, true);
    api.get(format!("/admin/live/{live}/users?page_num=0")).by(&boss).send().await.bad_in("page_num");
    api.get("/admin/live/1/users").by(&boss).send().await.not_found();
    Ok(())
}

async fn what_was_counted_in_a_room_is_shown(api: Api) -> Verdict {
    let (boss, anchor) = (api.operator().await, api.user().await);
    let live = api.live_room(&anchor).await;
    api.join(&api.user().await, &live).await;
    let wanted = api.get(format!("/client/stats/singleLive/{live}")).by(&anchor).send().await.ok().clone();
    assert_eq!(api.get(format!("/admin/live/{live}/stats")).by(&boss).send().await.ok(), &wanted);
    api.get("/admin/live/1/stats").by(&boss).send().await.not_found();
    Ok(())
}

async fn kept_messages_are_listed_and_can_be_deleted(api: Api) -> Verdict {
    let (boss, anchor, viewer) = (api.operator().await, api.user().await, api.user().await);
    let live = api.live_room(&anchor).await;
    api.join(&viewer, &live).await;
    let target = format!("/admin/live/{live}/messages");
    let messages = async |query: &str| {
        let answer = api.get(format!("{target}{query}")).by(&boss).send().await.ok().clone();
        answer.as_array().expect("a list").clone()
    };
    let mute = format!("/admin/live/{live}/moderation/mutes/{}", viewer.id);
    for duration in [60, 120] {
        api.put(&mute).by(&boss).json(&json!({"duration_s": duration})).send().await.done();
    }
    let muted = async || {
        let all = messages("").await;
        all.into_iter().filter(|message| message["body"]["action"] == "muted").collect::<Vec<_>>()
    };
    eventually("both are kept", Duration::from_secs(20), || async { muted().await.len() == 2 }).await;
    let kept = muted().await;
    let offset = |message: &Value| message["offset"].as_u64().expect("an offset");
    assert!(offset(&kept[0]) > offset(&kept[1]), "newest first: {kept:?}");
    assert!(kept[0]["at_ms"].is_i64() && kept[0]["body"]["data"].is_object(), "{kept:?}");
    assert_eq!(messages("?limit=1").await.len(), 1);

    let (epoch, place) = (kept[1]["epoch"].as_str().expect("an epoch"), offset(&kept[1]));
    assert_eq!(epoch.len(), 16);
    let delete = format!("/admin/live/{live}/moderation/messages/{epoch}/{place}");
    api.delete(delete).by(&boss).send().await.done();
    let deleted = messages("?limit=100").await.into_iter().find(|message| offset(message) == place);
    assert_eq!(deleted.expect("its place is kept")["body"]["deleted"], true);
    for limit in ["0", "101", "-1", "x"] {
        api.get(format!("{target}?limit={limit}")).by(&boss).send().await.bad_in("limit");
    }
    api.get("/admin/live/1/messages").by(&boss).send().await.not_found();
    Ok(())
}

async fn what_is_asked_for_is_checked(api: Api) -> Verdict {
    let boss = api.operator().await;
    let long = "x".repeat(129);
    for (field, query) in [
        ("live_status", "live_status=3"),
        ("live_status", "live_status=x"),
        ("keyword", &format!("keyword={long}")),
        ("keyword", "keyword=a%00b"),
        ("page_size", "page_size=0"),
    ] {
        api.get(format!("/admin/live/list?{query}")).by(&boss).send().await.bad_in(field);
    }
    let long = "1".repeat(65);
    for target in [format!("/admin/live/{long}"), format!("/admin/live/{long}/stats")] {
        api.get(target).by(&boss).send().await.bad_in("live_id");
    }
    Ok(())
}
