//! What calls to other services have in common.

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response};

/// Begins a client that follows no redirect: what is signed for one address goes nowhere else.
pub fn builder() -> ClientBuilder {
    // The first provider of the process stays; that there is one already is no error.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().redirect(Policy::none())
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
