//! The side of a stream that is spoken into.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use thiserror::Error;
use tokio::sync::watch;
use tokio::time::Instant;

use super::StreamName;
use super::meter::Meter;
use super::observer::DownReason;
use super::stream::{Attached, Content, Stream};
use super::streams::Streams;
use crate::codec::{AudioInfo, VideoInfo};
use crate::flv::{
    AudioBody, AudioPacket, IngestClock, Tag, TagKind, VideoBody, VideoPacket, rewrite_metadata,
};

/// Why a publisher cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct PushError(pub DownReason);

/// Who publishes a stream. Dropping it leaves the stream without publisher: viewers wait for another one for
/// [`super::HubLimits::grace`], then the stream is over.
pub struct Publisher {
    stream: Arc<Stream>,
    streams: Weak<Streams>,
    generation: u64,
    close: watch::Receiver<Option<DownReason>>,
    clock: Option<IngestClock>,
    meter: Meter,
    keyframe_seen: bool,
    reason: DownReason,
}

impl Publisher {
    pub(super) fn new(stream: Arc<Stream>, streams: Weak<Streams>, attached: Attached) -> Self {
        Self {
            stream,
            streams,
            generation: attached.generation,
            close: attached.close,
            clock: None,
            meter: Meter::new(Instant::now()),
            keyframe_seen: false,
            reason: DownReason::Disconnected,
        }
    }

    /// The stream's name.
    #[must_use]
    pub fn name(&self) -> &StreamName {
        &self.stream.name
    }

    /// Publishes a tag. What viewers have no use for (empty tags, unknown codecs, pictures before the first
    /// keyframe) is dropped and counted.
    ///
    /// # Errors
    /// When this publisher is not heard any more, or sends more than is allowed.
    pub fn push(&mut self, tag: Tag) -> Result<(), PushError> {
        let now = Instant::now();
        if let Some(reason) = self.closed_by() {
            return Err(PushError(reason));
        }
        let context = Arc::clone(&self.stream.context);
        self.meter.add(tag.body.len(), now);
        if self.meter.total().saturating_mul(8) > context.limits.max_bitrate_kbps.saturating_mul(10_000) {
            return Err(PushError(DownReason::TooFast));
        }
        let bytes = u64::try_from(tag.body.len()).unwrap_or(0);
        context.counters.bytes_in.fetch_add(bytes, Ordering::Relaxed);
        let Some(content) = self.read(&tag) else {
            context.counters.dropped_tags.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        };
        let time_ms = self.time_ms(&content, &tag, now);
        match &content {
            Content::Metadata => {
                let Some(body) = rewrite_metadata(&tag.body) else { return Ok(()) };
                self.stream.push(self.generation, content, time_ms, now, &body);
            }
            _ => self.stream.push(self.generation, content, time_ms, now, &tag.body),
        }
        if context.memory.is_over()
            && let Some(streams) = self.streams.upgrade()
        {
            streams.reclaim();
        }
        Ok(())
    }

    fn read(&mut self, tag: &Tag) -> Option<Content> {
        match tag.kind {
            TagKind::Script => Some(Content::Metadata),
            TagKind::Video => {
                let body = VideoBody::read(&tag.body).ok()?;
                match body.packet {
                    VideoPacket::Config(config) => {
                        Some(Content::VideoConfig(VideoInfo::read(body.codec, config)))
                    }
                    VideoPacket::Frame { keyframe, .. } => {
                        self.keyframe_seen |= keyframe;
                        let info = VideoInfo::read(body.codec, &[]);
                        self.keyframe_seen.then_some(Content::Video { keyframe, info })
                    }
                    VideoPacket::Nothing => None,
                }
            }
            TagKind::Audio => {
                let body = AudioBody::read(&tag.body).ok()?;
                match body.packet {
                    AudioPacket::Config(config) => {
                        Some(Content::AudioConfig(AudioInfo::read(body.codec, config)))
                    }
                    AudioPacket::Frame(_) => Some(Content::Audio(AudioInfo::read(body.codec, &[]))),
                    AudioPacket::Nothing => None,
                }
            }
        }
    }

    /// The time of a tag on the stream's timeline, which goes on where the publisher before stopped.
    fn time_ms(&mut self, content: &Content, tag: &Tag, now: Instant) -> i64 {
        let clock = match &mut self.clock {
            Some(clock) => clock,
            empty => {
                let origin_ms = self.stream.timeline_ms(now);
                self.stream.begin(self.generation, origin_ms, now);
                empty.insert(IngestClock::new(origin_ms))
            }
        };
        match content {
            Content::Video { .. } | Content::Audio(_) => clock.time_ms(tag.kind, tag.timestamp, now),
            _ => clock.current_ms(),
        }
    }

    /// Why this publisher is not heard any more, if so.
    #[must_use]
    pub fn closed_by(&self) -> Option<DownReason> {
        self.close.borrow().clone()
    }

    /// Waits until this publisher is not heard any more: replaced, or cut.
    pub async fn closed(&mut self) -> DownReason {
        match self.close.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or(DownReason::Replaced),
            // Nobody holds the other end: the stream is gone.
            Err(_) => DownReason::Replaced,
        }
    }

    /// Leaves, and says why.
    pub fn finish(mut self, reason: DownReason) {
        self.reason = reason;
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        if self.stream.detach(self.generation, &self.reason)
            && let Some(streams) = self.streams.upgrade()
        {
            streams.end_unless_back(&self.stream, self.generation);
        }
    }
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Publisher")
            .field("stream", &self.stream.name.as_str())
            .finish_non_exhaustive()
    }
}
