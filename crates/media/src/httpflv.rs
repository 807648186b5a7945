//! A stream as FLV bytes for one viewer, to be put into an HTTP response or, piece by piece, into binary
//! messages of a WebSocket.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, Stream};

use crate::flv::file_header;
use crate::hub::{Frame, Viewer, ViewerEnd};

/// The bytes of an FLV file that does not end before the stream does: its header, metadata and configurations,
/// the frames since the newest keyframe, then what comes. Each item is the file's header or one whole tag, and
/// shares its bytes with all viewers.
///
/// It ends when the stream is over; the one item that is an error says that the viewer was too slow.
pub fn flv_stream(viewer: Viewer) -> impl Stream<Item = Result<Bytes, ViewerEnd>> + Send {
    // A stream that is not known yet may bring both.
    let unknown = !viewer.has_audio() && !viewer.has_video();
    let header = file_header(viewer.has_audio() || unknown, viewer.has_video() || unknown);
    let header = Bytes::copy_from_slice(&header);
    stream::unfold((Some(viewer), Some(header)), |(viewer, header)| async move {
        let mut viewer = viewer?;
        if let Some(header) = header {
            return Some((Ok(header), (Some(viewer), None)));
        }
        match next_tag(&mut viewer).await {
            Ok(frame) => Some((Ok(frame.tag().clone()), (Some(viewer), None))),
            Err(ViewerEnd::Over) => None,
            Err(end @ ViewerEnd::TooSlow) => Some((Err(end), (None, None))),
        }
    })
}

/// The next frame that has a tag.
async fn next_tag(viewer: &mut Viewer) -> Result<Arc<Frame>, ViewerEnd> {
    loop {
        let frame = viewer.next().await?;
        if !frame.tag().is_empty() {
            return Ok(frame);
        }
    }
}
