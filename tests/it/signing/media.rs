//! RTC tokens and the addresses of streams. Pinned values without another source come from Python's
//! `hmac`.

use chrono::{DateTime, TimeDelta, Utc};
use config::{PiliConfig, Secret, SecurityType};
use liveloom::auth::Credentials;
use liveloom::media::pili::{UrlSecurity, sign_publish_url};
use liveloom::media::rtc::sign_with_data;
use liveloom::media::{Pili, PiliError, RtcTokens};
use rstest::rstest;

use super::{keys, now};

/// A section like that of the reference's documents.
pub(super) fn config(security_type: SecurityType) -> PiliConfig {
    PiliConfig {
        hub: "hub".to_owned(),
        room_token_expire_s: 3600,
        playback_url: "https://playback.example.com/".to_owned(),
        security_type,
        publish_key: Secret::new("test123"),
        publish_expire_s: 3600,
        stream_pattern: "qn_live_kit-%s".to_owned(),
        publish_url: String::new(),
        publish_domain: "publish.example.com".to_owned(),
        rtmp_play_url: "rtmp://rtmp.example.com".to_owned(),
        flv_play_url: "https://hdl.example.com".to_owned(),
        hls_play_url: "https://hls.example.com".to_owned(),
        ..PiliConfig::default()
    }
}

fn pili(config: &PiliConfig) -> Pili {
    Pili::new(config, &keys(), false).unwrap()
}

#[test]
fn the_vector_of_a_token_with_data() {
    assert_eq!(sign_with_data(&keys(), b"hello"), "ak:2pn0qs-2kfEsQFuHI2pAYlo0hpc=:aGVsbG8=");
}

#[test]
fn a_room_token_holds_its_json() {
    let expected = "ak:g5FB73BJwIgsZ45lxwZ_LsEgEDE=:eyJhcHBJZCI6ImFwcCIsInJvb21OYW1lIjoiMTAwMSIsInVzZXJJZCI6ImJvYi\
                    IsImV4cGlyZUF0IjoxNjAwMDAzNjAwLCJwZXJtaXNzaW9uIjoidXNlciJ9";
    assert_eq!(RtcTokens::new("app", keys(), 3600).room_token("bob", "1001", now()), expected);
}

#[test]
fn a_room_token_lives_a_day_when_nothing_else_is_said() {
    use base64::Engine;
    let token = RtcTokens::new("app", keys(), 0).room_token("bob", "1001", now());
    let json = base64::engine::general_purpose::URL_SAFE.decode(token.rsplit(':').next().unwrap()).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["expireAt"], 1_600_000_000 + 86_400);
}

#[test]
fn there_is_no_room_token_without_an_app_or_an_account() {
    assert_eq!(RtcTokens::new("", keys(), 0).room_token("bob", "1001", now()), "");
    assert_eq!(RtcTokens::new("app", Credentials::default(), 0).room_token("bob", "1001", now()), "");
}

#[test]
fn the_vector_of_expiry_sk() {
    let keys = Credentials {
        access_key: "7O7hf7Ld1RrC_fpZdFvU8aCgOPuhw2K4eapYOdII".to_owned(),
        secret_key: Secret::new("312ae9gd2BrCfpTdF4U8aIg9Puh62K4eEGY72Ea_"),
    };
    let url = "rtmp://publish.domain.com/testhub/teststreamtitle";
    assert_eq!(
        sign_publish_url(url, &UrlSecurity::ExpirySk { keys }, 1_584_522_520),
        format!(
            "{url}?e=1584522520&token=7O7hf7Ld1RrC_fpZdFvU8aCgOPuhw2K4eapYOdII:NfI2OWGCMdFDTLOfeUd-zSPVrFY="
        )
    );
}

#[rstest]
#[case::plain("xyz=custom")]
#[case::former_signature("token=old&expire=1&xyz=custom")]
fn the_vector_of_expiry(#[case] query: &str) {
    let url = "rtmp://publish.domain.com/hub/streamTitle";
    let security = UrlSecurity::Expiry { key: Secret::new("test123") };
    assert_eq!(
        sign_publish_url(&format!("{url}?{query}"), &security, 1_634_745_600),
        format!("{url}?expire=1634745600&xyz=custom&token=fH7U5UgXdClDfeGmUKc6wrNzlho=")
    );
}

#[test]
fn a_query_is_written_as_go_writes_it() {
    let security = UrlSecurity::Expiry { key: Secret::new("k") };
    let signed = sign_publish_url("rtmp://h/a/b?z=~*&b=2&b=1&a%20b=c+d%2B&flag&&%E6%9D%8E=-_.", &security, 7);
    let (_, query) = signed.split_once('?').unwrap();
    let (query, _) = query.rsplit_once("&token=").unwrap();
    assert_eq!(query, "a+b=c+d%2B&b=2&b=1&expire=7&flag=&z=~%2A&%E6%9D%8E=-_.");
}

#[rstest]
#[case::none(SecurityType::None, "")]
#[case::expiry_sk(SecurityType::ExpirySk, "?e=1600003600&token=ak:")]
#[case::expiry(SecurityType::Expiry, "?expire=1600003600&token=")]
fn a_publish_url_has_hub_stream_and_signature(#[case] security: SecurityType, #[case] query: &str) {
    let url = pili(&config(security)).publish_url("1001", None, now());
    assert!(url.starts_with(&format!("rtmp://publish.example.com/hub/qn_live_kit-1001{query}")), "{url}");
    if query.is_empty() {
        assert!(url.ends_with("1001"));
    }
}

#[rstest]
#[case::plain("rtmp://push.example.com:1935", "rtmp://push.example.com:1935/hub/qn_live_kit-1001")]
#[case::slash("rtmps://push.example.com/", "rtmps://push.example.com/hub/qn_live_kit-1001")]
fn a_publish_url_may_be_configured(#[case] publish_url: &str, #[case] expected: &str) {
    let config = PiliConfig { publish_url: publish_url.to_owned(), ..config(SecurityType::ExpirySk) };
    let url = pili(&config).publish_url("1001", None, now());
    // The same token whatever the host: only path and query are signed.
    assert_eq!(url, format!("{expected}?e=1600003600&token=ak:KQA015NtnzJVfNyqcfJ-sA90EsU="));
}

#[rstest]
#[case::later(Some(60), 60)]
#[case::past(Some(-1), 3600)]
#[case::this_instant(Some(0), 3600)]
#[case::absent(None, 3600)]
fn the_expiry_is_the_wanted_one_when_it_lies_ahead(#[case] wanted_s: Option<i64>, #[case] life_s: i64) {
    let wanted: Option<DateTime<Utc>> = wanted_s.map(|offset| now() + TimeDelta::seconds(offset));
    let url = pili(&config(SecurityType::Expiry)).publish_url("1001", wanted, now());
    assert!(url.contains(&format!("?expire={}&", now().timestamp() + life_s)), "{url}");
}

#[test]
fn play_urls() {
    let pili = pili(&config(SecurityType::None));
    assert_eq!(pili.rtmp_url("1001"), "rtmp://rtmp.example.com/hub/qn_live_kit-1001");
    assert_eq!(pili.flv_url("1001"), "https://hdl.example.com/hub/qn_live_kit-1001.flv");
    assert_eq!(pili.hls_url("1001"), "https://hls.example.com/hub/qn_live_kit-1001.m3u8");
    assert_eq!(pili.playback_url("a.mp4"), "https://playback.example.com/a.mp4");
}

#[test]
fn there_are_no_urls_without_an_address() {
    let config = PiliConfig {
        publish_domain: String::new(),
        hls_play_url: String::new(),
        playback_url: String::new(),
        ..config(SecurityType::Expiry)
    };
    let pili = pili(&config);
    assert_eq!([pili.publish_url("1", None, now()), pili.hls_url("1"), pili.playback_url("f")], ["", "", ""]);
}

#[rstest]
#[case("", "1001")]
#[case("%s", "1001")]
#[case("a-%s-b", "a-1001-b")]
fn a_stream_is_named_by_the_pattern(#[case] pattern: &str, #[case] name: &str) {
    let pili = pili(&PiliConfig { stream_pattern: pattern.to_owned(), ..config(SecurityType::None) });
    assert_eq!(pili.stream_name("1001"), name);
    assert_eq!(pili.live_id(name), Some("1001"));
}

#[test]
fn a_section_that_cannot_work_is_refused() {
    let no_key = PiliConfig { publish_key: Secret::default(), ..config(SecurityType::Expiry) };
    assert_eq!(Pili::new(&no_key, &keys(), false).unwrap_err(), PiliError::NoPublishKey);
    let no_account = Pili::new(&config(SecurityType::ExpirySk), &Credentials::default(), false);
    assert_eq!(no_account.unwrap_err(), PiliError::NoAccount);
    for pattern in ["live", "%s-%s"] {
        let config = PiliConfig { stream_pattern: pattern.to_owned(), ..config(SecurityType::None) };
        assert_eq!(Pili::new(&config, &keys(), false).unwrap_err(), PiliError::Pattern);
    }
}
