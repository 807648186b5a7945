//! The segments that are kept.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::WINDOW_MS;
use super::segmenter::{Part, Piece};
use super::targets::Targets;
use crate::hub::Memory;

/// However short segments are, and however large, no more than this is kept of one stream.
const MAX_SEGMENTS: usize = 256;
const MAX_BYTES: usize = 64 << 20;
/// Dates of segments follow their durations, until they are this far from the time that it was.
const MAX_DRIFT: Duration = Duration::from_secs(10);

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
    /// When it left the playlist, on the window's own count of media time.
    removed_ms: i64,
}

impl Segment {
    pub(super) fn duration_ms(&self) -> i64 {
        self.parts.iter().map(|part| part.duration_ms).sum()
    }

    fn bytes(&self) -> usize {
        self.parts.iter().map(|part| part.bytes.len()).sum()
    }
}

/// The last segments of a stream, with the open one at the end, and the initialisations that they need.
///
/// A segment leaves the playlist when those after it last long enough (RFC 8216bis §6.2.2: three target durations),
/// and is kept for players that have read of it for as long as it and the longest playlist last.
#[derive(Debug)]
pub(super) struct Window {
    memory: Arc<Memory>,
    segments: VecDeque<Segment>,
    /// How many of them are not in the playlist any more.
    removed: usize,
    inits: VecDeque<(u64, Bytes)>,
    /// Discontinuities before the first segment of the playlist.
    pub(super) discontinuity_sequence: u64,
    pub(super) ended: bool,
    /// Nothing is shown before they are known.
    pub(super) targets: Option<Targets>,
    next_number: u64,
    /// The next segment begins after one.
    discontinuity: bool,
    /// Media time of all complete segments, and that of the longest playlist.
    lasted_ms: i64,
    longest_ms: i64,
    held: usize,
}

impl Window {
    pub(super) fn new(memory: Arc<Memory>) -> Self {
        Self {
            memory,
            segments: VecDeque::new(),
            removed: 0,
            inits: VecDeque::new(),
            discontinuity_sequence: 0,
            ended: false,
            targets: None,
            next_number: 0,
            discontinuity: false,
            lasted_ms: 0,
            longest_ms: 0,
            held: 0,
        }
    }

    /// The segments of the playlist.
    pub(super) fn listed(&self) -> impl Iterator<Item = &Segment> {
        self.segments.range(self.removed..)
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
            Piece::Gap => self.discontinuity |= self.next_number > 0,
        }
        self.count();
    }

    /// Adds a part to the open segment, which begins with it if there is none.
    fn add(&mut self, part: Part, now: SystemTime) {
        if let Some(open) = self.segments.back_mut().filter(|segment| !segment.complete) {
            open.parts.push(part);
            return;
        }
        let discontinuity = std::mem::take(&mut self.discontinuity);
        let began = now.checked_sub(milliseconds(part.duration_ms)).unwrap_or(now);
        let expected = self.segments.back().filter(|_| !discontinuity);
        let expected = expected.map(|segment| segment.began + milliseconds(segment.duration_ms()));
        self.segments.push_back(Segment {
            number: self.next_number,
            init: self.inits.back().map_or(0, |(number, _)| *number),
            discontinuity,
            began: expected.filter(|expected| apart(*expected, began) <= MAX_DRIFT).unwrap_or(began),
            parts: vec![part],
            complete: false,
            removed_ms: 0,
        });
        self.next_number += 1;
    }

    fn cut(&mut self) {
        let Some(open) = self.segments.back_mut().filter(|segment| !segment.complete) else { return };
        open.complete = true;
        self.lasted_ms += open.duration_ms();
        self.shorten_playlist();
        self.forget();
    }

    /// Takes segments off the playlist while those after them last long enough.
    fn shorten_playlist(&mut self) {
        let mut listed_ms: i64 = self.listed().map(Segment::duration_ms).sum();
        self.longest_ms = self.longest_ms.max(listed_ms);
        let least_ms = 3 * 1000 * self.targets.unwrap_or_default().segment_s;
        let kept_ms = if self.memory.is_over() { least_ms } else { least_ms.max(WINDOW_MS) };
        while self.segments.len() - self.removed > 1 {
            let too_much = self.is_too_much(self.removed);
            let Some(oldest) = self.segments.get_mut(self.removed) else { return };
            listed_ms -= oldest.duration_ms();
            if listed_ms < kept_ms && !too_much {
                return;
            }
            oldest.removed_ms = self.lasted_ms;
            self.removed += 1;
            self.discontinuity_sequence += u64::from(oldest.discontinuity);
        }
    }

    /// Forgets segments that were taken off the playlist long ago, or all of them where memory is short.
    fn forget(&mut self) {
        while self.removed > 0
            && let Some(oldest) = self.segments.front()
        {
            let due_ms = oldest.removed_ms + oldest.duration_ms() + self.longest_ms;
            if self.lasted_ms < due_ms && !self.memory.is_over() && !self.is_too_much(0) {
                break;
            }
            self.segments.pop_front();
            self.removed -= 1;
        }
        let needed = self.segments.front().map_or(0, |segment| segment.init);
        self.inits.retain(|(number, _)| *number >= needed);
    }

    /// The segments from an index on are more than is kept of one stream.
    fn is_too_much(&self, from: usize) -> bool {
        self.segments.len() - from > MAX_SEGMENTS || self.bytes(from) > MAX_BYTES
    }

    /// What the segments from an index on hold, with the initialisations that they need.
    fn bytes(&self, from: usize) -> usize {
        let init = self.segments.get(from).map_or(0, |segment| segment.init);
        let inits = self.inits.iter().filter(|(number, _)| *number >= init).map(|(_, init)| init.len());
        self.segments.range(from..).map(Segment::bytes).chain(inits).sum()
    }

    pub(super) fn end(&mut self) {
        self.cut();
        self.ended = true;
        self.count();
    }

    fn count(&mut self) {
        let held = self.bytes(0);
        self.memory.change(self.held, held);
        self.held = held;
    }

    pub(super) fn segment(&self, number: u64) -> Option<&Segment> {
        let first = self.segments.front()?.number;
        self.segments.get(usize::try_from(number.checked_sub(first)?).ok()?)
    }

    pub(super) fn init(&self, number: u64) -> Option<&Bytes> {
        self.inits.iter().find(|(known, _)| *known == number).map(|(_, init)| init)
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

fn milliseconds(count: i64) -> Duration {
    Duration::from_millis(u64::try_from(count).unwrap_or(0))
}

fn apart(a: SystemTime, b: SystemTime) -> Duration {
    a.duration_since(b).unwrap_or_else(|error| error.duration())
}
