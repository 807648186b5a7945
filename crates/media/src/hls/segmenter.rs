//! Where a stream is cut: frames in, parts and segments out.

use bytes::Bytes;

use super::entry::{AudioTrack, VideoTrack};
use super::fragment::{Fragment, Muxer};
use super::{PART_TARGET_MS, SEGMENT_SLACK_MS, SEGMENT_TARGET_MS, TARGET_DURATION_S};
use crate::flv::{AudioBody, AudioPacket, VideoBody, VideoPacket};
use crate::hub::{Frame, FrameKind};

/// What the segmenter made.
#[derive(Debug)]
pub(super) enum Piece {
    /// What follows needs this initialisation. All but the first are discontinuities.
    Init(Bytes),
    /// A part of the open segment.
    Part(Part),
    /// The open segment is complete.
    Cut,
}

/// A part, which is the whole segment's bytes together with those beside it.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) bytes: Bytes,
    pub(super) duration_ms: i64,
    /// Has a keyframe.
    pub(super) independent: bool,
    /// Begins with a keyframe.
    pub(super) starts_with_keyframe: bool,
}

/// Cuts a stream. It takes frames in their order and reads no clock.
#[derive(Debug, Default)]
pub(super) struct Segmenter {
    video: Option<VideoTrack>,
    audio: Option<AudioTrack>,
    run: Option<Run>,
    made: Vec<Piece>,
}

/// Frames of one configuration.
#[derive(Debug)]
struct Run {
    muxer: Muxer,
    /// Where the open segment and the open part begin.
    segment_ms: i64,
    part_ms: i64,
    /// The newest frame of the track by which is cut.
    last_ms: i64,
    /// Between the newest two of them.
    interval_ms: i64,
    keyframe_first: bool,
}

impl Segmenter {
    /// Takes a frame; what became complete by it is in the answer. A box that cannot be written costs its part.
    pub(super) fn push(&mut self, frame: &Frame) -> Vec<Piece> {
        match frame.kind() {
            FrameKind::VideoConfig => {
                self.finish(Some(frame.time_ms()));
                self.video = VideoTrack::read(&frame.body());
            }
            FrameKind::AudioConfig => {
                let track = AudioTrack::read(&frame.body());
                if self.audio != track {
                    self.finish(Some(frame.time_ms()));
                    self.audio = track;
                }
            }
            FrameKind::Discontinuity => {
                self.finish(Some(frame.time_ms()));
                (self.video, self.audio) = (None, None);
            }
            FrameKind::Video { keyframe } => self.picture(frame, keyframe),
            FrameKind::Audio => self.sound(frame),
            FrameKind::Metadata | FrameKind::End => {}
        }
        std::mem::take(&mut self.made)
    }

    /// Nothing follows.
    pub(super) fn end(&mut self) -> Vec<Piece> {
        self.finish(None);
        std::mem::take(&mut self.made)
    }

    fn picture(&mut self, frame: &Frame, keyframe: bool) {
        if self.video.is_none() {
            return;
        }
        let body = frame.body();
        let Ok(VideoBody { packet: VideoPacket::Frame { composition_ms, data, .. }, .. }) =
            VideoBody::read(&body)
        else {
            return;
        };
        let data = body.slice_ref(data);
        let time_ms = frame.time_ms();
        if self.run.is_none() {
            if !keyframe {
                return;
            }
            self.begin(time_ms);
        }
        let Some(run) = &mut self.run else { return };
        run.advance(time_ms, keyframe, &mut self.made);
        run.muxer.picture(time_ms, composition_ms, keyframe, data);
    }

    fn sound(&mut self, frame: &Frame) {
        if self.audio.is_none() {
            return;
        }
        let body = frame.body();
        let Ok(AudioBody { packet: AudioPacket::Frame(data), .. }) = AudioBody::read(&body) else { return };
        let data = body.slice_ref(data);
        let time_ms = frame.time_ms();
        if self.run.is_none() {
            // Where pictures are, they begin.
            if self.video.is_some() {
                return;
            }
            self.begin(time_ms);
        }
        let Some(run) = &mut self.run else { return };
        if !run.muxer.has_video() {
            run.advance(time_ms, true, &mut self.made);
        }
        run.muxer.sound(time_ms, data);
    }

    fn begin(&mut self, time_ms: i64) {
        let muxer = Muxer::new(self.video.clone(), self.audio.clone());
        match muxer.init() {
            Ok(init) => self.made.push(Piece::Init(init)),
            Err(error) => {
                tracing::warn!(%error, "no initialisation segment");
                return;
            }
        }
        self.run = Some(Run {
            muxer,
            segment_ms: time_ms,
            part_ms: time_ms,
            last_ms: time_ms,
            interval_ms: 0,
            keyframe_first: true,
        });
    }

    /// Completes what is open, at `time_ms` if that is known.
    fn finish(&mut self, time_ms: Option<i64>) {
        let Some(mut run) = self.run.take() else { return };
        let end_ms = run.last_ms + run.interval_ms.max(1);
        // A stream that comes back later leaves a gap, and not a picture that stands as long.
        let end_ms =
            time_ms.map_or(end_ms, |time_ms| time_ms.clamp(run.last_ms + 1, end_ms.max(run.last_ms + 1)));
        run.cut_part(end_ms, &mut self.made);
        self.made.push(Piece::Cut);
    }
}

impl Run {
    /// A frame of the leading track is about to be added: cuts before it where that is due.
    fn advance(&mut self, time_ms: i64, keyframe: bool, made: &mut Vec<Piece>) {
        let first = self.last_ms == time_ms && self.part_ms == time_ms;
        if !first {
            self.interval_ms = (time_ms - self.last_ms).max(0);
        }
        self.last_ms = time_ms;
        let in_segment = time_ms - self.segment_ms;
        let slack = if self.muxer.has_video() { SEGMENT_SLACK_MS } else { self.interval_ms / 2 };
        let full = keyframe && in_segment >= SEGMENT_TARGET_MS - slack;
        let longest = in_segment + self.interval_ms > TARGET_DURATION_S * 1000;
        if full || longest && in_segment > 0 {
            self.cut_part(time_ms, made);
            made.push(Piece::Cut);
            self.segment_ms = time_ms;
        } else if time_ms - self.part_ms + self.interval_ms > PART_TARGET_MS && time_ms > self.part_ms {
            self.cut_part(time_ms, made);
        }
        if self.part_ms == time_ms {
            self.keyframe_first = keyframe;
        }
    }

    fn cut_part(&mut self, time_ms: i64, made: &mut Vec<Piece>) {
        self.muxer.settle(time_ms);
        match self.muxer.take() {
            Ok(Some(Fragment { bytes, independent })) => made.push(Piece::Part(Part {
                bytes,
                duration_ms: time_ms - self.part_ms,
                independent,
                starts_with_keyframe: self.keyframe_first,
            })),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "a part was lost"),
        }
        self.part_ms = time_ms;
    }
}
