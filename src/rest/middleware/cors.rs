//! Which pages of other origins may read answers (<https://fetch.spec.whatwg.org/#http-cors-protocol>). Never
//! with cookies: whoever may read brings a token of their own.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use actix_cors::Cors;
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue, RETRY_AFTER};

use common::request_id::HEADER;

const PREFLIGHT_LIFE_S: usize = 6 * 3600;

/// What apps call from pages of their own, wherever those are.
const OF_CLIENTS: [&str; 6] =
    ["/client", "/live/room/instance", "/mic/live", "/realtime", "/barrage-videos", "/api/ping"];
/// What the operators' console calls.
const OF_OPERATORS: [&str; 2] = ["/admin", "/manager"];

/// Origins that are remembered, and bytes of each that are told.
const TOLD: (usize, usize) = (100, 200);

/// The origins whose pages were kept from the operators' routes, of which the log tells once; clones share them.
#[derive(Clone, Default)]
pub struct RefusedOrigins(Arc<Mutex<HashSet<String>>>);

impl RefusedOrigins {
    /// Tells how the console of another origin is let in.
    fn tell(&self, origin: &HeaderValue) {
        let (most, bytes) = TOLD;
        let Some(origin) = origin.to_str().ok().filter(|origin| origin.len() <= bytes) else { return };
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() < most && told.insert(origin.to_owned()) {
            tracing::info!(
                origin,
                "a page of this origin may not call the operators' routes: httpq.cors_admin_origins does not name it"
            );
        }
    }
}

/// Any origin may call the clients' routes if `is_open`, and those of `operators` (such as
/// `https://console.example.com`) the operators' ones.
pub fn cors(is_open: bool, operators: &[String], refused: RefusedOrigins) -> Cors {
    let operators: HashSet<Vec<u8>> = operators.iter().map(|origin| origin.clone().into_bytes()).collect();
    let is_allowed = move |origin: &HeaderValue, path: &str| {
        (is_open && is_below(path, &OF_CLIENTS))
            || (operators.contains(origin.as_bytes()) && is_below(path, &OF_OPERATORS))
    };
    Cors::default()
        .allowed_origin_fn(move |origin, head| {
            let (path, is_allowed) = (head.uri.path(), is_allowed(origin, head.uri.path()));
            // Pages of this server ask before no call.
            if !is_allowed && head.method == Method::OPTIONS && is_below(path, &OF_OPERATORS) {
                refused.tell(origin);
            }
            is_allowed
        })
        .allowed_methods(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
        // Tracing libraries add headers to every call; none of them can do any harm.
        .allow_any_header()
        .expose_headers([HeaderName::from_static(HEADER), RETRY_AFTER])
        .max_age(PREFLIGHT_LIFE_S)
        // Answers are not to be kept, and files are the same for every origin.
        .disable_vary_header()
}

fn is_below(path: &str, roots: &[&str]) -> bool {
    let is_in =
        |root: &&str| path.strip_prefix(*root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    roots.iter().any(is_in)
}
