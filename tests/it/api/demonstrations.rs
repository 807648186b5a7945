//! http-api.md §8: the item that is being explained.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::shop::{SIDES, Shop, Side, ids};
use super::{Api, Verdict, cases};

cases![
    one_item_is_explained_at_a_time,
    an_end_is_harmless_twice,
    the_explained_item_comes_first,
    a_hidden_item_is_not_explained,
    nothing_is_explained_after_the_end,
    racing_explanations_leave_one,
    an_item_may_be_called_like_a_route,
];

async fn one_item_is_explained_at_a_time(api: Api) -> Verdict {
    for side in SIDES {
        let shop = Shop::open(&api).await;
        shop.stock(&["a", "b"]).await;
        assert_none(&shop, side).await;
        for id in ["a", "b", "b"] {
            shop.demonstrate(side, id).await.done();
            let shown = shop.demonstrated(side).await.ok().clone();
            assert_eq!(shown, shop.item(id).await);
        }
        shop.end(side).await.done();
        assert_none(&shop, side).await;
    }
    Ok(())
}

/// `"data": null`, and not no `data`.
async fn assert_none(shop: &Shop, side: Side) {
    let answer = shop.demonstrated(side).await;
    assert_eq!(*answer.ok(), Value::Null);
    let envelope = answer.json.as_ref().and_then(Value::as_object).expect("an envelope");
    assert!(envelope.contains_key("data"), "an explicit null: {answer:?}");
}

async fn an_end_is_harmless_twice(api: Api) -> Verdict {
    for side in SIDES {
        let shop = Shop::open(&api).await;
        shop.stock(&["a", "b"]).await;
        let by_item = format!("/item/demonstrate/{}/b", shop.live_id);
        shop.end(side).await.done();
        shop.call(side, "DELETE", &by_item).send().await.done();
        shop.demonstrate(side, "a").await.done();
        shop.call(side, "DELETE", &by_item).send().await.done();
        shop.end(side).await.done();
        assert_none(&shop, side).await;
    }
    Ok(())
}

async fn the_explained_item_comes_first(api: Api) -> Verdict {
    let (shop, viewer) = (Shop::open(&api).await, api.user().await);
    shop.stock(&["a", "b", "c", "d"]).await;
    shop.demonstrate(Side::Client, "b").await.done();
    for side in SIDES {
        assert_eq!(ids(&shop.list(side).await), ["b", "d", "c", "a"]);
    }
    assert_eq!(ids(&shop.seen_by(&viewer).await), ["b", "d", "c", "a"]);
    shop.end(Side::Server).await.done();
    assert_eq!(ids(&shop.seen_by(&viewer).await), ["d", "c", "b", "a"]);
    Ok(())
}

async fn a_hidden_item_is_not_explained(api: Api) -> Verdict {
    for side in SIDES {
        let shop = Shop::open(&api).await;
        shop.stock(&["a", "b"]).await;
        shop.demonstrate(side, "a").await.done();
        shop.post(side, "/item/status", json!({"items": [{"item_id": "b", "status": 0}]})).await.done();
        shop.demonstrate(side, "b").await.bad();
        shop.record(side, "b").await.bad();
        assert_eq!(shop.demonstrated(side).await.ok()["item_id"], "a");
        assert_eq!(shop.records(side).await, Vec::<Value>::new());
        shop.post(side, "/item/status", json!({"items": [{"item_id": "b", "status": 2}]})).await.done();
        shop.demonstrate(side, "b").await.done();
    }
    Ok(())
}

async fn nothing_is_explained_after_the_end(api: Api) -> Verdict {
    for side in SIDES {
        let shop = Shop::open(&api).await;
        shop.stock(&["a"]).await;
        api.start(&shop.anchor, &shop.live_id).await;
        shop.demonstrate(side, "a").await.done();
        api.stop(&shop.anchor, &shop.live_id).await;
        shop.demonstrate(side, "a").await.bad();
        shop.record(side, "a").await.bad();
        shop.end(side).await.done();
        assert_none(&shop, side).await;
    }
    Ok(())
}

async fn racing_explanations_leave_one(api: Api) -> Verdict {
    let shop = Shop::open(&api).await;
    let items: Vec<String> = (0..10).map(|number| format!("i{number}")).collect();
    let borrowed: Vec<&str> = items.iter().map(String::as_str).collect();
    shop.stock(&borrowed).await;
    let calls = borrowed.iter().enumerate().map(|(n, id)| shop.demonstrate(SIDES[n % 2], id));
    for answer in join_all(calls).await {
        answer.done();
    }
    let shown = shop.demonstrated(Side::Client).await.ok().clone();
    let listed = shop.list(Side::Client).await;
    assert_eq!(shown, listed[0]);
    assert_eq!(listed.len(), 10);
    shop.end(Side::Client).await.done();
    assert_none(&shop, Side::Client).await;
    Ok(())
}

async fn an_item_may_be_called_like_a_route(api: Api) -> Verdict {
    let shop = Shop::open(&api).await;
    let names = ["record", "start", "delete", "extends", "demonstrate", "add", "single", "order"];
    shop.stock(&names).await;
    for side in SIDES {
        for name in names {
            shop.demonstrate(side, name).await.done();
            assert_eq!(shop.demonstrated(side).await.ok()["item_id"], name);
            shop.call(side, "PUT", &shop.path(name)).json(&json!({"tags": name})).send().await.done();
            assert_eq!(shop.item(name).await["tags"], name);
            let extends = format!("{}/extends", shop.path(name));
            shop.call(side, "PUT", &extends).json(&json!({"a": name})).send().await.done();
            let path = format!("/item/demonstrate/{}/{name}", shop.live_id);
            shop.call(side, "DELETE", &path).send().await.done();
        }
    }
    Ok(())
}
