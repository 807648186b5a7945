//! signing.md §3: media servers ask whether a stream may be published.

use config::Secret;
use serde_json::{Value, json};

use super::answer::Answer;
use super::client::{Call, escape};
use super::sign;
use super::world::{now, unique};
use super::{Api, Verdict, cases};

cases![
    the_push_url_of_a_room_is_accepted,
    an_unsigned_publish_is_refused,
    a_forged_publish_is_refused,
    an_expired_publish_is_refused,
    a_publish_into_an_ended_room_is_refused,
    a_publish_into_an_unknown_room_is_refused,
    a_hook_without_a_stream_is_not_accepted,
    a_publish_may_end_and_begin_again,
    the_end_of_a_foreign_session_changes_nothing,
    hooks_are_called_by_get_too,
    a_whip_publish_is_accepted,
    the_first_of_two_publishers_stays_up_when_the_second_is_refused,
    hooks_are_for_allowed_peers,
    hooks_are_for_those_who_know_the_secret,
];

/// A stream as a media server sees it: the parts of a push URL.
#[derive(Clone)]
pub struct Stream {
    pub app: String,
    pub name: String,
    /// Without a question mark.
    pub query: String,
}

impl Stream {
    /// The stream that a push URL leads to.
    pub fn of_url(url: &str) -> Self {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let mut parts = base.rsplitn(3, '/');
        let (name, app) = (parts.next().expect("a stream"), parts.next().expect("an app"));
        Self { app: app.to_owned(), name: name.to_owned(), query: query.to_owned() }
    }

    /// Signed with the account's keys, until then.
    fn signed(&self, keys: (&str, &str), ends: i64) -> Self {
        let text = format!("/{}/{}?e={ends}", self.app, self.name);
        let token = format!("{}:{}", keys.0, sign::qiniu(keys.1, text.as_bytes()));
        Self { query: format!("e={ends}&token={token}"), ..self.clone() }
    }

    /// As nginx-rtmp's `on_publish` and `on_publish_done` tell it: a form, the arguments of the URL in it.
    fn nginx(&self, api: &Api, call: &str, session: &str) -> Call {
        let tail = if self.query.is_empty() { String::new() } else { format!("&{}", self.query) };
        let form = format!(
            "app={}&flashver=FMLE/3.0&swfurl=&tcurl={}&pageurl=&addr=127.0.0.1&clientid={session}&call={call}&name={}&type=live{tail}",
            self.app,
            escape(&format!("rtmp://127.0.0.1/{}", self.app)),
            self.name,
        );
        api.post(format!("/hooks/{call}")).body("application/x-www-form-urlencoded", form)
    }

    /// As nginx-rtmp does it with `notify_method get`: behind a question mark, whatever the address has already.
    fn nginx_get(&self, api: &Api, call: &str, own_query: &str, session: &str) -> Call {
        let form = format!(
            "app={}&flashver=FMLE/3.0%20(compatible&swfurl=&tcurl=rtmp://127.0.0.1/{}&pageurl=&addr=127.0.0.1&\
             clientid={session}&call={call}&name={}&type=live&{}",
            self.app, self.app, self.name, self.query
        );
        api.get(format!("/hooks/{call}{own_query}?{form}"))
    }

    /// As SRS's `on_publish` and `on_unpublish` tell it.
    fn srs(&self, api: &Api, call: &str, session: &str) -> Call {
        let action = if call == "publish" { "on_publish" } else { "on_unpublish" };
        let param = if self.query.is_empty() { String::new() } else { format!("?{}", self.query) };
        let body = json!({
            "server_id": "vid-0xk989d", "service_id": "382k5d8o", "action": action, "client_id": session,
            "ip": "127.0.0.1", "vhost": "__defaultVhost__", "app": self.app,
            "tcUrl": format!("rtmp://127.0.0.1/{}{param}", self.app), "stream": self.name, "param": param,
            "stream_url": format!("/{}/{}", self.app, self.name), "stream_id": "vid-124q9y3",
        });
        api.post(format!("/hooks/{call}")).json(&body)
    }

    /// Panics unless both kinds of media servers are told to take it.
    pub async fn accepted(&self, api: &Api, session: &str) {
        self.nginx(api, "publish", session).send().await.ok();
        self.nginx(api, "publish_done", session).send().await.ok();
        self.srs(api, "publish", session).send().await.ok();
        self.srs(api, "publish_done", session).send().await.ok();
    }

    /// Panics unless both kinds of media servers are told to refuse it.
    pub async fn refused(&self, api: &Api) {
        self.nginx(api, "publish", "1").send().await.forbidden();
        self.srs(api, "publish", "1").send().await.forbidden();
    }
}

/// A room that `who` has made, and its stream.
async fn stream(api: &Api, live: bool) -> (super::world::User, String, Stream) {
    let anchor = api.user().await;
    let room: Value = api.room_with(&anchor, json!({"title": "t"})).await;
    let id = room["live_id"].as_str().expect("live_id").to_owned();
    if live {
        api.start(&anchor, &id).await;
    }
    (anchor, id, Stream::of_url(room["push_url"].as_str().expect("push_url")))
}

async fn the_push_url_of_a_room_is_accepted(api: Api) -> Verdict {
    api.stream_keys()?;
    for live in [false, true] {
        let (_, _, stream) = stream(&api, live).await;
        stream.accepted(&api, &unique("s")).await;
    }
    Ok(())
}

async fn an_unsigned_publish_is_refused(api: Api) -> Verdict {
    api.stream_keys()?;
    let (_, _, stream) = stream(&api, true).await;
    for query in ["", "e=", "token=", "e=99999999999", "e=99999999999&token=", "e=x&token=a:b"] {
        Stream { query: query.to_owned(), ..stream.clone() }.refused(&api).await;
    }
    Ok(())
}

async fn a_forged_publish_is_refused(api: Api) -> Verdict {
    let keys = api.stream_keys()?;
    let (_, _, stream) = stream(&api, true).await;
    let (_, _, other) = self::stream(&api, true).await;
    let ends = now() + 3600;
    stream.signed((keys.0, "another key"), ends).refused(&api).await;
    stream.signed(("another", keys.1), ends).refused(&api).await;
    Stream { query: other.query.clone(), ..stream.clone() }.refused(&api).await;
    let signed = stream.signed(keys, ends);
    let longer = signed.query.replacen(&ends.to_string(), &(ends + 1).to_string(), 1);
    Stream { query: longer, ..signed.clone() }.refused(&api).await;
    Stream { app: format!("{}x", signed.app), ..signed.clone() }.refused(&api).await;
    Stream { query: format!("x=1&{}", signed.query), ..signed.clone() }.refused(&api).await;
    signed.accepted(&api, &unique("s")).await;
    Ok(())
}

async fn an_expired_publish_is_refused(api: Api) -> Verdict {
    let keys = api.stream_keys()?;
    let (_, _, stream) = stream(&api, true).await;
    for ends in [now() - 10, 1, 0, -1] {
        stream.signed(keys, ends).refused(&api).await;
    }
    Ok(())
}

async fn a_publish_into_an_ended_room_is_refused(api: Api) -> Verdict {
    api.stream_keys()?;
    let (anchor, id, stream) = stream(&api, true).await;
    api.stop(&anchor, &id).await;
    stream.refused(&api).await;
    api.delete(format!("/server/live/{id}")).server().send().await.done();
    stream.refused(&api).await;
    Ok(())
}

async fn a_publish_into_an_unknown_room_is_refused(api: Api) -> Verdict {
    let keys = api.stream_keys()?;
    let (_, _, stream) = stream(&api, true).await;
    for name in ["1", "nope", "%"] {
        Stream { name: name.to_owned(), ..stream.clone() }
            .signed(keys, now() + 3600)
            .nginx(&api, "publish", "1")
            .send()
            .await
            .forbidden();
    }
    Ok(())
}

async fn a_hook_without_a_stream_is_not_accepted(api: Api) -> Verdict {
    api.stream_keys()?;
    for hook in ["/hooks/publish", "/hooks/publish_done"] {
        let bodies =
            [("application/json", "{"), ("application/json", "[]"), ("application/json", "{\"stream\":7}")];
        for (kind, body) in bodies {
            let answer = api.post(hook).body(kind, body).send().await;
            assert!([400, 403].contains(&answer.status), "{answer:?}");
        }
    }
    for (kind, body) in [("application/x-www-form-urlencoded", ""), ("application/json", "{}"), ("", "")] {
        let answer = api.post("/hooks/publish").body(kind, body).send().await;
        assert!([400, 403].contains(&answer.status), "{answer:?}");
    }
    api.put("/hooks/publish").send().await.refused(405, 405);
    Ok(())
}

async fn a_publish_may_end_and_begin_again(api: Api) -> Verdict {
    api.stream_keys()?;
    let (anchor, id, stream) = stream(&api, true).await;
    for session in [unique("s"), unique("s")] {
        stream.nginx(&api, "publish", &session).send().await.ok();
        stream.nginx(&api, "publish_done", &session).send().await.ok();
        stream.nginx(&api, "publish_done", &session).send().await.ok();
    }
    assert_eq!(api.info(&anchor, &id).await["live_status"], 1, "a stream that goes does not end the live");
    Ok(())
}

async fn the_end_of_a_foreign_session_changes_nothing(api: Api) -> Verdict {
    api.stream_keys()?;
    let (anchor, id, stream) = stream(&api, true).await;
    stream.srs(&api, "publish", "mine").send().await.ok();
    stream.srs(&api, "publish_done", "another").send().await;
    stream.srs(&api, "publish_done", "mine").send().await.ok();
    assert_eq!(api.info(&anchor, &id).await["live_status"], 1);
    Ok(())
}

async fn hooks_are_called_by_get_too(api: Api) -> Verdict {
    let keys = api.stream_keys()?;
    let (_, _, stream) = stream(&api, true).await;
    for _ in 0..2 {
        stream.nginx_get(&api, "publish", "", "g").send().await.ok();
        stream.nginx_get(&api, "publish_done", "", "g").send().await.ok();
    }
    let forged = stream.signed((keys.0, "another key"), now() + 3600);
    forged.nginx_get(&api, "publish", "", "g").send().await.forbidden();
    Stream { query: format!("name=x&{}", stream.query), ..stream.clone() }
        .nginx_get(&api, "publish", "", "g")
        .send()
        .await
        .bad();
    for hook in ["/hooks/publish", "/hooks/publish_done", "/hooks/publish?app=", "/hooks/publish_done?name=x"]
    {
        let answer = api.get(hook).send().await;
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    let own = api
        .own_server(|config| {
            config.hooks.allow = Vec::new();
            config.hooks.secret = Secret::new("hook secret");
        })
        .await?;
    let (_, _, stream) = self::stream(&own.api(), true).await;
    for call in ["publish", "publish_done"] {
        stream.nginx_get(&own.api(), call, "?secret=hook+secret", "g").send().await.ok();
        for query in ["", "?secret=another", "?app=secret&secret=hook+secret"] {
            stream.nginx_get(&own.api(), call, query, "g").send().await.forbidden();
        }
        // The publisher's own arguments bring no secret.
        Stream { query: format!("secret=hook+secret&{}", stream.query), ..stream.clone() }
            .nginx_get(&own.api(), call, "", "g")
            .send()
            .await
            .forbidden();
    }
    own.stop().await;
    Ok(())
}

async fn a_whip_publish_is_accepted(api: Api) -> Verdict {
    api.stream_keys()?;
    let (_, _, stream) = stream(&api, true).await;
    let whip = |name: &str| Stream {
        query: format!("app={}&stream={name}&vhost=__defaultVhost__&{}", stream.app, stream.query),
        ..stream.clone()
    };
    whip(&stream.name).srs(&api, "publish", "w").send().await.ok();
    whip(&stream.name).srs(&api, "publish_done", "w").send().await.ok();
    whip("another").srs(&api, "publish", "w").send().await.forbidden();
    Ok(())
}

async fn the_first_of_two_publishers_stays_up_when_the_second_is_refused(api: Api) -> Verdict {
    let own = api.own_server(|_| {}).await?;
    let api = own.api();
    let (_, id, stream) = stream(&api, true).await;
    let tell = |call: &str, session: &str| stream.nginx(&api, call, session).send();
    let is_up = async || own.stream_session(&id).await;
    tell("publish", "1").await.done();
    for refused in ["2", "3"] {
        tell("publish", refused).await.done();
        tell("publish_done", refused).await.done();
        assert_eq!(is_up().await, (true, "127.0.0.1/1".to_owned()), "after {refused} was refused");
    }
    // Both at once, and told of in another order.
    tell("publish", "4").await.done();
    tell("publish", "5").await.done();
    tell("publish_done", "4").await.done();
    tell("publish_done", "5").await.done();
    assert_eq!(is_up().await, (true, "127.0.0.1/1".to_owned()));
    // One who takes the place of the first is up when the first has ended.
    tell("publish", "6").await.done();
    tell("publish_done", "1").await.done();
    assert_eq!(is_up().await, (true, "127.0.0.1/6".to_owned()));
    tell("publish_done", "1").await.done();
    tell("publish_done", "6").await.done();
    assert!(!is_up().await.0);
    // Many at once leave one row, which ends with the last.
    let all: Vec<String> = (10..18).map(|number| number.to_string()).collect();
    let begun = futures_util::future::join_all(all.iter().map(|session| tell("publish", session))).await;
    begun.iter().for_each(Answer::done);
    assert!(is_up().await.0);
    let ended = futures_util::future::join_all(all.iter().map(|session| tell("publish_done", session))).await;
    ended.iter().for_each(Answer::done);
    assert!(!is_up().await.0);
    // Whoever was up for a while had the stream alone: nobody told of the end of the one before.
    tell("publish", "20").await.done();
    tell("publish", "21").await.done();
    let long_ago = "UPDATE stream_session SET since = '2020-01-01 00:00:00'";
    own.execute(format!("{long_ago} WHERE live_id = '{id}'")).await;
    tell("publish_done", "21").await.done();
    assert!(!is_up().await.0);
    own.stop().await;
    Ok(())
}

async fn hooks_are_for_allowed_peers(api: Api) -> Verdict {
    let own =
        api.own_server(|config| config.hooks.allow = vec!["10.1.2.0/24".parse().expect("a network")]).await?;
    let (_, _, stream) = stream(&own.api(), true).await;
    stream.refused(&own.api()).await;
    for call in [stream.nginx(&own.api(), "publish_done", "1"), stream.srs(&own.api(), "publish_done", "1")] {
        call.header("X-Forwarded-For", "10.1.2.3").send().await.forbidden();
    }
    own.stop().await;
    Ok(())
}

async fn hooks_are_for_those_who_know_the_secret(api: Api) -> Verdict {
    let own = api
        .own_server(|config| {
            config.hooks.allow = Vec::new();
            config.hooks.secret = Secret::new("hook secret");
        })
        .await?;
    let (_, _, stream) = stream(&own.api(), true).await;
    stream.refused(&own.api()).await;
    let (hook, session) = (stream.nginx(&own.api(), "publish", "1"), "1");
    hook.clone().header("X-Hook-Secret", "another").send().await.forbidden();
    hook.header("X-Hook-Secret", "hook secret").send().await.ok();
    let done = stream.nginx(&own.api(), "publish_done", session);
    done.clone().send().await.forbidden();
    done.header("X-Hook-Secret", "hook secret").send().await.ok();
    own.stop().await;
    Ok(())
}
