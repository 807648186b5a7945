//! Requests as the routes know them: repeated slashes collapse and a trailing one is ignored, on every
//! route, and a HEAD is served as the GET that it asks about.
//!
//! actix-web's own middleware searches each path with a regular expression; here a path that is
//! fine already costs one look.

use actix_web::dev::ServiceRequest;
use actix_web::http::uri::PathAndQuery;
use actix_web::http::{Method, Uri};
use actix_web::{HttpMessage, HttpRequest};

/// The path as the caller sent it, kept where normalisation changed it: signatures are made over
/// this one.
#[derive(Clone, Debug)]
pub struct OriginalPath(pub String);

/// Left in a request that was a HEAD.
struct WasHead;

/// The method as the caller sent it: signatures are made over this one.
#[must_use]
pub fn sent_method(request: &HttpRequest) -> Method {
    if request.extensions().contains::<WasHead>() { Method::HEAD } else { request.method().clone() }
}

/// Rewrites method and path of `request` when they have to be. The connection knows that it was a HEAD and
/// sends no body.
pub(super) fn normalize(request: &mut ServiceRequest) {
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
        request.extensions_mut().insert(WasHead);
    }
    normalize_path(request);
}

fn normalize_path(request: &mut ServiceRequest) {
    let path = request.path();
    if path.len() < 2 || !(path.ends_with('/') || path.contains("//")) {
        return;
    }
    let original = path.to_owned();
    let mut path = String::with_capacity(original.len());
    for segment in original.split('/').filter(|segment| !segment.is_empty()) {
        path.push('/');
        path.push_str(segment);
    }
    if path.is_empty() {
        path.push('/');
    }
    if !request.query_string().is_empty() {
        path.push('?');
        path.push_str(request.query_string());
    }
    let mut parts = request.uri().clone().into_parts();
    // The characters are those of a path that was parsed already.
    let Ok(path) = PathAndQuery::try_from(path) else { return };
    parts.path_and_query = Some(path);
    let Ok(uri) = Uri::from_parts(parts) else { return };
    request.match_info_mut().get_mut().update(&uri);
    request.head_mut().uri = uri;
    request.extensions_mut().insert(OriginalPath(original));
}
