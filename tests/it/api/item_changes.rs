//! http-api.md §8: items that are changed, hidden and taken out again.

use serde_json::{Value, json};

use super::shop::{SIDES, Shop, Side, ids, item};
use super::{Api, Verdict, cases};

cases![
    items_go_but_for_the_demonstrated_one,
    hidden_items_are_for_those_who_sell,
    states_are_0_1_and_2,
    given_fields_are_updated,
    extends_are_merged,
    items_of_other_rooms_are_left_alone,
    the_list_has_another_name_for_backends,
    a_shop_outlives_its_live,
];

async fn items_go_but_for_the_demonstrated_one(api: Api) -> Verdict {
    for side in SIDES {
        let shop = Shop::open(&api).await;
        shop.stock(&["a", "b", "c"]).await;
        shop.demonstrate(side, "b").await.done();
        shop.post(side, "/item/delete", json!({"items": ["a", "b", "unknown"]})).await.done();
        assert_eq!(ids(&shop.list(side).await), ["b", "c"]);
        shop.post(side, "/item/delete", json!({"items": ["b"]})).await.done();
        shop.end(side).await.done();
        shop.post(side, "/item/delete", json!({"items": ["b"]})).await.done();
        assert_eq!(ids(&shop.list(side).await), ["c"]);
        shop.demonstrate(side, "b").await.not_found();
        for items in [json!([7]), json!([""]), json!("c"), json!({"c": 1})] {
            shop.post(side, "/item/delete", json!({"items": items})).await.bad_in("items");
        }
    }
    Ok(())
}

async fn hidden_items_are_for_those_who_sell(api: Api) -> Verdict {
    let (shop, viewer) = (Shop::open(&api).await, api.user().await);
    shop.stock(&["shown", "other"]).await;
    shop.post(Side::Client, "/item/status", json!({"items": [{"item_id": "other", "status": 0}]}))
        .await
        .done();
    assert_eq!(ids(&shop.seen_by(&viewer).await), ["shown"]);
    for side in SIDES {
        assert_eq!(ids(&shop.list(side).await), ["other", "shown"]);
    }
    shop.post(Side::Server, "/item/status", json!({"items": [{"item_id": "other", "status": 2}]}))
        .await
        .done();
    assert_eq!(ids(&shop.seen_by(&viewer).await), ["other", "shown"]);
    // Also when it is hidden while it is explained.
    shop.demonstrate(Side::Client, "other").await.done();
    shop.post(Side::Client, "/item/status", json!({"items": [{"item_id": "other", "status": 0}]}))
        .await
        .done();
    assert_eq!(ids(&shop.seen_by(&viewer).await), ["shown"]);
    let path = format!("/client/item/demonstrate/{}", shop.live_id);
    assert_eq!(*api.get(&path).by(&viewer).send().await.ok(), Value::Null);
    assert_eq!(shop.demonstrated(Side::Client).await.ok()["item_id"], "other");
    Ok(())
}

async fn states_are_0_1_and_2(api: Api) -> Verdict {
    for side in SIDES {
        let shop = Shop::open(&api).await;
        shop.stock(&["a", "b"]).await;
        let set = |items: Value| shop.post(side, "/item/status", json!({"items": items}));
        set(json!([{"item_id": "a", "status": 2}, {"item_id": "b", "status": 0}, {"item_id": "c", "status": 1}])).await.done();
        assert_eq!(
            (&shop.item("a").await["status"], &shop.item("b").await["status"]),
            (&json!(2), &json!(0))
        );
        for status in [json!(3), json!(-1), json!("1"), json!(1.5), json!(4_294_967_296_i64), Value::Null] {
            set(json!([{"item_id": "b", "status": 1}, {"item_id": "a", "status": status}]))
                .await
                .bad_in("status");
            let mut other = item("d");
            other["status"] = status.clone();
            if !status.is_null() {
                shop.add(side, json!([other])).await.bad_in("status");
            }
        }
        set(json!([{"status": 1}])).await.bad_in("item_id");
        assert_eq!(shop.item("b").await["status"], 0, "nothing of a refused batch is set");
    }
    Ok(())
}

async fn given_fields_are_updated(api: Api) -> Verdict {
    for side in SIDES {
        let shop = Shop::open(&api).await;
        shop.stock(&["a", "b"]).await;
        let put = |body: Value| shop.call(side, "PUT", &shop.path("a")).json(&body).send();
        put(json!({"title": "t2", "tags": "x", "origin_price": "9"})).await.done();
        put(
            json!({"title": "", "tags": null, "thumbnail": "n", "order": 99, "item_id": "z", "live_id": "z"}),
        )
        .await
        .done();
        put(json!({})).await.done();
        let stored = shop.item("a").await;
        let facts = (
            &stored["title"],
            &stored["tags"],
            &stored["origin_price"],
            &stored["thumbnail"],
            &stored["order"],
        );
        assert_eq!(facts, (&json!("t2"), &json!("x"), &json!("9"), &json!("n"), &json!(1)));
        assert_eq!((&stored["current_price"], &stored["status"]), (&json!("1.00"), &json!(1)));
        put(json!({"status": 2, "link": "l", "current_price": "3"})).await.done();
        let stored = shop.item("a").await;
        assert_eq!(
            (&stored["status"], &stored["link"], &stored["current_price"]),
            (&json!(2), &json!("l"), &json!("3"))
        );
        put(json!({"status": 3})).await.bad_in("status");
        put(json!({"title": 3})).await.bad_in("title");
        put(json!([])).await.bad();
        assert_eq!(shop.item("b").await["title"], "title of b");
        shop.call(side, "PUT", &shop.path("c")).json(&json!({"title": "t"})).send().await.not_found();
    }
    Ok(())
}

async fn extends_are_merged(api: Api) -> Verdict {
    for side in SIDES {
        let shop = Shop::open(&api).await;
        shop.stock(&["a"]).await;
        let path = format!("{}/extends", shop.path("a"));
        let put = |body: Value| shop.call(side, "PUT", &path).json(&body).send();
        let post = |body: Value| shop.call(side, "POST", &path).json(&body).send();
        put(json!({})).await.done();
        assert_eq!(shop.item("a").await["extends"], Value::Null);
        put(json!({"age": "18", "key": "k"})).await.done();
        put(json!({"age": "19", "Age": "20"})).await.done();
        post(json!({"key": "posted", "value": "v"})).await.done();
        post(json!({"key": "empty", "value": ""})).await.done();
        shop.call(side, "PUT", &shop.path("a")).json(&json!({"extends": {"put": "p"}})).send().await.done();
        let merged = json!({"age": "19", "Age": "20", "key": "k", "posted": "v", "empty": "", "put": "p"});
        assert_eq!(shop.item("a").await["extends"], merged);
        put(json!({"n": 1})).await.bad();
        put(json!([])).await.bad();
        put(json!("text")).await.bad();
        post(json!({"age": "18"})).await.bad_in("key");
        post(json!({"key": "", "value": "v"})).await.bad_in("key");
        post(json!({"key": "k"})).await.bad_in("value");
        post(json!({"key": "k", "value": 7})).await.bad_in("value");
        put(json!({"more": "x".repeat(1000)})).await.bad_in("extends");
        put(json!({"more": "x".repeat(2000)})).await.bad();
        post(json!({"key": "more", "value": "x".repeat(1000)})).await.bad_in("extends");
        post(json!({"key": "more", "value": "x".repeat(2000)})).await.bad_in("value");
        assert_eq!(shop.item("a").await["extends"], merged);
        let other = format!("{}/extends", shop.path("b"));
        shop.call(side, "PUT", &other).json(&json!({"a": "b"})).send().await.not_found();
        shop.call(side, "POST", &other).json(&json!({"key": "a", "value": "b"})).send().await.not_found();
    }
    Ok(())
}

async fn items_of_other_rooms_are_left_alone(api: Api) -> Verdict {
    let (shop, other) = (Shop::open(&api).await, Shop::open(&api).await);
    shop.stock(&["a", "b"]).await;
    other.stock(&["a", "b"]).await;
    let before = other.list(Side::Client).await;
    shop.post(Side::Client, "/item/status", json!({"items": [{"item_id": "a", "status": 2}]})).await.done();
    shop.post(Side::Client, "/item/order", json!({"items": {"a": 7}})).await.done();
    shop.call(Side::Client, "PUT", &shop.path("b")).json(&json!({"title": "t"})).send().await.done();
    shop.demonstrate(Side::Client, "a").await.done();
    shop.post(Side::Client, "/item/delete", json!({"items": ["b"]})).await.done();
    assert_eq!(other.list(Side::Client).await, before);
    assert_eq!(*other.demonstrated(Side::Client).await.ok(), Value::Null);
    Ok(())
}

async fn the_list_has_another_name_for_backends(api: Api) -> Verdict {
    let shop = Shop::open(&api).await;
    shop.stock(&["a", "b"]).await;
    let path = format!("/server/items/{}", shop.live_id);
    assert_eq!(ids(api.get(&path).server().send().await.ok().as_array().expect("a list")), ["b", "a"]);
    api.get(&path).send().await.unauthorized();
    api.get("/server/items/nope").server().send().await.not_found();
    Ok(())
}

async fn a_shop_outlives_its_live(api: Api) -> Verdict {
    let shop = Shop::open(&api).await;
    shop.stock(&["a"]).await;
    api.start(&shop.anchor, &shop.live_id).await;
    api.stop(&shop.anchor, &shop.live_id).await;
    shop.stock(&["b"]).await;
    assert_eq!(ids(&shop.list(Side::Client).await), ["b", "a"]);
    api.delete(format!("/server/live/{}", shop.live_id)).server().send().await.done();
    shop.call(Side::Client, "GET", &format!("/item/{}", shop.live_id)).send().await.not_found();
    shop.add(Side::Client, json!([item("c")])).await.not_found();
    Ok(())
}
