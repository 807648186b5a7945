//! http-api.md §2 and §3: tokens of clients and managers.

use serde_json::{Value, json};

use super::client::Call;
use super::sign::{jwt, jwt_hs512, jwt_parts, unsigned};
use super::world::{now, unique};
use super::{Api, NotApplicable, Verdict, cases};

cases![
    a_token_lets_its_user_in,
    a_bearer_prefix_is_accepted,
    a_token_creates_its_user,
    a_token_lives_seven_days_by_default,
    a_token_ends_when_asked,
    tokens_of_other_issuers_are_read,
    a_token_that_ends_in_the_past_is_refused,
    token_parameters_are_checked,
    a_token_carries_the_documented_claims,
    client_calls_want_credentials,
    a_forged_token_is_refused,
    an_expired_token_is_499,
    only_hs256_is_accepted,
    an_expiry_is_required,
    claim_names_are_exact,
    the_user_of_a_token_exists,
    an_admin_token_is_no_client_token,
    an_admin_token_says_admin,
    admin_token_parameters_are_checked,
    a_manager_logs_in,
    a_plain_password_is_upgraded_on_login,
    a_wrong_login_does_not_say_what_was_wrong,
    a_login_wants_both_fields,
    the_app_config_names_the_im,
];

const TOKEN: &str = "/server/auth/token?app_id=suite&user_id=";

fn claims(user: &str) -> Value {
    json!({"exp": now() + 600, "AppId": "suite", "UserId": user, "DeviceId": "d", "Role": ""})
}

fn profile(api: &Api, authorization: impl Into<String>) -> Call {
    api.get("/client/user/profile").authorization(authorization)
}

async fn a_token_lets_its_user_in(api: Api) -> Verdict {
    let user = api.user().await;
    assert_eq!(profile(&api, &user.token).send().await.ok()["user_id"], user.id);
    Ok(())
}

async fn a_bearer_prefix_is_accepted(api: Api) -> Verdict {
    let user = api.user().await;
    assert_eq!(profile(&api, format!("Bearer {}", user.token)).send().await.ok()["user_id"], user.id);
    Ok(())
}

async fn a_token_creates_its_user(api: Api) -> Verdict {
    let id = unique("new");
    let info = format!("/server/user/info/{id}");
    api.get(&info).server().send().await.not_found();
    api.user_called(&id).await;
    assert_eq!(api.get(&info).server().send().await.ok()["user_id"], id);
    api.user_called(&id).await;
    Ok(())
}

async fn a_token_lives_seven_days_by_default(api: Api) -> Verdict {
    let week = 7 * 24 * 3600;
    for rest in ["", "&expires_at=0"] {
        let before = now();
        let answer = api.get(format!("{TOKEN}{}{rest}", unique("u"))).server().send().await;
        let ends = answer.ok()["expires_at"].as_i64().expect("expires_at");
        assert!((before + week - 60..=now() + week + 60).contains(&ends), "{answer:?}");
        let (_, claims) = jwt_parts(answer.ok()["access_token"].as_str().expect("access_token"));
        assert_eq!(claims["exp"], ends, "{answer:?}");
    }
    Ok(())
}

async fn a_token_ends_when_asked(api: Api) -> Verdict {
    let ends = now() + 3600;
    let answer = api.get(format!("{TOKEN}{}&expires_at={ends}", unique("u"))).server().send().await;
    assert_eq!(answer.ok()["expires_at"], ends);
    let token = answer.ok()["access_token"].as_str().expect("access_token");
    assert_eq!(jwt_parts(token).1["exp"], ends);
    profile(&api, token).send().await.ok();
    Ok(())
}

async fn tokens_of_other_issuers_are_read(api: Api) -> Verdict {
    let key = api.jwt_key()?;
    let user = api.user().await;
    let with = |more: Value| {
        let mut claims = json!({"exp": now() + 600, "UserId": user.id});
        claims.as_object_mut().expect("claims").extend(more.as_object().expect("claims").clone());
        profile(&api, jwt(key, "HS256", &claims))
    };
    let seconds = f64::from(u32::try_from(now()).expect("this century"));
    for good in [
        json!({}),
        json!({"nbf": now() + 30, "iat": now() + 30}),
        json!({"exp": seconds + 600.5, "nbf": seconds - 0.5, "iat": seconds - 0.5}),
        json!({"AppId": null, "DeviceId": null, "Role": null, "nbf": null, "iat": null}),
    ] {
        with(good).send().await.ok();
    }
    for bad in [
        json!({"nbf": now() + 120}),
        json!({"exp": (now() + 600) * 1000}),
        json!({"exp": null}),
        json!({"UserId": null}),
    ] {
        with(bad).send().await.unauthorized();
    }
    Ok(())
}

async fn a_token_that_ends_in_the_past_is_refused(api: Api) -> Verdict {
    for ends in [now() - 60, 1, -1] {
        let answer = api.get(format!("{TOKEN}{}&expires_at={ends}", unique("u"))).server().send().await;
        answer.bad_in("expires_at");
    }
    Ok(())
}

async fn token_parameters_are_checked(api: Api) -> Verdict {
    let long = format!("app_id=a&user_id={}", "u".repeat(65));
    api.get("/server/auth/token").server().send().await.bad();
    let bad = [
        ("app_id=a", "user_id"),
        ("user_id=u", "app_id"),
        ("app_id=a&user_id=", "user_id"),
        ("app_id=&user_id=u", "app_id"),
        ("app_id=a&user_id=_", "user_id"),
        ("app_id=a&user_id=%20x", "user_id"),
        ("app_id=a&user_id=x%20", "user_id"),
        ("app_id=a&user_id=a%0Ab", "user_id"),
        (&long, "user_id"),
        ("app_id=a&user_id=u&expires_at=soon", "expires_at"),
        ("app_id=a&user_id=u&expires_at=1.5", "expires_at"),
        // Milliseconds.
        ("app_id=a&user_id=u&expires_at=1893456000000", "expires_at"),
        ("app_id=a&user_id=a%3Fb", "user_id"),
        ("app_id=a&user_id=a%E2%80%AEb", "user_id"),
        ("app_id=a&user_id=%E2%80%8B%E3%85%A4", "user_id"),
    ];
    for (query, field) in bad {
        api.get(format!("/server/auth/token?{query}")).server().send().await.bad_in(field);
    }
    Ok(())
}

async fn a_token_carries_the_documented_claims(api: Api) -> Verdict {
    let id = unique("u");
    let answer = api.get(format!("{TOKEN}{id}&device_id=phone")).server().send().await;
    let (header, claims) = jwt_parts(answer.ok()["access_token"].as_str().expect("access_token"));
    assert_eq!(header["alg"], "HS256");
    assert_eq!(claims["AppId"], "suite");
    assert_eq!(claims["UserId"], id);
    assert_eq!(claims["DeviceId"], "phone");
    assert_ne!(claims["Role"], "admin");
    Ok(())
}

async fn client_calls_want_credentials(api: Api) -> Verdict {
    for path in ["/client/user/profile", "/client/app/config", "/client/live/room/list"] {
        api.get(path).send().await.unauthorized();
        for nonsense in
            ["", "Bearer", "Bearer ", "x", "a.b.c", "Basic dXNlcjpwYXNz", "..", "Bearer Bearer a.b.c"]
        {
            api.get(path).authorization(nonsense).send().await.unauthorized();
        }
        let signed = api.get(path).signature(false);
        api.get(path).authorization(signed).send().await.unauthorized();
    }
    Ok(())
}

async fn a_forged_token_is_refused(api: Api) -> Verdict {
    let (user, other) = (api.user().await, api.user().await);
    let parts: Vec<&str> = user.token.split('.').collect();
    let foreign: Vec<&str> = other.token.split('.').collect();
    let forged = [
        jwt("another key", "HS256", &claims(&user.id)),
        format!("{}.{}.{}", parts[0], foreign[1], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        user.token.to_uppercase(),
    ];
    for token in forged {
        profile(&api, token).send().await.unauthorized();
    }
    Ok(())
}

async fn an_expired_token_is_499(api: Api) -> Verdict {
    let key = api.jwt_key()?;
    let user = api.user().await;
    let mut past = claims(&user.id);
    past["exp"] = json!(now() - 3600);
    let answer = profile(&api, jwt(key, "HS256", &past)).send().await;
    answer.refused(401, 499).says("Your token is expired");
    profile(&api, jwt("another key", "HS256", &past)).send().await.unauthorized();
    Ok(())
}

async fn only_hs256_is_accepted(api: Api) -> Verdict {
    let key = api.jwt_key()?;
    let user = api.user().await;
    let claims = claims(&user.id);
    profile(&api, jwt(key, "HS256", &claims)).send().await.ok();
    let mut refused = vec![jwt_hs512(key, &claims)];
    for alg in ["none", "None", "NONE", ""] {
        refused.push(format!("{}.", unsigned(alg, &claims)));
        refused.push(unsigned(alg, &claims));
        refused.push(jwt(key, alg, &claims));
    }
    for alg in ["HS384", "HS512", "RS256", "ES256", "hs256"] {
        refused.push(jwt(key, alg, &claims));
    }
    for token in refused {
        profile(&api, token).send().await.unauthorized();
    }
    Ok(())
}

async fn an_expiry_is_required(api: Api) -> Verdict {
    let key = api.jwt_key()?;
    let user = api.user().await;
    let mut without = claims(&user.id);
    without.as_object_mut().expect("claims").remove("exp");
    profile(&api, jwt(key, "HS256", &without)).send().await.unauthorized();
    for exp in [json!(null), json!("tomorrow")] {
        let mut odd = claims(&user.id);
        odd["exp"] = exp;
        profile(&api, jwt(key, "HS256", &odd)).send().await.unauthorized();
    }
    Ok(())
}

async fn claim_names_are_exact(api: Api) -> Verdict {
    let key = api.jwt_key()?;
    let user = api.user().await;
    for name in ["userId", "user_id", "userid", "sub"] {
        let odd = json!({"exp": now() + 600, "AppId": "suite", name: user.id});
        profile(&api, jwt(key, "HS256", &odd)).send().await.unauthorized();
    }
    let no_text = json!({"exp": now() + 600, "AppId": "suite", "UserId": 7});
    profile(&api, jwt(key, "HS256", &no_text)).send().await.unauthorized();
    Ok(())
}

async fn the_user_of_a_token_exists(api: Api) -> Verdict {
    let key = api.jwt_key()?;
    let id = unique("ghost");
    profile(&api, jwt(key, "HS256", &claims(&id))).send().await.unauthorized();
    api.user_called(&id).await;
    profile(&api, jwt(key, "HS256", &claims(&id))).send().await.ok();
    profile(&api, jwt(key, "HS256", &claims(&id.to_uppercase()))).send().await.unauthorized();
    Ok(())
}

async fn an_admin_token_is_no_client_token(api: Api) -> Verdict {
    let id = unique("admin");
    let answer = api.get(format!("/server/auth/admin/token?app_id=suite&user_id={id}")).server().send().await;
    let token = answer.ok()["access_token"].as_str().expect("access_token").to_owned();
    profile(&api, &token).send().await.forbidden();
    api.get(format!("/server/user/info/{id}")).server().send().await.not_found();
    // Also where a user is called as the administrator is.
    api.user_called(&id).await;
    profile(&api, &token).send().await.forbidden();
    let boss = api.operator().await;
    api.delete(format!("/admin/users/{id}")).by(&boss).send().await.done();
    profile(&api, &token).send().await.unauthorized();
    Ok(())
}

async fn an_admin_token_says_admin(api: Api) -> Verdict {
    let (id, ends) = (unique("admin"), now() + 1000);
    let target = format!("/server/auth/admin/token?app_id=suite&user_id={id}&device_id=d&expires_at={ends}");
    for _ in 0..2 {
        let answer = api.get(&target).server().send().await;
        assert_eq!(answer.ok()["expires_at"], ends);
        let (header, mut claims) = jwt_parts(answer.ok()["access_token"].as_str().expect("access_token"));
        assert_eq!(header["alg"], "HS256");
        let issued = claims.as_object_mut().and_then(|claims| claims.shift_remove("iat"));
        assert!(issued.and_then(|at| at.as_i64()).is_none_or(|at| (now() - 60..=now()).contains(&at)));
        let wanted = json!({"exp": ends, "AppId": "suite", "UserId": id, "DeviceId": "d", "Role": "admin"});
        assert_eq!(claims, wanted);
    }
    Ok(())
}

async fn admin_token_parameters_are_checked(api: Api) -> Verdict {
    let path = "/server/auth/admin/token";
    api.get(format!("{path}?app_id=a")).server().send().await.bad_in("user_id");
    api.get(format!("{path}?user_id=u")).server().send().await.bad_in("app_id");
    api.get(format!("{path}?app_id=a&user_id=u&expires_at=1")).server().send().await.bad_in("expires_at");
    let new = format!("{path}?app_id=a&user_id={}%3F", unique("new"));
    api.get(new).server().send().await.bad_in("user_id");
    api.get(format!("{path}?app_id=a&user_id=u")).send().await.unauthorized();
    Ok(())
}

async fn a_manager_logs_in(api: Api) -> Verdict {
    let (name, password) = api
        .target
        .admin
        .as_ref()
        .ok_or(NotApplicable("LIVELOOM_TARGET_ADMIN_NAME and _PASSWORD are not set"))?;
    let (name_text, password_text) = (super::client::escape(name), super::client::escape(password));
    let form = format!("user_name={name_text}&password={password_text}");
    let calls = [
        api.post("/manager/login").json(&json!({"user_name": name, "password": password})),
        api.post("/manager/login").body("application/x-www-form-urlencoded", form.clone()),
        // As curl sends what it is told by -d.
        api.post("/manager/login").body(
            "application/x-www-form-urlencoded",
            format!("\u{feff} \n{}", json!({"user_name": name, "password": password})),
        ),
        api.get(format!("/manager/login?{form}")),
        api.post("/manager/login").json(&json!({"User_Name": name, "PASSWORD": password, "more": 1})),
    ];
    for call in calls {
        let answer = call.send().await;
        assert!(answer.ok()["expires_at"].as_i64().is_some_and(|ends| ends > now()), "{answer:?}");
        let (_, claims) = jwt_parts(answer.ok()["access_token"].as_str().expect("access_token"));
        assert_eq!(claims["Role"], "admin");
    }
    Ok(())
}

async fn a_plain_password_is_upgraded_on_login(api: Api) -> Verdict {
    let own = api.own_server(|_| {}).await?;
    let (name, password) = own.api().target.admin.clone().expect("an administrator");
    assert_eq!(own.admin_password().await, password);
    let login = |password: &str| {
        own.api().post("/manager/login").json(&json!({"user_name": name, "password": password})).send()
    };
    login("wrong").await.refused(403, 30001);
    assert_eq!(own.admin_password().await, password);
    login(&password).await.ok();
    let stored = own.admin_password().await;
    assert!(stored.starts_with("$argon2id$"), "{stored}");
    login(&password).await.ok();
    login(&stored).await.refused(403, 30001);
    own.stop().await;
    Ok(())
}

async fn a_wrong_login_does_not_say_what_was_wrong(api: Api) -> Verdict {
    let known = api.target.admin.as_ref().map_or("nobody", |(name, _)| name);
    for name in [known, "somebody else", "' OR 1=1 --", "%"] {
        let body = json!({"user_name": name, "password": "wrong"});
        let answer = api.post("/manager/login").json(&body).send().await;
        answer.refused(403, 30001).says("Invalid username or password");
    }
    let answer = api.get("/manager/login?user_name=x&password=y").send().await;
    answer.refused(403, 30001).says("Invalid username or password");
    Ok(())
}

async fn a_login_wants_both_fields(api: Api) -> Verdict {
    for body in [json!({}), json!({"user_name": 5, "password": "x"}), json!([]), json!("text")] {
        api.post("/manager/login").json(&body).send().await.bad();
    }
    api.post("/manager/login").json(&json!({"user_name": "a"})).send().await.bad_in("password");
    api.post("/manager/login").json(&json!({"password": "a"})).send().await.bad_in("user_name");
    api.post("/manager/login").body("application/json", "{").send().await.bad();
    api.get("/manager/login?user_name=x").send().await.bad_in("password");
    Ok(())
}

async fn the_app_config_names_the_im(api: Api) -> Verdict {
    let user = api.user().await;
    let answer = api.get("/client/app/config").by(&user).send().await;
    assert!(answer.ok()["im_app_id"].is_string(), "{answer:?}");
    if api.backend.is_some() {
        assert!(answer.ok()["realtime_url"].as_str().is_some_and(|url| !url.is_empty()), "{answer:?}");
    }
    Ok(())
}
