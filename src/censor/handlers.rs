//! HTTP to the content review and back.

use actix_web::{Error, FromRequest, HttpRequest, web};
use chrono::{DateTime, TimeDelta, Utc};
use garde::Validate;
use serde_json::{Map, Value, json};

use super::dto::{Audit, ImageView, ListWanted, QueryWanted, ReviewedRoomView, RoomOnly, StopLive};
use super::review_call::ReviewCall;
use super::service::Reviews;
use super::settings::Settings;
use crate::auth::{Admin, Authenticator};
use crate::live::{Reviewed, TimeInput};
use crate::media::review::{ListJobs, MAX_LISTED, QueryJob};
use crate::rest::envelope::{Done, Success};
use crate::rest::rate_limit::AddressLimit;
use crate::rest::{ApiError, Body, Invalid, Params, PathId, Reply, body, paging};
use common::clock::SharedClock;
use common::page::Page;

type Answer<T> = Result<Reply<T>, ApiError>;

/// Unsigned callbacks, per client address.
pub struct CallbackLimit(pub AddressLimit);

/// What the review looks for.
///
/// # Errors
/// 401.
#[utoipa::path(get, path = "/admin/censor/config", tag = "censor", security(("admin" = [])),
    responses((status = 200, body = inline(Success<Settings>))))]
pub async fn settings(reviews: web::Data<Reviews>, _: Admin) -> Answer<Settings> {
    Ok(Reply::data(reviews.settings().await?))
}

/// Sets what the review looks for, from the next live on.
///
/// # Errors
/// 400, 401.
#[utoipa::path(post, path = "/admin/censor/config", tag = "censor", security(("admin" = [])),
    request_body = Settings, responses((status = 200, body = inline(Success<Settings>))))]
pub async fn set_settings(reviews: web::Data<Reviews>, _: Admin, body: Body<Settings>) -> Answer<Settings> {
    reviews.set_settings(&body.0).await?;
    Ok(Reply::data(body.0))
}

/// Ends a live for what it shows, and tells the room.
///
/// # Errors
/// 400 unless live, 401, 404.
#[utoipa::path(post, path = "/admin/censor/stoplive/{live_id}", tag = "censor", security(("admin" = [])),
    params(("live_id" = String, Path)), request_body = StopLive, responses((status = 200, body = Done)))]
pub async fn stop_live(
    reviews: web::Data<Reviews>,
    admin: Admin,
    live_id: PathId,
    body: Body<StopLive>,
) -> Answer<()> {
    reviews.stop_live(&live_id.0, admin.user_id(), body.0.message.as_deref()).await?;
    Ok(Reply::empty())
}

/// Starts a review job for a room; harmless when one runs.
///
/// # Errors
/// 400 while the review is off, or after the end of the live; 401, 404; 503 with the reason when the
/// review service does not answer.
#[utoipa::path(post, path = "/admin/censor/job/start", tag = "censor", security(("admin" = [])),
    request_body = RoomOnly,
    responses((status = 200, body = Done), (status = 404, description = "Unknown room"),
        (status = 503, description = "The review service is away")))]
pub async fn start_job(reviews: web::Data<Reviews>, _: Admin, body: Body<RoomOnly>) -> Answer<()> {
    reviews.start_job(&body.0.live_id).await?;
    Ok(Reply::empty())
}

/// Ends the review jobs of a room; harmless when they have ended.
///
/// # Errors
/// 400, 401, 404 for a room without a job; 503 with the reason when the review service does not answer.
#[utoipa::path(post, path = "/admin/censor/job/close", tag = "censor", security(("admin" = [])),
    request_body = RoomOnly,
    responses((status = 200, body = Done), (status = 404, description = "The room has no job"),
        (status = 503, description = "The review service is away")))]
pub async fn close_job(reviews: web::Data<Reviews>, _: Admin, body: Body<RoomOnly>) -> Answer<()> {
    reviews.close_job(&body.0.live_id).await?;
    Ok(Reply::empty())
}

/// Jobs, as the review service tells of them. The parameters may also come as a JSON body.
///
/// # Errors
/// 400, 401; 503 with the reason when the review service does not answer.
#[utoipa::path(get, path = "/admin/censor/job/list", tag = "censor", security(("admin" = [])),
    params(("start" = Option<i64>, Query, description = "Unix seconds; a day before `end` when absent"),
        ("end" = Option<i64>, Query, description = "Unix seconds; now when absent"),
        ("status" = Option<String>, Query, description = "waiting, doing, stop or finished"),
        ("limit" = Option<i64>, Query, description = "From 1, 10 when absent; more than 100 counts as 100"),
        ("marker" = Option<String>, Query, description = "From the answer before")),
    responses((status = 200, body = inline(Success<serde_json::Value>)),
        (status = 503, description = "The review service is away")))]
pub async fn list_jobs(
    reviews: web::Data<Reviews>,
    clock: web::Data<SharedClock>,
    _: Admin,
    request: HttpRequest,
    params: Params,
) -> Answer<Value> {
    let wanted: ListWanted =
        given(&request, &params, &["start", "end", "status", "marker"], &["limit"], &[])?;
    let (start, end) = span(wanted.start, wanted.end, clock.now(), TimeDelta::days(1))?;
    let limit = wanted.limit.unwrap_or(10).min(i64::from(MAX_LISTED));
    let wanted = ListJobs {
        start,
        end,
        status: wanted.status,
        limit: u16::try_from(limit).unwrap_or(MAX_LISTED),
        marker: wanted.marker,
    };
    Ok(Reply::data(reviews.list_jobs(&wanted).await?))
}

/// Results of a job, as the review service tells of them. The parameters may also come as a JSON body.
///
/// # Errors
/// 400, also when the review service knows no such job; 401; 503 with the reason when it does not
/// answer.
#[utoipa::path(get, path = "/admin/censor/job/query", tag = "censor", security(("admin" = [])),
    params(("job" = String, Query),
        ("suggestions" = Option<Vec<String>>, Query, description = "pass, review, block; all when absent"),
        ("start" = Option<i64>, Query, description = "Unix seconds; ten minutes before `end` when absent"),
        ("end" = Option<i64>, Query, description = "Unix seconds; now when absent")),
    responses((status = 200, body = inline(Success<serde_json::Value>)),
        (status = 503, description = "The review service is away")))]
pub async fn query_job(
    reviews: web::Data<Reviews>,
    clock: web::Data<SharedClock>,
    _: Admin,
    request: HttpRequest,
    params: Params,
) -> Answer<Value> {
    let wanted: QueryWanted = given(&request, &params, &["job", "start", "end"], &[], &["suggestions"])?;
    let (start, end) = span(wanted.start, wanted.end, clock.now(), TimeDelta::minutes(10))?;
    let wanted = QueryJob { job: wanted.job, suggestions: wanted.suggestions, start, end };
    Ok(Reply::data(reviews.query_job(&wanted).await?))
}

/// Reviewed rooms, the newest picture first.
///
/// # Errors
/// 400, 401.
#[utoipa::path(get, path = "/admin/censor/live", tag = "censor", security(("admin" = [])),
    params(("is_review" = Option<i64>, Query,
            description = "Absent: all that have pictures; 0: with pictures that wait, not ended by an operator"),
        ("page_num" = Option<u64>, Query), ("page_size" = Option<u64>, Query)),
    responses((status = 200, body = inline(Success<Page<ReviewedRoomView>>))))]
pub async fn rooms(reviews: web::Data<Reviews>, _: Admin, params: Params) -> Answer<Page<ReviewedRoomView>> {
    let wanted = match is_review(&params)? {
        None => Reviewed::Any,
        Some(0) => Reviewed::Waiting,
        Some(_) => return Err(Invalid("is_review: must be 0 or absent".to_owned()).into()),
    };
    Ok(Reply::data(reviews.rooms(wanted, paging(&params)?).await?))
}

/// Pictures, newest first; of judged ones those that break the rules first.
///
/// # Errors
/// 400, 401.
#[utoipa::path(get, path = "/admin/censor/record", tag = "censor", security(("admin" = [])),
    params(("is_review" = Option<i64>, Query, description = "Absent: all; 0: waiting; 1: judged"),
        ("live_id" = Option<String>, Query, description = "Of one room"),
        ("page_num" = Option<u64>, Query), ("page_size" = Option<u64>, Query)),
    responses((status = 200, body = inline(Success<Page<ImageView>>))))]
pub async fn pictures(reviews: web::Data<Reviews>, _: Admin, params: Params) -> Answer<Page<ImageView>> {
    let is_done = match is_review(&params)? {
        None => None,
        Some(0) => Some(false),
        Some(1) => Some(true),
        Some(_) => return Err(Invalid("is_review: must be 0, 1 or absent".to_owned()).into()),
    };
    let live_id = params.get("live_id");
    if live_id.is_some_and(|live_id| live_id.chars().count() > 64) {
        return Err(Invalid("live_id: has more than 64 characters".to_owned()).into());
    }
    let paging = paging(&params)?;
    Ok(Reply::data(reviews.pictures(is_done, live_id, paging).await?))
}

/// An operator's verdict on pictures of one room.
///
/// # Errors
/// 400, 401, 404 for an unknown room or a picture that is not the room's: then none is changed.
#[utoipa::path(post, path = "/admin/censor/audit", tag = "censor", security(("admin" = [])),
    request_body = Audit,
    responses((status = 200, body = Done), (status = 404, description = "Unknown room or picture")))]
pub async fn audit(reviews: web::Data<Reviews>, admin: Admin, body: Body<Audit>) -> Answer<()> {
    reviews.audit(admin.user_id(), &body.0).await?;
    Ok(Reply::empty())
}

/// A result of the review service, at the address that was registered with the room's job.
///
/// # Errors
/// 400, 401 without the room's signature, 404 for a job that is not the room's, 429.
#[utoipa::path(post, path = "/manager/censor/callback", tag = "censor",
    params(("live_id" = String, Query), ("sign" = String, Query, description = "Signature of the room")),
    request_body = ReviewCall,
    responses((status = 200, body = Done), (status = 401, description = "Not signed for this room"),
        (status = 404, description = "Unknown job")))]
pub async fn callback(
    reviews: web::Data<Reviews>,
    authenticator: web::Data<Authenticator>,
    limit: web::Data<CallbackLimit>,
    request: HttpRequest,
    params: Params,
) -> Answer<()> {
    let live_id = check_signed(&reviews, &authenticator, &limit, &request, &params)?;
    let call: ReviewCall = body::parse(&body::raw(&request))?;
    reviews.receive(live_id, &call).await?;
    Ok(Reply::empty())
}

/// The room that a callback is signed for.
fn check_signed<'p>(
    reviews: &Reviews,
    authenticator: &Authenticator,
    limit: &CallbackLimit,
    request: &HttpRequest,
    params: &'p Params,
) -> Result<&'p str, ApiError> {
    let (live_id, sign) = (params.get("live_id").unwrap_or_default(), params.get("sign").unwrap_or_default());
    if let Err(refused) = reviews.check_signed(live_id, sign) {
        // The review service itself is not held up: one address of it speaks for all rooms.
        limit.0.check(authenticator.client_ip(request))?;
        return Err(refused.into());
    }
    Ok(live_id)
}

/// Refuses a callback that is not signed, before its body is read.
///
/// # Errors
/// 401, 429.
pub async fn check_caller(request: &HttpRequest) -> Result<(), Error> {
    let reviews = web::Data::<Reviews>::extract(request).await?;
    let (authenticator, limit) =
        (web::Data::<Authenticator>::extract(request).await?, web::Data::extract(request).await?);
    let params = Params::extract(request).await?;
    check_signed(&reviews, &authenticator, &limit, request, &params)?;
    Ok(())
}

/// `is_review`; empty is absent.
fn is_review(params: &Params) -> Result<Option<i64>, Invalid> {
    params.get("is_review").map(|_| params.number("is_review", 0)).transpose()
}

/// What was asked for: the JSON body, or else the query with its texts, numbers and lists.
fn given<T>(
    request: &HttpRequest,
    params: &Params,
    texts: &[&str],
    numbers: &[&str],
    lists: &[&str],
) -> Result<T, Invalid>
where
    T: serde::de::DeserializeOwned + Validate<Context = ()>,
{
    let bytes = body::raw(request);
    if !bytes.is_empty() {
        return body::parse(&bytes);
    }
    let mut asked = Map::new();
    for name in texts {
        asked.extend(params.get(name).map(|text| ((*name).to_owned(), json!(text))));
    }
    for name in numbers.iter().filter(|name| params.get(name).is_some()) {
        asked.insert((*name).to_owned(), json!(params.number::<i64>(name, 0)?));
    }
    for name in lists {
        let all: Vec<&str> = params.all(name).collect();
        asked.insert((*name).to_owned(), json!(all));
    }
    body::parse(Value::Object(asked).to_string().as_bytes())
}

/// From when to when, in Unix seconds.
fn span(
    start: Option<TimeInput>,
    end: Option<TimeInput>,
    now: DateTime<Utc>,
    default: TimeDelta,
) -> Result<(i64, i64), Invalid> {
    let end = end.and_then(|time| time.0).unwrap_or(now);
    let start = start.and_then(|time| time.0).unwrap_or(end - default);
    if start > end {
        return Err(Invalid("start: is after end".to_owned()));
    }
    Ok((start.timestamp(), end.timestamp()))
}
