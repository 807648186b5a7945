//! The signature of a request. Pinned values without another source come from Python's `hmac`; the
//! first one from `openssl dgst -sha1 -hmac secret_key -binary` as well.

use chrono::TimeDelta;
use common::failure::{Failure, Kind};
use liveloom::auth::signature::{path_candidates, sign, signing_text, verify};
use liveloom::auth::{ReplayGuard, RequestParts, ServerSignature, SignatureError, SignedHeaders, outgoing};
use proptest::prelude::*;
use rstest::rstest;

use super::{keys, now};

fn headers(pairs: &[(&str, &str)]) -> SignedHeaders {
    SignedHeaders::collect(pairs.iter().map(|(name, value)| (*name, value.as_bytes())))
}

fn parts<'a>(method: &'a str, path: &'a str, query: &'a str, headers: &'a SignedHeaders) -> RequestParts<'a> {
    RequestParts { method, path, raw_query: query, host: b"localhost:8099", headers, body: b"" }
}

fn authorization(sign: &str) -> String {
    format!("Qiniu ak:{sign}")
}

/// Signs over the decoded path, as a Go client does.
fn signed(parts: &RequestParts<'_>) -> String {
    authorization(&sign("sk", &signing_text(parts, &path_candidates(parts.path).unwrap()[0])))
}

fn check(parts: &RequestParts<'_>, authorization: &str) -> Result<Option<ReplayGuard>, SignatureError> {
    ServerSignature::new(keys(), false).check(Some(authorization), parts, now())
}

#[rstest]
#[case("hello", "NDN8cM0rwosxhHJ6QAcI7ialr0g=")]
#[case("-test", "oJ59sZasiWSqL1o7ugZs5OInEK4=")]
fn the_vectors_of_qiniu(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(sign("sk", text.as_bytes()), expected);
    assert!(verify("sk", text.as_bytes(), expected));
    assert!(verify("sk", text.as_bytes(), expected.trim_end_matches('=')), "stripped padding");
    assert!(!verify("sk", text.as_bytes(), &format!("{expected}=")));
    assert!(!verify("other", text.as_bytes(), expected));
    assert!(!verify("sk", text.as_bytes(), ""));
}

#[test]
fn the_text_of_a_get_request() {
    let headers = headers(&[("content-type", "application/json")]);
    let parts =
        RequestParts { host: b"example.com", ..parts("GET", "/path/to/api", "param=value", &headers) };
    let text = signing_text(&parts, b"/path/to/api");
    let expected = "GET /path/to/api?param=value\nHost: example.com\nContent-Type: application/json\n\n";
    assert_eq!(String::from_utf8(text.clone()).unwrap(), expected);
    assert_eq!(sign("secret_key", &text), "fY_xDtFC7FC_c5LLN246HmodyZk=");
}

#[test]
fn the_headers_of_qiniu_are_sorted_in_canonical_case() {
    let headers = headers(&[
        ("x-qbox-meta", "no"),
        ("X-QINIU-cxxxx", "valuec"),
        ("x-qiniu-bxxxx", " valueb\t"),
        ("X-Qiniu-axxxx", "valuea"),
        ("x-qiniu-AXXXX", "the second of a name"),
        ("x-qiniu-e", "value"),
        ("X-Qiniu-", "no"),
        ("X-Qiniu", "no"),
        ("x-qiniu-two-words", ""),
    ]);
    let text = String::from_utf8(signing_text(&parts("GET", "/", "", &headers), b"/")).unwrap();
    assert_eq!(
        text,
        "GET /\nHost: localhost:8099\nX-Qiniu-Axxxx: valuea\nX-Qiniu-Bxxxx: valueb\nX-Qiniu-Cxxxx: valuec\n\
         X-Qiniu-E: value\nX-Qiniu-Two-Words: \n\n"
    );
}

#[test]
fn a_header_of_qiniu_and_a_body_are_signed() {
    let meta = headers(&[("Content-Type", "application/json"), ("X-Qiniu-Meta-App", "value")]);
    let get = RequestParts { host: b"example.com", ..parts("GET", "/path/to/api", "param=value", &meta) };
    assert_eq!(sign("secret_key", &signing_text(&get, b"/path/to/api")), "cLpR0UowDFBrHggb1Q8CKluS9GA=");

    let json = headers(&[("Content-Type", "application/json")]);
    let body = "{\"user_id\":\"李\"}".as_bytes();
    let post = RequestParts { body, ..parts("POST", "/server/user/register", "", &json) };
    assert_eq!(check(&post, &authorization("PBUIyjbTg1fBmHOAPMhMjDG5UFc=")), Ok(None));
    let changed = RequestParts { body: b"{}", ..post };
    assert_eq!(
        check(&changed, &authorization("PBUIyjbTg1fBmHOAPMhMjDG5UFc=")),
        Err(SignatureError::Mismatch)
    );
}

#[rstest]
#[case::decoded("WIIC2trgJeMBy_KDgvtJ6qR9Yzs=")]
#[case::raw("jTMQZqro0uzOQHYEnAXfdckhOSY=")]
fn a_path_is_signed_decoded_or_raw(#[case] sign: &str) {
    let none = SignedHeaders::default();
    let parts = parts("GET", "/server/user/info/%E6%9D%8E", "", &none);
    assert_eq!(check(&parts, &authorization(sign)), Ok(None));
}

#[rstest]
#[case::question_mark("/a%3Fb=c")]
#[case::line_feed("/a%0AHost:x")]
#[case::nul("/a%00")]
#[case::delete("/a%7f")]
#[case::c1_control("/a%C2%85")]
#[case::broken_escape("/a%2")]
#[case::no_hex("/a%zz")]
#[case::lone_percent("/100%")]
fn an_ambiguous_path_is_invalid(#[case] path: &str) {
    let none = SignedHeaders::default();
    let error = check(&parts("GET", path, "", &none), "Qiniu ak:x").unwrap_err();
    assert_eq!(error, SignatureError::InvalidPath);
    assert_eq!(error.kind(), Kind::Invalid);
    assert!(error.message().starts_with("path:"));
}

#[rstest]
#[case::basic("Basic ak:NDN8")]
#[case::other_case("qiniu ak:x")]
#[case::no_space("Qiniuak:x")]
#[case::no_colon("Qiniu ak")]
#[case::empty("")]
fn another_scheme_is_malformed(#[case] header: &str) {
    let none = SignedHeaders::default();
    assert_eq!(check(&parts("GET", "/", "", &none), header), Err(SignatureError::Malformed));
}

#[test]
fn absent_foreign_and_unconfigured_keys_are_refused() {
    let none = SignedHeaders::default();
    let parts = parts("GET", "/", "", &none);
    let good = signed(&parts);
    let server = ServerSignature::new(keys(), false);
    assert_eq!(server.check(None, &parts, now()), Err(SignatureError::Missing));
    assert_eq!(check(&parts, &good.replace("ak:", "ka:")), Err(SignatureError::UnknownKey));

    let unconfigured = ServerSignature::new(liveloom::auth::Credentials::default(), false);
    let signed_with_nothing = format!("Qiniu :{}", sign("", &signing_text(&parts, b"/")));
    assert_eq!(
        unconfigured.check(Some(&signed_with_nothing), &parts, now()),
        Err(SignatureError::UnknownKey)
    );
}

#[test]
fn every_refusal_says_the_same() {
    for error in [SignatureError::Missing, SignatureError::Mismatch, SignatureError::DateOutOfWindow] {
        assert_eq!((error.kind(), error.message().as_ref()), (Kind::Unauthorized, "Unauthorized"));
    }
}

#[rstest]
#[case::no_type(&[], false)]
#[case::empty_type(&[("Content-Type", "")], false)]
#[case::octets(&[("Content-Type", "application/octet-stream")], false)]
#[case::json(&[("Content-Type", "application/json")], true)]
#[case::first_type_counts(&[("Content-Type", "application/octet-stream"), ("Content-Type", "text/plain")], false)]
fn a_body_must_be_covered(#[case] sent: &[(&str, &str)], #[case] covered: bool) {
    let headers = headers(sent);
    let with_body = RequestParts { body: b"{}", ..parts("POST", "/", "", &headers) };
    let expected = if covered { Ok(None) } else { Err(SignatureError::BodyNotCovered) };
    assert_eq!(check(&with_body, &signed(&with_body)), expected);
    let without = RequestParts { body: b"", ..with_body };
    assert_eq!(check(&without, &signed(&without)), Ok(None));
}

#[rstest]
#[case::now(0, None)]
#[case::oldest(-900, None)]
#[case::newest(900, None)]
#[case::too_old(-901, Some(SignatureError::DateOutOfWindow))]
#[case::too_new(901, Some(SignatureError::DateOutOfWindow))]
fn a_date_is_within_fifteen_minutes(#[case] offset_s: i64, #[case] refusal: Option<SignatureError>) {
    let date = (now() + TimeDelta::seconds(offset_s)).format("%Y%m%dT%H%M%SZ").to_string();
    let headers = headers(&[("X-Qiniu-Date", &date)]);
    let parts = parts("GET", "/", "", &headers);
    assert_eq!(check(&parts, &signed(&parts)).err(), refusal);
}

#[rstest]
#[case("2020-09-13T12:26:40Z")]
#[case("20200913T122640")]
#[case("20200913T122640+08")]
#[case("20201313T122640Z")]
#[case("+0200913T12264Z ")]
#[case("yesterday")]
fn a_malformed_date_is_refused(#[case] date: &str) {
    let headers = headers(&[("X-Qiniu-Date", date)]);
    let parts = parts("GET", "/", "", &headers);
    assert_eq!(check(&parts, &signed(&parts)), Err(SignatureError::DateMalformed));
}

#[test]
fn a_required_date_guards_against_replay() {
    let server = ServerSignature::new(keys(), true);
    let none = SignedHeaders::default();
    let undated = parts("GET", "/", "", &none);
    assert_eq!(server.check(Some(&signed(&undated)), &undated, now()), Err(SignatureError::DateMissing));

    let date = headers(&[("X-Qiniu-Date", "20200913T123140Z")]);
    let dated = parts("GET", "/", "", &date);
    let header = signed(&dated);
    let guard = server.check(Some(&header), &dated, now()).unwrap().unwrap();
    assert_eq!(guard.keep.as_secs(), 300 + 900 + 1, "until the date leaves the window");
    let stripped = server.check(Some(header.trim_end_matches('=')), &dated, now()).unwrap().unwrap();
    assert_eq!(stripped.key, guard.key, "stripped padding is the same request");
    let other = parts("GET", "/other", "", &date);
    let other_guard = server.check(Some(&signed(&other)), &other, now()).unwrap().unwrap();
    assert_ne!(other_guard.key, guard.key);
}

#[test]
fn outgoing_requests_are_signed() {
    let url = "https://pili.qiniuapi.com:443/v2/hubs/h/streams/abc/saveas";
    let mut post = reqwest::Request::new(reqwest::Method::POST, url.parse().unwrap());
    post.headers_mut().insert("content-type", "application/json".parse().unwrap());
    *post.body_mut() = Some("{\"fname\":\"a\"}".into());
    outgoing::authorize(&keys(), &mut post).unwrap();
    let header = &post.headers()["authorization"];
    assert_eq!(header, "Qiniu ak:Z-e-in57H5gmrETAEk-A-xC9CLw=");
    assert!(header.is_sensitive());

    let url = "http://localhost:8080/v3/apps/a/rooms/r%20b/users?x=1";
    let get = reqwest::Request::new(reqwest::Method::GET, url.parse().unwrap());
    let header = outgoing::authorization(&keys(), &get).unwrap();
    assert_eq!(header, "Qiniu ak:1GNKvUNHhzIelXKEpS2t-pJIxpw=");
    let no_keys = outgoing::authorization(&liveloom::auth::Credentials::default(), &get);
    assert_eq!(no_keys.unwrap_err(), SignatureError::UnknownKey);
}

#[test]
fn an_outgoing_body_that_cannot_be_signed_is_refused() {
    let mut request = reqwest::Request::new(reqwest::Method::POST, "http://localhost/".parse().unwrap());
    *request.body_mut() = Some("{}".into());
    assert_eq!(outgoing::authorization(&keys(), &request).unwrap_err(), SignatureError::BodyNotCovered);
    let stream = futures_util::stream::iter([Ok::<_, std::io::Error>("{}")]);
    *request.body_mut() = Some(reqwest::Body::wrap_stream(stream));
    assert_eq!(outgoing::authorization(&keys(), &request).unwrap_err(), SignatureError::Unsignable);
}

proptest! {
    #[test]
    fn what_is_signed_is_verified(
        method in "GET|POST|PUT|DELETE", path in "(/[a-zA-Z0-9._~-]{0,8}(%E6%9D%8E)?){1,4}",
        query in "[a-z0-9=&%+]{0,20}", body in proptest::collection::vec(any::<u8>(), 0..64),
        meta in "[ -~]{0,20}", at in any::<prop::sample::Index>(),
    ) {
        let headers = headers(&[("Content-Type", "text/plain"), ("X-Qiniu-Meta", &meta)]);
        let parts = RequestParts { body: &body, ..parts(&method, &path, &query, &headers) };
        let header = signed(&parts);
        prop_assert_eq!(check(&parts, &header), Ok(None));

        let mut forged = header.into_bytes();
        let at = "Qiniu ak:".len() + at.index(27);
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        prop_assert_eq!(check(&parts, &forged), Err(SignatureError::Mismatch));
    }

    #[test]
    fn no_header_and_no_path_panics(path in "\\PC{0,40}", header in "\\PC{0,40}", date in "\\PC{0,20}") {
        let headers = headers(&[("X-Qiniu-Date", &date)]);
        let result = check(&parts("GET", &path, "", &headers), &header);
        prop_assert!(result.is_err());
    }
}
