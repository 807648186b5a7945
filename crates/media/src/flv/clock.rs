//! An encoder's timestamps, which wrap at 2^32 and jump, into one timeline that only goes on.

use std::time::Duration;

use tokio::time::Instant;

use super::TagKind;

/// Back or ahead of what is expected by more than this is a jump and not a gap or bad interleaving.
const TOLERANCE_MS: i64 = 3_000;
/// Sound and picture are this close together; what is further from the clock before a jump is another jump.
const SKEW_MS: i64 = 500;

/// Maps timestamps (u32 milliseconds that start anywhere) to milliseconds of the stream.
///
/// - They are followed by signed differences, so that a wrap at 2^32 is a step like any other.
/// - A jump (by a second source in the encoder, a restart, a broken clock) is taken out: the stream goes on
///   after the time that really passed. Sound and picture jump one after the other, so a tag that still
///   stands on the clock before the jump is read by that.
/// - Within sound, and within picture, time never goes back.
#[derive(Debug)]
pub struct IngestClock {
    /// Where the first tag stands.
    origin_ms: i64,
    last: Option<Last>,
    /// What to add to an unwrapped timestamp; the one before the last jump too.
    offset_ms: i64,
    former_offset_ms: Option<i64>,
    audio_ms: i64,
    video_ms: i64,
    jumps: u64,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    raw: u32,
    unwrapped_ms: i64,
    time_ms: i64,
    at: Instant,
}

impl IngestClock {
    /// A clock whose first tag stands at `origin_ms` of the stream.
    #[must_use]
    pub fn new(origin_ms: i64) -> Self {
        Self {
            origin_ms,
            last: None,
            offset_ms: 0,
            former_offset_ms: None,
            audio_ms: origin_ms,
            video_ms: origin_ms,
            jumps: 0,
        }
    }

    /// How often the timestamps jumped.
    #[must_use]
    pub fn jumps(&self) -> u64 {
        self.jumps
    }

    /// The time of the newest frame. Configurations and metadata take it: encoders stamp them with 0.
    #[must_use]
    pub fn current_ms(&self) -> i64 {
        self.last.map_or(self.origin_ms, |last| last.time_ms)
    }

    /// The time of a frame that came at `now`.
    pub fn time_ms(&mut self, kind: TagKind, timestamp: u32, now: Instant) -> i64 {
        let Some(last) = self.last else {
            let unwrapped_ms = i64::from(timestamp);
            self.offset_ms = self.origin_ms - unwrapped_ms;
            self.last = Some(Last { raw: timestamp, unwrapped_ms, time_ms: self.origin_ms, at: now });
            return self.origin_ms;
        };
        let step = i64::from(timestamp.wrapping_sub(last.raw).cast_signed());
        let unwrapped_ms = last.unwrapped_ms + step;
        let time_ms = self.place(unwrapped_ms, last, now.saturating_duration_since(last.at));
        let latest = Last { raw: timestamp, unwrapped_ms, time_ms: time_ms.max(last.time_ms), at: now };
        self.last = Some(latest);
        let track_ms = match kind {
            TagKind::Audio => &mut self.audio_ms,
            TagKind::Video => &mut self.video_ms,
            TagKind::Script => return latest.time_ms,
        };
        *track_ms = (*track_ms).max(time_ms);
        *track_ms
    }

    fn place(&mut self, unwrapped_ms: i64, last: Last, passed: Duration) -> i64 {
        let passed_ms = i64::try_from(passed.as_millis()).unwrap_or(i64::MAX / 4);
        let expected = (last.time_ms - TOLERANCE_MS)
            ..=(last.time_ms.saturating_add(passed_ms).saturating_add(TOLERANCE_MS));
        let time_ms = unwrapped_ms + self.offset_ms;
        if expected.contains(&time_ms) {
            return time_ms;
        }
        if let Some(former) = self.former_offset_ms
            && (unwrapped_ms + former - last.time_ms).abs() <= SKEW_MS
        {
            return unwrapped_ms + former;
        }
        self.jumps += 1;
        let time_ms = last.time_ms.saturating_add(passed_ms);
        self.former_offset_ms = Some(self.offset_ms);
        self.offset_ms = time_ms - unwrapped_ms;
        time_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Encoder {
        clock: IngestClock,
        now: Instant,
    }

    impl Encoder {
        fn new(origin_ms: i64) -> Self {
            Self { clock: IngestClock::new(origin_ms), now: Instant::now() }
        }

        fn tag(&mut self, kind: TagKind, timestamp: u32, passed_ms: u64) -> i64 {
            self.now += Duration::from_millis(passed_ms);
            self.clock.time_ms(kind, timestamp, self.now)
        }
    }

    #[test]
    fn the_first_tag_stands_at_the_origin() {
        let mut encoder = Encoder::new(500);
        assert_eq!(encoder.tag(TagKind::Video, 4_000_000_000, 0), 500);
        assert_eq!(encoder.tag(TagKind::Audio, 3_999_999_990, 0), 500);
        assert_eq!(encoder.tag(TagKind::Video, 4_000_000_033, 33), 533);
    }

    #[test]
    fn a_wrap_is_a_step_like_any_other() {
        let mut encoder = Encoder::new(0);
        encoder.tag(TagKind::Video, u32::MAX - 10, 0);
        assert_eq!(encoder.tag(TagKind::Video, 22, 33), 33);
        assert_eq!(encoder.tag(TagKind::Audio, u32::MAX, 0), 10);
        assert_eq!(encoder.tag(TagKind::Video, 55, 33), 66);
        assert_eq!(encoder.clock.jumps(), 0);
    }

    #[test]
    fn a_jump_is_taken_out_for_sound_and_picture_alike() {
        let mut encoder = Encoder::new(0);
        encoder.tag(TagKind::Video, 1_000, 0);
        encoder.tag(TagKind::Audio, 1_010, 10);
        // The picture jumps an hour ahead, sound follows two tags later.
        assert_eq!(encoder.tag(TagKind::Video, 3_601_033, 23), 33);
        assert_eq!(encoder.tag(TagKind::Audio, 1_033, 0), 33);
        assert_eq!(encoder.tag(TagKind::Video, 3_601_066, 33), 66);
        assert_eq!(encoder.tag(TagKind::Audio, 3_601_060, 0), 60);
        assert_eq!(encoder.clock.jumps(), 1);
        // And back again.
        assert_eq!(encoder.tag(TagKind::Video, 100, 34), 100);
        assert_eq!(encoder.tag(TagKind::Audio, 120, 20), 120);
        assert_eq!(encoder.clock.jumps(), 2);
    }

    #[test]
    fn a_pause_of_the_encoder_is_a_pause_of_the_stream() {
        let mut encoder = Encoder::new(0);
        encoder.tag(TagKind::Video, 0, 0);
        assert_eq!(encoder.tag(TagKind::Video, 10_000, 10_000), 10_000);
        assert_eq!(encoder.clock.jumps(), 0);
    }

    #[test]
    fn a_tracks_time_never_goes_back() {
        let mut encoder = Encoder::new(0);
        encoder.tag(TagKind::Audio, 0, 0);
        assert_eq!(encoder.tag(TagKind::Audio, 40, 40), 40);
        assert_eq!(encoder.tag(TagKind::Audio, 20, 0), 40);
        assert_eq!(encoder.tag(TagKind::Audio, 63, 23), 63);
    }
}
