//! The demo room's calls.

use std::collections::HashSet;

use serde_json::json;

use super::own::OwnServer;
use super::world::{User, now};
use super::{Api, NotApplicable, Verdict, cases};

cases![
    a_visitor_becomes_a_user_of_a_new_id,
    names_of_visitors_are_checked,
    where_the_demo_is_off_nobody_becomes_a_user,
    there_are_gifts_to_send,
];

/// A server whose demo room is on, and which is its own payment service.
async fn with_demo(api: &Api) -> Result<OwnServer, NotApplicable> {
    api.own_server(|config| {
        config.demo.enable = true;
        config.gift.gift_addr = "http://127.0.0.1:1/manager/gift/test".to_owned();
    })
    .await
}

async fn a_visitor_becomes_a_user_of_a_new_id(api: Api) -> Verdict {
    let own = with_demo(&api).await?;
    let api = own.api();
    let mut ids = HashSet::new();
    for nick in [json!("Ann"), json!("Ann"), json!(null)] {
        let answer = api.post("/demo/login").json(&json!({"nick": nick})).send().await;
        let visitor = answer.ok();
        let id = visitor["user_id"].as_str().expect("user_id");
        assert!(id.starts_with("demo-") && ids.insert(id.to_owned()), "{id}");
        let life = visitor["expires_at"].as_i64().expect("expires_at") - now();
        assert!((86_400 - 60..=86_400).contains(&life), "{life}");
        let shown = visitor["nick"].as_str().expect("nick");
        assert!(nick.as_str().map_or(shown.starts_with("Guest "), |nick| nick == shown), "{shown}");
        let user =
            User { id: id.to_owned(), token: visitor["access_token"].as_str().expect("a token").to_owned() };
        let profile = api.get("/client/user/profile").by(&user).send().await;
        assert_eq!((&profile.ok()["user_id"], &profile.ok()["nick"]), (&json!(id), &json!(shown)));
    }
    let bare = api.post("/demo/login").send().await;
    assert!(bare.ok()["nick"].as_str().expect("nick").starts_with("Guest "));
    own.stop().await;
    Ok(())
}

async fn names_of_visitors_are_checked(api: Api) -> Verdict {
    let own = with_demo(&api).await?;
    for nick in [json!(""), json!("x".repeat(65)), json!(7)] {
        own.api().post("/demo/login").json(&json!({"nick": nick})).send().await.bad_in("nick");
    }
    own.stop().await;
    Ok(())
}

async fn where_the_demo_is_off_nobody_becomes_a_user(api: Api) -> Verdict {
    let own = api.own_server(|_| {}).await?;
    let off = own.api();
    off.post("/demo/login").json(&json!({"nick": "Ann"})).send().await.not_found();
    let info = off.get("/demo/info").send().await;
    assert_eq!(info.ok()["is_enabled"], false);
    let types = off.get("/client/gift/config/-1").by(&off.user().await).send().await;
    assert_eq!(types.ok(), &json!([]));
    own.stop().await;
    Ok(())
}

async fn there_are_gifts_to_send(api: Api) -> Verdict {
    let own = with_demo(&api).await?;
    let api = own.api();
    let info = api.get("/demo/info").send().await;
    assert_eq!(info.ok()["is_enabled"], true);
    assert_eq!(info.ok()["payments"], "test");
    assert_eq!(info.ok()["version"], env!("CARGO_PKG_VERSION"));
    let types = api.get("/client/gift/config/-1").by(&api.user().await).send().await;
    let types = types.ok().as_array().expect("a list");
    assert_eq!(types.len(), 5);
    for kind in types {
        // Their pictures are files of the pages.
        let picture = kind["img"].as_str().expect("a picture");
        assert!(picture.starts_with("/gifts/"), "{kind}");
        assert!(std::path::Path::new("web/pages/public").join(&picture[1..]).exists(), "{picture}");
    }
    own.stop().await;
    Ok(())
}
