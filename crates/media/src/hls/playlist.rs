//! Media playlists (RFC 8216bis).

use std::fmt::{self, Write};
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};

use super::targets::Targets;
use super::window::{Segment, Window};

/// What is asked for, and how addresses in the answer are to be written.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlaylistRequest<'a> {
    /// Before the names of media, relative to the playlist: `room/` for a playlist `/live/room.m3u8`.
    pub prefix: &'a str,
    /// After them, with its question mark, such as `?expire=1&token=x`; else empty.
    pub suffix: &'a str,
    /// `_HLS_msn`: wait for this segment.
    pub segment: Option<u64>,
    /// `_HLS_part`: wait for this part of it.
    pub part: Option<u64>,
}

/// A playlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playlist {
    /// Its text, `application/vnd.apple.mpegurl`.
    pub text: String,
    /// Changes with the text, quotes included.
    pub etag: String,
    /// The stream is over: this playlist is the last one.
    pub ended: bool,
}

/// Writes the playlist of what is there. `id` is in the names of all media.
pub(super) fn write(window: &Window, id: &str, request: &PlaylistRequest<'_>) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = Writer { window, id, request, out: &mut out }.write();
    out
}

struct Writer<'a> {
    window: &'a Window,
    id: &'a str,
    request: &'a PlaylistRequest<'a>,
    out: &'a mut String,
}

impl Writer<'_> {
    fn write(&mut self) -> fmt::Result {
        let window = self.window;
        let Targets { segment_s, part_ms } = window.targets.unwrap_or_default();
        // Three parts back is what is recommended, two the least that is allowed.
        let (hold_back, part_target) = (Seconds(3 * part_ms), Seconds(part_ms));
        writeln!(self.out, "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:{segment_s}")?;
        writeln!(self.out, "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={hold_back}")?;
        writeln!(self.out, "#EXT-X-PART-INF:PART-TARGET={part_target}")?;
        let first = window.listed().next().map_or(0, |segment| segment.number);
        writeln!(self.out, "#EXT-X-MEDIA-SEQUENCE:{first}")?;
        writeln!(self.out, "#EXT-X-DISCONTINUITY-SEQUENCE:{}", window.discontinuity_sequence)?;
        let mut left_ms: i64 = window.listed().map(Segment::duration_ms).sum();
        let mut init = None;
        for segment in window.listed() {
            if segment.discontinuity {
                writeln!(self.out, "#EXT-X-DISCONTINUITY")?;
            }
            if init != Some(segment.init) {
                init = Some(segment.init);
                let uri = self.uri(format_args!("init-{}-{}.mp4", self.id, segment.init));
                writeln!(self.out, "#EXT-X-MAP:URI=\"{uri}\"")?;
            }
            left_ms -= segment.duration_ms();
            // Parts that are further back are of no use to anybody.
            self.segment(segment, left_ms < 3 * 1000 * segment_s)?;
        }
        if window.ended {
            return writeln!(self.out, "#EXT-X-ENDLIST");
        }
        let (number, part) = window.position();
        let uri = self.uri(format_args!("part-{}-{number}-{part}.m4s", self.id));
        writeln!(self.out, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{uri}\"")
    }

    fn segment(&mut self, segment: &Segment, with_parts: bool) -> fmt::Result {
        writeln!(self.out, "#EXT-X-PROGRAM-DATE-TIME:{}", date(segment.began))?;
        if with_parts {
            for (index, part) in segment.parts.iter().enumerate() {
                let uri = self.uri(format_args!("part-{}-{}-{index}.m4s", self.id, segment.number));
                let independent = if part.independent { ",INDEPENDENT=YES" } else { "" };
                let duration = Seconds(part.duration_ms);
                writeln!(self.out, "#EXT-X-PART:DURATION={duration},URI=\"{uri}\"{independent}")?;
            }
        }
        if segment.complete {
            let uri = self.uri(format_args!("seg-{}-{}.m4s", self.id, segment.number));
            writeln!(self.out, "#EXTINF:{},\n{uri}", Seconds(segment.duration_ms()))?;
        }
        Ok(())
    }

    fn uri(&self, name: fmt::Arguments<'_>) -> String {
        format!("{}{name}{}", self.request.prefix, self.request.suffix)
    }
}

fn date(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Milliseconds, written as seconds.
struct Seconds(i64);

impl fmt::Display for Seconds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}
