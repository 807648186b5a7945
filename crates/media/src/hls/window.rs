//! The segments that can be asked for.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::segmenter::{Part, Piece};
use super::{KEPT_SEGMENTS, KEPT_SEGMENTS_SHORT};
use crate::hub::Memory;

/// A segment, complete or still open.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) number: u64,
    /// Which initialisation it needs.
    pub(super) init: u64,
    pub(super) discontinuity: bool,
    pub(super) began: SystemTime,
    pub(super) parts: Vec<Part>,
    pub(super) complete: bool,
}

impl Segment {
    pub(super) fn duration_ms(&self) -> i64 {
        self.parts.iter().map(|part| part.duration_ms).sum()
    }

    /// Decoding may begin at its start.
    pub(super) fn is_independent(&self) -> bool {
        self.parts.first().is_some_and(|part| part.starts_with_keyframe)
    }

    fn bytes(&self) -> usize {
        self.parts.iter().map(|part| part.bytes.len()).sum()
    }
}

/// The last segments of a stream, with the open one at the end, and the initialisations that they need.
#[derive(Debug)]
pub(super) struct Window {
    memory: Arc<Memory>,
    pub(super) segments: VecDeque<Segment>,
    pub(super) inits: VecDeque<(u64, Bytes)>,
    /// Discontinuities before the first segment.
    pub(super) discontinuity_sequence: u64,
    pub(super) ended: bool,
    next_number: u64,
    /// The next segment begins after one.
    discontinuity: bool,
    held: usize,
}

impl Window {
    pub(super) fn new(memory: Arc<Memory>) -> Self {
        Self {
            memory,
            segments: VecDeque::new(),
            inits: VecDeque::new(),
            discontinuity_sequence: 0,
            ended: false,
            next_number: 0,
            discontinuity: false,
            held: 0,
        }
    }

    /// Takes what the segmenter made of a frame that came at `now`.
    pub(super) fn apply(&mut self, piece: Piece, now: SystemTime) {
        match piece {
            Piece::Init(init) => {
                self.discontinuity |= self.next_number > 0;
                let number = self.inits.back().map_or(0, |(number, _)| number + 1);
                self.inits.push_back((number, init));
            }
            Piece::Part(part) => self.add(part, now),
            Piece::Cut => self.cut(),
        }
        self.count();
    }

    /// Adds a part to the open segment, which begins with it if there is none.
    fn add(&mut self, part: Part, now: SystemTime) {
        if let Some(open) = self.segments.back_mut().filter(|segment| !segment.complete) {
            open.parts.push(part);
            return;
        }
        let lasted = Duration::from_millis(u64::try_from(part.duration_ms).unwrap_or(0));
        self.segments.push_back(Segment {
            number: self.next_number,
            init: self.inits.back().map_or(0, |(number, _)| *number),
            discontinuity: std::mem::take(&mut self.discontinuity),
            began: now.checked_sub(lasted).unwrap_or(now),
            parts: vec![part],
            complete: false,
        });
        self.next_number += 1;
    }

    fn cut(&mut self) {
        let Some(open) = self.segments.back_mut().filter(|segment| !segment.complete) else { return };
        open.complete = true;
        let kept = if self.memory.is_over() { KEPT_SEGMENTS_SHORT } else { KEPT_SEGMENTS };
        while self.segments.len() > kept {
            if let Some(oldest) = self.segments.pop_front() {
                self.discontinuity_sequence += u64::from(oldest.discontinuity);
            }
        }
        let needed = self.segments.front().map_or(0, |segment| segment.init);
        self.inits.retain(|(number, _)| *number >= needed);
    }

    pub(super) fn end(&mut self) {
        self.cut();
        self.ended = true;
        self.count();
    }

    fn count(&mut self) {
        let held = self.segments.iter().map(Segment::bytes).sum();
        self.memory.change(self.held, held);
        self.held = held;
    }

    pub(super) fn segment(&self, number: u64) -> Option<&Segment> {
        let first = self.segments.front()?.number;
        self.segments.get(usize::try_from(number.checked_sub(first)?).ok()?)
    }

    /// The number of the open segment, or of the one that comes next, and how many parts it has.
    pub(super) fn position(&self) -> (u64, u64) {
        match self.segments.back() {
            Some(open) if !open.complete => (open.number, u64::try_from(open.parts.len()).unwrap_or(0)),
            _ => (self.next_number, 0),
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.memory.change(self.held, 0);
    }
}
