//! A run: the frames between two changes of configuration, cut into parts and segments.

use bytes::Bytes;

use super::fragment::{Fragment, Muxer};
use super::segmenter::{Part, Piece};
use super::targets::{PART_PERCENT, Targets};
use super::{PART_TARGET_MS, SEGMENT_SLACK_MS, SEGMENT_TARGET_MS};
use crate::hub::Pace;

/// How long to wait for the keyframe that ends the first segment (ms): shorter than any segment may be, where other
/// keyframes came; where none did, they are taken for rare after as long as groups usually are.
const UNDECIDED_MS: i64 = 2_300;
const RARE_MS: i64 = 4_300;

/// Cuts by its leading track: pictures where there are some, else sound.
#[derive(Debug)]
pub(super) struct Run {
    muxer: Muxer,
    /// Unknown until the keyframe interval is.
    targets: Option<Targets>,
    /// Where the run, its open segment and its open part begin.
    began_ms: i64,
    segment_ms: i64,
    part_ms: i64,
    /// The newest frame of the leading track, the one before it that is a keyframe, and how many there were.
    last_ms: i64,
    keyframe_ms: i64,
    frames: i64,
    /// Between the newest two frames, and the most between two keyframes.
    interval_ms: i64,
    keyframe_interval_ms: i64,
}

impl Run {
    pub(super) fn new(muxer: Muxer, targets: Option<Targets>, time_ms: i64) -> Self {
        Self {
            muxer,
            targets,
            began_ms: time_ms,
            segment_ms: time_ms,
            part_ms: time_ms,
            last_ms: time_ms,
            keyframe_ms: time_ms,
            frames: 0,
            interval_ms: 0,
            keyframe_interval_ms: 0,
        }
    }

    pub(super) fn targets(&self) -> Option<Targets> {
        self.targets
    }

    pub(super) fn has_video(&self) -> bool {
        self.muxer.has_video()
    }

    pub(super) fn has_audio(&self) -> bool {
        self.muxer.has_audio()
    }

    /// More samples wait than any real stream brings in the time of a part.
    pub(super) fn is_overfull(&self) -> bool {
        self.muxer.is_overfull()
    }

    /// How long the leading track has brought nothing at `time_ms`.
    pub(super) fn silence_ms(&self, time_ms: i64) -> i64 {
        time_ms - self.last_ms
    }

    /// Where the newest frame of the leading track ends, if it lasts as long as the one before.
    pub(super) fn end_ms(&self) -> i64 {
        self.last_ms + self.interval_ms.clamp(1, self.part_target_ms())
    }

    /// Adds a picture, after cutting before it where that is due.
    pub(super) fn picture(
        &mut self,
        time_ms: i64,
        composition_ms: i32,
        keyframe: bool,
        data: Bytes,
        made: &mut Vec<Piece>,
    ) {
        self.advance(time_ms, keyframe, made);
        self.muxer.picture(time_ms, composition_ms, keyframe, data);
    }

    /// Adds sound, after cutting before it where it leads and that is due.
    pub(super) fn sound(&mut self, time_ms: i64, data: Bytes, made: &mut Vec<Piece>) {
        if !self.has_video() {
            self.advance(time_ms, true, made);
        }
        self.muxer.sound(time_ms, data);
    }

    /// Completes what is open; the newest frame ends at `time_ms`.
    pub(super) fn close(mut self, time_ms: i64, made: &mut Vec<Piece>) -> Targets {
        let targets = self.targets.unwrap_or_else(|| {
            let keyframe_interval_ms = self.keyframe_interval_ms.max(time_ms - self.segment_ms);
            Targets::fit(Pace { keyframe_interval_ms, frame_interval_ms: self.frame_interval_ms() })
        });
        self.targets = Some(targets);
        let heard_ms = self.heard_ms();
        let stood_still = time_ms - heard_ms > targets.segment_limit_ms();
        self.close_segment(if stood_still { heard_ms.max(self.end_ms()) } else { time_ms }, made);
        targets
    }

    /// A frame of the leading track is about to be added.
    fn advance(&mut self, time_ms: i64, keyframe: bool, made: &mut Vec<Piece>) {
        let heard_ms = self.heard_ms();
        if time_ms - heard_ms > self.targets.unwrap_or_default().segment_limit_ms() {
            self.pause(heard_ms, time_ms, made);
        }
        if time_ms > self.last_ms {
            self.interval_ms = time_ms - self.last_ms;
        }
        self.decide(time_ms, keyframe);
        self.fill(time_ms, made);
        if keyframe && self.is_full(time_ms) {
            self.cut_part(time_ms, time_ms, made);
            made.push(Piece::Cut);
            (self.segment_ms, self.part_ms) = (time_ms, time_ms);
        } else if time_ms - self.part_ms + self.interval_ms > self.part_target_ms()
            && self.is_long_enough(time_ms - self.part_ms)
        {
            self.cut_part(time_ms, time_ms, made);
        }
        if keyframe {
            self.keyframe_ms = time_ms;
        }
        self.last_ms = self.last_ms.max(time_ms);
        self.frames += 1;
    }

    /// When anything last came.
    fn heard_ms(&self) -> i64 {
        self.last_ms.max(self.muxer.newest_sound_ms().unwrap_or(self.last_ms))
    }

    /// Nothing came from `heard_ms` to `time_ms`, which is more than a segment may last.
    fn pause(&mut self, heard_ms: i64, time_ms: i64, made: &mut Vec<Piece>) {
        self.close_segment(self.end_ms().max(heard_ms), made);
        made.push(Piece::Gap);
        (self.segment_ms, self.part_ms, self.last_ms) = (time_ms, time_ms, time_ms);
        self.keyframe_ms = time_ms;
    }

    /// Chooses the targets once keyframes have shown how far apart they are.
    fn decide(&mut self, time_ms: i64, keyframe: bool) {
        let in_segment = time_ms - self.segment_ms;
        if keyframe {
            self.keyframe_interval_ms = self.keyframe_interval_ms.max(time_ms - self.keyframe_ms);
        }
        if self.targets.is_some() {
            return;
        }
        let seen = self.keyframe_interval_ms > 0;
        let at_next = in_segment + self.keyframe_interval_ms;
        let enough = in_segment >= SEGMENT_TARGET_MS - SEGMENT_SLACK_MS
            || at_next > Targets::default().segment_limit_ms();
        let frame_interval_ms = self.frame_interval_ms();
        if keyframe && seen && enough || seen && in_segment > UNDECIDED_MS {
            let keyframe_interval_ms = self.keyframe_interval_ms;
            self.targets = Some(Targets::fit(Pace { keyframe_interval_ms, frame_interval_ms }));
        } else if !seen && in_segment > RARE_MS {
            self.targets = Some(Targets::longest(frame_interval_ms));
        }
    }

    fn frame_interval_ms(&self) -> i64 {
        ((self.last_ms - self.began_ms) / (self.frames - 1).max(1)).max(1)
    }

    fn part_target_ms(&self) -> i64 {
        self.targets.map_or(PART_TARGET_MS, |targets| targets.part_ms)
    }

    /// A segment that ends at this keyframe is long enough, or would be too long at the next one.
    fn is_full(&self, time_ms: i64) -> bool {
        let in_segment = time_ms - self.segment_ms;
        if !self.has_video() {
            return in_segment >= SEGMENT_TARGET_MS - self.interval_ms / 2;
        }
        // Keyframes may be rarer now than when the target was chosen; that is no reason to cut at each.
        let at_next = self.targets.is_some_and(|targets| {
            let expected = self.keyframe_interval_ms.min(targets.segment_s * 1000);
            in_segment + expected > targets.segment_limit_ms()
        });
        in_segment >= SEGMENT_TARGET_MS - SEGMENT_SLACK_MS || in_segment > 0 && at_next
    }

    /// A part that lasts so long need not be the last of its segment. Before the target is known, parts end as
    /// frames do, by which the target is chosen.
    fn is_long_enough(&self, lasts_ms: i64) -> bool {
        self.targets.is_none_or(|targets| lasts_ms * 100 >= targets.part_ms * PART_PERCENT)
    }

    /// The newest frame lasts until `time_ms`. Where that makes the open part too long, it ends before that
    /// frame, or while it stands: sound that goes on meanwhile is a part of its own.
    fn fill(&mut self, time_ms: i64, made: &mut Vec<Piece>) {
        let target = self.part_target_ms();
        if time_ms - self.part_ms > target
            && (self.is_long_enough(self.last_ms - self.part_ms) || self.end_in_frame(target).is_none())
        {
            self.cut_part(self.last_ms, self.last_ms, made);
        }
        self.muxer.settle(time_ms);
        while time_ms - self.part_ms > target
            && let Some(end) = self.end_in_frame(target)
        {
            self.cut_part(end, end, made);
            if self.part_ms != end {
                return;
            }
        }
    }

    /// Where the open part may end while a picture stands, if sound goes on so that the next part is not empty.
    fn end_in_frame(&self, target: i64) -> Option<i64> {
        let sound_ms = self.muxer.newest_sound_ms().filter(|_| self.targets.is_some())?;
        let end = sound_ms.min(self.part_ms + target);
        self.is_long_enough(end - self.part_ms).then_some(end)
    }

    fn close_segment(&mut self, time_ms: i64, made: &mut Vec<Piece>) {
        let time_ms = time_ms.max(self.part_ms + 1);
        self.fill(time_ms, made);
        self.cut_part(time_ms, i64::MAX, made);
        made.push(Piece::Cut);
    }

    /// Ends the open part at `time_ms` with all samples before `until_ms`; without samples it stays open. A segment
    /// that would get too long by it ends before it.
    fn cut_part(&mut self, time_ms: i64, until_ms: i64, made: &mut Vec<Piece>) {
        if time_ms <= self.part_ms {
            return;
        }
        match self.muxer.take(until_ms) {
            Ok(Some(Fragment { bytes, independent })) => {
                let too_long = self
                    .targets
                    .is_some_and(|targets| time_ms - self.segment_ms > targets.segment_limit_ms());
                if too_long && self.part_ms > self.segment_ms {
                    made.push(Piece::Cut);
                    self.segment_ms = self.part_ms;
                }
                made.push(Piece::Part(Part { bytes, duration_ms: time_ms - self.part_ms, independent }));
                self.part_ms = time_ms;
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "a part was lost");
                self.part_ms = time_ms;
            }
        }
    }
}
