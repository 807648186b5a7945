//! Bans from the platform, and the tokens that they revoke.

use std::time::Duration;

use serde_json::{Value, json};

use super::client::{Call, escape};
use super::sign::{jwt, jwt_parts};
use super::target::Target;
use super::world::{User, eventually, now, unique};
use super::{Api, Verdict, cases};

cases![
    who_is_banned_gets_nowhere,
    tokens_from_before_a_ban_are_revoked_for_good,
    tokens_of_unknown_age_are_revoked_too,
    a_platform_ban_ends_by_itself,
    bans_are_listed_latest_first,
    bans_have_limits,
    unknown_users_cannot_be_banned,
];

/// The target, for calls of users who are banned: any of theirs is 403, which says nothing of the routes.
fn unlisted(api: &Api) -> Api {
    Api::new(Target::clone(&api.target), api.backend)
}

/// A call about the ban of `user_id` by a backend or an administrator.
fn calls(api: &Api, boss: &User, method: &str, user_id: &str) -> [Call; 2] {
    let user_id = escape(user_id);
    [
        api.call(method, format!("/server/bans/{user_id}")).server(),
        api.call(method, format!("/admin/bans/{user_id}")).by(boss),
    ]
}

async fn who_is_banned_gets_nowhere(api: Api) -> Verdict {
    let boss = api.operator().await;
    for desk in 0..2 {
        let user = api.user().await;
        let live = api.live_room(&user).await;
        let ban = json!({"duration_s": 600, "reason": "fraud"});
        calls(&api, &boss, "PUT", &user.id)[desk].clone().json(&ban).send().await.done();
        for (method, target) in [
            ("GET", "/client/user/profile".to_owned()),
            ("GET", format!("/client/live/room/heartbeat/{live}")),
            ("POST", "/client/live/room/instance".to_owned()),
            ("GET", "/client/app/config".to_owned()),
        ] {
            let answer = unlisted(&api).call(method, target).by(&user).send().await;
            answer.forbidden();
            let message = answer.message();
            assert!(message.contains("banned until 20") && message.ends_with(": fraud"), "{answer:?}");
        }
        // Others see them as before.
        api.get(format!("/server/user/info/{}", user.id)).server().send().await.ok();
        // Nor does another token help.
        let again = api.user_called(&user.id).await;
        unlisted(&api).get("/client/user/profile").by(&again).send().await.forbidden();
        for _ in 0..2 {
            calls(&api, &boss, "DELETE", &user.id)[desk].clone().send().await.done();
        }
        api.get("/client/user/profile").by(&again).send().await.ok();
    }
    Ok(())
}

async fn tokens_from_before_a_ban_are_revoked_for_good(api: Api) -> Verdict {
    let user = api.user().await;
    let (_, claims) = jwt_parts(&user.token);
    assert!((now() - 60..=now()).contains(&claims["iat"].as_i64().expect("iat")), "{claims}");
    let ban = format!("/server/bans/{}", user.id);
    api.put(&ban).server().send().await.done();
    let refused = unlisted(&api).get("/client/user/profile").by(&user).send().await;
    refused.forbidden();
    assert_eq!(refused.message(), "you are banned", "without an end and a reason");
    api.delete(&ban).server().send().await.done();
    api.get("/client/user/profile").by(&user).send().await.unauthorized();
    // One that is issued in the same second is another one.
    let again = api.user_called(&user.id).await;
    api.get("/client/user/profile").by(&again).send().await.ok();
    api.get("/client/user/profile").by(&user).send().await.unauthorized();
    Ok(())
}

async fn tokens_of_unknown_age_are_revoked_too(api: Api) -> Verdict {
    let key = api.jwt_key()?.to_owned();
    let user = api.user().await;
    let claims = json!({"exp": now() + 600, "AppId": "suite", "UserId": user.id, "DeviceId": "", "Role": ""});
    let token = jwt(&key, "HS256", &claims);
    let quiet = unlisted(&api);
    let profile = || quiet.get("/client/user/profile").authorization(token.clone()).send();
    profile().await.ok();
    let ban = format!("/server/bans/{}", user.id);
    api.put(&ban).server().send().await.done();
    profile().await.forbidden();
    api.delete(&ban).server().send().await.done();
    profile().await.unauthorized();
    Ok(())
}

async fn a_platform_ban_ends_by_itself(api: Api) -> Verdict {
    let user = api.user().await;
    let ban = json!({"duration_s": 1});
    api.put(format!("/server/bans/{}", user.id)).server().json(&ban).send().await.done();
    let quiet = unlisted(&api);
    eventually("the ban is over", Duration::from_secs(10), || async {
        quiet.get("/client/user/profile").by(&user).send().await.status == 401
    })
    .await;
    let again = api.user_called(&user.id).await;
    api.get("/client/user/profile").by(&again).send().await.ok();
    Ok(())
}

async fn bans_are_listed_latest_first(api: Api) -> Verdict {
    let boss = api.operator().await;
    let (one, two) = (api.user().await, api.user().await);
    let ban = json!({"duration_s": 600, "reason": "fraud"});
    api.put(format!("/admin/bans/{}", one.id)).by(&boss).json(&ban).send().await.done();
    super::world::next_second().await;
    api.put(format!("/server/bans/{}", two.id)).server().send().await.done();
    let mut rows: Vec<Value> = Vec::new();
    for page in 1.. {
        let answer = api.get(format!("/admin/bans?page_num={page}&page_size=200")).by(&boss).send().await;
        rows.extend(answer.ok()["list"].as_array().expect("a list").iter().cloned());
        if answer.ok()["end_page"] == true {
            break;
        }
    }
    let at = |user: &User| rows.iter().position(|row| row["user"]["user_id"] == user.id).expect("is listed");
    assert!(at(&two) < at(&one));
    let row = &rows[at(&one)];
    assert_eq!((&row["by"], &row["reason"]), (&json!(boss.id), &json!("fraud")));
    let until = row["until"].as_i64().expect("until");
    assert!((now() + 500..=now() + 601).contains(&until), "{until}");
    assert_eq!((&rows[at(&two)]["until"], &rows[at(&two)]["by"]), (&json!(0), &json!("")));
    for user in [&one, &two] {
        api.delete(format!("/server/bans/{}", user.id)).server().send().await.done();
    }
    let after = api.get("/server/bans?page_size=200").server().send().await;
    assert!(!after.ok().to_string().contains(&one.id), "who was let in again is not listed");
    api.get("/admin/bans?page_num=0").by(&boss).send().await.bad_in("page_num");
    api.get("/server/bans?page_num=0").server().send().await.bad_in("page_num");
    Ok(())
}

async fn bans_have_limits(api: Api) -> Verdict {
    let boss = api.operator().await;
    let user = api.user().await;
    for (field, value) in [
        ("duration_s", json!(0)),
        ("duration_s", json!(31_536_001)),
        ("duration_s", json!(1.5)),
        ("reason", json!("x".repeat(256))),
    ] {
        for call in calls(&api, &boss, "PUT", &user.id) {
            call.json(&json!({field: value})).send().await.bad_in(field);
        }
    }
    for method in ["PUT", "DELETE"] {
        for call in calls(&api, &boss, method, &"x".repeat(65)) {
            call.send().await.bad_in("user_id");
        }
    }
    api.get("/client/user/profile").by(&user).send().await.ok();
    Ok(())
}

async fn unknown_users_cannot_be_banned(api: Api) -> Verdict {
    let boss = api.operator().await;
    let user = api.user().await;
    for id in [unique("nobody"), user.id.to_uppercase()] {
        for method in ["PUT", "DELETE"] {
            for call in calls(&api, &boss, method, &id) {
                call.send().await.not_found();
            }
        }
    }
    api.get("/client/user/profile").by(&user).send().await.ok();
    Ok(())
}
