//! HTTP to the overview and back.

use std::sync::Arc;

use actix_web::web;

use super::dto::{ConfigView, Job, Node, Summary};
use super::service::Overview;
use crate::auth::Admin;
use crate::rest::envelope::Success;
use crate::rest::{ApiError, Reply};

type Answer<T> = Result<Reply<T>, ApiError>;

/// What the installation is doing, counted at most a second ago.
///
/// # Errors
/// 401.
#[utoipa::path(get, path = "/admin/overview", tag = "admin", security(("admin" = [])),
    responses((status = 200, body = inline(Success<Summary>))))]
pub async fn summary(overview: web::Data<Overview>, _: Admin) -> Answer<Arc<Summary>> {
    Ok(Reply::data(overview.summary().await?))
}

/// The nodes that are alive, with what they count.
///
/// # Errors
/// 401.
#[utoipa::path(get, path = "/admin/nodes", tag = "admin", security(("admin" = [])),
    responses((status = 200, body = inline(Success<Vec<Node>>))))]
pub async fn nodes(overview: web::Data<Overview>, _: Admin) -> Answer<Vec<Node>> {
    Ok(Reply::data(overview.nodes().await?))
}

/// The jobs, as the leader tells of them.
///
/// # Errors
/// 401.
#[utoipa::path(get, path = "/admin/jobs", tag = "admin", security(("admin" = [])),
    responses((status = 200, body = inline(Success<Vec<Job>>))))]
pub async fn jobs(overview: web::Data<Overview>, _: Admin) -> Answer<Vec<Job>> {
    Ok(Reply::data(overview.jobs().await?))
}

/// The configuration that the answering node runs with, secrets masked.
///
/// # Errors
/// 401.
#[utoipa::path(get, path = "/admin/config", tag = "admin", security(("admin" = [])),
    responses((status = 200, body = inline(Success<ConfigView>))))]
pub async fn config(overview: web::Data<Overview>, _: Admin) -> Answer<ConfigView> {
    Ok(Reply::data(overview.config()))
}
