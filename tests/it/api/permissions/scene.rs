//! What the calls are made on: two live rooms with a PK, a viewer on a seat who has sent a gift, items.

use serde_json::{Value, json};

use super::super::client::Call;
use super::super::world::{User, unique};
use super::super::{Api, NotApplicable};
use super::{Caller, Row};

/// Two live rooms and those who may or may not do things in them.
pub struct Scene {
    api: Api,
    stranger: User,
    viewer: User,
    anchor: User,
    other_anchor: User,
    /// An administrator's token.
    admin: String,
    /// The names that stand in the table, and what they stand for.
    names: Vec<(&'static str, String)>,
}

impl Scene {
    /// The scene that a call of `row` may change: without a PK where it starts one.
    pub async fn new(api: &Api, row: &Row) -> Result<Self, NotApplicable> {
        Self::make(api, !row.target.ends_with("/relay/start")).await
    }

    /// The scene with everything in it.
    pub async fn whole(api: &Api) -> Result<Self, NotApplicable> {
        Self::make(api, true).await
    }

    async fn make(api: &Api, has_pk: bool) -> Result<Self, NotApplicable> {
        let (stranger, viewer) = (api.user().await, api.user().await);
        let (anchor, other_anchor) = (api.user().await, api.user().await);
        let live = api.live_room(&anchor).await;
        let other_live = api.live_room(&other_anchor).await;
        api.join(&viewer, &live).await;
        let gift_type = i64::from(rand::random::<u32>() >> 2);
        let (admin, token) = new_admin(api).await;
        let (other_admin, _) = new_admin(api).await;
        let mut scene = Self {
            api: api.clone(),
            names: vec![
                ("live", live.clone()),
                ("other_live", other_live),
                ("viewer", viewer.id.clone()),
                ("stranger", stranger.id.clone()),
                ("anchor", anchor.id.clone()),
                ("other_anchor", other_anchor.id.clone()),
                ("admin", admin),
                ("other_admin", other_admin),
                ("new", unique("n")),
                ("item", "i1".to_owned()),
                ("other_item", "i2".to_owned()),
                ("gift_type", gift_type.to_string()),
            ],
            stranger,
            viewer,
            anchor,
            other_anchor,
            admin: token,
        };
        scene.furnish(&live, gift_type).await?;
        let relay = if has_pk { scene.start_pk().await } else { "0".to_owned() };
        scene.names.push(("relay", relay));
        Ok(scene)
    }

    /// Items, one of them explained with a record, a seat and a gift.
    async fn furnish(&mut self, live: &str, gift_type: i64) -> Result<(), NotApplicable> {
        let api = self.api.clone();
        let items =
            ["i1", "i2"].map(|id| json!({"item_id": id, "title": id, "current_price": "1", "status": 1}));
        let items = json!({"live_id": live, "items": items});
        api.post("/client/item/add").by(&self.anchor).json(&items).send().await.ok();
        let explain = format!("/client/item/demonstrate/{live}/i1");
        api.post(explain).by(&self.anchor).send().await.ok();
        let seat = json!({"live_id": live, "mic": true, "camera": false});
        api.post("/client/mic").by(&self.viewer).json(&seat).send().await.ok();
        let kind = json!({"gift_id": gift_type, "type": 1, "name": "rose", "amount": 0});
        api.post("/server/gift/config").server().json(&kind).send().await.ok();
        let gift = json!({"live_id": live, "gift_id": gift_type, "amount": 5});
        let answer = api.post("/client/gift/send").by(&self.viewer).json(&gift).send().await;
        if answer.status != 200 {
            return Err(NotApplicable("the target has no payment service that pays"));
        }
        let id = answer.ok()["biz_id"].as_str().expect("biz_id").to_owned();
        self.names.push(("gift", id));
        Ok(())
    }

    async fn start_pk(&self) -> String {
        let start = json!({
            "init_room_id": self.name("live"), "recv_room_id": self.name("other_live"),
            "recv_user_id": self.other_anchor.id,
        });
        let answer = self.api.post("/client/relay/start").by(&self.anchor).json(&start).send().await;
        answer.ok()["relay_id"].as_str().expect("relay_id").to_owned()
    }

    fn name(&self, name: &str) -> &str {
        let found = self.names.iter().find(|(known, _)| *known == name);
        found.map_or_else(|| panic!("the scene has no {name}"), |(_, value)| value)
    }

    /// The call of `row` by `caller`.
    pub fn call(&self, row: &Row, caller: Caller) -> Call {
        let mut call = self.api.call(row.method, self.fill(row.target));
        if !row.body.is_empty() {
            call = call.body("application/json", self.fill(row.body));
        }
        match caller {
            Caller::Nobody => call,
            Caller::Stranger => call.by(&self.stranger),
            Caller::Viewer => call.by(&self.viewer),
            Caller::Anchor => call.by(&self.anchor),
            Caller::OtherAnchor => call.by(&self.other_anchor),
            Caller::Admin => call.authorization(self.admin.clone()),
            Caller::Backend => call.server(),
        }
    }

    /// `text` with the ids of the scene in it.
    fn fill(&self, text: &str) -> String {
        let filled = self
            .names
            .iter()
            .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value));
        let is_filled = filled.starts_with(['{', '[']) || !filled.contains('{');
        assert!(is_filled, "the scene lacks a name of {text}");
        filled
    }

    /// What the calls of the table could change.
    pub async fn look(&self) -> Value {
        let live = self.name("live");
        let get = async |target: String| {
            let mut seen = self.api.get(target.as_str()).by(&self.anchor).send().await.ok().clone();
            // Reads count as views of nothing, but the clock goes on.
            if let Some(room) = seen.as_object_mut() {
                room.remove("updated_at");
            }
            seen
        };
        // Other scenes have theirs at the same time.
        let mut gift_types = get("/client/gift/config/1".to_owned()).await;
        if let Some(types) = gift_types.as_array_mut() {
            let own: i64 = self.name("gift_type").parse().unwrap();
            types.retain(|kind| kind["gift_id"] == own);
        }
        json!({
            "room": get(format!("/client/live/room/info/{live}")).await,
            "other_room": get(format!("/client/live/room/info/{}", self.name("other_live"))).await,
            "members": get(format!("/client/live/room/user_list?live_id={live}")).await,
            "seats": get(format!("/client/mic/room/list/{live}")).await,
            "items": get(format!("/client/item/{live}")).await,
            "explained": get(format!("/client/item/demonstrate/{live}")).await,
            "relay": get(format!("/client/relay/{}", self.name("relay"))).await,
            "gifts": get(format!("/client/gift/list/live/{live}")).await,
            "gift_types": gift_types,
            "chat": get(format!("/client/live/room/{live}/moderation")).await,
            "moderators": get(format!("/client/live/room/{live}/moderation/moderators")).await,
            "mutes": get(format!("/client/live/room/{live}/moderation/mutes")).await,
            "bans": get(format!("/client/live/room/{live}/moderation/bans")).await,
            "statistics": get(format!("/client/stats/singleLive/{live}")).await,
        })
    }
}

/// The id and the token of a new administrator.
async fn new_admin(api: &Api) -> (String, String) {
    let id = unique("admin");
    let answer = api.get(format!("/server/auth/admin/token?app_id=suite&user_id={id}")).server().send().await;
    let token = answer.ok()["access_token"].as_str().expect("a token").to_owned();
    (id, token)
}
