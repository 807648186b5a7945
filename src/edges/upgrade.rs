//! From an HTTP request to a WebSocket connection.
//!
//! The HTTP service hands over every request that asks for a WebSocket, with its socket. The answers
//! to those that are none of ours are those of the API.

use std::convert::Infallible;
use std::rc::Rc;

use actix_http::body::{BodySize, MessageBody};
use actix_http::h1::{Codec, Message};
use actix_http::{HttpMessage, Request, Response, ResponseBuilder, StatusCode, ws};
use actix_web::dev::{ServiceFactory, fn_factory, fn_service};
use actix_web::http::header::HeaderName;
use actix_web::rt::net::TcpStream;
use actix_web::{HttpResponse, ResponseError};
use bytes::BytesMut;
use futures_util::SinkExt;

use super::barrage;
use super::mesh::{self, Mesh};
use super::native::{self, Native};
use crate::hub::{Endpoint, Hub, LocalHub};
use crate::rest::envelope;
use crate::rest::request_id::RequestId;

/// Names a connection to backends.
const CLIENT_ID: HeaderName = HeaderName::from_static("x-client-id");

type Framed = actix_codec::Framed<TcpStream, Codec>;

/// What the endpoints need; one for all workers.
#[derive(Clone)]
pub struct Edges {
    /// The hub.
    pub hub: Hub,
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
    barrage: barrage::Parts,
    mesh: Mesh,
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
            let worker = Rc::new(Worker {
                native: Native::new(local.clone(), self.native.clone()),
                barrage: self.barrage.clone(),
                mesh: self.mesh.clone(),
                local,
            });
            async move {
                Ok::<_, ()>(fn_service(move |(request, framed)| {
                    let worker = Rc::clone(&worker);
                    async move {
                        worker.take(request, framed).await;
                        Ok::<_, Infallible>(())
                    }
                }))
            }
        })
    }
}

fn endpoint_of(path: &str) -> Option<Endpoint> {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    match (segments.next(), segments.next(), segments.next()) {
        (Some("realtime"), None, None) => Some(Endpoint::Native),
        (Some("barrage-videos"), None, None) => Some(Endpoint::Barrage),
        (Some("ws"), Some("v1"), None) => Some(Endpoint::Mesh),
        _ => None,
    }
}

impl Worker {
    async fn take(&self, request: Request, framed: Framed) {
        let Some(endpoint) = endpoint_of(request.path()) else {
            return refuse(&request, framed, StatusCode::NOT_FOUND).await;
        };
        if self.local.hub().is_draining() {
            return refuse(&request, framed, StatusCode::SERVICE_UNAVAILABLE).await;
        }
        match endpoint {
            Endpoint::Native => self.take_native(request, framed).await,
            Endpoint::Barrage => self.take_barrage(request, framed).await,
            Endpoint::Mesh => self.take_mesh(request, framed).await,
        }
    }

    async fn take_native(&self, request: Request, framed: Framed) {
        let token = query_token(&request);
        let Some((io, early)) = shake_hands(&request, framed, None).await else { return };
        drop(request);
        self.native.serve(io, early, token).await;
    }

    async fn take_barrage(&self, request: Request, framed: Framed) {
        let Some(admitted) = barrage::admit(&self.barrage, &self.local, request.head()) else {
            return refuse(&request, framed, StatusCode::TOO_MANY_REQUESTS).await;
        };
        let Some(io) = shake_hands(&request, framed, Some(admitted.client_id())).await else { return };
        drop(request);
        barrage::serve(&self.local, admitted, io).await;
    }

    async fn take_mesh(&self, request: Request, framed: Framed) {
        if let Err(error) = self.mesh.admit(request.head()).await {
            return refuse(&request, framed, error.status_code()).await;
        }
        let Some(io) = shake_hands(&request, framed, None).await else { return };
        drop(request);
        mesh::websocket::serve(&self.mesh, &self.local, io).await;
    }
}

/// A browser cannot set headers of a WebSocket: the token comes in the query.
fn query_token(request: &Request) -> Option<String> {
    let query = request.uri().query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "token")
        .map(|(_, token)| token.into_owned())
}

/// Completes the handshake (RFC 6455 section 4.2.2); answers the socket, and what the peer has sent
/// already. A client id is told in a header, where a protocol has no place for it.
async fn shake_hands(
    request: &Request,
    mut framed: Framed,
    client_id: Option<u64>,
) -> Option<(TcpStream, BytesMut)> {
    let mut response: ResponseBuilder = match ws::handshake(request.head()) {
        Ok(response) => response,
        Err(error) => {
            let response: Response<_> = error.into();
            refuse(request, framed, response.status()).await;
            return None;
        }
    };
    if let Some(client_id) = client_id {
        response.insert_header((CLIENT_ID, client_id.to_string()));
    }
    let head = response.finish().drop_body();
    framed.send(Message::Item((head, BodySize::None))).await.ok()?;
    let parts = framed.into_parts();
    // The rest of the HTTP connection's buffer would stay for as long as the peer does.
    let early = if parts.read_buf.is_empty() { BytesMut::new() } else { BytesMut::from(&parts.read_buf[..]) };
    Some((parts.io, early))
}

/// Answers with the API's envelope, and ends the connection.
async fn refuse(request: &Request, mut framed: Framed, status: StatusCode) {
    let id = RequestId::of(request.headers());
    let message = status.canonical_reason().unwrap_or("Error");
    let response: HttpResponse = envelope::failure(status, &id, i64::from(status.as_u16()), message, None);
    let (head, body) = response.map_into_boxed_body().into_parts();
    let Ok(body) = body.try_into_bytes() else { return };
    let head = Response::from(head.set_body(())).drop_body();
    let size = BodySize::Sized(u64::try_from(body.len()).unwrap_or_default());
    let sent = async {
        framed.send(Message::Item((head, size))).await?;
        framed.send(Message::Chunk(Some(body))).await?;
        framed.send(Message::Chunk(None)).await
    };
    // A peer that is gone needs no answer.
    let _ = sent.await;
}
