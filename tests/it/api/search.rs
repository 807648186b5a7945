//! http-api.md §5: the search for live rooms.

use serde_json::{Value, json};

use super::client::escape;
use super::lists::assert_page;
use super::world::{User, column, unique};
use super::{Api, Verdict, cases};

cases![
    search_finds_prefixes,
    search_takes_wildcards_as_plain_characters,
    search_finds_live_rooms_only,
    search_shows_a_room_once,
    search_pages,
    search_ignores_case_in_every_alphabet,
    search_finds_every_text_by_its_own_beginning,
    search_of_users_ignores_case_in_every_alphabet,
];

async fn search(api: &Api, user: &User, keyword: &str) -> Value {
    api.get(format!("/client/live/room?keyword={}", escape(keyword))).by(user).send().await.ok().clone()
}

async fn titled(api: &Api, anchor: &User, title: &str) -> String {
    let room = api.room_with(anchor, json!({"title": title})).await;
    let id = room["live_id"].as_str().expect("live_id").to_owned();
    api.start(anchor, &id).await;
    id
}

async fn search_finds_prefixes(api: Api) -> Verdict {
    let (anchor, viewer) = (api.user_called(&unique("anchor")).await, api.user().await);
    let title = unique("title");
    let id = titled(&api, &anchor, &format!("{title} and more")).await;
    let mut shorter = anchor.id.clone();
    shorter.pop();
    for keyword in [&title, &format!("{title} and more"), &id, &anchor.id, &shorter] {
        let page = search(&api, &viewer, keyword).await;
        assert!(
            column(&page["list"], "live_id").contains(&id.as_str()),
            "{keyword} does not find it: {page}"
        );
    }
    for keyword in [
        format!("{title} and more and more"),
        title.trim_start_matches('t').to_owned(),
        format!("{id}0"),
        "and more".to_owned(),
    ] {
        let page = search(&api, &viewer, &keyword).await;
        assert!(!column(&page["list"], "live_id").contains(&id.as_str()), "{keyword} finds it: {page}");
    }
    let room = &search(&api, &viewer, &id).await["list"][0];
    let facts = (
        &room["live_status"],
        &room["anchor_status"],
        &room["online_count"],
        &room["anchor_info"]["user_id"],
    );
    assert_eq!(facts, (&json!(1), &json!(1), &json!(1), &json!(anchor.id)), "{room}");
    Ok(())
}

async fn search_takes_wildcards_as_plain_characters(api: Api) -> Verdict {
    let start = unique("w");
    let mut ids = Vec::new();
    for mark in ["%", "_", "\\", "'", "\"", "*", "[", "\u{1f600}", "x"] {
        let id = titled(&api, &api.user().await, &format!("{start}{mark}end")).await;
        ids.push((mark, id));
    }
    let viewer = api.user().await;
    for (mark, id) in &ids {
        let page = search(&api, &viewer, &format!("{start}{mark}e")).await;
        assert_eq!(column(&page["list"], "live_id"), [id], "{start}{mark}e");
    }
    assert_eq!(search(&api, &viewer, &start).await["total_count"], ids.len());
    for keyword in
        [format!("%{start}"), format!("{start}%end%"), format!("{start}_nd"), format!("{start}\\%")]
    {
        assert_eq!(search(&api, &viewer, &keyword).await["total_count"], 0, "{keyword}");
    }
    Ok(())
}

async fn search_finds_live_rooms_only(api: Api) -> Verdict {
    let (anchor, title) = (api.user().await, unique("title"));
    let id = api.room_with(&anchor, json!({"title": title})).await["live_id"]
        .as_str()
        .expect("live_id")
        .to_owned();
    assert_eq!(search(&api, &anchor, &title).await["total_count"], 0);
    api.start(&anchor, &id).await;
    assert_eq!(search(&api, &anchor, &title).await["total_count"], 1);
    api.stop(&anchor, &id).await;
    assert_eq!(search(&api, &anchor, &title).await["total_count"], 0);
    Ok(())
}

async fn search_shows_a_room_once(api: Api) -> Verdict {
    let anchor = api.user_called(&unique("same")).await;
    let id = titled(&api, &anchor, &anchor.id).await;
    let page = search(&api, &anchor, &anchor.id).await;
    assert_eq!(column(&page["list"], "live_id"), [id]);
    assert_eq!(page["total_count"], 1);
    Ok(())
}

async fn search_pages(api: Api) -> Verdict {
    let title = unique("title");
    let mut wanted = Vec::new();
    for n in 0..3 {
        wanted.push(titled(&api, &api.user().await, &format!("{title}{n}")).await);
    }
    let viewer = api.user().await;
    let mut found = Vec::new();
    for (page, entries, end) in [(1, 2, false), (2, 1, true), (3, 0, true)] {
        let target = format!("/client/live/room?keyword={title}&page_size=2&page_num={page}");
        let answer = api.get(target).by(&viewer).send().await;
        assert_page(answer.ok(), entries, 3, 2, end);
        found.extend(column(&answer.ok()["list"], "live_id").into_iter().map(str::to_owned));
    }
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
    Ok(())
}

/// Titles, and how else people may type them.
const SPELLINGS: [(&str, &str); 6] = [
    ("\u{41c}\u{43e}\u{441}\u{43a}\u{432}\u{430}", "\u{43c}\u{41e}\u{421}\u{41a}\u{412}\u{410}"),
    ("\u{39f}\u{394}\u{39f}\u{3a3}", "\u{3bf}\u{3b4}\u{3bf}\u{3c2}"),
    ("\u{3bf}\u{3b4}\u{3bf}\u{3c2}", "\u{39f}\u{394}\u{39f}\u{3a3}"),
    ("\u{c9}t\u{e9}", "\u{e9}T\u{c9}"),
    ("\u{130}zmir", "izmir"),
    ("Plain", "pLAIN"),
];

async fn search_ignores_case_in_every_alphabet(api: Api) -> Verdict {
    let viewer = api.user().await;
    for (title, typed) in SPELLINGS {
        let own = unique("");
        let id = titled(&api, &api.user().await, &format!("{title}{own}")).await;
        for keyword in
            [format!("{title}{own}"), format!("{typed}{own}"), format!("{typed}{}", own.to_uppercase())]
        {
            let page = search(&api, &viewer, &keyword).await;
            assert_eq!(column(&page["list"], "live_id"), [&id], "{keyword} finds {title}");
        }
    }
    let own = unique("");
    titled(&api, &api.user().await, &format!("\u{e9}{own}")).await;
    assert_eq!(search(&api, &viewer, &format!("e{own}")).await["total_count"], 0, "accents are letters");
    Ok(())
}

/// Each letter as it is written, whatever its small form is.
async fn search_finds_every_text_by_its_own_beginning(api: Api) -> Verdict {
    let viewer = api.user().await;
    let letters = "\u{130}\u{131}\u{df}\u{1e9e}\u{3a3}\u{3c2}\u{c9}E\u{301}\u{1c5}\u{13a0}\u{10a0}\u{fb01}\u{212a}\u{1f600}|%_";
    let own = unique("");
    let id = titled(&api, &api.user().await, &format!("{own}{letters}")).await;
    for length in 0..=letters.chars().count() {
        let keyword: String = own.chars().chain(letters.chars().take(length)).collect();
        let page = search(&api, &viewer, &keyword).await;
        assert_eq!(column(&page["list"], "live_id"), [&id], "{keyword}");
    }
    Ok(())
}

async fn search_of_users_ignores_case_in_every_alphabet(api: Api) -> Verdict {
    let operator = api.operator().await;
    for (nick, typed) in SPELLINGS {
        let (own, id) = (unique(""), unique("u"));
        let body = json!({"user_id": id, "nick": format!("{nick}{own}")});
        api.post("/server/user/register").server().json(&body).send().await.ok();
        for keyword in [format!("{nick}{own}"), format!("{typed}{own}"), id.clone()] {
            let target = format!("/admin/user/list?keyword={}", escape(&keyword));
            let page = api.get(target).by(&operator).send().await.ok().clone();
            assert_eq!(column(&page["list"], "user_id"), [&id], "{keyword} finds {nick}");
        }
        let target = format!("/admin/user/list?keyword={}", escape(&id.to_uppercase()));
        let page = api.get(target).by(&operator).send().await.ok().clone();
        assert_eq!(page["total_count"], 0, "ids are compared byte by byte");
    }
    Ok(())
}
