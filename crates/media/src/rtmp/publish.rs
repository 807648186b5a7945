//! A connection that publishes.

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::limits::ServerLimits;
use super::session::Event;
use super::transport::Transport;
use crate::hub::{DownReason, Publisher};

/// Read at once from a publisher.
const ROOM: usize = 64 << 10;

/// Takes tags until the publisher leaves, is silent, is replaced or cut. The session is left with what there
/// is to say about it.
pub(super) async fn run<Io>(
    transport: &mut Transport<Io>,
    mut publisher: Publisher,
    limits: &ServerLimits,
    stop: &CancellationToken,
) -> DownReason
where
    Io: AsyncRead + AsyncWrite + Unpin + Send,
{
    let reason = listen(transport, &mut publisher, limits, stop).await;
    publisher.finish(reason.clone());
    if reason != DownReason::Finished {
        transport.session.end(&reason.to_string());
    }
    reason
}

async fn listen<Io>(
    transport: &mut Transport<Io>,
    publisher: &mut Publisher,
    limits: &ServerLimits,
    stop: &CancellationToken,
) -> DownReason
where
    Io: AsyncRead + AsyncWrite + Unpin + Send,
{
    loop {
        loop {
            match transport.session.poll() {
                Ok(Some(Event::Tag(tag))) => {
                    if let Err(error) = publisher.push(tag) {
                        return error.0;
                    }
                }
                Ok(Some(Event::Closed)) => return DownReason::Finished,
                Ok(Some(Event::Publish(_) | Event::Play(_))) => {}
                Ok(None) => break,
                Err(error) => return DownReason::Protocol(error.to_string()),
            }
        }
        if !matches!(timeout(limits.stall, transport.flush()).await, Ok(Ok(()))) {
            return DownReason::Disconnected;
        }
        tokio::select! {
            biased;
            reason = publisher.closed() => return reason,
            () = stop.cancelled() => return DownReason::Cut("the server is stopping".to_owned()),
            received = timeout(limits.silence, transport.fill(ROOM)) => match received {
                Ok(Ok(true)) => {}
                Ok(Ok(false) | Err(_)) => return DownReason::Disconnected,
                Err(_) => return DownReason::Silent,
            },
        }
    }
}
