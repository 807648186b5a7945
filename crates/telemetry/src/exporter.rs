//! `GET /metrics` on a port of its own, for Prometheus to scrape.

use std::net::SocketAddr;

use actix_web::dev::Server;
use actix_web::http::StatusCode;
use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::Context;
use prometheus::{Encoder, Registry, TextEncoder};

use super::process;
use common::listen::listen_at;
use config::listen_addrs;

/// Encodes all metrics, those of the process too, in Prometheus' text format.
///
/// # Errors
/// When a metric cannot be encoded.
pub fn encode(registry: &Registry) -> prometheus::Result<Vec<u8>> {
    let mut text = Vec::new();
    let families = [registry.gather(), process::metrics()].concat();
    TextEncoder::new().encode(&families, &mut text)?;
    Ok(text)
}

/// A server that answers `/metrics` at `listen_addr` ([`listen_addrs`]), and the address it got.
///
/// # Errors
/// When it is no address, or taken.
pub fn serve(registry: &Registry, listen_addr: &str) -> anyhow::Result<(Server, SocketAddr)> {
    let key = "prome.exporter_config.listen_addr";
    let addrs =
        listen_addrs(listen_addr).with_context(|| format!("{key}: `{listen_addr}` is not an address"))?;
    let listeners = listen_at(&addrs).with_context(|| format!("{key}: cannot listen on {listen_addr}"))?;
    let bound =
        listeners.first().with_context(|| format!("{key}: there is no such address"))?.local_addr()?;
    let registry = registry.clone();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(registry.clone()))
            .service(web::resource("/metrics").get(metrics).head(metrics))
    });
    let mut server = server.workers(1).disable_signals();
    for listener in listeners {
        server = server.listen(listener)?;
    }
    Ok((server.run(), bound))
}

async fn metrics(registry: web::Data<Registry>) -> HttpResponse {
    match encode(&registry) {
        Ok(text) => HttpResponse::Ok().content_type(prometheus::TEXT_FORMAT).body(text),
        Err(error) => {
            tracing::error!(%error, "the metrics could not be encoded");
            HttpResponse::new(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}
