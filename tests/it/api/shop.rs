//! A room that sells, and those who may call for it.

use serde_json::{Value, json};

use super::Api;
use super::answer::Answer;
use super::client::{Call, escape};
use super::world::User;

/// By which routes a shop is kept: the anchor's, or a backend's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

pub const SIDES: [Side; 2] = [Side::Client, Side::Server];

/// A room and its anchor.
pub struct Shop {
    pub api: Api,
    pub anchor: User,
    pub live_id: String,
}

impl Shop {
    /// A room that was created.
    pub async fn open(api: &Api) -> Self {
        let anchor = api.user().await;
        let live_id = api.room(&anchor).await;
        Self { api: api.clone(), anchor, live_id }
    }

    /// A call by `side`; `path` begins after `/client` or `/server`.
    pub fn call(&self, side: Side, method: &str, path: &str) -> Call {
        match side {
            Side::Client => self.api.call(method, format!("/client{path}")).by(&self.anchor),
            Side::Server => self.api.call(method, format!("/server{path}")).server(),
        }
    }

    /// POST with `live_id` added to the body.
    pub async fn post(&self, side: Side, path: &str, mut body: Value) -> Answer {
        body["live_id"] = json!(self.live_id);
        self.call(side, "POST", path).json(&body).send().await
    }

    /// Adds items.
    pub async fn add(&self, side: Side, items: Value) -> Answer {
        self.post(side, "/item/add", json!({"items": items})).await
    }

    /// Adds shown items of these ids, in this order.
    pub async fn stock(&self, ids: &[&str]) {
        let items: Vec<Value> = ids.iter().map(|id| item(id)).collect();
        self.add(Side::Client, json!(items)).await.done();
    }

    /// The items as the anchor or a backend sees them.
    pub async fn list(&self, side: Side) -> Vec<Value> {
        let path = format!("/item/{}", self.live_id);
        self.call(side, "GET", &path).send().await.ok().as_array().expect("a list").clone()
    }

    /// The items as `viewer` sees them.
    pub async fn seen_by(&self, viewer: &User) -> Vec<Value> {
        let answer = self.api.get(format!("/client/item/{}", self.live_id)).by(viewer).send().await;
        answer.ok().as_array().expect("a list").clone()
    }

    /// Ids and orders, as the anchor sees them.
    pub async fn orders(&self) -> Vec<(String, u64)> {
        let pair = |item: &Value| {
            let id = item["item_id"].as_str().expect("item_id").to_owned();
            (id, item["order"].as_u64().expect("order"))
        };
        self.list(Side::Client).await.iter().map(pair).collect()
    }

    /// One item as the anchor sees it.
    pub async fn item(&self, item_id: &str) -> Value {
        let items = self.list(Side::Client).await;
        items.into_iter().find(|item| item["item_id"] == item_id).expect("the item")
    }

    /// `/item/<live_id>/<item_id>`
    pub fn path(&self, item_id: &str) -> String {
        format!("/item/{}/{}", self.live_id, escape(item_id))
    }

    /// Explains an item.
    pub async fn demonstrate(&self, side: Side, item_id: &str) -> Answer {
        let path = format!("/item/demonstrate/{}/{}", self.live_id, escape(item_id));
        self.call(side, "POST", &path).send().await
    }

    /// Explains an item and records that.
    pub async fn record(&self, side: Side, item_id: &str) -> Answer {
        let path = format!("/item/demonstrate/start/{}/{}", self.live_id, escape(item_id));
        self.call(side, "POST", &path).send().await
    }

    /// Ends the explanation.
    pub async fn end(&self, side: Side) -> Answer {
        self.call(side, "DELETE", &format!("/item/demonstrate/{}", self.live_id)).send().await
    }

    /// The item that is explained, as `side` sees it.
    pub async fn demonstrated(&self, side: Side) -> Answer {
        self.call(side, "GET", &format!("/item/demonstrate/{}", self.live_id)).send().await
    }

    /// The recordings.
    pub async fn records(&self, side: Side) -> Vec<Value> {
        let path = format!("/item/demonstrate/record/{}", self.live_id);
        self.call(side, "GET", &path).send().await.ok().as_array().expect("a list").clone()
    }
}

/// The least of a shown item.
pub fn item(id: &str) -> Value {
    json!({"item_id": id, "title": format!("title of {id}"), "current_price": "1.00", "status": 1})
}

/// Ids of items.
pub fn ids(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["item_id"].as_str().expect("item_id")).collect()
}
