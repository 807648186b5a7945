//! What calls to other services have in common.

use opentelemetry_http::HeaderInjector;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Request, RequestBuilder, Response};

use telemetry::span::Span;

/// Begins a client that follows no redirect: what is signed for one address goes nowhere else.
pub fn builder() -> ClientBuilder {
    // The first provider of the process stays; that there is one already is no error.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().redirect(Policy::none())
}

/// Sends a request to the service called `peer`, as [`execute`] does.
///
/// # Errors
/// When it cannot be made, or as of [`execute`].
pub async fn send(request: RequestBuilder, peer: &'static str) -> reqwest::Result<Response> {
    let (client, request) = request.build_split();
    execute(&client, request?, peer).await
}

/// Sends a request to the service called `peer`, with the span of the call in its headers; signatures do
/// not cover them. The answer's body is still to be read.
///
/// # Errors
/// When there is no answer in time.
pub async fn execute(client: &Client, mut request: Request, peer: &'static str) -> reqwest::Result<Response> {
    let mut span = Span::client(peer);
    span.name_to(&mut HeaderInjector(request.headers_mut()));
    if span.is_recorded() {
        span.set("http.request.method", request.method().to_string());
        span.set("server.address", request.url().host_str().unwrap_or_default().to_owned());
    }
    let answer = client.execute(request).await;
    match answer.as_ref().map(Response::status) {
        Ok(status) => {
            span.set("http.response.status_code", i64::from(status.as_u16()));
            if status.is_server_error() {
                span.fail();
            }
        }
        Err(_) => span.fail(),
    }
    answer
}

/// The body of an answer; None when it has more than `limit` bytes, which are not read.
///
/// # Errors
/// When it is cut off or late. Without the URL, which may hold a password or a user's name.
pub async fn bounded_body(mut response: Response, limit: usize) -> reqwest::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
        if body.len() + chunk.len() > limit {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}
