//! A way to Redis that can be cut, or made to swallow what is sent.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What becomes of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Bytes pass.
    Open,
    /// Connections, old and new, stay open, and nothing passes.
    Swallow,
    /// Connections are reset.
    Reset,
}

/// A proxy on a port of its own.
pub struct Proxy {
    way: watch::Sender<Way>,
    target: Arc<Mutex<String>>,
    port: u16,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Starts one before `target` (`host:port`).
    pub async fn start(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (way, watched) = watch::channel(Way::Open);
        let target = Arc::new(Mutex::new(target));
        let leads_to = target.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, leads_to.lock().unwrap().clone(), watched.clone()));
            }
        });
        Self { way, target, port, accepting }
    }

    /// `host:port` of the proxy.
    pub fn addr(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Leads connections that are yet to come elsewhere.
    pub fn lead_to(&self, target: String) {
        *self.target.lock().unwrap() = target;
    }

    /// Changes what becomes of connections.
    pub fn set(&self, way: Way) {
        self.way.send_replace(way);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(client: TcpStream, target: String, mut way: watch::Receiver<Way>) {
    let mut until_reset = way.clone();
    let passing = async {
        if way.wait_for(|way| *way == Way::Open).await.is_err() {
            return;
        }
        let Ok(server) = TcpStream::connect(target.as_str()).await else { return };
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        tokio::select! {
            () = pump(from_client, to_server, way.clone()) => {}
            () = pump(from_server, to_client, way) => {}
        }
    };
    tokio::select! {
        () = passing => {}
        _ = until_reset.wait_for(|way| *way == Way::Reset) => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, way: watch::Receiver<Way>) {
    let mut buffer = [0; 16_384];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        // What is swallowed once never arrives.
        if *way.borrow() == Way::Open && to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
