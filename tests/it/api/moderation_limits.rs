//! What moderation refuses: bad input, unknown rooms, users and messages.

use serde_json::{Value, json};

use super::moderation::{ALL, Desks};
use super::world::unique;
use super::{Api, Verdict, cases};

cases![limits_are_checked, unknown_rooms_and_users_are_told, messages_that_are_not_kept_cannot_be_deleted,];

async fn limits_are_checked(api: Api) -> Verdict {
    let desks = Desks::new(&api).await;
    let guest = api.user().await;
    let long = "x".repeat(256);
    let bad: [(&str, &str, &str, Value); 9] = [
        ("PUT", "mutes", "duration_s", json!(0)),
        ("PUT", "mutes", "duration_s", json!(31_536_001)),
        ("PUT", "mutes", "duration_s", json!("1")),
        ("PUT", "mutes", "reason", json!(long)),
        ("PUT", "bans", "duration_s", json!(-1)),
        ("PUT", "bans", "reason", json!(long)),
        ("POST", "kick", "reason", json!(long)),
        ("PUT", "", "slow_mode_s", json!(3601)),
        ("PUT", "", "is_muted", json!("yes")),
    ];
    for desk in ALL {
        for (method, kind, field, value) in &bad {
            let path = if kind.is_empty() { String::new() } else { format!("/{kind}/{}", guest.id) };
            desks.call(desk, method, &path).json(&json!({*field: value})).send().await.bad_in(field);
        }
        let year = json!({"duration_s": 31_536_000, "reason": "x".repeat(255)});
        desks.call(desk, "PUT", &format!("/mutes/{}", guest.id)).json(&year).send().await.done();
        desks.call(desk, "PUT", &format!("/mutes/{}", "x".repeat(65))).send().await.bad();
    }
    Ok(())
}

async fn unknown_rooms_and_users_are_told(api: Api) -> Verdict {
    let desks = Desks::new(&api).await;
    let guest = api.user().await;
    let routes = [
        ("GET", String::new()),
        ("PUT", String::new()),
        ("GET", "/moderators".to_owned()),
        ("PUT", format!("/moderators/{}", guest.id)),
        ("DELETE", format!("/moderators/{}", guest.id)),
        ("GET", "/mutes".to_owned()),
        ("PUT", format!("/mutes/{}", guest.id)),
        ("DELETE", format!("/mutes/{}", guest.id)),
        ("GET", "/bans".to_owned()),
        ("PUT", format!("/bans/{}", guest.id)),
        ("DELETE", format!("/bans/{}", guest.id)),
        ("POST", format!("/kick/{}", guest.id)),
        ("DELETE", "/messages/0123456789abcdef/1".to_owned()),
    ];
    for desk in ALL {
        for (method, path) in &routes {
            desks.call_in(desk, "no-such-room", method, path).send().await.not_found();
            desks.call_in(desk, &"x".repeat(65), method, path).send().await.bad_in("live_id");
        }
        for (method, path) in [("PUT", "moderators"), ("PUT", "mutes"), ("PUT", "bans"), ("POST", "kick")] {
            let path = format!("/{path}/{}", unique("nobody"));
            desks.call(desk, method, &path).send().await.not_found();
        }
    }
    Ok(())
}

async fn messages_that_are_not_kept_cannot_be_deleted(api: Api) -> Verdict {
    let desks = Desks::new(&api).await;
    for desk in ALL {
        desks.call(desk, "DELETE", "/messages/0123456789abcdef/1").send().await.not_found();
        for (message, field) in [
            ("0123456789abcde/1", "epoch"),
            ("0123456789abcdeg/1", "epoch"),
            ("+123456789abcdef/1", "epoch"),
            ("0123456789abcdef/-1", "offset"),
            ("0123456789abcdef/x", "offset"),
            ("0123456789abcdef/18446744073709551616", "offset"),
        ] {
            desks.call(desk, "DELETE", &format!("/messages/{message}")).send().await.bad_in(field);
        }
    }
    Ok(())
}
