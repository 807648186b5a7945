//! A connection that plays.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::chunk::media_pieces;
use super::ending::Ending;
use super::limits::ServerLimits;
use super::session::{Event, STREAM_ID};
use super::transport::Transport;
use crate::flv::TagKind;
use crate::hub::{Frame, FrameKind, Taken, Viewer, ViewerEnd};

/// Read at once from a viewer, who has little to say.
const ROOM: usize = 1 << 10;
/// Frames that are ready are sent together, so many pieces at most.
const BATCH: usize = 64;

/// Sends frames until the stream is over, or the viewer leaves or is too slow.
pub(super) async fn run<Io>(
    transport: &mut Transport<Io>,
    mut viewer: Viewer,
    limits: &ServerLimits,
    stop: &CancellationToken,
) -> Ending
where
    Io: AsyncRead + AsyncWrite + Unpin + Send,
{
    let mut pieces = VecDeque::new();
    loop {
        match transport.session.poll() {
            Ok(Some(Event::Closed)) => return Ending::Played(None),
            Ok(Some(_)) => continue,
            Ok(None) => {}
            Err(error) => return error.into(),
        }
        pieces.push_back(transport.session.take_output());
        let end = tokio::select! {
            () = stop.cancelled() => Some(ViewerEnd::Over),
            received = transport.fill(ROOM) => match received {
                Ok(true) => None,
                Ok(false) => return Ending::Played(None),
                Err(error) => return error.into(),
            },
            frame = viewer.next() => match frame {
                Ok(frame) => {
                    enqueue(&frame, &mut pieces);
                    enqueue_ready(&mut viewer, &mut pieces)
                }
                Err(end) => Some(end),
            },
        };
        pieces.retain(|piece: &Bytes| !piece.is_empty());
        if let Err(error) = transport.send(&mut pieces, limits.stall).await {
            return error.into();
        }
        if let Some(end) = end {
            transport.session.end(&end.to_string());
            return Ending::Played(Some(end));
        }
    }
}

fn enqueue_ready(viewer: &mut Viewer, pieces: &mut VecDeque<Bytes>) -> Option<ViewerEnd> {
    while pieces.len() < BATCH {
        match viewer.try_next() {
            Taken::Frame(frame) => enqueue(&frame, pieces),
            Taken::Pending => return None,
            Taken::Ended(end) => return Some(end),
        }
    }
    None
}

/// The frame's message, which is encoded once for all viewers.
fn enqueue(frame: &Frame, pieces: &mut VecDeque<Bytes>) {
    let (chunk_stream, kind) = match frame.kind() {
        FrameKind::Audio | FrameKind::AudioConfig => (4, TagKind::Audio),
        FrameKind::Video { .. } | FrameKind::VideoConfig => (6, TagKind::Video),
        FrameKind::Metadata => (5, TagKind::Script),
        FrameKind::Discontinuity | FrameKind::End => return,
    };
    let encode = |frame: &Frame| {
        media_pieces(chunk_stream, kind.number(), frame.timestamp(), STREAM_ID, &frame.body())
    };
    pieces.extend(frame.wire(encode).iter().cloned());
}
