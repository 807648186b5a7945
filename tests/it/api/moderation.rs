//! Moderation of rooms: chat settings, mutes, bans, kicks, by everybody who may.

use std::time::Duration;

use serde_json::json;

use super::client::Call;
use super::lists::assert_page;
use super::world::{User, eventually, now};
use super::{Api, Verdict, cases};

cases![
    chat_settings_are_changed_and_seen,
    mutes_are_imposed_listed_and_lifted,
    who_is_banned_is_out_and_stays_out,
    a_ban_ends_by_itself,
    a_kick_takes_out_once,
    the_anchor_is_out_of_reach,
    lists_come_in_pages_latest_first,
];

/// Everybody who may moderate a room: its anchor, a backend, an administrator.
pub struct Desks {
    api: Api,
    pub live_id: String,
    pub anchor: User,
    boss: User,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Desk {
    Anchor,
    Backend,
    Admin,
}

pub const ALL: [Desk; 3] = [Desk::Anchor, Desk::Backend, Desk::Admin];

impl Desks {
    /// Those of a new live room.
    pub async fn new(api: &Api) -> Self {
        let (anchor, boss) = (api.user().await, api.operator().await);
        let live_id = api.live_room(&anchor).await;
        Self { api: api.clone(), live_id, anchor, boss }
    }

    /// A call of that desk; `path` goes on after `moderation`.
    pub fn call(&self, desk: Desk, method: &str, path: &str) -> Call {
        self.call_in(desk, &self.live_id, method, path)
    }

    /// The same in any room.
    pub fn call_in(&self, desk: Desk, live_id: &str, method: &str, path: &str) -> Call {
        let room = match desk {
            Desk::Anchor => "/client/live/room",
            Desk::Backend => "/server/live",
            Desk::Admin => "/admin/live",
        };
        let call = self.api.call(method, format!("{room}/{live_id}/moderation{path}"));
        match desk {
            Desk::Anchor => call.by(&self.anchor),
            Desk::Backend => call.server(),
            Desk::Admin => call.by(&self.boss),
        }
    }

    /// Who imposed something at that desk, and in which role.
    pub fn signature(&self, desk: Desk) -> (&str, &str) {
        match desk {
            Desk::Anchor => (&self.anchor.id, "anchor"),
            Desk::Backend => ("", "server"),
            Desk::Admin => (&self.boss.id, "admin"),
        }
    }
}

async fn chat_settings_are_changed_and_seen(api: Api) -> Verdict {
    let desks = Desks::new(&api).await;
    let mut seconds = 0;
    for desk in ALL {
        seconds += 10;
        let change = json!({"slow_mode_s": seconds});
        desks.call(desk, "PUT", "").json(&change).send().await.ok();
        let after = desks.call(desk, "PUT", "").json(&json!({"is_muted": true})).send().await;
        let wanted = json!({"slow_mode_s": seconds, "is_muted": true});
        assert_eq!(after.ok(), &wanted, "what is absent is left alone");
        for reader in ALL {
            assert_eq!(desks.call(reader, "GET", "").send().await.ok(), &wanted);
        }
    }
    let off = json!({"slow_mode_s": 0, "is_muted": false});
    assert_eq!(desks.call(Desk::Anchor, "PUT", "").json(&off).send().await.ok(), &off);
    let viewer = api.user().await;
    let path = format!("/client/live/room/{}/moderation", desks.live_id);
    assert_eq!(api.get(path).by(&viewer).send().await.ok(), &off, "everybody may know");
    Ok(())
}

async fn mutes_are_imposed_listed_and_lifted(api: Api) -> Verdict {
    let desks = Desks::new(&api).await;
    for desk in ALL {
        let guest = api.user().await;
        let path = format!("/mutes/{}", guest.id);
        let body = json!({"duration_s": 600, "reason": "too loud"});
        let begun = now();
        desks.call(desk, "PUT", &path).json(&body).send().await.done();
        let page = desks.call(desk, "GET", "/mutes").send().await.ok().clone();
        assert_page(&page, 1, 1, 1, true);
        let mute = &page["list"][0];
        let (by, role) = desks.signature(desk);
        assert_eq!(
            (&mute["user"]["user_id"], &mute["reason"], &mute["by"], &mute["role"]),
            (&json!(guest.id), &json!("too loud"), &json!(by), &json!(role))
        );
        let until = mute["until"].as_i64().expect("until");
        assert!((begun + 600..=now() + 601).contains(&until), "{until}");
        // Another one takes its place.
        desks.call(desk, "PUT", &path).send().await.done();
        let page = desks.call(desk, "GET", "/mutes").send().await.ok().clone();
        assert_page(&page, 1, 1, 1, true);
        assert_eq!((&page["list"][0]["until"], &page["list"][0]["reason"]), (&json!(0), &json!("")));
        for _ in 0..2 {
            desks.call(desk, "DELETE", &path).send().await.done();
        }
        assert_page(desks.call(desk, "GET", "/mutes").send().await.ok(), 0, 0, 0, true);
    }
    Ok(())
}

async fn who_is_banned_is_out_and_stays_out(api: Api) -> Verdict {
    let desks = Desks::new(&api).await;
    let live = &desks.live_id;
    for desk in ALL {
        let guest = api.user().await;
        api.join(&guest, live).await;
        let seat = json!({"live_id": live, "mic": true, "camera": false});
        api.post("/client/mic").by(&guest).json(&seat).send().await.ok();
        let path = format!("/bans/{}", guest.id);
        desks.call(desk, "PUT", &path).json(&json!({"duration_s": 600})).send().await.done();
        assert_eq!(api.members(&desks.anchor, live).await, std::slice::from_ref(&desks.anchor.id));
        assert_eq!(api.server_info(live).await["total_mics"], 0, "the seat is free");
        api.beat_refused(&guest, live).await;
        let again = api.post(format!("/client/live/room/user/{live}")).by(&guest).send().await;
        again.forbidden();
        assert!(again.message().contains("banned"), "{again:?}");
        assert_eq!(desks.call(desk, "GET", "/bans").send().await.ok()["total_count"], 1);
        // Other rooms are open.
        let elsewhere = api.live_room(&api.user().await).await;
        api.join(&guest, &elsewhere).await;
        for _ in 0..2 {
            desks.call(desk, "DELETE", &path).send().await.done();
        }
        api.join(&guest, live).await;
        api.leave(&guest, live).await;
    }
    // One who was in no room before is kept out too.
    let stranger = api.user().await;
    desks.call(Desk::Anchor, "PUT", &format!("/bans/{}", stranger.id)).send().await.done();
    api.post(format!("/client/live/room/user/{live}")).by(&stranger).send().await.forbidden();
    Ok(())
}

async fn a_ban_ends_by_itself(api: Api) -> Verdict {
    let desks = Desks::new(&api).await;
    let guest = api.user().await;
    let ban = json!({"duration_s": 1});
    desks.call(Desk::Anchor, "PUT", &format!("/bans/{}", guest.id)).json(&ban).send().await.done();
    let join = format!("/client/live/room/user/{}", desks.live_id);
    eventually("the ban is over", Duration::from_secs(10), || async {
        api.post(&join).by(&guest).send().await.status == 200
    })
    .await;
    assert_page(desks.call(Desk::Anchor, "GET", "/bans").send().await.ok(), 0, 0, 0, true);
    Ok(())
}

async fn a_kick_takes_out_once(api: Api) -> Verdict {
    let desks = Desks::new(&api).await;
    let live = &desks.live_id;
    for desk in ALL {
        let guest = api.user().await;
        let path = format!("/kick/{}", guest.id);
        desks.call(desk, "POST", &path).send().await.done();
        api.join(&guest, live).await;
        desks.call(desk, "POST", &path).json(&json!({"reason": "calm down"})).send().await.done();
        assert_eq!(api.members(&desks.anchor, live).await, std::slice::from_ref(&desks.anchor.id));
        api.beat_refused(&guest, live).await;
        api.join(&guest, live).await;
        assert_eq!(api.beat(&guest, live).await, 1);
        api.leave(&guest, live).await;
    }
    Ok(())
}

async fn the_anchor_is_out_of_reach(api: Api) -> Verdict {
    let desks = Desks::new(&api).await;
    for desk in ALL {
        for (method, path) in [("PUT", "mutes"), ("PUT", "bans"), ("POST", "kick"), ("PUT", "moderators")] {
            let path = format!("/{path}/{}", desks.anchor.id);
            let answer = desks.call(desk, method, &path).send().await;
            assert!(answer.bad().message().contains("anchor"), "{answer:?}");
        }
    }
    assert_eq!(api.beat(&desks.anchor, &desks.live_id).await, 1);
    Ok(())
}

async fn lists_come_in_pages_latest_first(api: Api) -> Verdict {
    let desks = Desks::new(&api).await;
    for kind in ["mutes", "bans"] {
        let mut ids = Vec::new();
        for _ in 0..3 {
            let guest = api.user().await;
            desks.call(Desk::Backend, "PUT", &format!("/{kind}/{}", guest.id)).send().await.done();
            ids.insert(0, guest.id);
        }
        let page = |query: &str| desks.call(Desk::Admin, "GET", &format!("/{kind}?{query}")).send();
        let first = page("page_size=2").await.ok().clone();
        assert_page(&first, 2, 3, 2, false);
        let second = page("page_size=2&page_num=2").await.ok().clone();
        assert_page(&second, 1, 3, 2, true);
        let rows = [first, second].map(|page| page["list"].as_array().expect("a list").clone()).concat();
        let seen: Vec<_> = rows.iter().map(|row| row["user"]["user_id"].as_str().expect("an id")).collect();
        assert_eq!(seen, ids);
        for desk in ALL {
            desks.call(desk, "GET", &format!("/{kind}?page_num=0")).send().await.bad_in("page_num");
        }
    }
    Ok(())
}
