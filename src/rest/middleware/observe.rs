//! The outermost middleware: request id, envelope of every error, metric and access log.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{RequestHead, ServiceRequest, ServiceResponse};
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use ipnet::IpNet;
use prometheus::{HistogramOpts, HistogramVec, Registry};

use super::normalize::{normalize, sent_method};
use crate::rest::draining::Draining;
use crate::rest::envelope;
use crate::rest::error::{OwnWords, Problem};
use crate::rest::peer::{self, TrustedProxies};
use crate::rest::request_id;
use common::request_id::{HEADER, RequestId};
use telemetry::context;
use telemetry::sampled;
use telemetry::span::Span;

/// The request histogram, named as in QNLiveKit_Server so that its dashboards keep working, and
/// what the access log needs.
#[derive(Debug)]
pub struct HttpMetrics {
    seconds: HistogramVec,
    proxies: TrustedProxies,
    /// Who decides which of their traces are kept.
    tracing_callers: Vec<IpNet>,
}

impl HttpMetrics {
    /// Registers `qnlive_http_api{handler, method, code}`, in seconds; `handler` is the route's
    /// pattern, so the label set is bounded.
    ///
    /// # Errors
    /// When the registry holds that name already.
    pub fn register(
        registry: &Registry,
        proxies: TrustedProxies,
        tracing_callers: Vec<IpNet>,
    ) -> prometheus::Result<Self> {
        let help = "Time to answer an HTTP request, in seconds, by route pattern.";
        let options = HistogramOpts::new("http_api", help).namespace("qnlive");
        let seconds = HistogramVec::new(options, &["handler", "method", "code"])?;
        registry.register(Box::new(seconds.clone()))?;
        Ok(Self { seconds, proxies, tracing_callers })
    }

    fn decides_on_traces(&self, head: &RequestHead) -> bool {
        let is_named = |ip| self.tracing_callers.iter().any(|net| net.contains(&ip));
        peer::direct_ip(head).is_some_and(is_named)
    }

    /// Counts a request that was answered, and writes it into the access log. `handler` is the pattern of its
    /// route, `code` the label of how it ended, `method` what the peer sent.
    pub fn note(
        &self,
        handler: &str,
        code: &str,
        method: &str,
        head: &RequestHead,
        status: StatusCode,
        took: Duration,
    ) {
        self.seconds.with_label_values(&[handler, method_label(method), code]).observe(took.as_secs_f64());
        let ip: IpAddr = self.proxies.client_ip(head);
        tracing::info!(
            target: "access",
            method,
            path = head.uri.path(),
            status = status.as_u16(),
            duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            %ip,
        );
    }
}

/// Gives the request its id, turns every error into the envelope, measures and logs.
///
/// # Errors
/// None: errors of inner services are answered here.
pub async fn observe<B: MessageBody + 'static>(
    metrics: web::Data<HttpMetrics>,
    draining: web::Data<Draining>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let id = request_id::of_headers(request.headers());
    request.extensions_mut().insert(id.clone());
    let header = |name| request.headers().get(name)?.to_str().ok();
    let span = Span::server(header, || metrics.decides_on_traces(request.head()));
    let parent = span.as_parent();
    let serving =
        context::within_span(id.shared(), parent, serve(metrics, request, next, Told { id, started, span }));
    let mut response = serving.await?;
    if draining.has_begun() {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    Ok(response)
}

/// What is told of a request at its end.
struct Told {
    id: RequestId,
    started: Instant,
    span: Span,
}

async fn serve<B: MessageBody + 'static>(
    metrics: web::Data<HttpMetrics>,
    mut request: ServiceRequest,
    next: Next<B>,
    told: Told,
) -> Result<ServiceResponse<BoxBody>, Error> {
    normalize(&mut request);
    let response = next.call(request).await?.map_into_boxed_body();
    Ok(finish(&metrics, response, told))
}

fn finish(
    metrics: &HttpMetrics,
    response: ServiceResponse<BoxBody>,
    mut told: Told,
) -> ServiceResponse<BoxBody> {
    let id = &told.id;
    let problem = problem_of(&response);
    let has_own_words = response.response().extensions().contains::<OwnWords>();
    let mut response = match &problem {
        Some(problem) if !has_own_words => response.map_body(|head, _| {
            let (parts, body) =
                envelope::failure(head.status, id, problem.code, &problem.message, problem.data.as_ref())
                    .into_parts();
            if let Some(kind) = parts.headers().get(CONTENT_TYPE) {
                head.headers.insert(CONTENT_TYPE, kind.clone());
            }
            body
        }),
        _ => response,
    };
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        headers.insert(HeaderName::from_static(HEADER), value);
    }
    // Files say for themselves how long they may be kept.
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    record(metrics, &response, problem.as_ref(), told.started.elapsed());
    if told.span.is_recorded() {
        describe(&mut told.span, &response, told.id.as_str());
    }
    response
}

/// Names the span by its route, as the metric is.
fn describe(span: &mut Span, response: &ServiceResponse<BoxBody>, id: &str) {
    let (request, status) = (response.request(), response.status());
    let route = request.match_pattern().unwrap_or_else(|| "unmatched".to_owned());
    let method = method_label(sent_method(request).as_str()).to_owned();
    span.rename(format!("{method} {route}"));
    span.set("http.request.method", method);
    span.set("http.route", route);
    span.set("http.response.status_code", i64::from(status.as_u16()));
    span.set("liveloom.request_id", id.to_owned());
    if status.is_server_error() {
        span.fail();
    }
}

fn problem_of(response: &ServiceResponse<BoxBody>) -> Option<Problem> {
    // A failure may be answered with 200 (`gift.unpaid_status`); it tells of itself all the same.
    let told = response.response().extensions().get::<Problem>().cloned();
    let status = response.status();
    let is_failure = status.is_client_error() || status.is_server_error();
    told.or_else(|| is_failure.then(|| Problem::of_status(status)))
}

fn record(
    metrics: &HttpMetrics,
    response: &ServiceResponse<BoxBody>,
    problem: Option<&Problem>,
    took: Duration,
) {
    let request = response.request();
    let status = response.status();
    let pattern = request.match_pattern();
    let handler = pattern.as_deref().unwrap_or("unmatched");
    let code = problem.and_then(|problem| problem.metric_code).unwrap_or_else(|| status.as_str());
    match problem.and_then(|problem| Some((problem.is_outage, problem.cause.as_deref()?))) {
        Some((true, cause)) => sampled!(error, handler, cause, "request failed"),
        Some((false, cause)) => tracing::error!(handler, cause, "request failed"),
        None => {}
    }
    metrics.note(handler, code, sent_method(request).as_str(), request.head(), status, took);
}

/// Callers may invent methods; labels must not grow with them.
fn method_label(method: &str) -> &str {
    match method {
        "GET" | "POST" | "PUT" | "DELETE" | "PATCH" | "HEAD" | "OPTIONS" => method,
        _ => "OTHER",
    }
}
