//! HTTP to the banned words and back, for administrators and backends alike.

use actix_web::web;

use super::dto::{WordView, Words, WordsChanged};
use super::service::Moderation;
use crate::rest::envelope::Success;
use crate::rest::{ApiError, Body, Params, Reply, paging};
use crate::user::Operator;
use common::page::Page;

type Answer<T> = Result<Reply<T>, ApiError>;

/// The banned words, the latest first.
///
/// # Errors
/// 400, 401.
#[utoipa::path(get, path = "/admin/banned_words", tag = "moderation", security(("admin" = [])),
    params(("page_num" = Option<u64>, Query), ("page_size" = Option<u64>, Query)),
    responses((status = 200, body = inline(Success<Page<WordView>>))))]
pub async fn list<O: Operator>(
    moderation: web::Data<Moderation>,
    _: O,
    params: Params,
) -> Answer<Page<WordView>> {
    Ok(Reply::data(moderation.words().list(paging(&params)?).await?))
}

/// Adds banned words, and says how many of them are new.
///
/// # Errors
/// 400, also for more than 10,000; 401.
#[utoipa::path(post, path = "/admin/banned_words", tag = "moderation", security(("admin" = [])),
    request_body = Words, responses((status = 200, body = inline(Success<WordsChanged>))))]
pub async fn add<O: Operator>(
    moderation: web::Data<Moderation>,
    operator: O,
    body: Body<Words>,
) -> Answer<WordsChanged> {
    let count = moderation.words().add(&body.0.words, operator.name()).await?;
    Ok(Reply::data(WordsChanged { count }))
}

/// Takes words out of the banned ones, and says how many went; those that are not there are passed over.
///
/// # Errors
/// 400, 401.
#[utoipa::path(post, path = "/admin/banned_words/delete", tag = "moderation", security(("admin" = [])),
    request_body = Words, responses((status = 200, body = inline(Success<WordsChanged>))))]
pub async fn delete<O: Operator>(
    moderation: web::Data<Moderation>,
    _: O,
    body: Body<Words>,
) -> Answer<WordsChanged> {
    let count = moderation.words().delete(&body.0.words).await?;
    Ok(Reply::data(WordsChanged { count }))
}
