//! Publishing by messages, one FLV tag in each: what a browser sends over a WebSocket.
//!
//! A message is the tag's type (1 byte: 8 sound, 9 picture, 18 metadata), its timestamp (32 bits, big endian,
//! milliseconds) and its body. The publisher is told every second how far behind it is ([`Report`]).

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use thiserror::Error;
use tokio::time::Instant;

use crate::flv::{MAX_TAG, Tag, TagKind};
use crate::hub::{Meter, Publisher, PushError};

/// How long a publisher may send nothing.
pub const SILENCE: Duration = Duration::from_secs(20);
/// Type and timestamp.
const HEADER: usize = 5;

/// Why a message ends the publishing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IngestError {
    /// Shorter than type and timestamp.
    #[error("a message of {0} bytes is no tag")]
    Short(usize),
    /// A type that is none of the three.
    #[error("tag type {0} is not known")]
    Kind(u8),
    /// Longer than [`MAX_TAG`].
    #[error("a tag of {0} bytes, allowed are {MAX_TAG}")]
    Long(usize),
    /// The publisher is not heard any more.
    #[error(transparent)]
    Push(#[from] PushError),
}

/// What the page is told, so that it lowers its bitrate when it lags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The timestamp of the newest tag that came in.
    pub received_ms: u32,
    /// How much later tags come in than the quickest did: what waits in the network.
    pub lag_ms: u64,
    /// What came in, as a mean of the last ten seconds.
    pub bitrate_kbps: u64,
}

/// A publisher by messages.
#[derive(Debug)]
pub struct TagIngest {
    publisher: Publisher,
    start: Instant,
    newest: Option<Arrival>,
    /// The smallest difference between the clock here and the timestamps.
    quickest_ms: i64,
    latest_ms: i64,
    meter: Meter,
}

#[derive(Debug, Clone, Copy)]
struct Arrival {
    timestamp: u32,
    /// Milliseconds since the first tag's timestamp.
    media_ms: i64,
}

impl TagIngest {
    /// Publishes through `publisher`.
    #[must_use]
    pub fn new(publisher: Publisher) -> Self {
        let start = Instant::now();
        let meter = Meter::new(start);
        Self { publisher, start, newest: None, quickest_ms: i64::MAX, latest_ms: 0, meter }
    }

    /// Takes a message.
    ///
    /// # Errors
    /// When the message is no tag, or the publisher is not heard any more.
    pub fn message(&mut self, message: &Bytes) -> Result<(), IngestError> {
        let (header, body) =
            message.split_first_chunk::<HEADER>().ok_or(IngestError::Short(message.len()))?;
        if body.len() > MAX_TAG {
            return Err(IngestError::Long(body.len()));
        }
        let [number, time @ ..] = *header;
        let kind = TagKind::from_number(number).ok_or(IngestError::Kind(number))?;
        let timestamp = u32::from_be_bytes(time);
        self.meter.add(message.len(), Instant::now());
        if kind != TagKind::Script && !body.is_empty() {
            self.note(timestamp);
        }
        self.publisher.push(Tag { kind, timestamp, body: message.slice(HEADER..) })?;
        Ok(())
    }

    fn note(&mut self, timestamp: u32) {
        let media_ms = match self.newest {
            Some(newest) => {
                newest.media_ms + i64::from(timestamp.wrapping_sub(newest.timestamp).cast_signed())
            }
            None => 0,
        };
        self.newest = Some(Arrival { timestamp, media_ms });
        let passed = i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.latest_ms = passed - media_ms;
        self.quickest_ms = self.quickest_ms.min(self.latest_ms);
    }

    /// What to tell the page now.
    #[must_use]
    pub fn report(&mut self) -> Report {
        let lag = self.newest.map_or(0, |_| self.latest_ms - self.quickest_ms);
        Report {
            received_ms: self.newest.map_or(0, |newest| newest.timestamp),
            lag_ms: u64::try_from(lag).unwrap_or(0),
            bitrate_kbps: self.meter.kbps(Instant::now()),
        }
    }

    /// The publisher, to wait for its end or to finish it.
    pub fn publisher(&mut self) -> &mut Publisher {
        &mut self.publisher
    }

    /// Gives the publisher back.
    #[must_use]
    pub fn into_publisher(self) -> Publisher {
        self.publisher
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::time::advance;

    use super::*;
    use crate::hub::{DownReason, Hub, HubLimits, Protocol, Silent, Source};

    const BROWSER: Source = Source { protocol: Protocol::WebSocket, peer: None };

    fn message(kind: u8, timestamp: u32, body: &[u8]) -> Bytes {
        Bytes::from([&[kind], &timestamp.to_be_bytes()[..], body].concat())
    }

    fn ingest() -> (Hub, TagIngest) {
        let hub = Hub::new(HubLimits::default(), Arc::new(Silent));
        let publisher = hub.publish(&"live/a".into(), BROWSER).unwrap();
        (hub, TagIngest::new(publisher))
    }

    #[tokio::test(start_paused = true)]
    async fn messages_become_a_stream() {
        let (hub, mut ingest) = ingest();
        ingest.message(&message(9, 0, b"\x90avc1\x01\x64\x00\x1f")).unwrap();
        ingest.message(&message(9, 0, b"\x91avc1\x00\x00\x00\x00\x00\x00\x01\x09")).unwrap();
        ingest.message(&message(8, 10, b"\x91Opus\xfc\x01")).unwrap();
        let info = hub.info("live/a").unwrap();
        assert!(info.up && info.video.is_some() && info.audio.is_some());
        assert_eq!(ingest.message(&message(7, 0, b"x")), Err(IngestError::Kind(7)));
        assert_eq!(ingest.message(&Bytes::from_static(b"\x09\0\0")), Err(IngestError::Short(3)));
        let long = vec![0; MAX_TAG + 1];
        assert_eq!(ingest.message(&message(9, 0, &long)), Err(IngestError::Long(MAX_TAG + 1)));
        hub.end("live/a", "over");
        let closed = ingest.message(&message(8, 20, b"\x91Opus\xfc\x01"));
        assert_eq!(closed, Err(IngestError::Push(PushError(DownReason::Cut("over".into())))));
    }

    #[tokio::test(start_paused = true)]
    async fn the_page_is_told_how_far_it_is_behind() {
        let (_hub, mut ingest) = ingest();
        let sound = [b"\x91Opus\xfc".as_slice(), &[0; 1240]].concat();
        for frame in 0..50u32 {
            ingest.message(&message(8, 4_000_000_000 + frame * 100, &sound)).unwrap();
            advance(Duration::from_millis(100)).await;
        }
        let report = ingest.report();
        assert_eq!((report.received_ms, report.lag_ms), (4_000_004_900, 0));
        assert!((98..=102).contains(&report.bitrate_kbps), "{report:?}");
        // Half a second stuck in the network; then it comes all at once.
        advance(Duration::from_millis(500)).await;
        ingest.message(&message(8, 4_000_005_000, &sound)).unwrap();
        assert_eq!(ingest.report().lag_ms, 500);
        for frame in 51..=55u32 {
            ingest.message(&message(8, 4_000_000_000 + frame * 100, &sound)).unwrap();
        }
        assert_eq!(ingest.report().lag_ms, 0);
    }
}
