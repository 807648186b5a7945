//! What a playlist promises for as long as it lives.

use super::{PART_TARGET_MS, SEGMENT_TARGET_MS};
use crate::hub::Pace;

/// `EXT-X-TARGETDURATION` in seconds.
const SHORTEST_S: i64 = SEGMENT_TARGET_MS / 1000;
const LONGEST_S: i64 = 10;
/// A keyframe may come this much later than expected, since durations are rounded to whole seconds (ms).
const SLACK_MS: i64 = 250;
/// How much longer than the target a segment may be: less than what would be rounded up (ms).
const ROUNDING_MS: i64 = 400;
/// All parts but the last of a segment have at least this much of the target (RFC 8216bis §4.4.4.9, %).
pub(super) const PART_PERCENT: i64 = 85;

/// Target durations. RFC 8216bis §6.2.1 forbids to change them, so they are chosen once, to fit the stream's
/// keyframes and frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Targets {
    /// Of segments, in seconds.
    pub(super) segment_s: i64,
    /// Of parts, in milliseconds.
    pub(super) part_ms: i64,
}

impl Targets {
    /// The shortest that hold whole groups of pictures, and parts of whole frames.
    pub(super) fn fit(pace: Pace) -> Self {
        let seconds = (pace.keyframe_interval_ms - SLACK_MS + 999).div_euclid(1000);
        Self { segment_s: seconds.clamp(SHORTEST_S, LONGEST_S), part_ms: part_ms(pace.frame_interval_ms) }
    }

    /// For a stream whose keyframes are rare.
    pub(super) fn longest(frame_interval_ms: i64) -> Self {
        Self { segment_s: LONGEST_S, part_ms: part_ms(frame_interval_ms) }
    }

    /// What a segment may last.
    pub(super) fn segment_limit_ms(self) -> i64 {
        self.segment_s * 1000 + ROUNDING_MS
    }
}

impl Default for Targets {
    fn default() -> Self {
        Self { segment_s: SHORTEST_S, part_ms: PART_TARGET_MS }
    }
}

/// The usual length where so many frames come close to it; else what a whole number of frames lasts.
fn part_ms(frame_interval_ms: i64) -> i64 {
    let interval = frame_interval_ms.clamp(1, LONGEST_S * 1000);
    let lasts = interval * (PART_TARGET_MS / interval).max(1);
    if (PART_TARGET_MS * (PART_PERCENT + 1) / 100..=PART_TARGET_MS).contains(&lasts) {
        return PART_TARGET_MS;
    }
    // Timestamps are whole milliseconds, and not quite regular.
    (lasts + 5 + 9) / 10 * 10
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(keyframe_interval_ms: i64, frame_interval_ms: i64) -> (i64, i64) {
        let targets = Targets::fit(Pace { keyframe_interval_ms, frame_interval_ms });
        (targets.segment_s, targets.part_ms)
    }

    #[test]
    fn targets_hold_whole_groups_and_whole_frames() {
        assert_eq!(fit(1_000, 40), (2, 350));
        assert_eq!(fit(2_000, 33), (2, 350));
        assert_eq!(fit(2_240, 33), (2, 350));
        assert_eq!(fit(4_000, 17), (4, 350));
        assert_eq!(fit(8_333, 33), (9, 350));
        assert_eq!(fit(60_000, 33), (10, 350));
        // 8, 5 and 1 frames per second.
        assert_eq!((fit(2_000, 125).1, fit(2_000, 200).1, fit(2_000, 1000).1), (260, 210, 1010));
    }
}
