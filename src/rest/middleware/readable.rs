//! Paths that cannot be read are refused before any route is looked for.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError};
use percent_encoding::percent_decode_str;

use crate::rest::{ApiError, Invalid};

/// Refuses a path that is not UTF-8 when decoded.
///
/// # Errors
/// Those of the call.
pub async fn refuse_unreadable<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    if is_readable(request.path()) {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let refused = ApiError::from(Invalid("path: not valid UTF-8".to_owned()));
    Ok(request.into_response(refused.error_response()).map_into_right_body())
}

fn is_readable(path: &str) -> bool {
    !path.contains('%') || percent_decode_str(path).decode_utf8().is_ok()
}
