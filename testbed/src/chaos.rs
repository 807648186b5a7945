//! A way to a server that can be cut in several manners, and mended.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// How long after a failure to listen again.
const LISTEN_PAUSE: Duration = Duration::from_millis(10);

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
    /// As behind a firewall that forgot them: connections, old and new, stay open in silence for good,
    /// also when others pass again. What was sent is lost.
    Swallow,
}

/// The mode now, and how often connections were cut and swallowed so far: one that was open then shares
/// that fate even if others pass again since.
#[derive(Clone, Copy, Debug)]
struct State {
    mode: Mode,
    cut: u32,
    swallowed: u32,
}

/// Where connections lead, for all of them.
type Target = Arc<Mutex<String>>;

/// A TCP proxy on a port of its own; gone when dropped. It runs on the runtime that it was started on.
#[derive(Debug)]
pub struct ChaosProxy {
    addr: SocketAddr,
    target: Target,
    state: watch::Sender<State>,
    accepted: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl ChaosProxy {
    /// Starts one before `target` (`host:port`) that lets everything pass, on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(target: impl Into<String>) -> io::Result<Self> {
        Self::listen_at((Ipv4Addr::LOCALHOST, 0).into(), target).await
    }

    /// As [`ChaosProxy::start`], at an address.
    ///
    /// # Errors
    /// When it is taken.
    pub async fn listen_at(addr: SocketAddr, target: impl Into<String>) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let (state, watched) = watch::channel(State { mode: Mode::Pass, cut: 0, swallowed: 0 });
        let (target, accepted) = (Arc::new(Mutex::new(target.into())), Arc::default());
        let accepting =
            tokio::spawn(listen(listener, addr, Arc::clone(&target), watched, Arc::clone(&accepted)));
        Ok(Self { addr, target, state, accepted, accepting })
    }

    /// Where it listens: the port.
    pub fn port(&self) -> u16 {
        self.addr.port()
    }

    /// Where it listens: `host:port`.
    pub fn addr(&self) -> String {
        self.addr.to_string()
    }

    /// Changes what becomes of connections.
    pub fn set(&self, mode: Mode) {
        self.state.send_modify(|state| {
            state.mode = mode;
            state.cut += u32::from(matches!(mode, Mode::Reset | Mode::Refuse));
            state.swallowed += u32::from(mode == Mode::Swallow);
        });
    }

    /// What becomes of connections now.
    pub fn mode(&self) -> Mode {
        self.state.borrow().mode
    }

    /// Leads connections that are yet to come elsewhere.
    pub fn lead_to(&self, target: String) {
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = target;
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
    addr: SocketAddr,
    target: Target,
    mut state: watch::Receiver<State>,
    accepted: Arc<AtomicUsize>,
) {
    loop {
        let watched = state.clone();
        tokio::select! {
            _ = state.wait_for(|state| state.mode == Mode::Refuse) => {}
            () = accept(&listener, &target, watched, &accepted) => {}
        }
        drop(listener);
        if state.wait_for(|state| state.mode != Mode::Refuse).await.is_err() {
            return;
        }
        listener = bind_again(addr).await;
    }
}

/// A look for a free port elsewhere may take this one for a moment.
async fn bind_again(addr: SocketAddr) -> TcpListener {
    loop {
        match TcpListener::bind(addr).await {
            Ok(listener) => return listener,
            Err(_) => sleep(LISTEN_PAUSE).await,
        }
    }
}

async fn accept(
    listener: &TcpListener,
    target: &Target,
    state: watch::Receiver<State>,
    accepted: &AtomicUsize,
) {
    while let Ok((client, _)) = listener.accept().await {
        accepted.fetch_add(1, Ordering::Relaxed);
        let begun = *state.borrow();
        let target = target.lock().unwrap_or_else(PoisonError::into_inner).clone();
        tokio::spawn(serve(client, target, state.clone(), begun));
    }
}

async fn serve(mut client: TcpStream, target: String, state: watch::Receiver<State>, begun: State) {
    let is_cut = |now: &State| matches!(now.mode, Mode::Reset | Mode::Refuse) || now.cut != begun.cut;
    let is_swallowed = |now: &State| now.mode == Mode::Swallow || now.swallowed != begun.swallowed;
    let (mut cut, mut swallowed) = (state.clone(), state.clone());
    // Held until the end: the server does not learn of a connection that is swallowed.
    let mut server = None;
    let forward = async {
        let is_swallowed = tokio::select! {
            biased;
            _ = swallowed.wait_for(is_swallowed) => true,
            () = pass(&mut client, &mut server, &target, state) => false,
        };
        if is_swallowed {
            std::future::pending::<()>().await;
        }
    };
    let is_cut = tokio::select! {
        biased;
        _ = cut.wait_for(is_cut) => true,
        () = forward => false,
    };
    if is_cut {
        // Without lingering, the end of the connection is a reset.
        let _ = client.set_zero_linger();
    }
}

async fn pass(
    client: &mut TcpStream,
    server: &mut Option<TcpStream>,
    target: &str,
    mut state: watch::Receiver<State>,
) {
    if state.wait_for(|state| state.mode == Mode::Pass).await.is_err() {
        return;
    }
    let Ok(connected) = TcpStream::connect(target).await else { return };
    let ((from_client, to_client), (from_server, to_server)) =
        (client.split(), server.insert(connected).split());
    tokio::select! {
        () = pump(from_client, to_server, state.clone()) => {}
        () = pump(from_server, to_client, state) => {}
    }
}

async fn pump(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, mut state: watch::Receiver<State>) {
    let mut buffer = [0; 16_384];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let passes = state.wait_for(|state| state.mode == Mode::Pass).await.is_ok();
        let Some(bytes) = buffer.get(..count).filter(|_| passes) else { return };
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
}
