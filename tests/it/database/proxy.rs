//! A way to the database that can be cut.

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What becomes of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Bytes pass.
    Open,
    /// Old and new connections stay open and nothing passes; they never come back to life.
    Swallow,
    /// Old and new connections are closed.
    Reset,
}

/// The way now, and how often connections were swallowed and reset so far: one that was open then
/// shares that fate even if the way has been opened again since.
#[derive(Clone, Copy)]
struct State {
    way: Way,
    swallowed: u32,
    reset: u32,
}

/// A proxy on a port of its own.
pub struct Proxy {
    pub port: u16,
    state: watch::Sender<State>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Starts one before `target` (`host:port`).
    pub async fn start(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (state, seen) = watch::channel(State { way: Way::Open, swallowed: 0, reset: 0 });
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, target.clone(), seen.clone()));
            }
        });
        Self { port, state, accepting }
    }

    /// Changes what becomes of connections.
    pub fn set(&self, way: Way) {
        self.state.send_modify(|state| {
            state.way = way;
            state.swallowed += u32::from(way == Way::Swallow);
            state.reset += u32::from(way == Way::Reset);
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(mut client: TcpStream, target: String, mut state: watch::Receiver<State>) {
    let begun = *state.borrow_and_update();
    if begun.way == Way::Reset {
        return;
    }
    // Held until the end: neither side learns of a connection that is swallowed.
    let mut server = None;
    if begun.way == Way::Open {
        let Ok(connected) = TcpStream::connect(target).await else { return };
        tokio::select! {
            _ = copy_bidirectional(&mut client, server.insert(connected)) => return,
            _ = state.wait_for(|now| (now.swallowed, now.reset) != (begun.swallowed, begun.reset)) => {}
        }
    }
    let _ = state.wait_for(|now| now.reset != begun.reset).await;
}
