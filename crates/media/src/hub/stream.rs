//! One stream: its window, what is known of it, and who publishes it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::Instant;

use super::audience::Seats;
use super::error::PublishError;
use super::frame::{Frame, FrameKind};
use super::info::{Pace, Rhythm, StreamInfo, ViewerCounts};
use super::limits::HubLimits;
use super::memory::Memory;
use super::meter::Meter;
use super::observer::{DownReason, Observer};
use super::stats::Counters;
use super::window::Window;
use super::{Protocol, Source, StreamName};
use crate::codec::{AudioInfo, VideoInfo};
use crate::lock::lock;

/// How long after a picture sound waits for the next one.
const SOUND_WAITS: Duration = Duration::from_millis(45);

/// What streams of a hub have in common.
pub(super) struct Context {
    pub(super) limits: HubLimits,
    pub(super) counters: Counters,
    pub(super) memory: Arc<Memory>,
    pub(super) seats: Arc<Seats>,
    pub(super) observer: Arc<dyn Observer>,
}

/// What a tag turned out to be.
pub(super) enum Content {
    Metadata,
    VideoConfig(VideoInfo),
    AudioConfig(AudioInfo),
    Video { keyframe: bool, info: VideoInfo },
    Audio(AudioInfo),
}

impl Content {
    fn kind(&self) -> FrameKind {
        match self {
            Self::Metadata => FrameKind::Metadata,
            Self::VideoConfig(_) => FrameKind::VideoConfig,
            Self::AudioConfig(_) => FrameKind::AudioConfig,
            Self::Video { keyframe, .. } => FrameKind::Video { keyframe: *keyframe },
            Self::Audio(_) => FrameKind::Audio,
        }
    }
}

pub(super) struct Stream {
    pub(super) name: StreamName,
    pub(super) context: Arc<Context>,
    /// Held over a change of who publishes, so that the observer hears changes in their order. Taken before `state`.
    transition: Mutex<()>,
    state: Mutex<State>,
    /// The number of the next frame, for viewers that wait.
    head: watch::Sender<u64>,
    viewers: [AtomicUsize; 5],
}

pub(super) struct State {
    pub(super) window: Window,
    pub(super) metadata: Option<Arc<Frame>>,
    pub(super) video_config: Option<Arc<Frame>>,
    pub(super) audio_config: Option<Arc<Frame>>,
    pub(super) video: Option<VideoInfo>,
    pub(super) audio: Option<AudioInfo>,
    pub(super) up: bool,
    pub(super) ended: bool,
    /// The newest frame's time, and when it came.
    pub(super) last: Option<(i64, Instant)>,
    /// When the newest picture came.
    last_picture: Option<Instant>,
    rhythm: Rhythm,
    meter: Meter,
    publisher: Option<Current>,
    /// How many publishers there were.
    generation: u64,
    since: SystemTime,
    source: Source,
    takeovers: u64,
}

/// The publisher that is heard.
struct Current {
    generation: u64,
    close: watch::Sender<Option<DownReason>>,
    /// Takes one of the places of [`HubLimits::max_publishers`].
    counted: bool,
}

/// What a publisher got.
pub(super) struct Attached {
    pub(super) generation: u64,
    pub(super) close: watch::Receiver<Option<DownReason>>,
}

impl Stream {
    pub(super) fn new(name: StreamName, source: Source, context: Arc<Context>) -> Self {
        let window = Window::new(context.limits.max_window);
        let state = State {
            window,
            metadata: None,
            video_config: None,
            audio_config: None,
            video: None,
            audio: None,
            up: false,
            ended: false,
            last: None,
            last_picture: None,
            rhythm: Rhythm::default(),
            meter: Meter::new(Instant::now()),
            publisher: None,
            generation: 0,
            since: SystemTime::now(),
            source,
            takeovers: 0,
        };
        Self {
            name,
            context,
            transition: Mutex::new(()),
            state: Mutex::new(state),
            head: watch::Sender::new(0),
            viewers: Default::default(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(super) fn head(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    pub(super) fn viewers(&self, protocol: Protocol) -> &AtomicUsize {
        let [rtmp, http_flv, websocket, hls, node] = &self.viewers;
        match protocol {
            Protocol::Rtmp => rtmp,
            Protocol::HttpFlv => http_flv,
            Protocol::WebSocket => websocket,
            Protocol::Hls => hls,
            Protocol::Node => node,
        }
    }

    /// Makes somebody the publisher; who was it before is closed.
    pub(super) fn attach(&self, source: Source) -> Result<Attached, PublishError> {
        let _transition = lock(&self.transition);
        let mut state = self.state();
        if state.ended {
            return Err(PublishError::Ended);
        }
        let publishers = &self.context.counters.publishers;
        let counted = source.protocol != Protocol::Node;
        let former = state.publisher.take();
        let former_counted = former.as_ref().is_some_and(|former| former.counted);
        if counted && !former_counted {
            let before = publishers.fetch_add(1, Ordering::Relaxed);
            if before >= self.context.limits.max_publishers {
                publishers.fetch_sub(1, Ordering::Relaxed);
                state.publisher = former;
                return Err(PublishError::TooMany);
            }
        } else if former_counted && !counted {
            publishers.fetch_sub(1, Ordering::Relaxed);
        }
        state.generation += 1;
        let generation = state.generation;
        let close = watch::Sender::new(None);
        let receiver = close.subscribe();
        state.publisher = Some(Current { generation, close, counted });
        state.since = SystemTime::now();
        state.source = source;
        state.meter = Meter::new(Instant::now());
        let replaced = former.inspect(|former| {
            former.close.send_replace(Some(DownReason::Replaced));
        });
        if replaced.is_some() {
            state.takeovers += 1;
            self.context.counters.takeovers.fetch_add(1, Ordering::Relaxed);
        }
        let told = replaced.is_some() && state.up;
        drop(state);
        if told {
            self.context.observer.replaced(&self.name, &source);
        }
        Ok(Attached { generation, close: receiver })
    }

    /// The publisher leaves. True when it was the one that was heard, so that its viewers wait now.
    pub(super) fn detach(&self, generation: u64, reason: &DownReason) -> bool {
        let _transition = lock(&self.transition);
        let mut state = self.state();
        if state.publisher.as_ref().is_none_or(|current| current.generation != generation) {
            return false;
        }
        self.take_down(&mut state);
        let was_up = std::mem::take(&mut state.up);
        drop(state);
        if was_up {
            self.context.observer.down(&self.name, reason);
        }
        true
    }

    fn take_down(&self, state: &mut State) -> Option<Current> {
        let current = state.publisher.take()?;
        if current.counted {
            self.context.counters.publishers.fetch_sub(1, Ordering::Relaxed);
        }
        Some(current)
    }

    /// Ends the stream for everybody. With a generation: only if nobody published after that one.
    pub(super) fn end(&self, reason: &DownReason, unless_after: Option<u64>) -> bool {
        let _transition = lock(&self.transition);
        let mut state = self.state();
        let returned = unless_after
            .is_some_and(|generation| state.generation != generation || state.publisher.is_some());
        if state.ended || returned {
            return false;
        }
        state.ended = true;
        if let Some(current) = self.take_down(&mut state) {
            current.close.send_replace(Some(reason.clone()));
        }
        let was_up = std::mem::take(&mut state.up);
        let had_frames = state.last.is_some();
        let time_ms = state.last.map_or(0, |(time, _)| time);
        self.append(&mut state, Frame::marker(FrameKind::End, time_ms, Instant::now()));
        drop(state);
        if was_up {
            self.context.observer.down(&self.name, reason);
        }
        if had_frames {
            self.context.observer.ended(&self.name);
        }
        true
    }

    /// Where on its timeline the stream stands at `now`: where it was, and what has passed since.
    pub(super) fn timeline_ms(&self, now: Instant) -> i64 {
        self.state().last.map_or(0, |(time, at)| {
            let passed = now.saturating_duration_since(at).as_millis();
            time.saturating_add(i64::try_from(passed).unwrap_or(0).max(1))
        })
    }

    /// Marks that another publisher goes on from here; what was known of the one before is forgotten.
    pub(super) fn begin(&self, generation: u64, time_ms: i64, now: Instant) {
        let mut state = self.state();
        if !state.is_heard(generation) || state.last.is_none() {
            return;
        }
        (state.metadata, state.video_config, state.audio_config) = (None, None, None);
        (state.video, state.audio) = (None, None);
        state.rhythm = Rhythm::default();
        self.append(&mut state, Frame::marker(FrameKind::Discontinuity, time_ms, now));
    }

    /// Takes a publisher's frame in, unless that publisher is not heard any more.
    pub(super) fn push(&self, generation: u64, content: Content, time_ms: i64, now: Instant, body: &Bytes) {
        let media = matches!(content, Content::Video { .. } | Content::Audio(_));
        let kind = content.kind();
        // Encoded before the lock is taken.
        let frame = Frame::new(kind, time_ms, now, body);
        let mut state = self.state();
        if !state.is_heard(generation) {
            return;
        }
        state.meter.add(body.len(), now);
        if state.is_repeated(kind, body) {
            return;
        }
        let changed = state.learn(content, time_ms);
        let frame = self.append(&mut state, frame);
        match kind {
            FrameKind::Metadata => state.metadata = Some(frame),
            FrameKind::VideoConfig => state.video_config = Some(frame),
            FrameKind::AudioConfig => state.audio_config = Some(frame),
            _ => {}
        }
        if media {
            state.last = Some((state.last.map_or(time_ms, |(last, _)| last.max(time_ms)), now));
        }
        let goes_up = media && !state.up;
        let tell = goes_up || changed && state.up;
        drop(state);
        if tell {
            self.tell(generation, goes_up);
        }
    }

    /// Tells the observer of the first frame, or of other codecs, if the publisher is still heard.
    fn tell(&self, generation: u64, goes_up: bool) {
        let _transition = lock(&self.transition);
        let mut state = self.state();
        if !state.is_heard(generation) {
            return;
        }
        state.up = true;
        let info = self.info_of(&mut state);
        drop(state);
        if goes_up {
            self.context.observer.up(&info);
        } else {
            self.context.observer.changed(&info);
        }
    }

    fn append(&self, state: &mut State, frame: Frame) -> Arc<Frame> {
        let frame = Arc::new(frame);
        let before = state.window.bytes();
        state.window.push(Arc::clone(&frame));
        self.context.memory.change(before, state.window.bytes());
        if !state.travels_with_picture(&frame) {
            self.head.send_replace(state.window.end());
        }
        if matches!(frame.kind(), FrameKind::Video { .. }) {
            state.last_picture = Some(frame.received());
        }
        frame
    }

    /// Bytes that [`Stream::trim`] would free.
    pub(super) fn spare(&self) -> usize {
        self.state().window.spare()
    }

    /// Gives up all frames but the newest keyframe.
    pub(super) fn trim(&self) {
        let mut state = self.state();
        let before = state.window.bytes();
        state.window.trim();
        self.context.memory.change(before, state.window.bytes());
    }

    pub(super) fn info(&self) -> StreamInfo {
        self.info_of(&mut self.state())
    }

    fn info_of(&self, state: &mut State) -> StreamInfo {
        let count = |protocol| self.viewers(protocol).load(Ordering::Relaxed);
        StreamInfo {
            name: self.name.clone(),
            up: state.up,
            since: state.since,
            source: state.source,
            video: state.video.clone(),
            audio: state.audio.clone(),
            fps: state.rhythm.fps().or_else(|| state.video.as_ref()?.fps),
            bitrate_kbps: state.meter.kbps(Instant::now()),
            keyframe_interval_ms: state.rhythm.keyframe_interval_ms(),
            viewers: ViewerCounts {
                rtmp: count(Protocol::Rtmp),
                http_flv: count(Protocol::HttpFlv),
                websocket: count(Protocol::WebSocket),
                node: count(Protocol::Node),
            },
            window_bytes: state.window.bytes(),
            gop_ms: state.rhythm.gop_ms(),
            takeovers: state.takeovers,
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let held = self.state().window.bytes();
        self.context.memory.change(held, 0);
    }
}

impl State {
    pub(super) fn pace(&self) -> Option<Pace> {
        self.rhythm.pace()
    }

    /// Sound between pictures wakes nobody: it goes out with the next picture, in the same write. That is a third
    /// to a half of all writes.
    fn travels_with_picture(&self, frame: &Frame) -> bool {
        frame.kind() == FrameKind::Audio
            && self
                .last_picture
                .is_some_and(|at| frame.received().saturating_duration_since(at) <= SOUND_WAITS)
    }

    fn is_heard(&self, generation: u64) -> bool {
        self.publisher.as_ref().is_some_and(|current| current.generation == generation)
    }

    /// A configuration that is the same as before; some encoders send it with every keyframe.
    fn is_repeated(&self, kind: FrameKind, body: &Bytes) -> bool {
        let before = match kind {
            FrameKind::VideoConfig => &self.video_config,
            FrameKind::AudioConfig => &self.audio_config,
            _ => return false,
        };
        before.as_ref().is_some_and(|frame| frame.body() == body)
    }

    /// Notes what a frame says of the stream; true when codec or size are others than before.
    fn learn(&mut self, content: Content, time_ms: i64) -> bool {
        match content {
            Content::VideoConfig(info) => {
                let changed = self.video.as_ref() != Some(&info);
                self.video = Some(info);
                changed
            }
            Content::AudioConfig(info) => {
                let changed = self.audio.as_ref() != Some(&info);
                self.audio = Some(info);
                changed
            }
            Content::Video { keyframe, info } => {
                self.rhythm.picture(time_ms, keyframe);
                let changed = self.video.is_none();
                self.video.get_or_insert(info);
                changed
            }
            Content::Audio(info) => {
                let changed = self.audio.is_none();
                self.audio.get_or_insert(info);
                changed
            }
            Content::Metadata => false,
        }
    }
}
