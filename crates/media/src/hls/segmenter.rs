//! Frames in, parts and segments out: which tracks there are, and where a run of them begins and ends.

use bytes::Bytes;

use super::TRACK_LOST_MS;
use super::entry::{AudioTrack, VideoTrack};
use super::fragment::Muxer;
use super::run::Run;
use super::targets::Targets;
use crate::flv::{AudioBody, AudioPacket, VideoBody, VideoPacket};
use crate::hub::{Frame, FrameKind, Pace};

/// What the segmenter made.
#[derive(Debug)]
pub(super) enum Piece {
    /// What follows needs this initialisation. All but the first are discontinuities.
    Init(Bytes),
    /// A part of the open segment.
    Part(Part),
    /// The open segment is complete.
    Cut,
    /// Nothing came for a while; what follows is later than the durations say.
    Gap,
}

/// A part, which is the whole segment's bytes together with those beside it.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) bytes: Bytes,
    pub(super) duration_ms: i64,
    /// Has a keyframe.
    pub(super) independent: bool,
}

/// Cuts a stream. It takes frames in their order and reads no clock.
#[derive(Debug, Default)]
pub(super) struct Segmenter {
    targets: Option<Targets>,
    video: Option<Track<VideoTrack>>,
    audio: Option<Track<AudioTrack>>,
    run: Option<Run>,
    /// When the frame before this one came.
    newest_ms: i64,
    made: Vec<Piece>,
}

/// A track, and when its configuration or a frame of it last came.
#[derive(Debug)]
struct Track<T> {
    track: T,
    heard_ms: i64,
}

impl<T: Clone> Track<T> {
    fn new(track: Option<T>, heard_ms: i64) -> Option<Self> {
        track.map(|track| Self { track, heard_ms })
    }

    /// Brought something lately, when a frame of any track last came. A player waits for a track that is announced
    /// and silent, so one that is lost is not announced.
    fn is_alive(track: Option<&Self>, newest_ms: i64) -> bool {
        track.is_some_and(|track| newest_ms - track.heard_ms <= TRACK_LOST_MS)
    }
}

impl Segmenter {
    /// A segmenter for a stream of that pace, if it is known.
    pub(super) fn new(pace: Option<Pace>) -> Self {
        Self { targets: pace.map(Targets::fit), ..Self::default() }
    }

    /// What the playlist promises, once that is known.
    pub(super) fn targets(&self) -> Option<Targets> {
        self.targets
    }

    /// Takes a frame; what became complete by it is in the answer. A box that cannot be written costs its part.
    pub(super) fn push(&mut self, frame: &Frame) -> Vec<Piece> {
        let time_ms = frame.time_ms();
        match frame.kind() {
            FrameKind::VideoConfig => {
                self.finish();
                self.video = Track::new(VideoTrack::read(&frame.body()), time_ms);
            }
            FrameKind::AudioConfig => {
                let track = AudioTrack::read(&frame.body());
                if self.audio.as_ref().map(|audio| &audio.track) != track.as_ref() {
                    self.finish();
                }
                self.audio = Track::new(track, time_ms);
            }
            FrameKind::Discontinuity => {
                self.finish();
                (self.video, self.audio) = (None, None);
            }
            FrameKind::Video { keyframe } => self.picture(frame, keyframe),
            FrameKind::Audio => self.sound(frame),
            FrameKind::Metadata | FrameKind::End => {}
        }
        if matches!(frame.kind(), FrameKind::Video { .. } | FrameKind::Audio) {
            self.newest_ms = time_ms;
        }
        if let Some(run) = &self.run {
            self.targets = self.targets.or(run.targets());
        }
        std::mem::take(&mut self.made)
    }

    /// Nothing follows.
    pub(super) fn end(&mut self) -> Vec<Piece> {
        self.finish();
        std::mem::take(&mut self.made)
    }

    fn picture(&mut self, frame: &Frame, keyframe: bool) {
        let Some(video) = &mut self.video else { return };
        let body = frame.body();
        let Ok(VideoBody { packet: VideoPacket::Frame { composition_ms, data, .. }, .. }) =
            VideoBody::read(&body)
        else {
            return;
        };
        let data = body.slice_ref(data);
        let time_ms = frame.time_ms();
        video.heard_ms = time_ms;
        let has_audio = Track::is_alive(self.audio.as_ref(), self.newest_ms);
        let other_tracks =
            self.run.as_ref().is_some_and(|run| !run.has_video() || run.has_audio() != has_audio);
        if keyframe && other_tracks {
            self.close(time_ms);
        } else if self.run.as_ref().is_some_and(Run::is_overfull) {
            self.finish();
        }
        if self.run.is_none() && keyframe {
            self.begin(time_ms);
        }
        if let Some(run) = self.run.as_mut().filter(|run| run.has_video()) {
            run.picture(time_ms, composition_ms, keyframe, data, &mut self.made);
        }
    }

    fn sound(&mut self, frame: &Frame) {
        let Some(audio) = &mut self.audio else { return };
        let body = frame.body();
        let Ok(AudioBody { packet: AudioPacket::Frame(data), .. }) = AudioBody::read(&body) else { return };
        let data = body.slice_ref(data);
        let time_ms = frame.time_ms();
        audio.heard_ms = time_ms;
        let lost = |run: &Run| run.has_video() && run.silence_ms(self.newest_ms) > TRACK_LOST_MS;
        if self.run.as_ref().is_some_and(|run| lost(run) || run.is_overfull()) {
            self.close(time_ms);
        }
        // Where pictures are, they begin.
        if self.run.is_none() && !Track::is_alive(self.video.as_ref(), self.newest_ms) {
            self.begin(time_ms);
        }
        if let Some(run) = &mut self.run {
            run.sound(time_ms, data, &mut self.made);
        }
    }

    /// Begins a run of the tracks that are alive.
    fn begin(&mut self, time_ms: i64) {
        let alive = Track::is_alive(self.video.as_ref(), self.newest_ms);
        let video = self.video.as_ref().filter(|_| alive).map(|video| video.track.clone());
        let alive = Track::is_alive(self.audio.as_ref(), self.newest_ms);
        let audio = self.audio.as_ref().filter(|_| alive).map(|audio| audio.track.clone());
        if video.is_none() {
            // Sound can be cut anywhere.
            self.targets.get_or_insert_default();
        }
        let muxer = Muxer::new(video, audio);
        match muxer.init() {
            Ok(init) => self.made.push(Piece::Init(init)),
            Err(error) => {
                tracing::warn!(%error, "no initialisation segment");
                return;
            }
        }
        self.run = Some(Run::new(muxer, self.targets, time_ms));
    }

    /// Completes what is open. Its newest frame lasts as long as the one before: a stream that comes back later
    /// leaves a gap, and not a picture that stands.
    fn finish(&mut self) {
        if let Some(end_ms) = self.run.as_ref().map(Run::end_ms) {
            self.close(end_ms);
        }
    }

    /// Completes what is open, whose newest frame lasts until `time_ms`.
    fn close(&mut self, time_ms: i64) {
        if let Some(run) = self.run.take() {
            let targets = run.close(time_ms, &mut self.made);
            self.targets.get_or_insert(targets);
        }
    }
}
