//! signing.md §3: the addresses of a room's stream, under every `pili.security_type`.

use config::{Secret, SecurityType};
use serde_json::{Value, json};

use super::hooks::Stream;
use super::sign;
use super::world::now;
use super::{Api, NotApplicable, Verdict, cases};

cases![
    play_urls_are_made_of_the_configuration,
    an_unsigned_push_url_is_the_base_url,
    a_push_url_is_signed_with_the_publish_key,
    a_publish_url_replaces_the_domain,
];

async fn room(api: &Api) -> (String, Value) {
    let room = api.room_with(&api.user().await, json!({"title": "t"})).await;
    (room["live_id"].as_str().expect("live_id").to_owned(), room)
}

async fn play_urls_are_made_of_the_configuration(api: Api) -> Verdict {
    if api.backend.is_none() {
        return Err(NotApplicable("wants a configuration of its own"));
    }
    let (id, room) = room(&api).await;
    assert_eq!(room["rtmp_url"], format!("rtmp://rtmp.example/hub/live-{id}"));
    assert_eq!(room["flv_url"], format!("https://flv.example/hub/live-{id}.flv"));
    assert_eq!(room["hls_url"], format!("https://hls.example/hub/live-{id}.m3u8"));
    let push = room["push_url"].as_str().expect("push_url");
    assert!(push.starts_with(&format!("rtmp://publish.example/hub/live-{id}?e=")), "{push}");
    Ok(())
}

async fn an_unsigned_push_url_is_the_base_url(api: Api) -> Verdict {
    let own = api.own_server(|config| config.pili.security_type = SecurityType::None).await?;
    let (id, room) = room(&own.api()).await;
    let push = room["push_url"].as_str().expect("push_url");
    assert_eq!(push, format!("rtmp://publish.example/hub/live-{id}"));
    Stream::of_url(push).refused(&own.api()).await;
    own.stop().await;
    let told = api
        .own_server(|config| {
            config.pili.security_type = SecurityType::None;
            config.hooks.allow_unsigned = true;
        })
        .await?;
    let (_, room) = self::room(&told.api()).await;
    Stream::of_url(room["push_url"].as_str().expect("push_url")).accepted(&told.api(), "1").await;
    told.stop().await;
    Ok(())
}

async fn a_push_url_is_signed_with_the_publish_key(api: Api) -> Verdict {
    let own = api
        .own_server(|config| {
            config.pili.security_type = SecurityType::Expiry;
            config.pili.publish_key = Secret::new("publish key");
            config.pili.publish_expire_s = 100;
        })
        .await?;
    let before = now();
    let (id, room) = room(&own.api()).await;
    let push = room["push_url"].as_str().expect("push_url");
    let ends: i64 = push.split(['=', '&']).nth(1).expect("expire").parse().expect("seconds");
    assert!((before + 100..=now() + 100).contains(&ends), "{push}");
    let token = sign::qiniu("publish key", format!("/hub/live-{id}?expire={ends}").as_bytes());
    assert_eq!(push, format!("rtmp://publish.example/hub/live-{id}?expire={ends}&token={token}"));
    let stream = Stream::of_url(push);
    stream.accepted(&own.api(), "1").await;
    Stream { query: stream.query.replace("expire=", "e="), ..stream.clone() }.refused(&own.api()).await;
    Stream { query: format!("expire={}&token={token}", ends + 1), ..stream }.refused(&own.api()).await;
    own.stop().await;
    Ok(())
}

async fn a_publish_url_replaces_the_domain(api: Api) -> Verdict {
    let own = api.own_server(|config| config.pili.publish_url = "rtmp://127.0.0.1:1935".to_owned()).await?;
    let (id, room) = room(&own.api()).await;
    let push = room["push_url"].as_str().expect("push_url");
    assert!(push.starts_with(&format!("rtmp://127.0.0.1:1935/hub/live-{id}?e=")), "{push}");
    Stream::of_url(push).accepted(&own.api(), "1").await;
    own.stop().await;
    Ok(())
}
