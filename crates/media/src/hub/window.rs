//! The frames of a stream that can still be taken.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::frame::{Frame, FrameKind};

/// Frames before the newest keyframe stay this long, for viewers that are a little behind.
const HISTORY: Duration = Duration::from_secs(2);
/// A newcomer to a stream without pictures begins this far back.
const AUDIO_START: Duration = Duration::from_secs(1);
/// However small frames are, a window has no more than this many.
const MAX_FRAMES: usize = 8192;

/// Frames by number, without gaps, from the oldest that is kept to the newest.
#[derive(Debug)]
pub(super) struct Window {
    frames: VecDeque<Arc<Frame>>,
    /// The number of the oldest frame.
    first: u64,
    bytes: usize,
    max_bytes: usize,
    /// The number of the newest keyframe, if all frames since are here.
    keyframe: Option<u64>,
    /// The newest keyframe by itself, when what follows it was given up.
    still: Option<Arc<Frame>>,
    /// Newcomers do not begin before this number: decoders were configured anew there.
    floor: u64,
    has_video: bool,
}

/// What stands at a number.
#[derive(Debug)]
pub(super) enum Slot<'a> {
    Frame(&'a Arc<Frame>),
    /// Not yet.
    Ahead,
    /// Not any more.
    Evicted,
}

/// Where a newcomer begins.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) next: u64,
    /// To be shown until the next keyframe.
    pub(super) still: Option<Arc<Frame>>,
    /// Pictures make no sense before the next keyframe.
    pub(super) await_keyframe: bool,
}

impl Window {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            frames: VecDeque::new(),
            first: 0,
            bytes: 0,
            max_bytes,
            keyframe: None,
            still: None,
            floor: 0,
            has_video: false,
        }
    }

    /// The number that the next frame will get.
    pub(super) fn end(&self) -> u64 {
        self.first + u64::try_from(self.frames.len()).unwrap_or(0)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.still.as_ref().map_or(0, |frame| frame.weight())
    }

    pub(super) fn get(&self, number: u64) -> Slot<'_> {
        let Some(index) = number.checked_sub(self.first) else { return Slot::Evicted };
        let found = usize::try_from(index).ok().and_then(|index| self.frames.get(index));
        found.map_or(Slot::Ahead, Slot::Frame)
    }

    pub(super) fn push(&mut self, frame: Arc<Frame>) {
        let number = self.end();
        match frame.kind() {
            FrameKind::Video { keyframe: true } => {
                self.has_video = true;
                self.keyframe = Some(number);
                self.still = None;
            }
            FrameKind::Video { keyframe: false } => self.has_video = true,
            FrameKind::VideoConfig => {
                self.has_video = true;
                self.restart(number);
            }
            FrameKind::AudioConfig if !self.has_video => self.restart(number),
            FrameKind::Discontinuity => {
                self.has_video = false;
                self.restart(number);
            }
            FrameKind::Audio | FrameKind::AudioConfig | FrameKind::Metadata | FrameKind::End => {}
        }
        self.bytes += frame.weight();
        let now = frame.received();
        self.frames.push_back(frame);
        self.evict(now);
    }

    /// Nobody may begin before `number`.
    fn restart(&mut self, number: u64) {
        self.floor = number;
        self.keyframe = None;
        self.still = None;
    }

    fn evict(&mut self, now: Instant) {
        while let Some(oldest) = self.frames.front() {
            let needed = self.keyframe.is_some_and(|keyframe| self.first >= keyframe);
            let fresh = now.saturating_duration_since(oldest.received()) <= HISTORY;
            let full = self.bytes > self.max_bytes || self.frames.len() > MAX_FRAMES;
            if full && needed {
                self.give_up_gop();
            } else if !full && (needed || fresh) {
                return;
            }
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some(frame) = self.frames.pop_front() {
            self.first += 1;
            self.bytes -= frame.weight();
        }
    }

    /// Newcomers see the newest keyframe and wait for the next one.
    fn give_up_gop(&mut self) {
        let Some(number) = self.keyframe.take() else { return };
        if let Slot::Frame(frame) = self.get(number) {
            self.still = Some(Arc::clone(frame));
        }
    }

    /// What [`Window::trim`] would free.
    pub(super) fn spare(&self) -> usize {
        let keyframe = self.keyframe.map(|number| self.get(number));
        let kept = match keyframe {
            Some(Slot::Frame(frame)) => frame.weight(),
            _ => 0,
        };
        self.bytes.saturating_sub(kept)
    }

    /// Gives up all frames but the newest keyframe.
    pub(super) fn trim(&mut self) {
        self.give_up_gop();
        self.first = self.end();
        self.frames.clear();
        self.bytes = 0;
    }

    /// The number at which a viewer may go on without waiting for a keyframe.
    pub(super) fn newest_start(&self, now: Instant) -> Option<u64> {
        let start = self.start(now);
        (!start.await_keyframe).then_some(start.next)
    }

    /// Where a newcomer begins at `now`.
    pub(super) fn start(&self, now: Instant) -> Start {
        if let Some(next) = self.keyframe {
            return Start { next, still: None, await_keyframe: false };
        }
        if self.has_video {
            return Start { next: self.end(), still: self.still.clone(), await_keyframe: true };
        }
        let recent = self
            .frames
            .iter()
            .rev()
            .take_while(|frame| now.saturating_duration_since(frame.received()) <= AUDIO_START)
            .count();
        let next = self.end() - u64::try_from(recent).unwrap_or(0);
        Start { next: next.max(self.floor), still: None, await_keyframe: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: FrameKind = FrameKind::Video { keyframe: true };
    const DELTA: FrameKind = FrameKind::Video { keyframe: false };

    struct Pushed {
        window: Window,
        start: Instant,
    }

    impl Pushed {
        fn new(max_bytes: usize) -> Self {
            Self { window: Window::new(max_bytes), start: Instant::now() }
        }

        fn at(&self, ms: u64) -> Instant {
            self.start + Duration::from_millis(ms)
        }

        fn push(&mut self, kind: FrameKind, ms: u64, size: usize) {
            let time = i64::try_from(ms).unwrap();
            let frame = Frame::new(kind, time, self.at(ms), &vec![0; size]);
            self.window.push(Arc::new(frame));
        }
    }

    #[test]
    fn a_newcomer_begins_at_the_newest_keyframe() {
        let mut pushed = Pushed::new(1 << 20);
        pushed.push(FrameKind::VideoConfig, 0, 5);
        pushed.push(KEY, 0, 100);
        pushed.push(FrameKind::Audio, 20, 10);
        pushed.push(DELTA, 40, 50);
        assert_eq!(pushed.window.start(pushed.at(5_000)).next, 1);
        pushed.push(KEY, 1000, 100);
        assert_eq!(pushed.window.start(pushed.at(5_000)).next, 4);
        // What is older than two seconds goes with the next frame, the keyframe's group stays.
        pushed.push(DELTA, 9_000, 50);
        assert!(matches!(pushed.window.get(3), Slot::Evicted));
        assert!(matches!(pushed.window.get(4), Slot::Frame(frame) if frame.is_keyframe()));
        assert!(matches!(pushed.window.get(6), Slot::Ahead));
    }

    #[test]
    fn a_group_that_is_too_large_leaves_its_keyframe() {
        let mut pushed = Pushed::new(100_000);
        pushed.push(KEY, 0, 20_000);
        for frame in 1..200 {
            pushed.push(DELTA, frame * 33, 2_000);
        }
        assert!(pushed.window.bytes() <= 125_000, "{}", pushed.window.bytes());
        let start = pushed.window.start(pushed.at(7_000));
        assert!(start.await_keyframe && start.still.is_some_and(|frame| frame.is_keyframe()));
        assert_eq!(start.next, pushed.window.end());
        pushed.push(KEY, 6_700, 20_000);
        assert!(!pushed.window.start(pushed.at(7_000)).await_keyframe);
    }

    #[test]
    fn a_window_that_was_trimmed_holds_its_keyframe_alone() {
        let mut pushed = Pushed::new(1 << 20);
        pushed.push(KEY, 0, 1000);
        for frame in 1..10 {
            pushed.push(DELTA, frame * 33, 1000);
        }
        let (bytes, spare) = (pushed.window.bytes(), pushed.window.spare());
        pushed.window.trim();
        assert_eq!(pushed.window.bytes(), bytes - spare);
        assert_eq!(pushed.window.end(), 10);
        assert!(pushed.window.start(pushed.at(400)).still.is_some());
    }

    #[test]
    fn sound_alone_begins_a_second_back() {
        let mut pushed = Pushed::new(1 << 20);
        pushed.push(FrameKind::AudioConfig, 0, 2);
        for frame in 0..200 {
            pushed.push(FrameKind::Audio, frame * 20, 100);
        }
        let start = pushed.window.start(pushed.at(3_980));
        assert!(!start.await_keyframe);
        assert_eq!(pushed.window.end() - start.next, 51);
        // Never before the configuration that is valid now.
        pushed.push(FrameKind::AudioConfig, 3_990, 2);
        assert_eq!(pushed.window.start(pushed.at(3_990)).next, pushed.window.end() - 1);
    }

    #[test]
    fn nobody_begins_before_a_new_configuration() {
        let mut pushed = Pushed::new(1 << 20);
        pushed.push(KEY, 0, 1000);
        pushed.push(FrameKind::VideoConfig, 30, 5);
        let start = pushed.window.start(pushed.at(30));
        assert!(start.await_keyframe && start.still.is_none());
        pushed.push(KEY, 60, 1000);
        assert_eq!(pushed.window.start(pushed.at(60)).next, 2);
    }

    #[test]
    fn tiny_frames_are_bounded_by_their_number() {
        let mut pushed = Pushed::new(usize::MAX);
        pushed.push(KEY, 0, 1);
        for _ in 0..MAX_FRAMES + 100 {
            pushed.push(DELTA, 1, 1);
        }
        assert!(pushed.window.frames.len() <= MAX_FRAMES);
    }
}
