//! http-api.md §9: the gift types.

use std::sync::atomic::{AtomicI32, Ordering};

use serde_json::{Value, json};

use super::world::{User, next_second, unique};
use super::{Api, Verdict, cases};

cases![
    a_type_is_stored_and_shown_to_all,
    a_list_of_types_is_stored_at_once,
    a_stored_type_is_replaced,
    types_come_by_order_then_newest,
    a_list_shows_one_kind_or_all,
    a_deleted_type_is_gone_until_it_is_stored_again,
    input_is_checked,
    a_bad_entry_stores_none,
    field_names_are_read_leniently,
    types_are_for_backends_and_operators_to_change,
    a_kind_is_a_number,
];

/// An id, or a kind, that no other case uses.
pub fn number() -> i32 {
    static NEXT: AtomicI32 = AtomicI32::new(0);
    let run: i32 = rand::random_range(1..20_000);
    run * 100_000 + NEXT.fetch_add(1, Ordering::Relaxed)
}

/// An administrator with a token.
pub async fn operator(api: &Api) -> User {
    let id = unique("admin");
    let answer = api.get(format!("/server/auth/admin/token?app_id=suite&user_id={id}")).server().send().await;
    User { id, token: answer.ok()["access_token"].as_str().expect("access_token").to_owned() }
}

impl Api {
    /// The id of a new gift type of that price; 0 is any.
    pub async fn gift_type(&self, amount: i64) -> i32 {
        let gift_id = number();
        self.save_types(&json!({"gift_id": gift_id, "name": "n", "amount": amount})).await;
        gift_id
    }

    async fn save_types(&self, body: &Value) {
        self.post("/server/gift/config").server().json(body).send().await.done();
    }
}

fn full(gift_id: i32, kind: i32, name: &str) -> Value {
    json!({
        "gift_id": gift_id, "type": kind, "name": name, "amount": 5, "img": "https://img.example/a.png",
        "animation_type": 2, "animation_img": "https://img.example/b.webp", "order": -3, "extends": {"a": "1"},
    })
}

/// The types of a kind, asked for by all three audiences, who must see the same.
async fn listed(api: &Api, kind: &str) -> Vec<Value> {
    let (user, admin) = (api.user().await, operator(api).await);
    let seen = [
        api.get(format!("/client/gift/config{kind}")).by(&user).send().await,
        api.get(format!("/server/gift/config{kind}")).server().send().await,
        api.get(format!("/admin/gift/config{kind}")).by(&admin).send().await,
    ];
    let mut lists = seen.iter().map(|answer| answer.ok().as_array().expect("a list").clone());
    let first = lists.next().expect("three lists");
    // Other cases change the list of all meanwhile.
    if !["", "/", "/-1"].contains(&kind) {
        lists.for_each(|list| assert_eq!(list, first));
    }
    first
}

fn ids(list: &[Value]) -> Vec<i64> {
    list.iter().map(|gift| gift["gift_id"].as_i64().expect("gift_id")).collect()
}

async fn a_type_is_stored_and_shown_to_all(api: Api) -> Verdict {
    let (id, kind) = (number(), number());
    api.save_types(&full(id, kind, "红包")).await;
    assert_eq!(listed(&api, &format!("/{kind}")).await, [full(id, kind, "红包")]);
    let (bare, kind) = (number(), number());
    let admin = operator(&api).await;
    let body = json!({"gift_id": bare, "type": kind, "name": "n"});
    api.post("/admin/gift/config").by(&admin).json(&body).send().await.done();
    let wanted = json!({
        "gift_id": bare, "type": kind, "name": "n", "amount": 0, "img": "", "animation_type": 0,
        "animation_img": "", "order": 0, "extends": null,
    });
    assert_eq!(listed(&api, &format!("/{kind}")).await, [wanted]);
    Ok(())
}

async fn a_list_of_types_is_stored_at_once(api: Api) -> Verdict {
    let kind = number();
    let all: Vec<Value> = (0..200).map(|_| full(number(), kind, "n")).collect();
    api.save_types(&json!(all)).await;
    assert_eq!(listed(&api, &format!("/{kind}")).await.len(), 200);
    Ok(())
}

async fn a_stored_type_is_replaced(api: Api) -> Verdict {
    let (id, kind, other) = (number(), number(), number());
    api.save_types(&full(id, kind, "before")).await;
    api.save_types(&json!({"gift_id": id, "type": other, "name": "after", "amount": 9})).await;
    assert_eq!(listed(&api, &format!("/{kind}")).await, [] as [Value; 0]);
    let after = listed(&api, &format!("/{other}")).await;
    assert_eq!((after.len(), &after[0]["name"], &after[0]["amount"]), (1, &json!("after"), &json!(9)));
    assert_eq!((&after[0]["img"], &after[0]["extends"]), (&json!(""), &Value::Null), "all of it is replaced");
    Ok(())
}

async fn types_come_by_order_then_newest(api: Api) -> Verdict {
    let kind = number();
    let save = |id: i32, order: i32| {
        let body = json!({"gift_id": id, "type": kind, "name": "n", "order": order});
        let api = api.clone();
        async move { api.save_types(&body).await }
    };
    let [a, b, c, d] = [number(), number(), number(), number()];
    save(a, 1).await;
    save(b, 0).await;
    next_second().await;
    save(c, 1).await;
    save(d, -1).await;
    let list = listed(&api, &format!("/{kind}")).await;
    assert_eq!(ids(&list), [d, b, c, a].map(i64::from));
    Ok(())
}

async fn a_list_shows_one_kind_or_all(api: Api) -> Verdict {
    let (id, kind) = (number(), number());
    api.save_types(&full(id, kind, "n")).await;
    for all in ["/-1", "", "/"] {
        assert!(ids(&listed(&api, all).await).contains(&i64::from(id)), "{all:?}");
    }
    assert_eq!(listed(&api, &format!("/{}", number())).await, [] as [Value; 0]);
    Ok(())
}

async fn a_deleted_type_is_gone_until_it_is_stored_again(api: Api) -> Verdict {
    let (kind, admin) = (number(), operator(&api).await);
    let (first, second) = (number(), number());
    api.save_types(&json!([full(first, kind, "n"), full(second, kind, "n")])).await;
    api.delete(format!("/server/gift/config/{first}")).server().send().await.done();
    api.delete(format!("/admin/gift/config/{second}")).by(&admin).send().await.done();
    assert_eq!(listed(&api, &format!("/{kind}")).await, [] as [Value; 0]);
    api.delete(format!("/server/gift/config/{first}")).server().send().await.not_found();
    api.delete(format!("/admin/gift/config/{second}")).by(&admin).send().await.not_found();
    api.save_types(&full(first, kind, "again")).await;
    assert_eq!(ids(&listed(&api, &format!("/{kind}")).await), [i64::from(first)]);
    for id in ["x", "1.5", "", "99999999999"] {
        let answer = api.delete(format!("/server/gift/config/{id}")).server().send().await;
        assert!([400, 405].contains(&answer.status), "{answer:?}");
        let answer = api.delete(format!("/admin/gift/config/{id}")).by(&admin).send().await;
        assert!([400, 405].contains(&answer.status), "{answer:?}");
    }
    Ok(())
}

async fn input_is_checked(api: Api) -> Verdict {
    let admin = operator(&api).await;
    let changed = |field: &str, value: Value| {
        let mut body = full(number(), 1, "n");
        body[field] = value;
        body
    };
    let long = |chars: usize| json!("字".repeat(chars));
    let bad = [
        ("gift_id", json!(0)),
        ("gift_id", json!(-1)),
        ("gift_id", json!("1")),
        ("gift_id", json!(2_147_483_648_i64)),
        ("gift_id", Value::Null),
        ("type", json!(-1)),
        ("name", json!("")),
        ("name", Value::Null),
        ("name", long(65)),
        ("amount", json!(-1)),
        ("amount", json!(1_000_001)),
        ("amount", json!(1.5)),
        ("img", long(513)),
        ("animation_type", json!(-1)),
        ("animation_img", long(513)),
        ("order", json!("first")),
        ("extends", json!({"a": "x".repeat(1020)})),
        ("extends", json!({"a": 1})),
    ];
    for (field, value) in bad {
        let body = changed(field, value);
        api.post("/server/gift/config").server().json(&body).send().await.bad_in(field);
        api.post("/server/gift/config").server().json(&json!([body])).send().await.bad_in(field);
        api.post("/admin/gift/config").by(&admin).json(&body).send().await.bad_in(field);
    }
    let kind = number();
    for (field, value) in [("name", long(64)), ("img", long(512)), ("amount", json!(1_000_000))] {
        let mut body = changed(field, value.clone());
        body["type"] = json!(kind);
        api.save_types(&body).await;
        assert!(listed(&api, &format!("/{kind}")).await.iter().any(|gift| gift[field] == value), "{field}");
    }
    for body in [json!([]), json!("x"), json!(vec![full(1, 1, "n"); 201])] {
        api.post("/server/gift/config").server().json(&body).send().await.bad();
    }
    api.post("/server/gift/config").server().send().await.bad_in("gift_id");
    Ok(())
}

async fn a_bad_entry_stores_none(api: Api) -> Verdict {
    let kind = number();
    let body = json!([full(number(), kind, "n"), full(number(), kind, "")]);
    api.post("/server/gift/config").server().json(&body).send().await.bad_in("name");
    assert_eq!(listed(&api, &format!("/{kind}")).await, [] as [Value; 0]);
    Ok(())
}

async fn field_names_are_read_leniently(api: Api) -> Verdict {
    let (id, kind) = (number(), number());
    let body = json!([{"Gift_ID": id, "TYPE": kind, "Name": "n", "unheard": {"of": 1}, "img": null}]);
    api.save_types(&body).await;
    assert_eq!(ids(&listed(&api, &format!("/{kind}")).await), [i64::from(id)]);
    Ok(())
}

async fn types_are_for_backends_and_operators_to_change(api: Api) -> Verdict {
    let (user, admin) = (api.user().await, operator(&api).await);
    let body = full(number(), 1, "n");
    for (method, path) in [
        ("POST", "/server/gift/config"),
        ("POST", "/admin/gift/config"),
        ("DELETE", "/server/gift/config/1"),
        ("DELETE", "/admin/gift/config/1"),
        ("GET", "/server/gift/config/1"),
        ("GET", "/admin/gift/config/1"),
        ("GET", "/server/gift/config"),
        ("GET", "/admin/gift/config"),
    ] {
        api.call(method, path).json(&body).send().await.unauthorized();
        let by_user = api.call(method, path).json(&body).by(&user).send().await;
        if path.starts_with("/admin") { by_user.forbidden() } else { by_user.unauthorized() }
    }
    for path in ["/client/gift/config/1", "/client/gift/config"] {
        api.get(path).send().await.unauthorized();
        api.get(path).by(&admin).send().await.forbidden();
    }
    Ok(())
}

async fn a_kind_is_a_number(api: Api) -> Verdict {
    let (user, admin) = (api.user().await, operator(&api).await);
    for kind in ["x", "1.5", "%20", "99999999999", "1%2F2"] {
        api.get(format!("/client/gift/config/{kind}")).by(&user).send().await.bad_in("type");
        api.get(format!("/server/gift/config/{kind}")).server().send().await.bad_in("type");
        api.get(format!("/admin/gift/config/{kind}")).by(&admin).send().await.bad_in("type");
    }
    Ok(())
}
