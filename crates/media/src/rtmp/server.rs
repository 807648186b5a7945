//! Sessions over connections: who is let in, and for how long.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connections::{Connections, ServerStats, Stranger};
use super::ending::Ending;
use super::gate::{Gate, Refusal};
use super::limits::ServerLimits;
use super::request::StreamRequest;
use super::session::Event;
use super::transport::Transport;
use super::{play, publish};
use crate::hub::{Audience, DownReason, Hub, Protocol, Publisher, Source, Viewer};

/// Read at once from somebody who was not accepted.
const STRANGERS_ROOM: usize = 8 << 10;
/// How long to wait when no connection can be accepted, mostly for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What a connection was accepted for.
enum Purpose {
    Publish(Publisher),
    Play(Viewer),
}

/// An RTMP server over a hub.
pub struct Server<G> {
    hub: Hub,
    gate: G,
    limits: ServerLimits,
    connections: Arc<Connections>,
}

/// A place for a connection, with the time until which it has to publish or play.
#[derive(Debug)]
pub struct Admission {
    deadline: Instant,
    stranger: Stranger,
    place: OwnedSemaphorePermit,
}

impl<G: Gate> Server<G> {
    /// A server that publishes into and plays from `hub`, and asks `gate` first.
    pub fn new(hub: Hub, gate: G, limits: ServerLimits) -> Self {
        let connections = Connections::new(limits.max_connections, limits.strangers_per_address);
        Self { hub, gate, limits, connections: Arc::new(connections) }
    }

    /// What was counted.
    pub fn stats(&self) -> ServerStats {
        self.connections.stats()
    }

    /// Accepts connections until `stop`, then ends those that are open. `wrap` makes of a TCP connection what is
    /// spoken over: itself, or TLS; it has to be done within [`ServerLimits::negotiation`] as well.
    pub async fn serve<W, F, Io>(self: Arc<Self>, listener: TcpListener, wrap: W, stop: CancellationToken)
    where
        W: Fn(TcpStream) -> F,
        F: Future<Output = io::Result<Io>> + Send + 'static,
        Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let tasks = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                accepted = listener.accept() => accepted,
            };
            let Ok((socket, peer)) = accepted else {
                sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let Some(admission) = self.admit(peer.ip()) else { continue };
            // Frames are whole writes; waiting for more would only delay them.
            let _ = socket.set_nodelay(true);
            let (server, stop, wrapped) = (Arc::clone(&self), stop.clone(), wrap(socket));
            tasks.spawn(async move {
                match timeout_at(admission.deadline, wrapped).await {
                    Ok(Ok(io)) => {
                        server.run(admission, io, peer, stop).await;
                    }
                    Ok(Err(error)) => tracing::debug!(%peer, %error, "no TLS"),
                    Err(_) => server.connections.refused("deadline"),
                }
            });
        }
        drop(listener);
        tasks.close();
        tasks.wait().await;
    }

    /// A place for a connection from `address`, if there is one.
    pub fn admit(&self, address: IpAddr) -> Option<Admission> {
        let (place, stranger) = self.connections.take(address)?;
        Some(Admission { deadline: Instant::now() + self.limits.negotiation, stranger, place })
    }

    /// Speaks RTMP over a connection until it ends, or `stop`.
    pub async fn run<Io>(
        &self,
        admission: Admission,
        io: Io,
        peer: SocketAddr,
        stop: CancellationToken,
    ) -> Ending
    where
        Io: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let Admission { deadline, stranger, place } = admission;
        let ending = self.converse(deadline, stranger, io, peer, stop).await;
        drop(place);
        match &ending {
            Ending::Refused(refusal) => {
                self.connections.refused(refusal.label);
                tracing::info!(%peer, reason = %refusal.reason, "RTMP refused");
            }
            Ending::Protocol(error) => {
                self.connections.refused("protocol");
                tracing::info!(%peer, %error, "RTMP protocol error");
            }
            Ending::Deadline => self.connections.refused("deadline"),
            Ending::Published(reason) => tracing::info!(%peer, %reason, "RTMP publisher left"),
            other => tracing::debug!(%peer, %other, "RTMP connection ended"),
        }
        ending
    }

    async fn converse<Io>(
        &self,
        deadline: Instant,
        stranger: Stranger,
        io: Io,
        peer: SocketAddr,
        stop: CancellationToken,
    ) -> Ending
    where
        Io: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let mut transport = Transport::new(io);
        let negotiated = tokio::select! {
            () = stop.cancelled() => return Ending::Stopping,
            negotiated = timeout_at(deadline, self.negotiate(&mut transport, peer)) => negotiated,
        };
        let ending = match negotiated {
            Err(_) => return Ending::Deadline,
            Ok(Ok(purpose)) => {
                drop(stranger);
                match purpose {
                    Purpose::Publish(publisher) => {
                        Ending::Published(publish::run(&mut transport, publisher, &self.limits, &stop).await)
                    }
                    Purpose::Play(viewer) => play::run(&mut transport, viewer, &self.limits, &stop).await,
                }
            }
            Ok(Err(ending)) => ending,
        };
        let gone =
            matches!(ending, Ending::Left | Ending::Io(_) | Ending::Published(DownReason::Disconnected));
        if !gone {
            transport.farewell().await;
        }
        ending
    }

    async fn negotiate<Io>(&self, transport: &mut Transport<Io>, peer: SocketAddr) -> Result<Purpose, Ending>
    where
        Io: AsyncRead + AsyncWrite + Unpin + Send,
    {
        loop {
            let asked = match transport.event(STRANGERS_ROOM).await? {
                Some(Event::Publish(request)) => {
                    self.ask_to_publish(&request, peer).await.map(Purpose::Publish)
                }
                Some(Event::Play(request)) => self.ask_to_play(&request, peer).await.map(Purpose::Play),
                Some(Event::Tag(_) | Event::Closed) => continue,
                None => return Err(Ending::Left),
            };
            return match asked {
                Ok(purpose) => {
                    transport.session.accept();
                    transport.flush().await?;
                    Ok(purpose)
                }
                Err(refusal) => {
                    transport.session.refuse(&refusal.reason);
                    transport.flush().await?;
                    Err(Ending::Refused(refusal))
                }
            };
        }
    }

    async fn ask_to_publish(&self, request: &StreamRequest, peer: SocketAddr) -> Result<Publisher, Refusal> {
        let name = self.gate.publish(request, peer).await?;
        let source = Source { protocol: Protocol::Rtmp, peer: Some(peer) };
        let publisher = self.hub.publish(&name, source);
        publisher.map_err(|error| Refusal { label: "publish", reason: error.to_string() })
    }

    async fn ask_to_play(&self, request: &StreamRequest, peer: SocketAddr) -> Result<Viewer, Refusal> {
        let name = self.gate.play(request, peer).await?;
        let audience = Audience { protocol: Protocol::Rtmp, address: Some(peer.ip()) };
        let viewer = self.hub.watch(name.as_str(), audience);
        viewer.map_err(|error| Refusal { label: "play", reason: error.to_string() })
    }
}

impl<G> std::fmt::Debug for Server<G> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Server").field("limits", &self.limits).finish_non_exhaustive()
    }
}
