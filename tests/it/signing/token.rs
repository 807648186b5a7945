//! Client tokens. The pinned one was made with Python's `hmac` and `base64`, in the form of the Go
//! server's.

use chrono::TimeDelta;
use common::clock::ManualClock;
use common::failure::{Failure, Kind};
use config::{Current, Secret};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use liveloom::auth::token::strip_bearer;
use liveloom::auth::{Claims, TokenError, TokenKeys, TokenService};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};
use std::sync::Arc;

use super::now;

const PINNED: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
    eyJleHAiOjE2MDAwMDM2MDAsIkFwcElkIjoiYXBwIiwiVXNlcklkIjoiYm9iIiwiRGV2aWNlSWQiOiIiLCJSb2xlIjoiIn0.\
    pJeGDOteKYU5oO6jMNR77SHZRduIZUUPSizqb-1XUOU";

fn bob() -> Claims {
    Claims {
        exp: now().timestamp() + 3600,
        app_id: "app".to_owned(),
        user_id: "bob".to_owned(),
        ..Claims::default()
    }
}

fn service_with(keys: &[&str]) -> (TokenService, Arc<ManualClock>) {
    let clock = ManualClock::new(now());
    let keys: Vec<_> = keys.iter().map(|key| Secret::new(*key)).collect();
    (TokenService::new(Current::fixed(TokenKeys::new(&keys).unwrap()), clock.clone()), clock)
}

fn token_of(claims: &Value) -> String {
    let key = EncodingKey::from_secret(b"jwtkey");
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
}

fn verdict(token: &str) -> Result<Arc<Claims>, Kind> {
    service_with(&["jwtkey"]).0.verify(token).map_err(|error| error.kind())
}

#[test]
fn a_token_has_the_form_of_the_go_server() {
    let (service, _) = service_with(&["jwtkey"]);
    let issued = service.issue(&bob()).unwrap();
    let claims = |token: &str| token.split('.').nth(1).unwrap().to_owned();
    assert_eq!(claims(&issued), claims(PINNED), "names, order and empty fields");
    assert_eq!(*service.verify(&issued).unwrap(), bob());
    assert_eq!(*service.verify(PINNED).unwrap(), bob());
}

#[test]
fn a_token_is_good_until_its_last_second_cold_and_warm() {
    let (service, clock) = service_with(&["jwtkey"]);
    assert!(service.verify(PINNED).is_ok());
    clock.advance(TimeDelta::seconds(3600));
    assert!(service.verify(PINNED).is_ok(), "warm");
    assert!(service_at(3600).verify(PINNED).is_ok(), "cold");
    clock.advance(TimeDelta::seconds(1));
    let expired = service.verify(PINNED).unwrap_err();
    assert!(matches!(expired, TokenError::Expired), "a remembered token ends with its exp");
    assert_eq!((expired.kind(), expired.message().as_ref()), (Kind::TokenExpired, "Your token is expired"));
    assert!(matches!(service_at(3601).verify(PINNED), Err(TokenError::Expired)), "cold");
}

fn service_at(offset_s: i64) -> TokenService {
    let (service, clock) = service_with(&["jwtkey"]);
    clock.advance(TimeDelta::seconds(offset_s));
    service
}

#[test]
fn a_forged_token_is_bad_even_when_it_is_expired() {
    let (service, clock) = service_with(&["other key"]);
    assert!(matches!(service.verify(PINNED), Err(TokenError::Bad)));
    clock.advance(TimeDelta::days(1));
    assert!(matches!(service.verify(PINNED), Err(TokenError::Bad)));
}

#[test]
fn keys_are_rotated() {
    let (service, _) = service_with(&["new", "jwtkey"]);
    assert!(service.verify(PINNED).is_ok());
    let fresh = service.issue(&bob()).unwrap();
    assert!(service_with(&["new"]).0.verify(&fresh).is_ok());
    assert!(service_with(&["jwtkey"]).0.verify(&fresh).is_err());
}

#[test]
fn no_key_and_an_empty_key_are_refused() {
    assert!(matches!(TokenKeys::new(&[]), Err(TokenError::NoKey)));
    let keys = [Secret::new("good"), Secret::new("")];
    assert!(matches!(TokenKeys::new(&keys), Err(TokenError::NoKey)));
}

#[rstest]
#[case::hs384(Algorithm::HS384)]
#[case::hs512(Algorithm::HS512)]
fn another_hmac_is_bad(#[case] algorithm: Algorithm) {
    let token =
        jsonwebtoken::encode(&Header::new(algorithm), &bob(), &EncodingKey::from_secret(b"jwtkey")).unwrap();
    assert_eq!(verdict(&token), Err(Kind::Unauthorized));
}

/// The parts of [`PINNED`] with another header, and the signature kept, dropped or left out.
#[rstest]
#[case::none(r#"{"alg":"none","typ":"JWT"}"#)]
#[case::none_in_capitals(r#"{"alg":"NONE"}"#)]
#[case::rs256(r#"{"alg":"RS256","typ":"JWT"}"#)]
#[case::no_algorithm(r#"{"typ":"JWT"}"#)]
#[case::no_json("alg")]
fn another_header_is_bad(#[case] header: &str) {
    use base64::Engine;
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header);
    let (_, rest) = PINNED.split_once('.').unwrap();
    let (claims, signature) = rest.split_once('.').unwrap();
    for token in [
        format!("{header}.{claims}.{signature}"),
        format!("{header}.{claims}."),
        format!("{header}.{claims}"),
    ] {
        assert_eq!(verdict(&token), Err(Kind::Unauthorized), "{token}");
    }
}

#[rstest]
#[case::no_exp(json!({"UserId": "bob"}))]
#[case::null_exp(json!({"exp": null, "UserId": "bob"}))]
#[case::text_exp(json!({"exp": "1600003600", "UserId": "bob"}))]
#[case::huge_exp(json!({"exp": 1e300, "UserId": "bob"}))]
#[case::exp_in_milliseconds(json!({"exp": 1600003600000_i64, "UserId": "bob"}))]
#[case::exp_beyond_the_year_3000(json!({"exp": 32503680001_i64, "UserId": "bob"}))]
#[case::exp_beyond_all_years(json!({"exp": i64::MAX, "UserId": "bob"}))]
#[case::exp_beyond_all_numbers(json!({"exp": u64::MAX, "UserId": "bob"}))]
#[case::no_user(json!({"exp": 1600003600}))]
#[case::small_letters(json!({"exp": 1600003600, "userid": "bob"}))]
#[case::empty_user(json!({"exp": 1600003600, "UserId": ""}))]
#[case::number_user(json!({"exp": 1600003600, "UserId": 7}))]
#[case::number_role(json!({"exp": 1600003600, "UserId": "bob", "Role": 1}))]
#[case::null_user(json!({"exp": 1600003600, "UserId": null}))]
#[case::not_yet(json!({"exp": 1600003600, "UserId": "bob", "nbf": 1600000061}))]
#[case::not_yet_with_a_fraction(json!({"exp": 1600003600, "UserId": "bob", "nbf": 1600000061.1}))]
#[case::text_nbf(json!({"exp": 1600003600, "UserId": "bob", "nbf": "1600000000"}))]
#[case::from_the_future(json!({"exp": 1600003600, "UserId": "bob", "iat": 1600000061}))]
#[case::from_the_future_with_a_fraction(json!({"exp": 1600003600, "UserId": "bob", "iat": 1600000061.5}))]
#[case::text_iat(json!({"exp": 1600003600, "UserId": "bob", "iat": "1600000000"}))]
#[case::no_object(json!(["bob"]))]
fn other_claims_are_bad(#[case] claims: Value) {
    assert_eq!(verdict(&token_of(&claims)), Err(Kind::Unauthorized));
}

#[rstest]
#[case::least(json!({"exp": 1600003600, "UserId": "bob"}))]
#[case::issued_by_a_clock_ahead(json!({"exp": 1600003600, "UserId": "bob", "iat": 1600000060}))]
#[case::begins_by_a_clock_ahead(json!({"exp": 1600003600, "UserId": "bob", "nbf": 1600000060}))]
#[case::fractions(json!({"exp": 1600003600.5, "UserId": "bob", "nbf": 1600000060.75, "iat": 1600000060.9}))]
#[case::exponents(json!({"exp": 1.6000036e9, "UserId": "bob", "iat": 1.6e9}))]
#[case::nulls(json!({
    "exp": 1600003600, "UserId": "bob", "nbf": null, "iat": null, "AppId": null, "DeviceId": null, "Role": null,
}))]
#[case::the_year_3000(json!({"exp": 32503680000_i64, "UserId": "bob"}))]
#[case::more(json!({"exp": 1600003600, "UserId": "bob", "aud": "x", "iss": "y", "nbf": 1600000000, "extra": [1]}))]
fn absent_and_unknown_claims_are_accepted(#[case] claims: Value) {
    assert_eq!(verdict(&token_of(&claims)).unwrap().user_id, "bob");
}

#[rstest]
#[case(0)]
#[case(-1)]
#[case(i64::MIN)]
fn an_exp_of_long_ago_is_expired(#[case] exp: i64) {
    assert_eq!(verdict(&token_of(&json!({"exp": exp, "UserId": "bob"}))), Err(Kind::TokenExpired));
}

#[test]
fn the_fraction_of_an_exp_does_not_prolong_it() {
    let token = token_of(&json!({"exp": 1600000000.9, "UserId": "bob"}));
    assert!(service_at(0).verify(&token).is_ok());
    assert!(matches!(service_at(1).verify(&token), Err(TokenError::Expired)));
}

/// RFC 7515 section 4.1.11: who does not understand what `crit` names refuses the token.
#[rstest]
#[case::of_rfc_7797(json!({"alg": "HS256", "crit": ["b64"], "b64": false}))]
#[case::unknown(json!({"alg": "HS256", "typ": "JWT", "crit": ["exp"]}))]
#[case::empty(json!({"alg": "HS256", "crit": []}))]
#[case::no_list(json!({"alg": "HS256", "crit": "b64"}))]
fn a_critical_header_is_refused(#[case] header: Value) {
    assert_eq!(verdict(&signed_with(&header)), Err(Kind::Unauthorized));
}

/// Whatever a header says of keys, the configured ones alone count.
#[rstest]
#[case::path(json!({"alg": "HS256", "kid": "../../../../dev/null"}))]
#[case::sql(json!({"alg": "HS256", "kid": "' UNION SELECT 'jwtkey' --"}))]
#[case::address(json!({"alg": "HS256", "jku": "http://127.0.0.1:1/keys", "x5u": "http://127.0.0.1:1/"}))]
#[case::own_key(json!({"alg": "HS256", "jwk": {"kty": "oct", "k": "b3RoZXI"}}))]
fn a_header_names_no_key(#[case] header: Value) {
    assert!(verdict(&signed_with(&header)).is_ok(), "with our key it is good");
    for key in ["", "other", "\u{0}"] {
        assert_eq!(verdict(&signed(&header, key.as_bytes())), Err(Kind::Unauthorized), "{key:?}");
    }
}

/// The claims of [`PINNED`] under another header, signed with the right key.
fn signed_with(header: &Value) -> String {
    signed(header, b"jwtkey")
}

fn signed(header: &Value, key: &[u8]) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use hmac::{Hmac, KeyInit, Mac};
    let claims = PINNED.split('.').nth(1).unwrap();
    let text = format!("{}.{claims}", URL_SAFE_NO_PAD.encode(header.to_string()));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

#[test]
fn a_long_token_is_bad() {
    let long = |device: usize| {
        token_of(&json!({"exp": 1600003600, "UserId": "bob", "DeviceId": "d".repeat(device)}))
    };
    assert!(long(2900).len() <= 4096 && verdict(&long(2900)).is_ok());
    assert!(long(3100).len() > 4096);
    assert_eq!(verdict(&long(3100)), Err(Kind::Unauthorized));
}

#[test]
fn verified_tokens_are_kept_apart() {
    let (service, _) = service_with(&["jwtkey"]);
    let tokens: Vec<_> = (0..100)
        .map(|n| {
            let claims = Claims { user_id: format!("user{n}"), ..bob() };
            (service.issue(&claims).unwrap(), claims)
        })
        .collect();
    for _warm in 0..2 {
        for (token, claims) in &tokens {
            assert_eq!(*service.verify(token).unwrap(), *claims);
        }
    }
}

#[rstest]
#[case("abc", "abc")]
#[case("Bearer abc", "abc")]
#[case("bearer  abc ", "abc")]
#[case("Bearer", "Bearer")]
#[case("", "")]
#[case("李李李李", "李李李李")]
fn the_bearer_scheme_is_optional(#[case] header: &str, #[case] token: &str) {
    assert_eq!(strip_bearer(header), token);
}

proptest! {
    #[test]
    fn what_is_issued_is_read(user in "\\PC{1,64}", app in "\\PC{0,20}", device in "\\PC{0,20}", life in 0_i64..30_000_000_000) {
        let (service, _) = service_with(&["jwtkey"]);
        let claims = Claims { exp: now().timestamp() + life, app_id: app, user_id: user, device_id: device, role: "admin".to_owned(), issued_at: None };
        let token = service.issue(&claims).unwrap();
        prop_assert_eq!(&*service.verify(&token).unwrap(), &claims);
    }

    #[test]
    fn a_changed_token_is_bad(at in any::<prop::sample::Index>(), by in any::<char>()) {
        let mut token: Vec<char> = PINNED.chars().collect();
        let at = at.index(token.len());
        prop_assume!(token[at] != by);
        token[at] = by;
        prop_assert_eq!(verdict(&token.into_iter().collect::<String>()), Err(Kind::Unauthorized));
    }
}
