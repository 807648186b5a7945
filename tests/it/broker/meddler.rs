//! A way to Redis on which somebody meddles with subscriptions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

/// A proxy that can say something to the server in the client's name.
pub struct Meddler {
    port: u16,
    said: broadcast::Sender<Vec<u8>>,
    hides: Arc<AtomicBool>,
    accepting: JoinHandle<()>,
}

impl Meddler {
    pub async fn start(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let said = broadcast::Sender::new(8);
        let hides = Arc::new(AtomicBool::new(false));
        let (sender, hidden) = (said.clone(), hides.clone());
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, target.clone(), sender.subscribe(), hidden.clone()));
            }
        });
        Self { port, said, hides, accepting }
    }

    pub fn addr(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Ends the subscription to a channel of Redis on all connections; the clients are told, or not.
    pub fn unsubscribe(&self, name: &str, hides: bool) {
        self.hides.store(hides, Ordering::SeqCst);
        let command = format!("*2\r\n$11\r\nUNSUBSCRIBE\r\n${}\r\n{name}\r\n", name.len());
        self.said.send(command.into_bytes()).unwrap();
    }
}

impl Drop for Meddler {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn pass(
    mut client: TcpStream,
    target: String,
    mut said: broadcast::Receiver<Vec<u8>>,
    hides: Arc<AtomicBool>,
) {
    let Ok(mut server) = TcpStream::connect(target.as_str()).await else { return };
    let (mut from_client, mut from_server) = ([0; 16_384], [0; 16_384]);
    loop {
        let done = tokio::select! {
            read = client.read(&mut from_client) => match read {
                Ok(count @ 1..) => server.write_all(&from_client[..count]).await,
                _ => return,
            },
            read = server.read(&mut from_server) => match read {
                Ok(count @ 1..) => {
                    let bytes = &from_server[..count];
                    let is_hidden = hides.load(Ordering::SeqCst)
                        && bytes.windows(11).any(|window| window == b"unsubscribe");
                    if is_hidden { Ok(()) } else { client.write_all(bytes).await }
                }
                _ => return,
            },
            Ok(command) = said.recv() => server.write_all(&command).await,
        };
        if done.is_err() {
            return;
        }
    }
}
