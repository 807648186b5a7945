//! From an HTTP request to a WebSocket connection.
//!
//! The HTTP service hands over every request that asks for a WebSocket, with its socket. The answers
//! to those that are none of ours are those of the API.

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;

use actix_http::{Request, StatusCode};
use actix_web::dev::{RequestHead, ServiceFactory, fn_factory, fn_service};
use actix_web::{ResponseError, web};
use ipnet::IpNet;

use super::barrage;
use super::handshake::{Framed, Handshake};
use super::limits::{AddressCount, Counted};
use super::mesh::{self, Mesh};
use super::native::{self, Native};
use crate::auth::Gate;
use crate::rest::middleware::HttpMetrics;
use crate::rest::peer;
use crate::rest::rate_limit::AddressLimit;
use realtime::{Endpoint, Hub, LocalHub};

/// What the endpoints need; one for all workers.
#[derive(Clone)]
pub struct Edges {
    /// The hub.
    pub hub: Hub,
    /// Sees addresses through proxies.
    pub gate: web::Data<Gate>,
    /// Counts handshakes as requests.
    pub metrics: web::Data<HttpMetrics>,
    /// How often each address may come.
    pub handshakes: Arc<AddressLimit>,
    /// Connections of each address, but for those of barrage.
    pub addresses: AddressCount,
    /// What the native protocol needs.
    pub native: native::Parts,
    /// What the barrage protocol needs.
    pub barrage: barrage::Parts,
    /// What backends may send.
    pub mesh: Mesh,
}

/// The endpoints of one worker.
struct Worker {
    local: LocalHub,
    native: Native,
    edges: Edges,
}

impl Edges {
    /// The service that takes over upgraded sockets; to be made on each worker's thread.
    pub fn service(
        self,
    ) -> impl ServiceFactory<
        (Request, Framed),
        Config = (),
        Response = (),
        Error = Infallible,
        InitError = (),
        Service: 'static,
        Future: 'static,
    > {
        fn_factory(move || {
            let local = self.hub.join();
            let native = Native::new(local.clone(), self.native.clone());
            let worker = Rc::new(Worker { local, native, edges: self.clone() });
            async move {
                Ok::<_, ()>(fn_service(move |asked| {
                    let worker = Rc::clone(&worker);
                    async move {
                        worker.take(asked).await;
                        Ok::<_, Infallible>(())
                    }
                }))
            }
        })
    }
}

fn endpoint_of(path: &str) -> Option<(Endpoint, &'static str)> {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    match (segments.next(), segments.next(), segments.next()) {
        (Some("realtime"), None, None) => Some((Endpoint::Native, "/realtime")),
        (Some("barrage-videos"), None, None) => Some((Endpoint::Barrage, "/barrage-videos")),
        (Some("ws"), Some("v1"), None) => Some((Endpoint::Mesh, "/ws/v1")),
        _ => None,
    }
}

impl Worker {
    async fn take(&self, asked: (Request, Framed)) {
        let found = endpoint_of(asked.0.path());
        let handler = found.map_or("unmatched", |(_, handler)| handler);
        let handshake = Handshake::new(asked, handler, &self.edges.metrics);
        let Some((endpoint, _)) = found else { return handshake.refuse(StatusCode::NOT_FOUND).await };
        if self.local.hub().is_draining() {
            return handshake.refuse(StatusCode::SERVICE_UNAVAILABLE).await;
        }
        if self.edges.handshakes.check(self.edges.gate.peer_ip(handshake.head())).is_err() {
            return handshake.refuse_beyond("realtime.handshakes_per_address_s").await;
        }
        match endpoint {
            Endpoint::Native => self.take_native(handshake).await,
            Endpoint::Barrage => self.take_barrage(handshake).await,
            Endpoint::Mesh => self.take_mesh(handshake).await,
        }
    }

    async fn take_native(&self, handshake: Handshake<'_>) {
        let Some(_counted) = self.count(handshake.head()) else {
            return handshake.refuse_beyond("realtime.connections_per_address").await;
        };
        let token = handshake.query_token();
        let Some((io, early)) = handshake.accept(None).await else { return };
        self.native.serve(io, early, token).await;
    }

    async fn take_barrage(&self, handshake: Handshake<'_>) {
        let Some(admitted) = barrage::admit(&self.edges.barrage, &self.local, handshake.head()) else {
            return handshake.refuse_beyond("realtime.barrage_per_address").await;
        };
        let Some(io) = handshake.accept(Some(admitted.client_id())).await else { return };
        barrage::serve(&self.local, admitted, io).await;
    }

    async fn take_mesh(&self, handshake: Handshake<'_>) {
        let Some(_counted) = self.count(handshake.head()) else {
            return handshake.refuse_beyond("realtime.connections_per_address").await;
        };
        if let Err(error) = self.edges.mesh.admit(handshake.head()).await {
            return handshake.refuse(error.status_code()).await;
        }
        let Some(io) = handshake.accept(None).await else { return };
        mesh::websocket::serve(&self.edges.mesh, &self.local, io).await;
    }

    /// Counts a connection of an address; None when it has as many as it may have.
    fn count(&self, handshake: &RequestHead) -> Option<Counted<IpNet>> {
        self.edges.addresses.enter(peer::network(self.edges.gate.peer_ip(handshake)))
    }
}
