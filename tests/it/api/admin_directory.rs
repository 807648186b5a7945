//! Users as administrators see them.

use serde_json::{Value, json};

use super::lists::assert_page;
use super::world::{User, column, now, unique};
use super::{Api, Verdict, cases};

cases![
    users_are_listed_newest_first,
    users_are_found_by_the_begin_of_id_or_nick,
    bans_are_shown,
    a_user_is_shown_with_their_lives,
    what_is_asked_for_is_checked,
];

async fn list(api: &Api, boss: &User, query: &str) -> Value {
    api.get(format!("/admin/user/list?{query}")).by(boss).send().await.ok().clone()
}

/// The ids of new users that begin alike, in order.
async fn register(api: &Api, count: usize, nick: &str) -> (String, Vec<String>) {
    let begin = unique("u");
    let ids: Vec<String> = (0..count).map(|number| format!("{begin}-{number}")).collect();
    for id in &ids {
        let body = json!({"user_id": id, "nick": nick, "avatar": "a", "extends": {"k": "v"}});
        api.post("/server/user/register").server().json(&body).send().await.done();
    }
    (begin, ids)
}

async fn users_are_listed_newest_first(api: Api) -> Verdict {
    let boss = api.operator().await;
    let before = now();
    let (begin, users) = register(&api, 3, "n").await;
    let all = list(&api, &boss, &format!("keyword={begin}")).await;
    assert_eq!(column(&all["list"], "user_id"), [&users[2], &users[1], &users[0]]);
    assert_page(&all, 3, 3, 1, true);
    let page = list(&api, &boss, &format!("keyword={begin}&page_size=2&page_num=2")).await;
    assert_eq!(column(&page["list"], "user_id"), [&users[0]]);
    assert_page(&page, 1, 3, 2, true);
    let mut one = all["list"][0].clone();
    assert!((before - 1..=now()).contains(&one["created_at"].as_i64().expect("a time")), "{one}");
    assert!(one["im_userid"].as_i64().is_some_and(|number| number > 0), "{one}");
    let shown = one.as_object_mut().expect("an object");
    shown.remove("created_at");
    shown.remove("im_userid");
    let wanted = json!({
        "user_id": users[2], "nick": "n", "avatar": "a", "extends": {"k": "v"}, "banned_until": null,
    });
    assert_eq!(one, wanted);
    let everybody = list(&api, &boss, "page_size=1").await;
    assert!(everybody["total_count"].as_u64().is_some_and(|total| total >= 3), "{everybody}");
    Ok(())
}

async fn users_are_found_by_the_begin_of_id_or_nick(api: Api) -> Verdict {
    let boss = api.operator().await;
    let nick = unique("Nick");
    let (begin, users) = register(&api, 2, &nick).await;
    for keyword in [&nick, &nick.to_uppercase(), &nick[..nick.len() - 1]] {
        let page = list(&api, &boss, &format!("keyword={keyword}")).await;
        assert!(column(&page["list"], "user_id").contains(&users[0].as_str()), "{keyword}: {page}");
    }
    for keyword in [&begin.to_uppercase(), &begin[1..], &format!("%25{}", &begin[1..]), &format!("{nick}_")] {
        assert_page(&list(&api, &boss, &format!("keyword={keyword}")).await, 0, 0, 0, true);
    }
    Ok(())
}

async fn bans_are_shown(api: Api) -> Verdict {
    let boss = api.operator().await;
    let (begin, users) = register(&api, 3, "n").await;
    let ban = async |user: &str, body: Value| {
        api.put(format!("/admin/bans/{user}")).by(&boss).json(&body).send().await.done();
    };
    ban(&users[0], json!({})).await;
    ban(&users[1], json!({"duration_s": 600})).await;
    ban(&users[2], json!({})).await;
    api.delete(format!("/admin/bans/{}", users[2])).by(&boss).send().await.done();
    let all = list(&api, &boss, &format!("keyword={begin}")).await;
    let until = |place: usize| all["list"][place]["banned_until"].clone();
    assert_eq!((until(0), until(2)), (Value::Null, json!(0)));
    assert!((now() + 590..=now() + 601).contains(&until(1).as_i64().expect("a time")), "{all}");
    let one = api.get(format!("/admin/user/info/{}", users[1])).by(&boss).send().await.ok().clone();
    assert_eq!(one["banned_until"], until(1));
    Ok(())
}

async fn a_user_is_shown_with_their_lives(api: Api) -> Verdict {
    let (boss, anchor) = (api.operator().await, api.user().await);
    let (first, second) = (api.live_room(&anchor).await, api.live_room(&anchor).await);
    api.room(&anchor).await;
    let shown = api.get(format!("/admin/user/info/{}", anchor.id)).by(&boss).send().await.ok().clone();
    assert_eq!((&shown["user_id"], &shown["rooms_live"]), (&json!(anchor.id), &json!([second, first])));
    api.stop(&anchor, &second).await;
    let shown = api.get(format!("/admin/user/info/{}", anchor.id)).by(&boss).send().await.ok().clone();
    assert_eq!(shown["rooms_live"], json!([first]));
    for unknown in [&unique("nobody"), &anchor.id.to_uppercase()] {
        api.get(format!("/admin/user/info/{unknown}")).by(&boss).send().await.not_found();
    }
    Ok(())
}

async fn what_is_asked_for_is_checked(api: Api) -> Verdict {
    let boss = api.operator().await;
    let long = format!("keyword={}", "x".repeat(65));
    for (field, query) in [("keyword", long.as_str()), ("page_num", "page_num=x")] {
        api.get(format!("/admin/user/list?{query}")).by(&boss).send().await.bad_in(field);
    }
    api.get(format!("/admin/user/info/{}", "x".repeat(65))).by(&boss).send().await.bad_in("user_id");
    Ok(())
}
