//! http-api.md §9: lists of gifts.

use serde_json::Value;

use super::gifts::Stage;
use super::lists::assert_page;
use super::world::unique;
use super::{Api, Verdict, cases};

cases![
    a_rooms_gifts_are_for_its_anchor_and_backends,
    received_and_given_gifts_are_listed,
    lists_hold_unpaid_gifts_too,
    lists_come_in_pages_newest_first,
    gifts_outlive_their_room_for_backends,
    who_asks_for_nothing_known_is_told,
    paging_values_are_checked,
    lists_need_credentials,
];

fn ids(page: &Value) -> Vec<String> {
    let list = page["list"].as_array().unwrap_or_else(|| panic!("no list in {page}"));
    list.iter().map(|row| row["biz_id"].as_str().expect("biz_id").to_owned()).collect()
}

fn id(gift: &Value) -> String {
    gift["biz_id"].as_str().expect("biz_id").to_owned()
}

async fn a_rooms_gifts_are_for_its_anchor_and_backends(api: Api) -> Verdict {
    let stage = Stage::set(&api).await?;
    let (first, second) = (id(&stage.paid(1).await), id(&stage.paid(2).await));
    for path in ["list/live", "live"] {
        let client = format!("/client/gift/{path}/{}", stage.live_id);
        let page = api.get(&client).by(&stage.anchor).send().await.ok().clone();
        assert_eq!(ids(&page), [second.clone(), first.clone()], "newest first");
        assert_page(&page, 2, 2, 1, true);
        api.get(&client).by(&stage.guest).send().await.forbidden();
        let server = format!("/server/gift/{path}/{}", stage.live_id);
        assert_eq!(api.get(server).server().send().await.ok(), &page);
    }
    let row = api.get(format!("/server/gift/{first}")).server().send().await.ok().clone();
    let page =
        api.get(format!("/server/gift/list/live/{}", stage.live_id)).server().send().await.ok().clone();
    assert_eq!(page["list"][1], row, "rows are those of the look-up");
    Ok(())
}

async fn received_and_given_gifts_are_listed(api: Api) -> Verdict {
    let stage = Stage::set(&api).await?;
    let gift = id(&stage.paid(1).await);
    let received = api.get("/client/gift/list/anchor").by(&stage.anchor).send().await.ok().clone();
    let given = api.get("/client/gift/list/user").by(&stage.guest).send().await.ok().clone();
    assert_eq!((ids(&received), ids(&given)), (vec![gift.clone()], vec![gift.clone()]));
    let asked = |kind: &str, user: &str| api.get(format!("/server/gift/list/{kind}/{user}")).server().send();
    assert_eq!(asked("anchor", &stage.anchor.id).await.ok(), &received);
    assert_eq!(asked("user", &stage.guest.id).await.ok(), &given);
    // The other way round there is nothing.
    assert_page(api.get("/client/gift/list/anchor").by(&stage.guest).send().await.ok(), 0, 0, 0, true);
    assert_page(api.get("/client/gift/list/user").by(&stage.anchor).send().await.ok(), 0, 0, 0, true);
    assert_page(asked("anchor", &stage.guest.id).await.ok(), 0, 0, 0, true);
    assert_page(asked("user", &stage.anchor.id).await.ok(), 0, 0, 0, true);
    Ok(())
}

async fn lists_hold_unpaid_gifts_too(api: Api) -> Verdict {
    use crate::support::fake_payment::Mood;
    let stage = Stage::set(&api).await?;
    api.payer()?.script(777_777, [Mood::Refuse { code: 3, message: "no".to_owned() }]);
    stage.put(&unique("b"), 777_777, false).await.refused(402, 3);
    let page = api.get("/client/gift/list/user").by(&stage.guest).send().await.ok().clone();
    assert_eq!(page["list"][0]["status"], 2, "{page}");
    Ok(())
}

async fn lists_come_in_pages_newest_first(api: Api) -> Verdict {
    let stage = Stage::set(&api).await?;
    let mut sent = Vec::new();
    for amount in 1..=5 {
        sent.push(id(&stage.paid(amount).await));
    }
    sent.reverse();
    for (num, entries, end) in [(1, 2, false), (2, 2, false), (3, 1, true), (4, 0, true)] {
        let target = format!("/client/gift/list/user?page_num={num}&page_size=2");
        let page = api.get(target).by(&stage.guest).send().await.ok().clone();
        assert_page(&page, entries, 5, 3, end);
        let from = (num - 1) * 2;
        assert_eq!(ids(&page), sent.iter().skip(from).take(2).cloned().collect::<Vec<_>>());
    }
    Ok(())
}

async fn gifts_outlive_their_room_for_backends(api: Api) -> Verdict {
    let stage = Stage::set(&api).await?;
    let gift = id(&stage.paid(1).await);
    api.delete(format!("/server/live/{}", stage.live_id)).server().send().await.done();
    for path in ["list/live", "live"] {
        let page = api.get(format!("/server/gift/{path}/{}", stage.live_id)).server().send().await;
        assert_eq!(ids(page.ok()), [gift.as_str()]);
        let own = api.get(format!("/client/gift/{path}/{}", stage.live_id)).by(&stage.anchor).send().await;
        own.not_found();
    }
    Ok(())
}

async fn who_asks_for_nothing_known_is_told(api: Api) -> Verdict {
    let user = api.user().await;
    for path in ["list/live", "live"] {
        api.get(format!("/client/gift/{path}/nowhere")).by(&user).send().await.not_found();
    }
    for path in ["list/live", "live", "list/anchor", "list/user"] {
        api.get(format!("/server/gift/{path}/{}", unique("no"))).server().send().await.not_found();
    }
    Ok(())
}

async fn paging_values_are_checked(api: Api) -> Verdict {
    let anchor = api.user().await;
    let live_id = api.live_room(&anchor).await;
    for field in ["page_num", "page_size"] {
        for value in ["0", "-1", "abc", "1.5"] {
            let query = format!("?{field}={value}");
            for path in ["list/anchor", "list/user"] {
                api.get(format!("/client/gift/{path}{query}")).by(&anchor).send().await.bad_in(field);
                let target = format!("/server/gift/{path}/{}{query}", anchor.id);
                api.get(target).server().send().await.bad_in(field);
            }
            for path in ["list/live", "live"] {
                let target = format!("gift/{path}/{live_id}{query}");
                api.get(format!("/client/{target}")).by(&anchor).send().await.bad_in(field);
                api.get(format!("/server/{target}")).server().send().await.bad_in(field);
            }
        }
    }
    Ok(())
}

async fn lists_need_credentials(api: Api) -> Verdict {
    let client = ["list/live/1", "live/1", "list/anchor", "list/user"];
    let server = ["list/live/1", "live/1", "list/anchor/a", "list/user/a"];
    for path in client {
        api.get(format!("/client/gift/{path}")).send().await.unauthorized();
    }
    for path in server {
        api.get(format!("/server/gift/{path}")).send().await.unauthorized();
    }
    Ok(())
}
