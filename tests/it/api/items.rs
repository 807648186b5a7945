//! http-api.md §8: items that are put on sale, their fields and limits.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::shop::{SIDES, Shop, Side, ids, item};
use super::{Api, Verdict, cases};

cases![
    items_are_appended_with_rising_orders,
    items_may_be_added_by_put,
    every_field_comes_back,
    an_item_needs_an_id_a_title_and_a_price,
    fields_are_as_wide_as_their_columns,
    an_item_is_there_once,
    ids_are_compared_byte_by_byte,
    a_room_holds_a_hundred,
    a_batch_has_200_entries,
    racing_adds_keep_to_the_limit,
];

async fn items_are_appended_with_rising_orders(api: Api) -> Verdict {
    for side in SIDES {
        let shop = Shop::open(&api).await;
        assert_eq!(shop.list(side).await, Vec::<Value>::new());
        shop.add(side, json!([item("a"), item("b")])).await.done();
        shop.add(side, json!([item("c")])).await.done();
        assert_eq!(ids(&shop.list(side).await), ["c", "b", "a"]);
        let orders: Vec<u64> = shop.orders().await.into_iter().map(|(_, order)| order).collect();
        assert_eq!(orders, [3, 2, 1]);
    }
    Ok(())
}

async fn items_may_be_added_by_put(api: Api) -> Verdict {
    for side in SIDES {
        let shop = Shop::open(&api).await;
        let body = json!({"live_id": shop.live_id, "items": [item("a")]});
        shop.call(side, "PUT", "/item/add").json(&body).send().await.done();
        shop.call(side, "PUT", "/item/add")
            .json(&body)
            .send()
            .await
            .refused(400, 10001)
            .says("Already existed");
        assert_eq!(ids(&shop.list(side).await), ["a"]);
    }
    Ok(())
}

async fn every_field_comes_back(api: Api) -> Verdict {
    let shop = Shop::open(&api).await;
    let full = json!({
        "item_id": "\u{674e}/ %#=, 1", "title": "\u{1f600} title", "tags": "a,b", "thumbnail": "https://t.example/1",
        "link": "https://l.example/?a=b&c", "current_price": "\u{a5}1.00", "origin_price": "2 \u{20ac}", "status": 2,
        "extends": {"Key": "v", "": "\u{1f600}"},
        "order": 77, "live_id": "of another room", "record": {"id": 5}, "unknown": 1,
    });
    shop.add(Side::Client, json!([full, {"item_id": "least", "title": "t", "current_price": "p"}]))
        .await
        .done();
    let live_id = &shop.live_id;
    let least = json!({
        "live_id": live_id, "item_id": "least", "order": 2, "title": "t", "tags": "", "thumbnail": "", "link": "",
        "current_price": "p", "origin_price": "", "status": 0, "record": null, "extends": null,
    });
    let mut stored = full;
    let fields = stored.as_object_mut().expect("an object");
    fields.remove("unknown");
    fields.extend(
        json!({"order": 1, "live_id": live_id, "record": null}).as_object().cloned().expect("an object"),
    );
    for side in SIDES {
        assert_eq!(shop.list(side).await, [least.clone(), stored.clone()]);
    }
    // An id goes into a path, escaped.
    let id = stored["item_id"].as_str().expect("item_id");
    for side in SIDES {
        shop.call(side, "PUT", &shop.path(id)).json(&json!({"title": "new"})).send().await.done();
    }
    assert_eq!(shop.item(id).await["title"], "new");
    Ok(())
}

async fn an_item_needs_an_id_a_title_and_a_price(api: Api) -> Verdict {
    let shop = Shop::open(&api).await;
    for side in SIDES {
        for field in ["item_id", "title", "current_price"] {
            for missing in [Value::Null, json!(""), json!(7)] {
                let mut without = item("x");
                without[field] = missing;
                shop.add(side, json!([item("y"), without])).await.bad_in(field);
            }
        }
        shop.add(side, json!([])).await.bad_in("items");
        shop.add(side, json!("x")).await.bad_in("items");
        shop.add(side, json!([7])).await.bad_in("items");
        shop.post(side, "/item/add", json!({})).await.bad_in("items");
        let body = json!({"items": [item("x")]});
        shop.call(side, "POST", "/item/add").json(&body).send().await.bad_in("live_id");
    }
    assert_eq!(shop.list(Side::Server).await, Vec::<Value>::new(), "nothing of a bad batch is added");
    Ok(())
}

async fn fields_are_as_wide_as_their_columns(api: Api) -> Verdict {
    let widths = [
        ("item_id", 64),
        ("title", 64),
        ("tags", 128),
        ("thumbnail", 255),
        ("link", 255),
        ("current_price", 64),
        ("origin_price", 64),
    ];
    for letter in ["x", "\u{1f600}"] {
        let shop = Shop::open(&api).await;
        let mut widest = item("widest");
        for (field, width) in widths {
            let mut wide = item("too wide");
            wide[field] = json!(letter.repeat(width + 1));
            shop.add(Side::Client, json!([wide])).await.bad_in(field);
            widest[field] = json!(letter.repeat(width));
        }
        shop.add(Side::Server, json!([widest])).await.done();
        let stored = shop.list(Side::Server).await.remove(0);
        for (field, _) in widths {
            assert_eq!(stored[field], widest[field]);
        }
        let path = shop.path(widest["item_id"].as_str().expect("item_id"));
        for (field, width) in widths.into_iter().skip(1) {
            let wide = json!({ field: letter.repeat(width + 1) });
            shop.call(Side::Client, "PUT", &path).json(&wide).send().await.bad_in(field);
        }
    }
    let shop = Shop::open(&api).await;
    let mut wide = item("wide");
    wide["extends"] = json!({"k": "v".repeat(1024)});
    shop.add(Side::Client, json!([wide])).await.bad_in("extends");
    wide["extends"] = json!({"k": "v".repeat(1024 - 8)});
    shop.add(Side::Client, json!([wide])).await.done();
    let mut control = item("x");
    control["item_id"] = json!("a\nb");
    shop.add(Side::Client, json!([control])).await.bad_in("item_id");
    for title in ["a\nb", " ", "\u{200b}"] {
        let mut unseen = item("x");
        unseen["title"] = json!(title);
        shop.add(Side::Client, json!([unseen])).await.bad_in("title");
        let path = shop.path("wide");
        shop.call(Side::Client, "PUT", &path).json(&json!({"title": title})).send().await.bad_in("title");
    }
    Ok(())
}

async fn an_item_is_there_once(api: Api) -> Verdict {
    for side in SIDES {
        let shop = Shop::open(&api).await;
        shop.add(side, json!([item("a")])).await.done();
        shop.add(side, json!([item("b"), item("a")])).await.refused(400, 10001).says("Already existed");
        shop.add(side, json!([item("b"), item("b")])).await.refused(400, 10001);
        assert_eq!(ids(&shop.list(side).await), ["a"], "nothing of a refused batch is added");
        shop.post(side, "/item/delete", json!({"items": ["a"]})).await.done();
        shop.add(side, json!([item("a")])).await.done();
        assert_eq!(ids(&shop.list(side).await), ["a"]);
    }
    Ok(())
}

async fn ids_are_compared_byte_by_byte(api: Api) -> Verdict {
    let shop = Shop::open(&api).await;
    shop.stock(&["bob", "BOB", "b\u{f6}b", "bob "]).await;
    shop.call(Side::Client, "PUT", &shop.path("BOB")).json(&json!({"title": "upper"})).send().await.done();
    assert_eq!(
        (&shop.item("BOB").await["title"], &shop.item("bob").await["title"]),
        (&json!("upper"), &json!("title of bob"))
    );
    shop.call(Side::Client, "PUT", &shop.path("Bob"))
        .json(&json!({"title": "none"}))
        .send()
        .await
        .not_found();
    shop.post(Side::Client, "/item/status", json!({"items": [{"item_id": "BOB", "status": 2}]})).await.done();
    assert_eq!(
        (&shop.item("BOB").await["status"], &shop.item("bob").await["status"]),
        (&json!(2), &json!(1))
    );
    shop.demonstrate(Side::Client, "bob ").await.done();
    assert_eq!(shop.demonstrated(Side::Server).await.ok()["item_id"], "bob ");
    assert_eq!(ids(&shop.list(Side::Client).await), ["bob ", "b\u{f6}b", "BOB", "bob"]);
    shop.post(Side::Client, "/item/delete", json!({"items": ["bob", "bob "]})).await.done();
    assert_eq!(ids(&shop.list(Side::Client).await), ["bob ", "b\u{f6}b", "BOB"]);
    shop.end(Side::Client).await.done();
    Ok(())
}

fn many(start: usize, count: usize) -> Value {
    (start..start + count).map(|number| item(&format!("i{number}"))).collect()
}

async fn a_room_holds_a_hundred(api: Api) -> Verdict {
    for side in SIDES {
        let shop = Shop::open(&api).await;
        shop.add(side, many(0, 101)).await.refused(400, 20001).says("items exceed in live room");
        shop.add(side, many(0, 99)).await.done();
        shop.add(side, many(99, 2)).await.refused(400, 20001);
        shop.add(side, many(99, 1)).await.done();
        shop.add(side, json!([item("one more")])).await.refused(400, 20001);
        assert_eq!(shop.list(side).await.len(), 100);
        shop.post(side, "/item/delete", json!({"items": ["i5"]})).await.done();
        shop.add(side, json!([item("one more")])).await.done();
        assert_eq!(shop.list(side).await.len(), 100);
        let orders: std::collections::BTreeSet<u64> =
            shop.orders().await.into_iter().map(|(_, order)| order).collect();
        assert_eq!(orders.len(), 100, "no order is there twice");
    }
    Ok(())
}

async fn a_batch_has_200_entries(api: Api) -> Verdict {
    let shop = Shop::open(&api).await;
    shop.stock(&["i0"]).await;
    let entries = |count: usize, of: fn(usize) -> Value| (0..count).map(of).collect::<Value>();
    for side in SIDES {
        shop.add(side, many(0, 200)).await.refused(400, 20001);
        shop.add(side, many(0, 201)).await.bad_in("items");
        let id: fn(usize) -> Value = |number| json!(format!("i{number}"));
        let status: fn(usize) -> Value = |number| json!({"item_id": format!("i{number}"), "status": 1});
        let order: fn(usize) -> Value =
            |number| json!({"item_id": format!("i{number}"), "order": number + 1});
        let batches = [("/item/delete", id), ("/item/status", status), ("/item/order", order)];
        for (path, of) in batches.into_iter().rev() {
            shop.post(side, path, json!({"items": entries(200, of)})).await.done();
            shop.post(side, path, json!({"items": entries(201, of)})).await.bad_in("items");
            shop.post(side, path, json!({"items": []})).await.bad_in("items");
        }
        shop.stock(&["i0"]).await;
    }
    Ok(())
}

async fn racing_adds_keep_to_the_limit(api: Api) -> Verdict {
    let shop = Shop::open(&api).await;
    shop.add(Side::Client, many(0, 80)).await.done();
    let adds = (0..12).map(|caller| shop.add(SIDES[caller % 2], many(1000 + caller * 5, 5)));
    let answers = join_all(adds).await;
    let added = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(added, 4, "{answers:?}");
    answers.iter().filter(|answer| answer.status != 200).for_each(|answer| {
        answer.refused(400, 20001);
    });
    let orders = shop.orders().await;
    assert_eq!(orders.len(), 100);
    assert!(orders.is_sorted_by(|(_, one), (_, other)| one > other), "no order is there twice: {orders:?}");
    Ok(())
}
