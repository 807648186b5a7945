//! The log of what administrators did.
//!
//! A call is noted before it is carried out and its status after: without a note nothing is done, and
//! a note without a status (0) is a call that was never answered, since the process or the connection
//! ended.

mod mask;

use std::net::IpAddr;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError, web};
use prometheus::{IntCounter, Registry};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::auth::{Admin, Authenticator};
use crate::rest::envelope::Success;
use crate::rest::{ApiError, Invalid, Params, Reply, body, paging};
use common::clock::SharedClock;
use common::crash;
use common::failure::{Failure, Kind};
use common::page::{Page, Paging};
use common::text::check_user_id;
use store::db::{Db, StoreError};
use store::entity::operation_log::{ActiveModel, Column, Entity, Model};

/// Characters that the columns hold.
const USER_CHARS: usize = 30;
const IP_CHARS: usize = 30;
const METHOD_CHARS: usize = 10;
const TEXT_CHARS: usize = 1024;

/// Stands where a text was cut.
const CUT: char = '…';

/// The log; clones share everything.
#[derive(Clone)]
pub struct Operations {
    db: Db,
    clock: SharedClock,
    failures: IntCounter,
}

/// Without a note nothing is done.
#[derive(Debug, thiserror::Error)]
#[error("the operation log cannot be written, so nothing was done")]
struct NotNoted(#[source] StoreError);

impl Failure for NotNoted {
    fn kind(&self) -> Kind {
        Kind::NotReady
    }
}

/// A call of an administrator, as far as it is known before it is carried out.
struct Note {
    admin_id: String,
    ip: IpAddr,
    method: String,
    url: String,
    args: String,
}

impl Operations {
    /// A log in `db`. Registers `liveloom_operation_log_failures_total`.
    ///
    /// # Errors
    /// When the registry holds that name already.
    pub fn new(db: Db, clock: SharedClock, registry: &Registry) -> prometheus::Result<Self> {
        let help = "Calls of administrators that could not be noted, or whose status could not.";
        let failures = IntCounter::new("liveloom_operation_log_failures_total", help)?;
        registry.register(Box::new(failures.clone()))?;
        Ok(Self { db, clock, failures })
    }

    /// Notes a call; answers the note's number.
    async fn begin(&self, note: Note) -> Result<u32, StoreError> {
        let ip = note.ip.to_string();
        let row = ActiveModel {
            user_id: Set(short_id(&note.admin_id)),
            ip: Set(Some(cut(&ip, IP_CHARS))),
            method: Set(Some(cut(&note.method, METHOD_CHARS))),
            url: Set(Some(cut(&note.url, TEXT_CHARS))),
            args: Set(Some(cut(&note.args, TEXT_CHARS))),
            status_code: Set(0),
            created_at: Set(Some(self.db.wall(self.clock.now()))),
            full_ip: Set(Some(ip).filter(|ip| ip.len() > IP_CHARS)),
            ..ActiveModel::default()
        };
        let stored = Entity::insert(row).exec(self.db.writer()).await;
        let stored = stored.inspect_err(|_| self.failures.inc())?;
        crash::point("operation.noted");
        Ok(stored.last_insert_id)
    }

    /// Adds how the call was answered. The call is done, so that a failure is only made known.
    async fn end(&self, id: u32, status: u16) {
        let change = Entity::update_many().col_expr(Column::StatusCode, Expr::value(i32::from(status)));
        if let Err(error) = change.filter(Column::Id.eq(id)).exec(self.db.writer()).await {
            self.failures.inc();
            tracing::error!(%error, id, status, "the status of an operation was not noted: its row shows 0");
        }
    }

    /// A page of the log, newest first; of one administrator, or of all.
    ///
    /// # Errors
    /// The store's.
    pub async fn list(
        &self,
        admin_id: Option<&str>,
        paging: Paging,
    ) -> Result<Page<OperationView>, StoreError> {
        let conn = self.db.reader();
        let mut rows = Entity::find();
        if let Some(admin_id) = admin_id.map(short_id) {
            let exact = Expr::cust(self.db.dialect().bytewise("`user_id`")).eq(admin_id.clone());
            rows = rows.filter(Column::UserId.eq(admin_id)).filter(exact);
        }
        let total = rows.clone().count(conn).await?;
        let rows = rows.order_by_desc(Column::Id).offset(paging.offset()).limit(paging.size);
        let rows = rows.all(conn).await?;
        Ok(Page::new(paging, total, rows.into_iter().map(|row| self.view(row)).collect()))
    }

    fn view(&self, row: Model) -> OperationView {
        let text = Option::<String>::unwrap_or_default;
        OperationView {
            id: row.id,
            user_id: row.user_id,
            ip: text(row.full_ip.or(row.ip)),
            method: text(row.method),
            url: text(row.url),
            args: text(row.args),
            status_code: row.status_code,
            created_at: row.created_at.map(|at| self.db.instant(at).timestamp()),
        }
    }
}

/// A call of an administrator.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperationView {
    /// Number of the note.
    pub id: u32,
    /// The administrator; of an id over 30 characters the beginning and a hash of the whole.
    pub user_id: String,
    /// Where the call came from.
    pub ip: String,
    /// HTTP method.
    pub method: String,
    /// Path and query, secrets masked.
    pub url: String,
    /// Body, or else the query, secrets masked.
    pub args: String,
    /// HTTP status of the answer; 0 when there was none.
    pub status_code: i32,
    /// When, Unix seconds.
    pub created_at: Option<i64>,
}

/// Notes every call of a known administrator that is not a GET, also one that is refused.
///
/// # Errors
/// 503 when it cannot be noted: then nothing was done.
pub async fn note<B: MessageBody + 'static>(
    operations: web::Data<Operations>,
    authenticator: web::Data<Authenticator>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    if request.method() == Method::GET {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let admin = match request.extract::<Admin>().await {
        Ok(admin) => admin,
        Err(error) if error.status_code().is_server_error() => return Ok(refuse(request, &error)),
        // The handler refuses it, or there is none.
        Err(_) => return Ok(next.call(request).await?.map_into_left_body()),
    };
    let id = match operations.begin(read(&authenticator, &admin, &request)).await {
        Ok(id) => id,
        Err(error) => {
            tracing::error!(%error, admin = admin.user_id(), "an operation was refused: it could not be noted");
            return Ok(refuse(request, &NotNoted(error).into()));
        }
    };
    let answered = next.call(request).await;
    let status = match &answered {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    operations.end(id, status.as_u16()).await;
    Ok(answered?.map_into_left_body())
}

fn refuse<B>(request: ServiceRequest, error: &ApiError) -> ServiceResponse<EitherBody<B>> {
    request.into_response(error.error_response()).map_into_right_body()
}

fn read(authenticator: &Authenticator, admin: &Admin, request: &ServiceRequest) -> Note {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let query = mask::pairs(request.query_string());
    let body = body::raw(request.request());
    Note {
        admin_id: admin.user_id().to_owned(),
        ip: authenticator.client_ip(request.request()),
        method: request.method().as_str().to_owned(),
        url: if query.is_empty() { request.path().to_owned() } else { format!("{}?{query}", request.path()) },
        args: if body.is_empty() { query } else { mask::body(kind, &body) },
    }
}

/// The log, newest first.
///
/// # Errors
/// 400, 401.
#[utoipa::path(get, path = "/admin/operations", tag = "admin", security(("admin" = [])),
    params(("user_id" = Option<String>, Query, description = "Of one administrator"),
        ("page_num" = Option<u64>, Query), ("page_size" = Option<u64>, Query)),
    responses((status = 200, body = inline(Success<Page<OperationView>>))))]
pub async fn list(
    operations: web::Data<Operations>,
    _: Admin,
    params: Params,
) -> Result<Reply<Page<OperationView>>, ApiError> {
    let admin_id = params.get("user_id");
    if let Some(Err(reason)) = admin_id.map(check_user_id) {
        return Err(Invalid(format!("user_id: {reason}")).into());
    }
    let paging = paging(&params)?;
    Ok(Reply::data(operations.list(admin_id, paging).await?))
}

/// `text` in at most `max` characters; the last one is a mark when it had more.
fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    text.chars().take(max - 1).chain([CUT]).collect()
}

/// An id that fits the column: the beginning of a longer one, a mark, and a hash that tells it from
/// others that begin alike.
fn short_id(id: &str) -> String {
    const HASH_CHARS: usize = 8;
    if id.chars().count() <= USER_CHARS {
        return id.to_owned();
    }
    let hash = base16ct::lower::encode_string(&Sha256::digest(id));
    let begin = id.chars().take(USER_CHARS - HASH_CHARS - 1);
    begin.chain([CUT]).chain(hash.chars().take(HASH_CHARS)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_with_a_mark() {
        assert_eq!(cut("12345", 5), "12345");
        assert_eq!(cut("123456", 5), "1234…");
        let address = "2001:db8:1234:5678:9abc:def0:1234:5678";
        assert_eq!(cut(address, IP_CHARS), "2001:db8:1234:5678:9abc:def0:…");
    }

    #[test]
    fn long_ids_stay_apart() {
        let (one, other) = ("a".repeat(63) + "1", "a".repeat(63) + "2");
        assert_eq!(short_id(&one).chars().count(), 30);
        assert_ne!(short_id(&one), short_id(&other));
        assert_eq!(short_id(&"é".repeat(30)), "é".repeat(30));
    }
}
