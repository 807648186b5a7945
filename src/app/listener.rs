//! The way in, and how it is closed so that nobody is shut out who has come already.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use futures_util::future::LocalBoxFuture;
use rustix::net::{Shutdown, shutdown};
use tokio_util::sync::CancellationToken;

/// What the thread that accepts connections may take to leave off.
const PAUSE: Duration = Duration::from_millis(20);
/// How long those who are in may take to say what they want, once nobody else comes in.
const LAST_CALL: Duration = Duration::from_millis(300);

/// Serves connections on this thread.
pub(super) type Serve = Box<dyn Fn(Vec<TcpStream>) -> LocalBoxFuture<'static, ()>>;

/// The listening sockets of a server, and the server.
pub(super) struct Listener {
    pub(super) server: ServerHandle,
    /// The server's own sockets.
    pub(super) listeners: Vec<TcpListener>,
    pub(super) serve: Serve,
    /// From here on connections end as soon as they have nothing to do.
    pub(super) closing: CancellationToken,
}

impl Listener {
    /// Stops to listen, and ends the server when those who are in have been served.
    ///
    /// A balancer does not repeat a POST that it may have sent, and the kernel resets connections that wait to be
    /// accepted when the socket is closed; so these are taken in first, and then refused is only who has sent
    /// nothing yet.
    pub(super) async fn close(&self) {
        self.server.pause().await;
        tokio::time::sleep(PAUSE).await;
        let mut waiting = Vec::new();
        for listener in &self.listeners {
            accept_waiting(listener, &mut waiting);
            if let Err(error) = shutdown(listener, Shutdown::Read) {
                tracing::debug!(%error, "the socket could not be shut down; it is closed instead");
            }
        }
        (self.serve)(waiting).await;
        tokio::time::sleep(LAST_CALL).await;
        self.closing.cancel();
        // Sent by now; that it has come true is told by the end of the server.
        drop(self.server.stop(true));
    }
}

/// Takes in those who wait.
fn accept_waiting(listener: &TcpListener, waiting: &mut Vec<TcpStream>) {
    loop {
        match listener.accept() {
            Ok((stream, _)) if stream.set_nonblocking(true).is_ok() => waiting.push(stream),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            // Nobody waits any more.
            Err(_) => return,
        }
    }
}
