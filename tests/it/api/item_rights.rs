//! http-api.md §8: who may call what about items, in which room.

use serde_json::{Value, json};

use super::shop::{SIDES, Shop, Side, item};
use super::world::unique;
use super::{Api, Verdict, cases};

cases![
    every_call_wants_credentials,
    changes_are_for_the_anchor,
    reads_are_for_everybody,
    the_room_must_exist,
    ids_in_paths_have_the_width_of_their_columns,
    bodies_must_be_objects,
    servers_are_no_clients,
];

struct Route {
    method: &'static str,
    path: String,
    body: Option<Value>,
}

/// Every route, for one room and item. The last one deletes the item.
fn routes(live_id: &str, id: &str) -> Vec<Route> {
    let route = |method, path: String, body| Route { method, path, body };
    let named = |mut body: Value| {
        body["live_id"] = json!(live_id);
        Some(body)
    };
    vec![
        route("POST", "/item/add".into(), named(json!({"items": [item(&unique("i"))]}))),
        route("PUT", "/item/add".into(), named(json!({"items": [item(&unique("i"))]}))),
        route("POST", "/item/status".into(), named(json!({"items": [{"item_id": id, "status": 1}]}))),
        route("POST", "/item/order".into(), named(json!({"items": {id: 70}}))),
        route("POST", "/item/order/single".into(), named(json!({"item_id": id, "from": 70, "to": 60}))),
        route("PUT", format!("/item/{live_id}/{id}"), Some(json!({"title": "t"}))),
        route("PUT", format!("/item/{live_id}/{id}/extends"), Some(json!({"a": "b"}))),
        route("POST", format!("/item/{live_id}/{id}/extends"), Some(json!({"key": "a", "value": "b"}))),
        route("GET", format!("/item/{live_id}"), None),
        route("POST", format!("/item/demonstrate/{live_id}/{id}"), None),
        route("POST", format!("/item/demonstrate/start/{live_id}/{id}"), None),
        route("GET", format!("/item/demonstrate/{live_id}"), None),
        route("DELETE", format!("/item/demonstrate/{live_id}/{id}"), None),
        route("DELETE", format!("/item/demonstrate/{live_id}"), None),
        route("GET", format!("/item/demonstrate/record/{live_id}"), None),
        route("GET", format!("/item/demonstrate/record/{live_id}/{id}"), None),
        route("POST", "/item/demonstrate/record/delete".into(), named(json!({"demonstrate_item": [1]}))),
        route("POST", "/item/delete".into(), named(json!({"items": [id]}))),
    ]
}

impl Route {
    fn call(&self, shop: &Shop, side: Side) -> super::client::Call {
        let call = shop.call(side, self.method, &self.path);
        self.body.iter().fold(call, |call, body| call.json(body))
    }

    fn by(&self, shop: &Shop, authorization: Option<&str>) -> super::client::Call {
        let call = shop.api.call(self.method, format!("/client{}", self.path));
        let call = self.body.iter().fold(call, |call, body| call.json(body));
        authorization.into_iter().fold(call, |call, value| call.authorization(value))
    }
}

async fn every_call_wants_credentials(api: Api) -> Verdict {
    let shop = Shop::open(&api).await;
    shop.stock(&["a"]).await;
    for route in routes(&shop.live_id, "a") {
        route.by(&shop, None).send().await.unauthorized();
        route.by(&shop, Some("nonsense")).send().await.unauthorized();
        let server = api.call(route.method, format!("/server{}", route.path));
        route.body.iter().fold(server, |call, body| call.json(body)).send().await.unauthorized();
    }
    Ok(())
}

async fn changes_are_for_the_anchor(api: Api) -> Verdict {
    let (shop, other) = (Shop::open(&api).await, api.user().await);
    shop.stock(&["a"]).await;
    api.join(&other, &shop.live_id).await;
    let before = shop.list(Side::Server).await;
    for route in routes(&shop.live_id, "a").into_iter().filter(|route| route.method != "GET") {
        route.by(&shop, Some(&other.token)).send().await.forbidden();
    }
    assert_eq!(shop.list(Side::Server).await, before);
    assert_eq!(*shop.demonstrated(Side::Server).await.ok(), Value::Null);
    for side in SIDES {
        // There is no recording of it yet that is done.
        for route in routes(&shop.live_id, "a").into_iter().filter(|route| !route.path.contains("record/")) {
            let answer = route.call(&shop, side).send().await;
            answer.ok();
        }
        shop.stock(&["a"]).await;
    }
    Ok(())
}

async fn reads_are_for_everybody(api: Api) -> Verdict {
    let (shop, viewer) = (Shop::open(&api).await, api.user().await);
    shop.stock(&["a"]).await;
    shop.record(Side::Client, "a").await.done();
    let live_id = &shop.live_id;
    assert_eq!(shop.seen_by(&viewer).await.len(), 1);
    for path in
        [format!("/client/item/demonstrate/{live_id}"), format!("/client/item/demonstrate/record/{live_id}")]
    {
        let seen = api.get(&path).by(&viewer).send().await.ok().clone();
        assert_eq!(seen, *api.get(&path).by(&shop.anchor).send().await.ok());
        assert!(!seen.is_null());
    }
    shop.end(Side::Client).await.ok();
    Ok(())
}

async fn the_room_must_exist(api: Api) -> Verdict {
    let shop = Shop::open(&api).await;
    shop.stock(&["a"]).await;
    for side in SIDES {
        for live_id in ["1", "nope"] {
            for route in routes(live_id, "a") {
                route.call(&shop, side).send().await.not_found();
            }
        }
        for path in ["demonstrate", "demonstrate/start"] {
            let path = format!("/item/{path}/{}/b", shop.live_id);
            shop.call(side, "POST", &path).send().await.not_found();
        }
        let path = format!("/item/demonstrate/record/{}/a", shop.live_id);
        shop.call(side, "GET", &path).send().await.not_found();
    }
    Ok(())
}

async fn bodies_must_be_objects(api: Api) -> Verdict {
    let shop = Shop::open(&api).await;
    shop.stock(&["a"]).await;
    for side in SIDES {
        for route in routes(&shop.live_id, "a").into_iter().filter(|route| route.body.is_some()) {
            for body in ["[1]", "{", "7", "\"x\"", "{\"live_id\":7,\"title\":{},\"key\":7}"] {
                let call = shop.call(side, route.method, &route.path);
                call.body("application/json", body).send().await.bad();
            }
            let long = "9".repeat(65);
            let mut body = route.body.clone().expect("a body");
            if body.get("live_id").is_some() {
                body["live_id"] = json!(long);
                shop.call(side, route.method, &route.path).json(&body).send().await.bad_in("live_id");
            }
        }
    }
    Ok(())
}

/// A token opens no server route, and a signature no client route.
async fn servers_are_no_clients(api: Api) -> Verdict {
    let shop = Shop::open(&api).await;
    for route in routes(&shop.live_id, "a") {
        api.call(route.method, format!("/server{}", route.path)).by(&shop.anchor).send().await.unauthorized();
        api.call(route.method, format!("/client{}", route.path)).server().send().await.unauthorized();
    }
    Ok(())
}

async fn ids_in_paths_have_the_width_of_their_columns(api: Api) -> Verdict {
    let shop = Shop::open(&api).await;
    let long = "x".repeat(65);
    shop.call(Side::Server, "GET", &format!("/items/{long}")).send().await.bad();
    for side in SIDES {
        for route in routes(&long, "a").iter().chain(&routes(&shop.live_id, &long)) {
            if route.path.contains(&long) {
                route.call(&shop, side).send().await.bad();
            }
        }
    }
    Ok(())
}
