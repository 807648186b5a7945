//! A way to a server that can be cut in several manners, and mended.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What becomes of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Bytes pass.
    Pass,
    /// As when the process is gone: connections are reset, nobody listens.
    Refuse,
    /// As behind a broken balancer: connections, old and new, are reset.
    Reset,
    /// As with the cable pulled: connections, old and new, stay open in silence. What was sent
    /// meanwhile arrives afterwards, late.
    BlackHole,
}

/// A TCP proxy on a port of its own; gone when dropped.
pub struct ChaosProxy {
    addr: SocketAddr,
    mode: watch::Sender<Mode>,
    accepted: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl ChaosProxy {
    /// Starts one before `target` (`host:port`) that lets everything pass.
    pub async fn start(target: impl Into<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (mode, watched) = watch::channel(Mode::Pass);
        let accepted = Arc::default();
        let accepting = tokio::spawn(listen(listener, target.into(), watched, Arc::clone(&accepted)));
        Self { addr, mode, accepted, accepting }
    }

    /// The port at 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.addr.port()
    }

    /// `host:port`.
    pub fn addr(&self) -> String {
        self.addr.to_string()
    }

    /// Changes what becomes of connections.
    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// How many connections were accepted since the start.
    pub fn connections(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }
}

impl Drop for ChaosProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Listens whenever connections are not refused.
async fn listen(
    mut listener: TcpListener,
    target: String,
    mut mode: watch::Receiver<Mode>,
    accepted: Arc<AtomicUsize>,
) {
    let addr = listener.local_addr().unwrap();
    loop {
        let watched = mode.clone();
        tokio::select! {
            _ = mode.wait_for(|mode| *mode == Mode::Refuse) => {}
            () = accept(&listener, &target, watched, &accepted) => {}
        }
        drop(listener);
        if mode.wait_for(|mode| *mode != Mode::Refuse).await.is_err() {
            return;
        }
        listener = TcpListener::bind(addr).await.expect("nobody took the port meanwhile");
    }
}

async fn accept(listener: &TcpListener, target: &str, mode: watch::Receiver<Mode>, accepted: &AtomicUsize) {
    while let Ok((client, _)) = listener.accept().await {
        accepted.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(serve(client, target.to_owned(), mode.clone()));
    }
}

async fn serve(mut client: TcpStream, target: String, mode: watch::Receiver<Mode>) {
    let mut cut = mode.clone();
    tokio::select! {
        // Without lingering, the end of the connection is a reset.
        _ = cut.wait_for(|mode| matches!(mode, Mode::Reset | Mode::Refuse)) => {
            let _ = client.set_zero_linger();
        }
        () = pass(&mut client, &target, mode) => {}
    }
}

async fn pass(client: &mut TcpStream, target: &str, mut mode: watch::Receiver<Mode>) {
    if mode.wait_for(|mode| *mode == Mode::Pass).await.is_err() {
        return;
    }
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
    tokio::select! {
        () = pump(from_client, to_server, mode.clone()) => {}
        () = pump(from_server, to_client, mode) => {}
    }
}

async fn pump(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, mut mode: watch::Receiver<Mode>) {
    let mut buffer = [0; 16_384];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let passes = mode.wait_for(|mode| *mode == Mode::Pass).await.is_ok();
        if !passes || to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
