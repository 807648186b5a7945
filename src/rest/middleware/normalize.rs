//! Repeated slashes collapse and a trailing one is ignored, on every route.
//!
//! actix-web's own middleware searches each path with a regular expression; here a path that is
//! fine already costs one look.

use actix_web::HttpMessage;
use actix_web::dev::ServiceRequest;
use actix_web::http::Uri;
use actix_web::http::uri::PathAndQuery;

/// The path as the caller sent it, kept where normalisation changed it: signatures are made over
/// this one.
#[derive(Clone, Debug)]
pub struct OriginalPath(pub String);

/// Rewrites the path of `request` when it has to be.
pub(super) fn normalize(request: &mut ServiceRequest) {
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
