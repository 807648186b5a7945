//! http-api.md §8: the order of items.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::shop::{SIDES, Shop, Side};
use super::{Api, Verdict, cases};

cases![
    orders_are_set_by_a_list_a_map_or_a_text,
    orders_that_conflict_are_bad,
    orders_that_are_none_are_bad,
    one_item_moves_and_those_between_shift,
    a_move_that_does_not_fit_is_bad,
    racing_moves_leave_every_order_once,
    a_deleted_order_is_free_again,
];

fn pairs(list: &[(&str, u64)]) -> Vec<(String, u64)> {
    list.iter().map(|(id, order)| ((*id).to_owned(), *order)).collect()
}

async fn orders_are_set_by_a_list_a_map_or_a_text(api: Api) -> Verdict {
    let spellings = [
        json!([{"item_id": "a", "order": 9}, {"item_id": "b", "order": 1}, {"item_id": "unknown", "order": 50}]),
        json!({"a": 9, "b": 1, "unknown": 50}),
        json!("{a=9, b=1, unknown=50}"),
    ];
    for side in SIDES {
        for items in &spellings {
            let shop = Shop::open(&api).await;
            shop.stock(&["a", "b", "c"]).await;
            shop.post(side, "/item/order", json!({"items": items})).await.done();
            assert_eq!(shop.orders().await, pairs(&[("a", 9), ("c", 3), ("b", 1)]), "{items}");
            shop.stock(&["d"]).await;
            assert_eq!(shop.orders().await[0], ("d".to_owned(), 10), "appended after the highest");
        }
    }
    Ok(())
}

async fn orders_that_conflict_are_bad(api: Api) -> Verdict {
    let shop = Shop::open(&api).await;
    shop.stock(&["a", "b", "c"]).await;
    for side in SIDES {
        let set = |items: Value| shop.post(side, "/item/order", json!({"items": items}));
        set(json!({"a": 3})).await.bad_in("3");
        set(json!({"a": 5, "b": 5})).await.bad_in("5");
        set(json!([{"item_id": "a", "order": 5}, {"item_id": "a", "order": 6}])).await.bad_in("a");
        set(json!("{a=5, a=6}")).await.bad();
        assert_eq!(shop.orders().await, pairs(&[("c", 3), ("b", 2), ("a", 1)]));
    }
    // What changes place makes room for others, and an item may keep its own.
    shop.post(Side::Client, "/item/order", json!({"items": {"a": 3, "c": 1, "b": 2}})).await.done();
    assert_eq!(shop.orders().await, pairs(&[("a", 3), ("b", 2), ("c", 1)]));
    Ok(())
}

async fn orders_that_are_none_are_bad(api: Api) -> Verdict {
    let shop = Shop::open(&api).await;
    shop.stock(&["a"]).await;
    for side in SIDES {
        let set = |items: Value| shop.post(side, "/item/order", json!({"items": items}));
        for order in [json!(0), json!(-1), json!(2_147_483_648_i64), json!("1"), json!(1.5), json!([])] {
            set(json!([{"item_id": "a", "order": order}])).await.bad_in("order");
            set(json!({"a": order})).await.bad_in("items");
        }
        for items in [
            json!("a=1"),
            json!("{a}"),
            json!("{a=}"),
            json!("{a=0}"),
            json!("{=1}"),
            json!("{}"),
            json!({}),
            json!([]),
            json!(7),
        ] {
            set(items).await.bad_in("items");
        }
        set(json!([{"order": 1}])).await.bad_in("item_id");
        set(json!([{"item_id": "a"}])).await.bad_in("order");
        set(json!({"x".repeat(65): 1})).await.bad_in("items");
        shop.post(side, "/item/order", json!({})).await.bad_in("items");
    }
    shop.post(Side::Client, "/item/order", json!({"items": {"a": 2_147_483_647}})).await.done();
    shop.stock(&["b"]).await;
    assert_eq!(shop.orders().await, pairs(&[("b", 2_147_483_648), ("a", 2_147_483_647)]));
    Ok(())
}

async fn one_item_moves_and_those_between_shift(api: Api) -> Verdict {
    for side in SIDES {
        let shop = Shop::open(&api).await;
        shop.stock(&["a", "b", "c", "d"]).await;
        let shift = |item_id: &str, from: u32, to: u32| {
            shop.post(side, "/item/order/single", json!({"item_id": item_id, "from": from, "to": to}))
        };
        shift("a", 1, 3).await.done();
        assert_eq!(shop.orders().await, pairs(&[("d", 4), ("a", 3), ("c", 2), ("b", 1)]));
        shift("d", 4, 1).await.done();
        assert_eq!(shop.orders().await, pairs(&[("a", 4), ("c", 3), ("b", 2), ("d", 1)]));
        shift("d", 1, 10).await.done();
        assert_eq!(shop.orders().await, pairs(&[("d", 10), ("a", 3), ("c", 2), ("b", 1)]));
        shift("d", 10, 5).await.done();
        assert_eq!(shop.orders().await, pairs(&[("d", 5), ("a", 3), ("c", 2), ("b", 1)]));
    }
    Ok(())
}

async fn a_move_that_does_not_fit_is_bad(api: Api) -> Verdict {
    let shop = Shop::open(&api).await;
    shop.stock(&["a", "b"]).await;
    for side in SIDES {
        let shift = |body: Value| shop.post(side, "/item/order/single", body);
        shift(json!({"item_id": "a", "from": 2, "to": 1})).await.bad_in("from");
        shift(json!({"item_id": "a", "from": 1, "to": 1})).await.bad_in("to");
        shift(json!({"item_id": "c", "from": 1, "to": 2})).await.not_found();
        shift(json!({"item_id": "A", "from": 1, "to": 2})).await.not_found();
        shift(json!({"item_id": "", "from": 1, "to": 2})).await.bad_in("item_id");
        for wrong in [json!(0), json!(-1), json!("2"), json!(2_147_483_648_i64), Value::Null] {
            shift(json!({"item_id": "a", "from": 1, "to": wrong})).await.bad_in("to");
            shift(json!({"item_id": "a", "from": wrong, "to": 2})).await.bad_in("from");
        }
        assert_eq!(shop.orders().await, pairs(&[("b", 2), ("a", 1)]));
    }
    Ok(())
}

async fn racing_moves_leave_every_order_once(api: Api) -> Verdict {
    let shop = Shop::open(&api).await;
    shop.stock(&["a", "b", "c", "d", "e"]).await;
    let moves = (0..20).map(|n| {
        let (item_id, from) = [("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5)][n % 5];
        let to = (from + n / 5) % 5 + 1;
        shop.post(SIDES[n % 2], "/item/order/single", json!({"item_id": item_id, "from": from, "to": to}))
    });
    let answers = join_all(moves).await;
    assert!(answers.iter().any(|answer| answer.status == 200), "{answers:?}");
    answers.iter().filter(|answer| answer.status != 200).for_each(|answer| {
        answer.bad();
    });
    let orders: Vec<u64> = shop.orders().await.into_iter().map(|(_, order)| order).collect();
    assert_eq!(orders, [5, 4, 3, 2, 1]);
    Ok(())
}

async fn a_deleted_order_is_free_again(api: Api) -> Verdict {
    let shop = Shop::open(&api).await;
    shop.stock(&["a", "b", "c"]).await;
    shop.post(Side::Client, "/item/delete", json!({"items": ["b"]})).await.done();
    shop.post(Side::Client, "/item/order", json!({"items": {"a": 2}})).await.done();
    assert_eq!(shop.orders().await, pairs(&[("c", 3), ("a", 2)]));
    Ok(())
}
