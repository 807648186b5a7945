//! Guessers of passwords: they wait longer and longer, and operators do not wait for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;

use super::answer::Answer;
use super::own::OwnServer;
use super::world::{eventually, unique};
use super::{Api, NotApplicable, Verdict, cases};

cases![
    guesses_from_one_network_at_one_account_are_slowed_down,
    an_address_that_is_known_is_not_delayed_by_its_neighbours,
    guessers_who_wait_for_a_check_are_sent_away_and_operators_let_in,
    whoever_guesses_the_password_of_a_session_is_slowed_down_too,
];

const PASSWORD: &str = "a good password";

/// A server that slows guessers down and believes its proxy, and an administrator of it.
async fn server(api: &Api) -> Result<(OwnServer, String), NotApplicable> {
    let own = api
        .own_server(|config| {
            config.limits.login_failures = 5;
            config.httpq.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
        })
        .await?;
    let name = administrator(&own.api()).await;
    Ok((own, name))
}

async fn administrator(api: &Api) -> String {
    let (boss, name) = (api.operator().await, unique("admin"));
    let body = json!({"user_name": name, "password": PASSWORD});
    api.post("/admin/users").by(&boss).json(&body).send().await.ok();
    name
}

/// A log-in from `ip`, which is not repeated.
async fn log_in(api: &Api, ip: &str, name: &str, password: &str) -> Answer {
    let body = json!({"user_name": name, "password": password});
    let call = api.post("/manager/session").header("X-Forwarded-For", ip).json(&body);
    let answer = call.once().send().await;
    assert!([200, 403, 429].contains(&answer.status), "{answer:?}");
    answer
}

/// Guesses from `ip` until the guesser has to wait for longer than a call may take on a busy machine.
async fn guess_until_paused(api: &Api, ip: &str, name: &str) {
    eventually("the pause is long", Duration::from_secs(120), || async {
        let guessed = log_in(api, ip, name, "a bad password").await;
        guessed.status == 429 && {
            let wait: u64 = guessed.header("retry-after").parse().expect("Retry-After");
            assert!((1..=900).contains(&wait), "{guessed:?}");
            wait >= 4
        }
    })
    .await;
}

async fn guesses_from_one_network_at_one_account_are_slowed_down(api: Api) -> Verdict {
    let (own, name) = server(&api).await?;
    let api = own.api();
    for (network, neighbour, elsewhere) in [
        ("192.0.2.1", "192.0.2.200", "198.51.100.1"),
        ("2001:db8:1:2::1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:3::1"),
    ] {
        let first = log_in(&api, network, &name, "a bad password").await;
        first.refused(403, 30001);
        // Not even the right password is looked at meanwhile, also from the neighbours.
        guess_until_paused(&api, network, &name).await;
        log_in(&api, neighbour, &name, PASSWORD).await.refused(429, 429);
        // Another account from there, and this one from elsewhere.
        log_in(&api, network, &unique("other"), "a bad password").await.refused(403, 30001);
        log_in(&api, elsewhere, &name, PASSWORD).await.ok();
    }
    // The other way to log in is the same account.
    let body = json!({"user_name": name, "password": PASSWORD});
    guess_until_paused(&api, "192.0.2.2", &name).await;
    let other_way = api.post("/manager/login").header("X-Forwarded-For", "192.0.2.3").json(&body);
    other_way.once().send().await.refused(429, 429);
    own.stop().await;
    Ok(())
}

async fn an_address_that_is_known_is_not_delayed_by_its_neighbours(api: Api) -> Verdict {
    let (own, name) = server(&api).await?;
    let api = own.api();
    log_in(&api, "203.0.113.5", &name, PASSWORD).await.ok();
    guess_until_paused(&api, "203.0.113.6", &name).await;
    log_in(&api, "203.0.113.7", &name, PASSWORD).await.refused(429, 429);
    log_in(&api, "203.0.113.5", &name, PASSWORD).await.ok();
    // Guesses from the known address are counted all the same.
    guess_until_paused(&api, "203.0.113.5", &name).await;
    own.stop().await;
    Ok(())
}

async fn guessers_who_wait_for_a_check_are_sent_away_and_operators_let_in(api: Api) -> Verdict {
    let (own, name) = server(&api).await?;
    let api = own.api();
    log_in(&api, "203.0.113.5", &name, PASSWORD).await.ok();
    let (stop, sent_away) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let guessers = (0..60).map(|number| {
        let (api, stop, sent_away) = (api.clone(), Arc::clone(&stop), Arc::clone(&sent_away));
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let ip = format!("10.{number}.1.1");
                let answer = log_in(&api, &ip, &unique("nobody"), "a bad password").await;
                if answer.status == 429 {
                    assert_eq!(answer.header("retry-after"), "1", "{answer:?}");
                    sent_away.store(true, Ordering::Relaxed);
                }
            }
        })
    });
    let guessers: Vec<_> = guessers.collect();
    for _ in 0..3 {
        log_in(&api, "203.0.113.5", &name, PASSWORD).await.ok();
    }
    eventually("a guesser is sent away", Duration::from_secs(60), || async {
        sent_away.load(Ordering::Relaxed)
    })
    .await;
    stop.store(true, Ordering::Relaxed);
    for guesser in guessers {
        guesser.await.expect("a guesser ends well");
    }
    own.stop().await;
    Ok(())
}

async fn whoever_guesses_the_password_of_a_session_is_slowed_down_too(api: Api) -> Verdict {
    let (own, name) = server(&api).await?;
    let api = own.api();
    let body = json!({"user_name": name, "password": PASSWORD});
    let token = api.post("/manager/login").json(&body).send().await;
    let token = token.ok()["access_token"].as_str().expect("a token").to_owned();
    let body = json!({"password": "quite another password", "old_password": "a bad password"});
    eventually("the guesser has to wait", Duration::from_secs(120), || async {
        let call = api.put(format!("/admin/users/{name}")).authorization(&token).json(&body);
        let answer = call.header("X-Forwarded-For", "192.0.2.9").once().send().await;
        assert!([403, 429].contains(&answer.status), "{answer:?}");
        answer.status == 429
    })
    .await;
    own.stop().await;
    Ok(())
}
