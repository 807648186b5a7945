//! The side of a stream that is listened to: a position in its window.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use thiserror::Error;
use tokio::sync::watch;
use tokio::time::Instant;

use super::audience::Seat;
use super::frame::{Frame, FrameKind};
use super::info::Pace;
use super::stream::{State, Stream};
use super::window::{Slot, Start};
use super::{Protocol, StreamName};
use crate::amf::Value;
use crate::codec::{AudioCodec, VideoCodec};
use crate::flv;

/// Why nothing more comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ViewerEnd {
    /// The stream is over.
    #[error("the stream is over")]
    Over,
    /// The viewer did not keep up.
    #[error("the viewer is too slow")]
    TooSlow,
}

/// What [`Viewer::try_next`] found.
#[derive(Debug)]
pub enum Taken {
    /// A frame.
    Frame(Arc<Frame>),
    /// Nothing yet.
    Pending,
    /// Nothing any more.
    Ended(ViewerEnd),
}

/// A viewer of a stream. It begins with metadata and configurations, then the frames since the newest keyframe.
///
/// One that falls behind by [`super::HubLimits::skip_after`] goes on at the newest keyframe, and is closed when
/// it is behind by [`super::HubLimits::close_after`]; a viewer that does not ask holds no frames.
pub struct Viewer {
    stream: Arc<Stream>,
    protocol: Protocol,
    head: watch::Receiver<u64>,
    /// To be taken before what stands in the window.
    first: VecDeque<Arc<Frame>>,
    next: u64,
    /// Frames that are older do not make this viewer slow.
    since: Instant,
    await_keyframe: bool,
    /// Takes every frame that is there, however late.
    patient: bool,
    sent_video: Option<Arc<Frame>>,
    sent_audio: Option<Arc<Frame>>,
    has_audio: bool,
    has_video: bool,
    skips: u64,
    end: Option<ViewerEnd>,
    _seat: Option<Seat>,
}

impl Viewer {
    pub(super) fn new(stream: Arc<Stream>, protocol: Protocol, seat: Option<Seat>, patient: bool) -> Self {
        if !patient {
            stream.viewers(protocol).fetch_add(1, Ordering::Relaxed);
            stream.context.counters.viewers(protocol).fetch_add(1, Ordering::Relaxed);
        }
        let now = Instant::now();
        let head = stream.head();
        let mut viewer = Self {
            head,
            protocol,
            first: VecDeque::new(),
            next: 0,
            since: now,
            await_keyframe: false,
            patient,
            sent_video: None,
            sent_audio: None,
            has_audio: false,
            has_video: false,
            skips: 0,
            end: None,
            _seat: seat,
            stream: Arc::clone(&stream),
        };
        let state = stream.state();
        viewer.has_audio = state.audio.is_some();
        viewer.has_video = state.video.is_some();
        let start = state.window.start(now);
        let time_ms = start_time(&state, &start);
        viewer.first.push_back(Arc::new(greeting(&state, time_ms, now)));
        viewer.go_to(&state, start, now);
        drop(state);
        viewer
    }

    /// The stream's name.
    #[must_use]
    pub fn name(&self) -> &StreamName {
        &self.stream.name
    }

    /// The stream had sound when this viewer began.
    #[must_use]
    pub fn has_audio(&self) -> bool {
        self.has_audio
    }

    /// The stream had pictures when this viewer began.
    #[must_use]
    pub fn has_video(&self) -> bool {
        self.has_video
    }

    /// How far apart the stream's pictures are, once that is known.
    pub(crate) fn pace(&self) -> Option<Pace> {
        self.stream.state().pace()
    }

    /// How often frames were left out for this viewer.
    #[must_use]
    pub fn skips(&self) -> u64 {
        self.skips
    }

    /// The next frame, if one is there. Markers ([`FrameKind::Discontinuity`]) are frames too.
    pub fn try_next(&mut self) -> Taken {
        if let Some(end) = self.end {
            return Taken::Ended(end);
        }
        let stream = Arc::clone(&self.stream);
        let now = Instant::now();
        loop {
            if let Some(frame) = self.first.pop_front() {
                return self.hand_out(frame);
            }
            let state = stream.state();
            let frame = match state.window.get(self.next) {
                Slot::Frame(frame) => Arc::clone(frame),
                Slot::Ahead if state.ended => return self.ended(ViewerEnd::Over),
                Slot::Ahead => return Taken::Pending,
                Slot::Evicted => {
                    self.jump(&state, now);
                    continue;
                }
            };
            if !self.patient {
                let behind = now.saturating_duration_since(frame.received().max(self.since));
                let limits = &stream.context.limits;
                if behind >= limits.close_after {
                    stream.context.counters.slow_viewers.fetch_add(1, Ordering::Relaxed);
                    return self.ended(ViewerEnd::TooSlow);
                }
                if behind >= limits.skip_after && state.window.newest_start(now) > Some(self.next) {
                    self.jump(&state, now);
                    continue;
                }
            }
            drop(state);
            self.next += 1;
            match frame.kind() {
                FrameKind::End => return self.ended(ViewerEnd::Over),
                FrameKind::Video { keyframe } if self.await_keyframe => {
                    if !keyframe {
                        continue;
                    }
                    self.await_keyframe = false;
                }
                FrameKind::VideoConfig => self.sent_video = Some(Arc::clone(&frame)),
                FrameKind::AudioConfig => self.sent_audio = Some(Arc::clone(&frame)),
                _ => {}
            }
            return self.hand_out(frame);
        }
    }

    /// Waits for the next frame. Nothing is lost when this is cancelled.
    ///
    /// # Errors
    /// When nothing more comes.
    pub async fn next(&mut self) -> Result<Arc<Frame>, ViewerEnd> {
        loop {
            self.head.borrow_and_update();
            match self.try_next() {
                Taken::Frame(frame) => return Ok(frame),
                Taken::Ended(end) => return Err(end),
                Taken::Pending => {
                    // The sender lives in the stream that this viewer holds.
                    if self.head.changed().await.is_err() {
                        return Err(ViewerEnd::Over);
                    }
                }
            }
        }
    }

    fn hand_out(&self, frame: Arc<Frame>) -> Taken {
        let bytes = u64::try_from(frame.tag().len()).unwrap_or(0);
        self.stream.context.counters.bytes_out(self.protocol).fetch_add(bytes, Ordering::Relaxed);
        Taken::Frame(frame)
    }

    fn ended(&mut self, end: ViewerEnd) -> Taken {
        self.end = Some(end);
        Taken::Ended(end)
    }

    /// Goes on where a newcomer would begin.
    fn jump(&mut self, state: &State, now: Instant) {
        let start = state.window.start(now);
        self.skips += 1;
        let skipped = start.next.saturating_sub(self.next);
        self.stream.context.counters.skipped_frames.fetch_add(skipped, Ordering::Relaxed);
        let start = Start { next: start.next.max(self.next), ..start };
        self.go_to(state, start, now);
    }

    fn go_to(&mut self, state: &State, start: Start, now: Instant) {
        let time_ms = start_time(state, &start);
        for (config, sent) in
            [(&state.video_config, &mut self.sent_video), (&state.audio_config, &mut self.sent_audio)]
        {
            let Some(config) = config else { continue };
            if sent.as_ref().is_none_or(|sent| !Arc::ptr_eq(sent, config)) {
                self.first.push_back(Arc::new(Frame::new(config.kind(), time_ms, now, &config.body())));
                *sent = Some(Arc::clone(config));
            }
        }
        self.first.extend(start.still);
        self.next = start.next;
        self.await_keyframe = start.await_keyframe;
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        if !self.patient {
            self.stream.viewers(self.protocol).fetch_sub(1, Ordering::Relaxed);
            self.stream.context.counters.viewers(self.protocol).fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl std::fmt::Debug for Viewer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Viewer")
            .field("stream", &self.stream.name.as_str())
            .field("protocol", &self.protocol)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

/// The time that a viewer begins with.
fn start_time(state: &State, start: &Start) -> i64 {
    match (state.window.get(start.next), &start.still) {
        (_, Some(still)) => still.time_ms(),
        (Slot::Frame(frame), None) => frame.time_ms(),
        _ => state.last.map_or(0, |(time, _)| time),
    }
}

/// The encoder's metadata, else our own.
fn greeting(state: &State, time_ms: i64, now: Instant) -> Frame {
    let body = match &state.metadata {
        Some(metadata) => metadata.body(),
        None => describe(state),
    };
    Frame::new(FrameKind::Metadata, time_ms, now, &body)
}

fn describe(state: &State) -> bytes::Bytes {
    let mut entries = vec![
        ("hasVideo", Value::from(state.video.is_some())),
        ("hasAudio", Value::from(state.audio.is_some())),
    ];
    if let Some(video) = &state.video {
        if video.width > 0 {
            entries.push(("width", f64::from(video.width).into()));
            entries.push(("height", f64::from(video.height).into()));
        }
        if video.codec == VideoCodec::Avc {
            entries.push(("videocodecid", 7.0.into()));
        }
    }
    if let Some(audio) = &state.audio {
        if audio.rate > 0 {
            entries.push(("audiosamplerate", f64::from(audio.rate).into()));
            entries.push(("stereo", (audio.channels == 2).into()));
        }
        if audio.codec == AudioCodec::Aac {
            entries.push(("audiocodecid", 10.0.into()));
        }
    }
    flv::metadata(&entries)
}
