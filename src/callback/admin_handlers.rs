//! HTTP to the callbacks and back, for administrators.

use actix_web::web;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::service::{Deliveries, Delivery, Filter, State, Waiting};
use crate::auth::Admin;
use crate::rest::envelope::Success;
use crate::rest::{ApiError, Body, Invalid, Params, Reply, paging};
use common::page::Page;

type Answer<T> = Result<Reply<T>, ApiError>;

/// Callbacks that failed three times and are, or were, delivered on their own, the newest first.
///
/// # Errors
/// 400, 401.
#[utoipa::path(get, path = "/admin/callback/list", tag = "callback", security(("admin" = [])),
    params(("state" = Option<String>, Query, description = "pending, failed or delivered"),
        ("live_id" = Option<String>, Query, description = "Of one room"),
        ("page_num" = Option<u64>, Query), ("page_size" = Option<u64>, Query)),
    responses((status = 200, body = inline(Success<Page<Delivery>>))))]
pub async fn list(deliveries: web::Data<Deliveries>, _: Admin, params: Params) -> Answer<Page<Delivery>> {
    let filter = Filter {
        state: params.get("state").map(state).transpose()?,
        live_id: params.text("live_id", 64)?.map(str::to_owned),
    };
    Ok(Reply::data(deliveries.page(&filter, paging(&params)?).await?))
}

/// What waits in its room's order to be delivered.
///
/// # Errors
/// 401.
#[utoipa::path(get, path = "/admin/callback/waiting", tag = "callback", security(("admin" = [])),
    responses((status = 200, body = inline(Success<Waiting>))))]
pub async fn waiting(deliveries: web::Data<Deliveries>, _: Admin) -> Answer<Waiting> {
    Ok(Reply::data(deliveries.waiting().await?))
}

/// Which callbacks are to be sent again: one, or all that failed for good.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct RetryCallbacks {
    /// One.
    #[garde(inner(length(chars, min = 1, max = 255)))]
    pub webhook_id: Option<String>,
    /// All that failed for good.
    #[garde(skip)]
    #[serde(default)]
    pub all_failed: bool,
}

/// How many will be sent again.
#[derive(Debug, Serialize, ToSchema)]
pub struct Retried {
    /// Callbacks.
    pub retried: u64,
}

/// Sends callbacks again at once, under the same id and with all their attempts before them.
///
/// # Errors
/// 400 for one that was delivered or is just being delivered, 401, 404.
#[utoipa::path(post, path = "/admin/callback/retry", tag = "callback", security(("admin" = [])),
    request_body = RetryCallbacks,
    responses((status = 200, body = inline(Success<Retried>)), (status = 404, description = "Unknown callback")))]
pub async fn retry(
    deliveries: web::Data<Deliveries>,
    _: Admin,
    body: Body<RetryCallbacks>,
) -> Answer<Retried> {
    let retried = match (&body.0.webhook_id, body.0.all_failed) {
        (Some(webhook_id), false) => {
            deliveries.retry(webhook_id).await?;
            1
        }
        (None, true) => deliveries.retry_all_failed().await?,
        (Some(_), true) => return Err(Invalid("webhook_id: goes without all_failed".to_owned()).into()),
        (None, false) => return Err(Invalid("webhook_id: is missing, or all_failed".to_owned()).into()),
    };
    Ok(Reply::data(Retried { retried }))
}

fn state(text: &str) -> Result<State, Invalid> {
    let all = [State::Pending, State::Failed, State::Delivered];
    let found = all.into_iter().find(|state| state.as_str() == text);
    found.ok_or_else(|| Invalid("state: must be pending, failed or delivered".to_owned()))
}
