//! `GET /metrics` on a port of its own, for Prometheus to scrape.

use std::net::SocketAddr;

use actix_web::dev::Server;
use actix_web::http::StatusCode;
use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::Context;
use prometheus::{Encoder, Registry, TextEncoder};

use super::process;

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

/// A server that answers `/metrics` at `addr`, and the address it got.
///
/// # Errors
/// When the address is taken.
pub fn serve(registry: &Registry, addr: SocketAddr) -> anyhow::Result<(Server, SocketAddr)> {
    let registry = registry.clone();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(registry.clone()))
            .service(web::resource("/metrics").get(metrics).head(metrics))
    });
    let server = server.workers(1).disable_signals().bind(addr);
    let server =
        server.with_context(|| format!("prome.exporter_config.listen_addr: cannot listen on {addr}"))?;
    let bound = server.addrs().first().copied().unwrap_or(addr);
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
