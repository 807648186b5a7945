//! http-api.md §1 (paging) and §5: lists of rooms.

use serde_json::{Value, json};

use super::world::{User, column, next_second};
use super::{Api, Verdict, cases};

cases![
    paging_values_are_checked_on_every_list,
    a_page_says_how_much_there_is,
    a_page_past_the_end_is_empty,
    a_page_has_at_most_200_entries,
    the_list_shows_created_and_live_rooms,
    the_list_filters_by_state,
    the_list_has_live_rooms_first_and_newest_updates_first,
    states_that_are_none_are_bad,
    own_rooms_come_newest_start_first,
    own_rooms_are_ones_own,
];

/// Every list that pages, ready for more query parameters.
fn paged(live_id: &str) -> [String; 5] {
    [
        "/client/live/room/list?live_status=-1".to_owned(),
        "/client/live/room/list/anchor?x=".to_owned(),
        "/client/live/room?keyword=none".to_owned(),
        "/client/live/room?x=".to_owned(),
        format!("/client/live/room/user_list?live_id={live_id}"),
    ]
}

async fn paging_values_are_checked_on_every_list(api: Api) -> Verdict {
    let user = api.user().await;
    let id = api.live_room(&user).await;
    for target in paged(&id) {
        for field in ["page_num", "page_size"] {
            for value in ["0", "-1", "abc", "1.5", "", "1e3", "0x10", "99999999999999999999", "%20", "null"] {
                api.get(format!("{target}&{field}={value}")).by(&user).send().await.bad_in(field);
            }
        }
        api.get(format!("{target}&page_num=9223372036854775807&page_size=200")).by(&user).send().await;
    }
    Ok(())
}

/// Panics unless the page has so many entries and says so much of the whole.
pub fn assert_page(page: &Value, entries: usize, total: i64, pages: i64, end: bool) {
    let list = page["list"].as_array().unwrap_or_else(|| panic!("no list in {page}"));
    let facts =
        (list.len(), page["total_count"].as_i64(), page["page_total"].as_i64(), page["end_page"].as_bool());
    assert_eq!(
        facts,
        (entries, Some(total), Some(pages), Some(end)),
        "entries, total_count, page_total, end_page"
    );
    assert_eq!(page.as_object().map(serde_json::Map::len), Some(4), "four fields: {page}");
}

async fn own_page(api: &Api, user: &User, query: &str) -> Value {
    api.get(format!("/client/live/room/list/anchor{query}")).by(user).send().await.ok().clone()
}

async fn a_page_says_how_much_there_is(api: Api) -> Verdict {
    let anchor = api.user().await;
    assert_page(&own_page(&api, &anchor, "").await, 0, 0, 0, true);
    for _ in 0..12 {
        api.room(&anchor).await;
    }
    assert_page(&own_page(&api, &anchor, "").await, 10, 12, 2, false);
    assert_page(&own_page(&api, &anchor, "?page_num=1&page_size=10").await, 10, 12, 2, false);
    assert_page(&own_page(&api, &anchor, "?page_num=2").await, 2, 12, 2, true);
    assert_page(&own_page(&api, &anchor, "?page_size=5&page_num=3").await, 2, 12, 3, true);
    assert_page(&own_page(&api, &anchor, "?page_size=6&page_num=2").await, 6, 12, 2, true);
    assert_page(&own_page(&api, &anchor, "?page_size=12").await, 12, 12, 1, true);
    assert_page(&own_page(&api, &anchor, "?page_size=1").await, 1, 12, 12, false);
    let mut seen = Vec::new();
    for page in 1..=5 {
        let page = own_page(&api, &anchor, &format!("?page_size=3&page_num={page}")).await;
        seen.extend(column(&page["list"], "live_id").into_iter().map(str::to_owned));
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 12, "every room is on one page");
    Ok(())
}

async fn a_page_past_the_end_is_empty(api: Api) -> Verdict {
    let anchor = api.user().await;
    api.room(&anchor).await;
    assert_page(&own_page(&api, &anchor, "?page_num=2").await, 0, 1, 1, true);
    assert_page(&own_page(&api, &anchor, "?page_num=1000000").await, 0, 1, 1, true);
    Ok(())
}

async fn a_page_has_at_most_200_entries(api: Api) -> Verdict {
    let anchor = api.user().await;
    for _ in 0..67 {
        futures_util::future::join_all((0..3).map(|_| api.room(&anchor))).await;
    }
    for size in ["200", "201", "1000", "4294967296"] {
        assert_page(&own_page(&api, &anchor, &format!("?page_size={size}")).await, 200, 201, 2, false);
        let second = own_page(&api, &anchor, &format!("?page_size={size}&page_num=2")).await;
        assert_page(&second, 1, 201, 2, true);
    }
    Ok(())
}

/// All rooms of a list as (live_id, live_status), gathered page by page.
async fn everything(api: &Api, user: &User, status: &str) -> Vec<(String, i64)> {
    let mut rooms = Vec::new();
    for page in 1.. {
        let target = format!("/client/live/room/list?{status}page_size=200&page_num={page}");
        let answer = api.get(target).by(user).send().await;
        let list = answer.ok()["list"].as_array().expect("a list");
        rooms.extend(list.iter().map(|room| {
            (
                room["live_id"].as_str().expect("live_id").to_owned(),
                room["live_status"].as_i64().expect("live_status"),
            )
        }));
        if answer.ok()["end_page"] == true {
            break;
        }
    }
    rooms
}

/// Whether `wanted` are in the list and `unwanted` are not. Others change rooms meanwhile, so that one may
/// slip from an unread page to a read one: a few looks are allowed.
async fn assert_listed(api: &Api, user: &User, status: &str, wanted: &[(&str, i64)], unwanted: &[&str]) {
    let mut missing = Vec::new();
    for _ in 0..5 {
        let rooms = everything(api, user, status).await;
        for id in unwanted {
            assert!(!rooms.iter().any(|(room, _)| room == id), "{id} does not belong into ?{status}");
        }
        missing = wanted.iter().filter(|(id, state)| !rooms.contains(&((*id).to_owned(), *state))).collect();
        if missing.is_empty() {
            return;
        }
    }
    panic!("{missing:?} are missing in ?{status}");
}

async fn the_list_shows_created_and_live_rooms(api: Api) -> Verdict {
    let anchor = api.user().await;
    let (created, live, ended) =
        (api.room(&anchor).await, api.live_room(&api.user().await).await, api.live_room(&anchor).await);
    api.stop(&anchor, &ended).await;
    for status in ["", "live_status=-1&"] {
        assert_listed(&api, &anchor, status, &[(&created, 0), (&live, 1)], &[&ended]).await;
    }
    Ok(())
}

async fn the_list_filters_by_state(api: Api) -> Verdict {
    let anchor = api.user().await;
    let (created, live, ended) =
        (api.room(&anchor).await, api.live_room(&api.user().await).await, api.live_room(&anchor).await);
    api.stop(&anchor, &ended).await;
    assert_listed(&api, &anchor, "live_status=0&", &[(&created, 0)], &[&live, &ended]).await;
    assert_listed(&api, &anchor, "live_status=1&", &[(&live, 1)], &[&created, &ended]).await;
    assert_listed(&api, &anchor, "live_status=2&", &[(&ended, 2)], &[&created, &live]).await;
    Ok(())
}

async fn the_list_has_live_rooms_first_and_newest_updates_first(api: Api) -> Verdict {
    let anchor = api.user().await;
    let first = api.room(&anchor).await;
    next_second().await;
    let second = api.room(&anchor).await;
    next_second().await;
    let third = api.room(&anchor).await;
    next_second().await;
    let body = json!({"live_id": first, "extends": {"k": "v"}});
    api.put("/client/live/room/extends").by(&anchor).json(&body).send().await.done();
    next_second().await;
    api.start(&anchor, &second).await;
    let rooms = everything(&api, &anchor, "").await;
    let own = rooms
        .iter()
        .map(|(id, _)| id.as_str())
        .filter(|id| [&first, &second, &third].contains(&&(*id).to_owned()));
    let mut own: Vec<_> = own.collect();
    own.dedup();
    assert_eq!(own, [second.as_str(), first.as_str(), third.as_str()], "live, then by the newest update");
    let page = api.get("/client/live/room/list?page_size=200").by(&anchor).send().await;
    let states =
        page.ok()["list"].as_array().expect("a list").iter().map(|room| room["live_status"].as_i64());
    assert!(states.is_sorted_by(|one, next| one >= next), "live rooms come first: {page:?}");
    Ok(())
}

async fn states_that_are_none_are_bad(api: Api) -> Verdict {
    let user = api.user().await;
    for status in ["3", "-2", "abc", "", "1.0", "99999999999999999999"] {
        let answer = api.get(format!("/client/live/room/list?live_status={status}")).by(&user).send().await;
        answer.bad_in("live_status");
    }
    Ok(())
}

async fn own_rooms_come_newest_start_first(api: Api) -> Verdict {
    let anchor = api.user().await;
    let mut ids = Vec::new();
    for start in [1_500_000_000, 1_700_000_000, 1_600_000_000] {
        let room = api.room_with(&anchor, json!({"title": "t", "start_at": start})).await;
        ids.push(room["live_id"].as_str().expect("live_id").to_owned());
    }
    let without = api.room(&anchor).await;
    let live = api.live_room(&anchor).await;
    let page = own_page(&api, &anchor, "").await;
    assert_eq!(column(&page["list"], "live_id"), [&live, &ids[1], &ids[2], &ids[0], &without]);
    Ok(())
}

async fn own_rooms_are_ones_own(api: Api) -> Verdict {
    let (anchor, other) = (api.user().await, api.user().await);
    let (created, ended) = (api.room(&anchor).await, api.live_room(&anchor).await);
    api.stop(&anchor, &ended).await;
    api.live_room(&other).await;
    let page = own_page(&api, &anchor, "").await;
    let mut found = column(&page["list"], "live_id");
    found.sort_unstable();
    let mut wanted = [created.as_str(), ended.as_str()];
    wanted.sort_unstable();
    assert_eq!(found, wanted);
    let others = page["list"]
        .as_array()
        .expect("a list")
        .iter()
        .all(|room| room["anchor_info"]["user_id"] == anchor.id);
    assert!(others, "{page}");
    Ok(())
}
