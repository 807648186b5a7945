//! What an RTMP server asks when somebody publishes.

use chrono::TimeDelta;
use common::failure::{Failure, Kind};
use config::{PiliConfig, SecurityType};
use liveloom::media::{Pili, PublishCall, PublishRefusal};
use proptest::prelude::*;
use rstest::rstest;

use super::media::config;
use super::{keys, now};

fn pili(security: SecurityType) -> Pili {
    Pili::new(&config(security), &keys(), false).unwrap()
}

/// The arguments of a publish URL of room 1001.
fn arguments(pili: &Pili) -> String {
    let url = pili.publish_url("1001", None, now());
    url.split_once('?').unwrap().1.to_owned()
}

fn verdict(pili: &Pili, app: &str, stream: &str, query: &str) -> Result<String, PublishRefusal> {
    pili.verify_publish(&PublishCall::new(app, stream, query), now())
}

/// What nginx-rtmp posts, for a publish into `name`, with arguments of the connection and of the URL.
fn nginx_form(connection: &str, name: &str, arguments: &str) -> String {
    let mut form =
        "app=hub&flashver=FMLE/3.0%20(compatible%3B%20Lavf60)&swfurl=&tcurl=rtmp://localhost:1935/hub&\
                    pageurl=&addr=127.0.0.1&clientid=1"
            .to_owned();
    for part in [connection, "call=publish", &format!("name={name}"), "type=live", arguments] {
        if !part.is_empty() {
            form = format!("{form}&{part}");
        }
    }
    form
}

#[rstest]
#[case(SecurityType::Expiry)]
#[case(SecurityType::ExpirySk)]
fn a_signed_url_is_accepted_from_both_servers(#[case] security: SecurityType) {
    let pili = pili(security);
    let arguments = arguments(&pili);
    let stream = "qn_live_kit-1001";
    assert_eq!(verdict(&pili, "hub", stream, &format!("?{arguments}")).as_deref(), Ok("1001"), "SRS");
    let call = PublishCall::from_nginx(&nginx_form("", stream, &arguments)).unwrap();
    assert_eq!(pili.verify_publish(&call, now()).as_deref(), Ok("1001"), "nginx-rtmp");
    let escaped = arguments.replace(':', "%3A").replace("=&", "%3D&");
    assert_eq!(verdict(&pili, "hub", stream, &escaped).as_deref(), Ok("1001"), "a client that escapes");
}

/// What Debian's nginx-rtmp posted when ffmpeg published to a URL of this server and stopped.
#[test]
fn the_forms_of_a_real_server_are_read() {
    let common = "app=hub&flashver=FMLE/3.0%20(compatible%3B%20Lavf59.27&swfurl=&tcurl=rtmp://127.0.0.1:18935/hub&\
                  pageurl=&addr=127.0.0.1&clientid=1";
    let arguments = "e=1600003600&token=ak:KQA015NtnzJVfNyqcfJ-sA90EsU=";
    let publish = format!("{common}&call=publish&name=qn_live_kit-1001&type=live&{arguments}");
    let done = format!("{common}&call=publish_done&name=qn_live_kit-1001&{arguments}");
    for form in [publish, done] {
        let call = PublishCall::from_nginx(&form).unwrap();
        assert_eq!(call.client.as_deref(), Some("1"));
        assert_eq!(pili(SecurityType::ExpirySk).verify_publish(&call, now()).as_deref(), Ok("1001"));
    }
}

#[rstest]
#[case(SecurityType::Expiry)]
#[case(SecurityType::ExpirySk)]
fn an_expired_url_is_told_from_a_forged_one(#[case] security: SecurityType) {
    let pili = pili(security);
    let arguments = arguments(&pili);
    let at = |offset_s: i64, query: &str| {
        pili.verify_publish(
            &PublishCall::new("hub", "qn_live_kit-1001", query),
            now() + TimeDelta::seconds(offset_s),
        )
    };
    assert!(at(3600, &arguments).is_ok(), "its last second");
    assert_eq!(at(3601, &arguments), Err(PublishRefusal::Expired));
    let prolonged = arguments.replace("1600003600", "1700000000");
    assert_eq!(at(3601, &prolonged), Err(PublishRefusal::Forged));
}

#[rstest]
#[case::other_room("qn_live_kit-1002", "", PublishRefusal::Forged)]
#[case::other_pattern("live-1001", "", PublishRefusal::OtherPattern)]
#[case::no_room("qn_live_kit-", "", PublishRefusal::OtherPattern)]
#[case::more_arguments("qn_live_kit-1001", "&x=1", PublishRefusal::Forged)]
#[case::two_tokens("qn_live_kit-1001", "&token=x", PublishRefusal::Unreadable)]
#[case::two_expiries("qn_live_kit-1001", "&e=1700000000", PublishRefusal::Unreadable)]
fn another_stream_or_query_is_refused(
    #[case] stream: &str,
    #[case] more: &str,
    #[case] refusal: PublishRefusal,
) {
    let pili = pili(SecurityType::ExpirySk);
    assert_eq!(verdict(&pili, "hub", stream, &format!("{}{more}", arguments(&pili))), Err(refusal));
}

#[rstest]
#[case::empty("", PublishRefusal::Unreadable)]
#[case::no_expiry("token=ak:x", PublishRefusal::Unreadable)]
#[case::no_token("e=1600003600", PublishRefusal::Unreadable)]
#[case::no_number("e=soon&token=ak:x", PublishRefusal::Unreadable)]
#[case::huge("e=99999999999999999999&token=ak:x", PublishRefusal::Unreadable)]
#[case::empty_token("e=1600003600&token=", PublishRefusal::Forged)]
#[case::foreign_key("e=1600003600&token=ka:KQA015NtnzJVfNyqcfJ-sA90EsU=", PublishRefusal::Forged)]
#[case::no_key("e=1600003600&token=KQA015NtnzJVfNyqcfJ-sA90EsU=", PublishRefusal::Forged)]
fn an_unsigned_url_is_refused(#[case] query: &str, #[case] refusal: PublishRefusal) {
    assert_eq!(verdict(&pili(SecurityType::ExpirySk), "hub", "qn_live_kit-1001", query), Err(refusal));
}

#[test]
fn another_hub_is_refused_and_a_path_of_the_publish_url_belongs_to_the_app() {
    let plain = pili(SecurityType::Expiry);
    for app in ["", "hub2", "/hub", "hub/"] {
        assert_eq!(
            verdict(&plain, app, "qn_live_kit-1001", &arguments(&plain)),
            Err(PublishRefusal::OtherHub)
        );
    }
    let config = PiliConfig { publish_url: "rtmp://h:1935/edge".to_owned(), ..config(SecurityType::Expiry) };
    let below = Pili::new(&config, &keys(), false).unwrap();
    assert_eq!(verdict(&below, "edge/hub", "qn_live_kit-1001", &arguments(&below)).as_deref(), Ok("1001"));
    assert_eq!(verdict(&below, "hub", "qn_live_kit-1001", &arguments(&below)), Err(PublishRefusal::OtherHub));
}

#[test]
fn unsigned_urls_are_accepted_only_when_the_hooks_allow_them() {
    let unsigned = config(SecurityType::None);
    let refusing = Pili::new(&unsigned, &keys(), false).unwrap();
    assert_eq!(verdict(&refusing, "hub", "qn_live_kit-1001", ""), Err(PublishRefusal::Unsigned));
    let allowing = Pili::new(&unsigned, &keys(), true).unwrap();
    assert_eq!(verdict(&allowing, "hub", "qn_live_kit-1001", "").as_deref(), Ok("1001"));
    assert_eq!(verdict(&allowing, "hub2", "qn_live_kit-1001", ""), Err(PublishRefusal::OtherHub));
    let signed = Pili::new(&config(SecurityType::Expiry), &keys(), true).unwrap();
    assert_eq!(verdict(&signed, "hub", "qn_live_kit-1001", ""), Err(PublishRefusal::Unreadable));
}

/// Who owns room 1001 must not get into room 1002 by naming 1001 a second time.
#[test]
fn a_second_name_in_the_arguments_is_refused() {
    let arguments = arguments(&pili(SecurityType::Expiry));
    for form in [
        nginx_form(&format!("name=qn_live_kit-1001&{arguments}"), "qn_live_kit-1002", ""),
        nginx_form("", "qn_live_kit-1002", &format!("name=qn_live_kit-1001&{arguments}")),
        nginx_form("app=other", "qn_live_kit-1001", &arguments),
    ] {
        assert_eq!(PublishCall::from_nginx(&form), Err(PublishRefusal::Incomplete), "{form}");
    }
}

/// A WHIP address names the stream in its query, and SRS hands all of it on.
#[rstest]
#[case(SecurityType::Expiry)]
#[case(SecurityType::ExpirySk)]
fn what_srs_adds_to_the_arguments_is_not_signed(#[case] security: SecurityType) {
    let pili = pili(security);
    let (arguments, stream) = (arguments(&pili), "qn_live_kit-1001");
    let verdict = |param: &str| pili.verify_publish(&PublishCall::from_srs("hub", stream, param), now());
    for param in [
        format!("?app=hub&stream={stream}&{arguments}"),
        format!("?{arguments}&app=hub&stream={stream}&vhost=__defaultVhost__"),
        format!("?vhost=v&{arguments}"),
        format!("?{arguments}"),
    ] {
        assert_eq!(verdict(&param).as_deref(), Ok("1001"), "{param}");
    }
    // What names another stream is no address of this one.
    for param in [
        format!("?app=hub&stream=qn_live_kit-1002&{arguments}"),
        format!("?app=other&stream={stream}&{arguments}"),
        format!("?stream={stream}&stream={stream}&{arguments}"),
        format!("?eip=192.0.2.1&{arguments}"),
    ] {
        assert_eq!(verdict(&param), Err(PublishRefusal::Forged), "{param}");
    }
}

#[rstest]
#[case("")]
#[case("app=hub&call=publish")]
#[case("name=x")]
#[case("app=&name=x")]
#[case("app=hub&name=")]
fn a_call_without_app_or_name_is_incomplete(#[case] form: &str) {
    let error = PublishCall::from_nginx(form).unwrap_err();
    assert_eq!((error, error.kind()), (PublishRefusal::Incomplete, Kind::Invalid));
}

#[test]
fn refusals_are_forbidden() {
    for refusal in [PublishRefusal::Forged, PublishRefusal::Expired, PublishRefusal::OtherHub] {
        assert_eq!(refusal.kind(), Kind::Forbidden);
    }
}

proptest! {
    #[test]
    fn what_is_given_out_is_accepted(room in "[a-zA-Z0-9_.~-]{1,64}", life_s in 1_i64..1 << 33) {
        let pili = pili(SecurityType::ExpirySk);
        let url = pili.publish_url(&room, Some(now() + TimeDelta::seconds(life_s)), now());
        let (address, query) = url.split_once('?').unwrap();
        let stream = address.rsplit('/').next().unwrap();
        prop_assert_eq!(verdict(&pili, "hub", stream, query), Ok(room));
    }

    #[test]
    fn nothing_else_is_accepted(stream in "(qn_live_kit-)?\\PC{0,20}", query in "(e=1700000000&token=)?\\PC{0,60}") {
        let pili = pili(SecurityType::ExpirySk);
        prop_assert!(verdict(&pili, "hub", &stream, &query).is_err());
        let form = format!("app=hub&name={stream}&{query}");
        let answer = PublishCall::from_nginx(&form).and_then(|call| pili.verify_publish(&call, now()));
        prop_assert!(answer.is_err());
    }
}
