//! How media servers call: who they are, and which publisher they tell of.
//!
//! nginx-rtmp posts a form (`on_publish`, `on_publish_done`) or, with `notify_method get`, sends it as the query;
//! SRS posts JSON (<https://ossrs.io/lts/en-us/docs/v5/doc/http-callback>).

use actix_web::HttpRequest;
use actix_web::http::Method;
use serde::Deserialize;
use subtle::ConstantTimeEq;

use super::stream::HookError;
use crate::auth::Gate;
use crate::media::PublishCall;
use crate::rest::{ApiError, Invalid, Params, body, peer};
use common::json;
use config::HooksConfig;

/// The header that carries `hooks.secret`; media servers that cannot set one put it into the query
/// as `secret`.
const SECRET_HEADER: &str = "x-hook-secret";

/// Characters that the `session` column holds.
const SESSION_CHARS: usize = 128;

/// A publisher's session at a media server.
#[derive(Debug)]
pub struct Session {
    /// The stream and the arguments of its URL.
    pub call: PublishCall,
    /// Names the session: the media server's address and its number for the publisher.
    pub id: String,
}

/// What SRS posts; nginx-rtmp's form is read by [`PublishCall::from_nginx`].
#[derive(Deserialize)]
struct SrsCall {
    app: String,
    stream: String,
    #[serde(default)]
    param: String,
    #[serde(default)]
    client_id: serde_json::Value,
}

impl Session {
    /// Reads the call of a media server, if it may call.
    pub(super) fn of(gate: &Gate, config: &HooksConfig, request: &HttpRequest) -> Result<Self, ApiError> {
        check_caller(config, request)?;
        let server = gate.client_ip(request);
        let form = if request.method() == Method::GET { split_query(request.query_string()).1 } else { "" };
        let bytes = body::raw(request);
        let text = json::readable(&bytes);
        let text = if form.is_empty() { std::str::from_utf8(&text) } else { Ok(form) };
        let text = text.map_err(|_| Invalid("body: not valid UTF-8".to_owned()))?;
        let (call, client) = if text.trim_start().starts_with('{') {
            let srs: SrsCall =
                serde_json::from_str(text).map_err(|error| Invalid(format!("body: {error}")))?;
            (PublishCall::from_srs(srs.app, srs.stream, &srs.param), plain(&srs.client_id))
        } else {
            let client = Params::parse(text.as_bytes())?.get("clientid").unwrap_or_default().to_owned();
            (PublishCall::from_nginx(text)?, client)
        };
        let id = format!("{server}/{client}").chars().take(SESSION_CHARS).collect();
        Ok(Self { call, id })
    }
}

/// SRS 3 numbers its clients, later ones name them.
fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The query of the hook's own address, and the form that nginx-rtmp put behind it: always behind a `?`, also
/// where the address has one already. The form begins with `app`.
fn split_query(query: &str) -> (&str, &str) {
    let begins = |at: &usize| *at == 0 || query.get(..*at).is_some_and(|own| own.ends_with(['?', '&']));
    let Some(at) = query.match_indices("app=").map(|(at, _)| at).find(begins) else { return (query, "") };
    let (own, form) = query.split_at(at);
    (own.trim_end_matches(['?', '&']), form)
}

/// Whether a call comes from a media server: by the address that it comes from without a proxy between, or by the
/// secret.
///
/// # Errors
/// [`HookError::NotAllowed`].
pub fn check_caller(config: &HooksConfig, request: &HttpRequest) -> Result<(), HookError> {
    let is_allowed = |ip| config.allow.iter().any(|net| net.contains(&ip));
    if peer::direct_ip(request.head()).is_some_and(is_allowed) {
        return Ok(());
    }
    let header = request.headers().get(SECRET_HEADER).map(|value| value.as_bytes().to_vec());
    let query = match request.query_string() {
        query if request.method() == Method::GET => split_query(query).0,
        query => query,
    };
    let query = Params::parse(query.as_bytes()).unwrap_or_default();
    let given = header.unwrap_or_else(|| query.get("secret").unwrap_or_default().as_bytes().to_vec());
    let secret = config.secret.expose().as_bytes();
    if !secret.is_empty() && bool::from(secret.ct_eq(&given)) { Ok(()) } else { Err(HookError::NotAllowed) }
}

#[cfg(test)]
mod tests {
    use super::split_query;

    #[test]
    fn the_form_is_told_from_the_query_of_the_hooks_own_address() {
        // As Debian's nginx-rtmp sends it.
        assert_eq!(split_query("secret=abc?app=hub&name=s&e=1"), ("secret=abc", "app=hub&name=s&e=1"));
        assert_eq!(split_query("secret=abc&app=hub&app=x"), ("secret=abc", "app=hub&app=x"));
        assert_eq!(split_query("app=hub&name=s"), ("", "app=hub&name=s"));
        assert_eq!(split_query("secret=myapp=1"), ("secret=myapp=1", ""));
        assert_eq!(split_query(""), ("", ""));
    }
}
