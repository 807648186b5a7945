//! How the console's calls bring an administrator's token: in a cookie that no script can read.
//!
//! Browsers send cookies along with whatever asks for it. So a call counts only with a header besides,
//! which another site's page cannot send with it (a custom header needs a preflight, and none lets cookies through).

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};

use crate::rest::peer;

const COOKIE: &str = "liveloom_console";
const HEADER: &str = "x-liveloom-console";
/// The calls that the cookie is sent with.
const PATH: &str = "/admin";

/// The token in the cookie of a call by the console.
pub(super) fn token(request: &HttpRequest) -> Option<String> {
    request.headers().get(HEADER)?;
    Some(request.cookie(COOKIE)?.value().to_owned())
}

/// The cookie for the browser that sent `request`.
#[must_use]
pub fn cookie(request: &HttpRequest, token: String, life_s: i64) -> Cookie<'static> {
    let is_secure = peer::is_https(request.head());
    Cookie::build(COOKIE, token)
        .path(PATH)
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(is_secure)
        .max_age(Duration::seconds(life_s))
        .finish()
}

/// What takes the cookie away.
#[must_use]
pub fn no_cookie(request: &HttpRequest) -> Cookie<'static> {
    cookie(request, String::new(), 0)
}
