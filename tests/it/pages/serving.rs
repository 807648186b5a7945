//! The files of the pages over HTTP.

use reqwest::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, VARY,
};
use reqwest::{Method, Response, StatusCode};

use crate::support::server::{Backend, ServerProcess, Setup};

struct Site {
    url: String,
    http: reqwest::Client,
    _server: ServerProcess,
}

impl Site {
    async fn open() -> Self {
        let setup = Setup::new(Backend::Embedded).await.with(
            "pili: {hub: live, publish_url: 'rtmp://127.0.0.1', hls_play_url: 'https://play.example.com/hls'}",
        );
        let url = super::url(&setup);
        Self { url, http: reqwest::Client::new(), _server: setup.start().await }
    }

    async fn get(&self, path: &str, encoding: &str) -> Response {
        let request = self.http.get(format!("{}{path}", self.url)).header(ACCEPT_ENCODING, encoding);
        request.send().await.unwrap()
    }

    /// The first script that a page names.
    async fn script(&self) -> String {
        let page = self.get("/", "identity").await.text().await.unwrap();
        let (_, from) = page.split_once("src=\"/assets/").expect("a script");
        format!("/assets/{}", from.split('"').next().unwrap())
    }
}

fn header(response: &Response, name: impl reqwest::header::AsHeaderName) -> String {
    response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_of_the_two_pages_lead_to_them_and_others_nowhere() {
    let site = Site::open().await;
    for (path, title) in [
        ("/", "<title>liveloom</title>"),
        ("/room/123", "<title>liveloom</title>"),
        ("/console", "<title>liveloom console</title>"),
        ("/console/", "<title>liveloom console</title>"),
        ("/console/rooms/123", "<title>liveloom console</title>"),
    ] {
        let page = site.get(path, "identity").await;
        assert_eq!(
            (page.status(), header(&page, CONTENT_TYPE)),
            (StatusCode::OK, "text/html".to_owned()),
            "{path}"
        );
        assert_eq!(header(&page, CACHE_CONTROL), "no-cache");
        let policy = header(&page, CONTENT_SECURITY_POLICY);
        assert!(policy.contains("connect-src 'self' https://play.example.com;"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        let text = page.text().await.unwrap();
        assert!(text.contains(title), "{path}");
        // The policy forbids what stands in the page itself.
        assert!(!text.contains("<style") && !text.contains("style=") && !text.contains("<script>"), "{text}");
    }
    for path in [
        "/room",
        "/room/1/2",
        "/assets",
        "/assets/none.js",
        "/assets/..%2findex.html",
        "/index.html",
        "/gifts/x.svg",
    ] {
        let page = site.get(path, "identity").await;
        assert_eq!(
            (page.status(), header(&page, CONTENT_TYPE)),
            (StatusCode::NOT_FOUND, "application/json".to_owned()),
            "{path}"
        );
    }
    let posted = site.http.post(&site.url).send().await.unwrap();
    assert_eq!(posted.status(), StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_come_compressed_and_once() {
    let site = Site::open().await;
    let path = site.script().await;
    let plain = site.get(&path, "identity").await;
    assert_eq!(header(&plain, CONTENT_ENCODING), "");
    assert_eq!(header(&plain, CONTENT_TYPE), "text/javascript");
    assert_eq!(header(&plain, CACHE_CONTROL), "public, max-age=31536000");
    assert_eq!(header(&plain, VARY), "Accept-Encoding");
    assert_eq!(header(&plain, "x-content-type-options"), "nosniff");
    let whole = plain.bytes().await.unwrap();
    for (accepted, encoding) in [("gzip, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip"), ("zstd", "")]
    {
        let answer = site.get(&path, accepted).await;
        assert_eq!(header(&answer, CONTENT_ENCODING), encoding, "{accepted}");
        let tag = header(&answer, ETAG);
        let bytes = answer.bytes().await.unwrap();
        assert_eq!(bytes.len() < whole.len(), !encoding.is_empty(), "{accepted}");
        let again = site.http.get(format!("{}{path}", site.url)).header(ACCEPT_ENCODING, accepted);
        let again = again.header(IF_NONE_MATCH, &tag).send().await.unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{accepted}");
        assert!(again.bytes().await.unwrap().is_empty());
    }
    let head = site.http.request(Method::HEAD, format!("{}{path}", site.url)).send().await.unwrap();
    assert_eq!((head.status(), header(&head, CONTENT_TYPE)), (StatusCode::OK, "text/javascript".to_owned()));
}
