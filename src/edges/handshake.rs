//! The handshake of a WebSocket (RFC 6455 section 4.2): how it is accepted, or refused as the API refuses. Either
//! way it is counted and logged as any request is.

use std::time::{Duration, Instant};

use actix_http::body::{BodySize, MessageBody};
use actix_http::h1::{Codec, Message};
use actix_http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use actix_http::{ConnectionType, HttpMessage, Request, Response, ResponseBuilder, StatusCode, ws};
use actix_web::HttpResponse;
use actix_web::dev::RequestHead;
use actix_web::rt::net::TcpStream;
use bytes::BytesMut;
use futures_util::SinkExt;

use super::socket;
use crate::rest::client_stream::ClientStream;
use crate::rest::envelope;
use crate::rest::middleware::HttpMetrics;
use crate::rest::request_id;
use common::request_id::HEADER;

/// Names a connection to backends.
const CLIENT_ID: HeaderName = HeaderName::from_static("x-client-id");
/// When one who came too often, or to a node that goes down, is told to come again.
const LATER: HeaderValue = HeaderValue::from_static("1");

pub(super) type Framed = actix_codec::Framed<ClientStream, Codec>;

/// A request for a WebSocket, and its socket.
pub(super) struct Handshake<'a> {
    request: Request,
    framed: Framed,
    /// The endpoint's path, as metrics name it.
    handler: &'static str,
    metrics: &'a HttpMetrics,
    began: Instant,
}

impl<'a> Handshake<'a> {
    pub(super) fn new(
        (request, framed): (Request, Framed),
        handler: &'static str,
        metrics: &'a HttpMetrics,
    ) -> Self {
        Self { request, framed, handler, metrics, began: Instant::now() }
    }

    pub(super) fn head(&self) -> &RequestHead {
        self.request.head()
    }

    /// A browser cannot set headers of a WebSocket: the token comes in the query.
    pub(super) fn query_token(&self) -> Option<String> {
        let query = self.request.uri().query().unwrap_or_default();
        url::form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == "token")
            .map(|(_, token)| token.into_owned())
    }

    /// Completes the handshake; answers the socket, and what the peer has sent already. A client id is told in a
    /// header, where a protocol has no place for it.
    pub(super) async fn accept(mut self, client_id: Option<u64>) -> Option<(TcpStream, BytesMut)> {
        let mut response: ResponseBuilder = match ws::handshake(self.request.head()) {
            Ok(response) => response,
            Err(error) => {
                let response: Response<_> = error.into();
                self.refuse(response.status()).await;
                return None;
            }
        };
        if let Some(client_id) = client_id {
            response.insert_header((CLIENT_ID, client_id.to_string()));
        }
        let head = response.finish().drop_body();
        self.framed.send(Message::Item((head, BodySize::None))).await.ok()?;
        self.note(StatusCode::SWITCHING_PROTOCOLS);
        let parts = self.framed.into_parts();
        // The rest of the HTTP connection's buffer would stay for as long as the peer does.
        let early =
            if parts.read_buf.is_empty() { BytesMut::new() } else { BytesMut::from(&parts.read_buf[..]) };
        Some((parts.io.into_inner(), early))
    }

    /// Answers with the API's envelope, says that the connection ends, and ends it.
    pub(super) async fn refuse(self, status: StatusCode) {
        self.refuse_because(status, status.canonical_reason().unwrap_or("Error")).await;
    }

    /// Refuses a peer that has or does more than it may; `limit` is the key of the configuration.
    pub(super) async fn refuse_beyond(self, limit: &str) {
        let message = format!("too many: this address has reached {limit}, try again later");
        self.refuse_because(StatusCode::TOO_MANY_REQUESTS, &message).await;
    }

    async fn refuse_because(mut self, status: StatusCode, message: &str) {
        let id = request_id::of_headers(self.request.headers());
        let mut response: HttpResponse =
            envelope::failure(status, &id, i64::from(status.as_u16()), message, None);
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(RETRY_AFTER, LATER);
        }
        if let Ok(value) = HeaderValue::from_str(id.as_str()) {
            response.headers_mut().insert(HeaderName::from_static(HEADER), value);
        }
        let (head, body) = response.map_into_boxed_body().into_parts();
        let Ok(body) = body.try_into_bytes() else { return };
        let mut head = Response::from(head.set_body(())).drop_body();
        head.head_mut().set_connection_type(ConnectionType::Close);
        let size = BodySize::Sized(u64::try_from(body.len()).unwrap_or_default());
        let framed = &mut self.framed;
        let sent = async {
            framed.send(Message::Item((head, size))).await?;
            framed.send(Message::Chunk(Some(body))).await?;
            framed.send(Message::Chunk(None)).await
        };
        // A peer that is gone, or does not read, needs no answer.
        let is_sent = matches!(tokio::time::timeout(ANSWER_LIMIT, sent).await, Ok(Ok(())));
        self.note(status);
        if is_sent {
            socket::end(&self.framed.into_parts().io.into_inner()).await;
        }
    }

    fn note(&self, status: StatusCode) {
        let (head, took) = (self.request.head(), self.began.elapsed());
        self.metrics.note(self.handler, status.as_str(), head.method.as_str(), head, status, took);
    }
}

/// How long a peer may take to read a refusal.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
