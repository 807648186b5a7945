//! Reads the body before routing, so that the signature check and the handler share it.

use std::time::Duration;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::middleware::Next;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{Error, HttpMessage, ResponseError};
use futures_util::StreamExt;

use crate::error::{Failure, Kind};
use crate::rest::ApiError;
use crate::rest::body::{MAX_BYTES, RawBody};

/// How long a caller may take to send its body.
const DEADLINE: Duration = Duration::from_secs(15);

#[derive(Debug, thiserror::Error)]
enum BodyError {
    #[error("the body is larger than {MAX_BYTES} bytes")]
    TooLarge,
    #[error("the body did not arrive whole: {0}")]
    Broken(String),
}

impl Failure for BodyError {
    fn kind(&self) -> Kind {
        match self {
            Self::TooLarge => Kind::TooLarge,
            Self::Broken(_) => Kind::Invalid,
        }
    }
}

/// Puts the body, at most 1 MiB, into the request's extensions as [`RawBody`].
///
/// # Errors
/// 413 for a larger one, 400 when it breaks off.
pub async fn buffer_body<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let bytes = match read(&mut request).await {
        Ok(bytes) => bytes,
        Err(error) => {
            let response = ApiError::from(error).error_response();
            return Ok(request.into_response(response).map_into_right_body());
        }
    };
    if !bytes.is_empty() {
        request.extensions_mut().insert(RawBody(bytes));
    }
    Ok(next.call(request).await?.map_into_left_body())
}

async fn read(request: &mut ServiceRequest) -> Result<Bytes, BodyError> {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let length: usize = length.unwrap_or_default();
    if length > MAX_BYTES {
        return Err(BodyError::TooLarge);
    }
    let mut payload = request.take_payload();
    let mut bytes = BytesMut::with_capacity(length);
    let whole = async {
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|error| BodyError::Broken(error.to_string()))?;
            if bytes.len() + chunk.len() > MAX_BYTES {
                return Err(BodyError::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(())
    };
    let late = |_| BodyError::Broken(format!("not within {} s", DEADLINE.as_secs()));
    tokio::time::timeout(DEADLINE, whole).await.map_err(late)??;
    Ok(bytes.freeze())
}
