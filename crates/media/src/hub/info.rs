//! What is known of a stream.

use std::collections::VecDeque;
use std::time::SystemTime;

use serde::Serialize;

use super::{Source, StreamName};
use crate::codec::{AudioInfo, VideoInfo};

/// A stream as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamInfo {
    /// Its name.
    pub name: StreamName,
    /// Somebody publishes it and frames have come.
    pub up: bool,
    /// Since when its publisher sends; of one that is not up, when the last one began.
    pub since: SystemTime,
    /// Who publishes it, or did last.
    pub source: Source,
    /// Its pictures, if it has some.
    pub video: Option<VideoInfo>,
    /// Its sound, if it has some.
    pub audio: Option<AudioInfo>,
    /// Frames per second: as measured, else as the codec's configuration says.
    pub fps: Option<f64>,
    /// Of the last ten seconds.
    pub bitrate_kbps: u64,
    /// Between the last two keyframes, or since the last one if that is longer.
    pub keyframe_interval_ms: Option<i64>,
    /// Who watches.
    pub viewers: ViewerCounts,
    /// Bytes of frames in its window.
    pub window_bytes: usize,
    /// How long the pictures since the newest keyframe last.
    pub gop_ms: i64,
    /// How often a publisher replaced another.
    pub takeovers: u64,
}

/// Viewers of a stream by protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ViewerCounts {
    /// Of RTMP.
    pub rtmp: usize,
    /// Of FLV over HTTP.
    pub http_flv: usize,
    /// Of FLV over WebSocket.
    pub websocket: usize,
    /// Other nodes, each with viewers of its own.
    pub node: usize,
}

impl ViewerCounts {
    /// All of them; a node is one.
    #[must_use]
    pub fn total(&self) -> usize {
        self.rtmp + self.http_flv + self.websocket + self.node
    }
}

/// How far apart a stream's pictures are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// The most between two keyframes of the last ones.
    pub(crate) keyframe_interval_ms: i64,
    /// Between two pictures, as a mean.
    pub(crate) frame_interval_ms: i64,
}

/// Times of the last pictures, to measure by.
#[derive(Debug, Default)]
pub(super) struct Rhythm {
    pictures: VecDeque<i64>,
    keyframe: Option<i64>,
    /// Between the last keyframes.
    intervals_ms: VecDeque<i64>,
}

impl Rhythm {
    const PICTURES: usize = 120;
    const INTERVALS: usize = 8;

    pub(super) fn picture(&mut self, time_ms: i64, keyframe: bool) {
        if self.pictures.len() >= Self::PICTURES {
            self.pictures.pop_front();
        }
        self.pictures.push_back(time_ms);
        if keyframe {
            if let Some(last) = self.keyframe.replace(time_ms) {
                self.intervals_ms.push_back(time_ms - last);
            }
            if self.intervals_ms.len() > Self::INTERVALS {
                self.intervals_ms.pop_front();
            }
        }
    }

    pub(super) fn fps(&self) -> Option<f64> {
        const ENOUGH: usize = 10;
        let (first, last) = (self.pictures.front()?, self.pictures.back()?);
        let frames = u32::try_from(self.pictures.len()).ok()?.checked_sub(1)?;
        let milliseconds = i32::try_from(last - first).ok().filter(|passed| *passed > 0)?;
        let fps = f64::from(frames) * 1000.0 / f64::from(milliseconds);
        (self.pictures.len() >= ENOUGH).then_some((fps * 100.0).round() / 100.0)
    }

    pub(super) fn gop_ms(&self) -> i64 {
        self.keyframe.zip(self.pictures.back()).map_or(0, |(keyframe, last)| last - keyframe)
    }

    pub(super) fn keyframe_interval_ms(&self) -> Option<i64> {
        let open = self.gop_ms();
        match self.intervals_ms.back() {
            Some(interval) => Some(open.max(*interval)),
            None => (open > 0).then_some(open),
        }
    }

    /// `None` before there were enough pictures to tell.
    pub(super) fn pace(&self) -> Option<Pace> {
        const ENOUGH: usize = 2;
        let keyframe_interval_ms =
            self.intervals_ms.iter().max().filter(|_| self.intervals_ms.len() >= ENOUGH);
        let (first, last) = (self.pictures.front()?, self.pictures.back()?);
        let intervals = i64::try_from(self.pictures.len()).ok()? - 1;
        Some(Pace {
            keyframe_interval_ms: *keyframe_interval_ms?,
            frame_interval_ms: (last - first).checked_div(intervals)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_interval_are_measured() {
        let mut rhythm = Rhythm::default();
        for picture in 0..=90i64 {
            rhythm.picture(picture * 100 / 3, picture % 60 == 0);
        }
        assert_eq!(rhythm.fps(), Some(30.0));
        assert_eq!((rhythm.keyframe_interval_ms(), rhythm.pace()), (Some(2000), None));
        for picture in 91..=200i64 {
            rhythm.picture(picture * 100 / 3, false);
        }
        assert_eq!(rhythm.keyframe_interval_ms(), Some(4666));
        rhythm.picture(6_700, true);
        let pace = Pace { keyframe_interval_ms: 4_700, frame_interval_ms: 33 };
        assert_eq!(rhythm.pace(), Some(pace));
    }
}
