//! RTMP over TLS with a certificate of this test, and a real encoder.

use std::sync::Arc;
use std::time::Duration;

use media::hub::{Hub, HubLimits, Silent};
use media::rtmp::{Server, ServerLimits};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::support::*;

fn acceptor() -> TlsAcceptor {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoder_publishes_and_a_player_plays_over_tls() {
    let hub = Hub::new(HubLimits::default(), Arc::new(Silent));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = ServerLimits { negotiation: Duration::from_secs(5), ..ServerLimits::default() };
    let server = Arc::new(Server::new(hub.clone(), Open, limits));
    let (acceptor, stop) = (acceptor(), CancellationToken::new());
    let wrap = move |socket| acceptor.accept(socket);
    let serving = tokio::spawn(Arc::clone(&server).serve(listener, wrap, stop.clone()));

    let url = format!("rtmps://{address}/live/room");
    let encoder = ffmpeg(&format!(
        "-re -f lavfi -i {PICTURE} -f lavfi -i {TONE} -t 4 -c:v libx264 -preset ultrafast -g 30 -pix_fmt yuv420p \
         -c:a aac -f flv {url}"
    ));
    wait("the stream is up", || hub.info("live/room").is_some_and(|info| info.up)).await;
    let folder = tempfile::tempdir().unwrap();
    let played = folder.path().join("played.mkv");
    ffmpeg_done(ffmpeg(&format!("-i {url} -c copy -t 1 {}", played.display()))).await;
    ffmpeg_done(encoder).await;
    let video = probe(&played, "v:0").await.unwrap();
    assert!(video.codec == "h264" && video.frames >= 15, "{video:?}");
    assert!(probe(&played, "a:0").await.unwrap().frames >= 20);

    // Somebody who speaks no TLS, and one who says nothing, are closed.
    let mut plain = TcpStream::connect(address).await.unwrap();
    plain.write_all(&[3; 1537]).await.unwrap();
    let _silent = TcpStream::connect(address).await.unwrap();
    wait("strangers are gone", || {
        let stats = server.stats();
        stats.connections == 0 && stats.refusals.contains_key("deadline")
    })
    .await;
    stop.cancel();
    serving.await.unwrap();
}
