//! The HTTP service: the API, and the WebSocket endpoints that it hands sockets to.
//!
//! It is put together from the parts of actix-web's own server, which has no way to hand over the
//! socket of an upgraded connection.

use std::future::ready;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{ConnectionType, HttpService, KeepAlive, Protocol, Request};
use actix_service::{
    IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, apply_fn_factory, fn_service, map_config,
};
use actix_web::dev::{AppConfig, Server, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::{App, Error};
use anyhow::Context;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::door::{Door, Serve};
use super::services::{Ground, Services};
use super::unread::UnreadRequests;
use crate::edges::native::{self, PublishLimits};
use crate::edges::{AddressCount, ConnectionCount, Edges, barrage};
use crate::rest::client_stream::{ClientStream, Flow, HEAD_LIMIT};
use crate::rest::connections::Connections;
use crate::rest::middleware::{RefusedOrigins, cors, observe, refuse_unreadable};
use crate::rest::peer::TrustedProxies;
use crate::rest::rate_limit::AddressLimit;
use crate::routes;
use common::listen::listen_at;
use config::{LimitsConfig, listen_addrs};
use telemetry::open_files;

/// How long running requests may go on once nobody listens any more, in seconds.
const SHUTDOWN_S: u64 = 10;

/// How long an idle connection is kept: longer than the load balancers in front keep theirs, so
/// that none of them sends a request into a connection that is being closed.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long closing a connection may take.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// Connections of one worker.
const CONNECTIONS: usize = 200_000;

/// A server that listens.
pub(super) struct Listening {
    /// Must be awaited.
    pub(super) server: Server,
    pub(super) addr: SocketAddr,
    pub(super) door: Door,
}

/// Starts to listen.
pub(super) fn listen(ground: &Ground, services: &Services) -> anyhow::Result<Listening> {
    let config = &ground.config;
    let addrs = listen_addrs(&config.httpq.addr)
        .with_context(|| format!("httpq.addr: `{}` is not an address", config.httpq.addr))?;
    let listeners =
        listen_at(&addrs).with_context(|| format!("httpq.addr: cannot listen on {}", config.httpq.addr))?;
    let own = listeners.iter().map(TcpListener::try_clone).collect::<io::Result<Vec<_>>>()?;
    let bound = listeners.first().context("httpq.addr: there is no such address")?.local_addr()?;
    let mut builder = Server::build()
        .workers(config.httpq.workers)
        .max_concurrent_connections(CONNECTIONS)
        .disable_signals()
        .shutdown_timeout(SHUTDOWN_S);
    let closing = CancellationToken::new();
    let closed = closing.clone();
    let (httpq, services, edges) = (config.httpq.clone(), services.clone(), edges(ground, services));
    let refused = RefusedOrigins::default();
    let proxies = TrustedProxies::new(&httpq.trusted_proxies);
    let connections = Connections::new(connection_limit(&config.limits), proxies, &ground.registry)?;
    let unread = UnreadRequests::register(&ground.registry)?;
    let factory = move || {
        let services = services.clone();
        let app = App::new()
            .configure(|config| services.configure(config))
            .configure(routes::configure)
            .wrap(from_fn(refuse_unreadable))
            .wrap(cors(httpq.cors, &httpq.cors_admin_origins, refused.clone()))
            .wrap(from_fn(observe));
        let signal = closed.clone();
        let http = HttpService::build()
            .on_connect_ext(|stream: &ClientStream, data| _ = data.insert(stream.flow()))
            .graceful_shutdown_signal(move || {
                let signal = signal.clone();
                async move { signal.cancelled().await }
            })
            .keep_alive(KeepAlive::Timeout(KEEP_ALIVE))
            .client_request_timeout(HEAD_LIMIT)
            .client_disconnect_timeout(CLOSE_LIMIT)
            .local_addr(bound)
            .upgrade(edges.clone().service())
            .finish(map_config(
                apply_fn_factory(app.into_factory(), attend).map_err(|error: Error| error.error_response()),
                move |()| AppConfig::default(),
            ));
        let connections = connections.clone();
        let accept = move |stream: TcpStream| {
            let peer = stream.peer_addr().ok();
            let counted = connections.enter(peer.map(|peer| peer.ip()));
            let counted = counted.map_err(|error| DispatchError::Io(io::Error::other(error)));
            ready(counted.map(|counted| (ClientStream::new(stream, counted), Protocol::Http1, peer)))
        };
        let unread = unread.clone();
        apply_fn_factory(fn_service(accept).and_then(http), move |stream: TcpStream, service: &_| {
            note_end(unread.clone(), stream, service)
        })
    };
    let serve = on_this_thread(factory.clone());
    for listener in listeners {
        builder = builder.listen("api", listener, factory.clone())?;
    }
    let server = builder.run();
    let door = Door { server: server.handle(), listeners: own, serve, closing };
    Ok(Listening { server, addr: bound, door })
}

/// Serves a connection, and notes requests on it that the codec refused.
fn note_end<S>(
    unread: UnreadRequests,
    stream: TcpStream,
    service: &S,
) -> impl Future<Output = Result<(), DispatchError>> + use<S>
where
    S: Service<TcpStream, Response = (), Error = DispatchError>,
{
    let peer = stream.peer_addr().ok();
    let serving = service.call(stream);
    async move { serving.await.inspect_err(|error| unread.note(peer, error)) }
}

/// Connections of one network: as configured, and never more than a quarter of the files that may be open, so that
/// others find room.
fn connection_limit(limits: &LimitsConfig) -> usize {
    limits.connections_per_address.min(open_files::limit().map_or(usize::MAX, |files| (files / 4).max(1)))
}

/// Answers a request, and reads no further on its connection meanwhile.
///
/// Where the codec saw that an upgrade was asked for it ends the connection with the answer, and that is said:
/// whoever is not told sends the next request into a connection that is being closed.
fn attend<S, B>(
    mut request: Request,
    service: &S,
) -> impl Future<Output = Result<ServiceResponse<B>, Error>> + use<S, B>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
{
    let is_asked = request.head().connection_type() == ConnectionType::Upgrade;
    let answering = request.conn_data::<Rc<Flow>>().cloned().map(|flow| flow.begin(&mut request));
    let answer = service.call(request);
    async move {
        let _answering = answering;
        let mut response = answer.await?;
        if is_asked {
            response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
        }
        Ok(response)
    }
}

/// Serves connections beside the workers.
fn on_this_thread<F>(factory: impl Fn() -> F + Clone + 'static) -> Serve
where
    F: ServiceFactory<TcpStream, Config = (), Response = ()> + 'static,
    F::Service: 'static,
{
    Box::new(move |streams| {
        let factory = factory.clone();
        Box::pin(async move {
            let streams: Vec<_> =
                streams.into_iter().filter_map(|one| TcpStream::from_std(one).ok()).collect();
            if streams.is_empty() {
                return;
            }
            let Ok(service) = factory().new_service(()).await else { return };
            for stream in streams {
                drop(actix_web::rt::spawn(service.call(stream)));
            }
        })
    })
}

fn edges(ground: &Ground, services: &Services) -> Edges {
    let realtime = &ground.config.realtime;
    Edges {
        hub: ground.hub.clone(),
        gate: services.gate.clone(),
        metrics: services.http_metrics.clone(),
        handshakes: Arc::new(AddressLimit::new(realtime.handshakes_per_address_s)),
        addresses: AddressCount::new(realtime.connections_per_address),
        native: native::Parts {
            gate: services.gate.clone(),
            lives: services.lives.clone(),
            relays: services.relays.clone(),
            moderation: services.moderation.clone(),
            users: services.users.clone(),
            limit: Arc::new(PublishLimits::new(realtime)),
            connections: ConnectionCount::new(realtime.connections_per_user),
            heartbeat_every: ground.config.live.heartbeat_every(),
        },
        barrage: barrage::Parts {
            gate: services.gate.clone(),
            addresses: AddressCount::new(realtime.barrage_per_address),
        },
        mesh: services.mesh.as_ref().clone(),
    }
}
