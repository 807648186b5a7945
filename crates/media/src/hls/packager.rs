//! A stream as HLS: follows it, and answers what players ask for.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::playlist::{self, Playlist, PlaylistRequest};
use super::segmenter::Segmenter;
use super::window::Window;
use crate::hub::{Memory, Viewer};
use crate::lock::lock;

/// How long a request may wait for what comes next.
const PATIENCE: Duration = Duration::from_secs(8);
/// How many parts ahead of the newest one a request may wait for (RFC 8216bis §6.2.5.2 with parts of 0.35 s).
const MAX_PARTS_AHEAD: u64 = 9;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HlsError {
    /// No such name, or not any more (404).
    #[error("no such segment")]
    NotFound,
    /// A segment or part too far in the future (400).
    #[error("the segment is too far in the future")]
    TooFar,
    /// Nothing came in time (503).
    #[error("the stream stands still")]
    Timeout,
}

/// Media to answer with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The bytes, in pieces that are shared with others.
    pub pieces: Vec<Bytes>,
    /// Changes with the bytes, quotes included. What is named once never changes.
    pub etag: String,
}

impl Resource {
    /// Bytes of all pieces.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pieces.iter().map(Bytes::len).sum()
    }

    /// There are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The MIME type of all segments.
    pub const CONTENT_TYPE: &str = "video/mp4";
}

/// How far a packager is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Position {
    /// The segment that is open, or comes next.
    pub segment: u64,
    /// How many parts it has.
    pub parts: u64,
    /// Nothing follows.
    pub ended: bool,
}

impl Position {
    /// The part is there, or will never be.
    fn has(&self, segment: u64, part: Option<u64>) -> bool {
        self.ended
            || self.segment > segment
            || self.segment == segment && part.is_some_and(|part| self.parts > part)
    }
}

/// A stream that is packaged. It stops when dropped.
#[derive(Debug)]
pub struct Packager {
    id: String,
    window: Arc<Mutex<Window>>,
    position: watch::Receiver<Position>,
    asked: Mutex<Instant>,
    task: JoinHandle<()>,
}

impl Packager {
    /// Packages what `viewer` gets, which should be one that follows ([`crate::hub::Hub::follow`]). `id` is in
    /// the names of all media: another one each time, so that caches mix nothing up.
    #[must_use]
    pub fn spawn(viewer: Viewer, memory: Arc<Memory>, id: String) -> Self {
        let window = Arc::new(Mutex::new(Window::new(memory)));
        let (sender, position) = watch::channel(Position::default());
        let task = tokio::spawn(package(viewer, Arc::clone(&window), sender));
        Self { id, window, position, asked: Mutex::new(Instant::now()), task }
    }

    /// How far it is.
    #[must_use]
    pub fn position(&self) -> Position {
        *self.position.borrow()
    }

    /// How long nobody has asked for anything.
    #[must_use]
    pub fn idle(&self) -> Duration {
        lock(&self.asked).elapsed()
    }

    /// The playlist, when the segment or part that the request names is there. The first one waits for the
    /// first part, and for what is to be known of the stream's keyframes.
    ///
    /// # Errors
    /// When that is too far in the future or does not come.
    pub async fn playlist(&self, request: &PlaylistRequest<'_>) -> Result<Playlist, HlsError> {
        self.touch();
        match (request.segment, request.part) {
            (Some(segment), part) => self.wait_for(segment, part).await?,
            (None, Some(_)) => return Err(HlsError::TooFar),
            (None, None) => self.wait_for(0, Some(0)).await?,
        }
        let window = lock(&self.window);
        let (segment, parts) = window.position();
        let text = playlist::write(&window, &self.id, request);
        let etag = format!("\"{}-{segment}-{parts}-{}\"", self.id, u8::from(window.ended));
        Ok(Playlist { text, etag, ended: window.ended })
    }

    /// Media by the name that stands in a playlist, without prefix and suffix. The part that comes next is
    /// waited for.
    ///
    /// # Errors
    /// When there is no such name.
    pub async fn resource(&self, name: &str) -> Result<Resource, HlsError> {
        self.touch();
        let parsed = Name::parse(name, &self.id).ok_or(HlsError::NotFound)?;
        if let Name::Part(segment, part) = parsed {
            let position = self.position();
            let next = segment == position.segment && part == position.parts
                || segment == position.segment + 1 && part == 0;
            if next {
                self.wait_for(segment, Some(part)).await?;
            }
        }
        let pieces = self.find(parsed).ok_or(HlsError::NotFound)?;
        Ok(Resource { pieces, etag: format!("\"{name}\"") })
    }

    fn touch(&self) {
        *lock(&self.asked) = Instant::now();
    }

    async fn wait_for(&self, segment: u64, part: Option<u64>) -> Result<(), HlsError> {
        let position = self.position();
        let segments_ahead = segment.saturating_sub(position.segment);
        let parts_ahead = match part {
            Some(part) if segment == position.segment => part.saturating_sub(position.parts),
            Some(part) => part,
            None => 0,
        };
        if !position.has(segment, part) && (segments_ahead > 1 || parts_ahead > MAX_PARTS_AHEAD) {
            return Err(HlsError::TooFar);
        }
        let mut changes = self.position.clone();
        match timeout(PATIENCE, changes.wait_for(|position| position.has(segment, part))).await {
            Ok(Ok(_)) => Ok(()),
            // The task has gone without an end.
            Ok(Err(_)) => Err(HlsError::NotFound),
            Err(_) => Err(HlsError::Timeout),
        }
    }

    fn find(&self, name: Name) -> Option<Vec<Bytes>> {
        let window = lock(&self.window);
        match name {
            Name::Init(number) => Some(vec![window.init(number)?.clone()]),
            Name::Segment(number) => {
                let segment = window.segment(number).filter(|segment| segment.complete)?;
                Some(segment.parts.iter().map(|part| part.bytes.clone()).collect())
            }
            Name::Part(number, part) => {
                let segment = window.segment(number)?;
                Some(vec![segment.parts.get(usize::try_from(part).ok()?)?.bytes.clone()])
            }
        }
    }
}

impl Drop for Packager {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A name in a playlist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Init(u64),
    Segment(u64),
    Part(u64, u64),
}

impl Name {
    fn parse(name: &str, id: &str) -> Option<Self> {
        let (stem, extension) = name.rsplit_once('.')?;
        let (kind, rest) = stem.split_once('-')?;
        let numbers = rest.strip_prefix(id)?.strip_prefix('-')?;
        match (kind, extension) {
            ("init", "mp4") => Some(Self::Init(numbers.parse().ok()?)),
            ("seg", "m4s") => Some(Self::Segment(numbers.parse().ok()?)),
            ("part", "m4s") => {
                let (segment, part) = numbers.split_once('-')?;
                Some(Self::Part(segment.parse().ok()?, part.parse().ok()?))
            }
            _ => None,
        }
    }
}

async fn package(mut viewer: Viewer, window: Arc<Mutex<Window>>, position: watch::Sender<Position>) {
    let mut segmenter = Segmenter::new(viewer.pace());
    let mut skips = 0;
    let (start, start_date) = (Instant::now(), SystemTime::now());
    // Dates go with the clock by which frames were received, which nobody sets.
    let date = |at: Instant| match at.checked_duration_since(start) {
        Some(later) => start_date.checked_add(later),
        None => start_date.checked_sub(start.saturating_duration_since(at)),
    };
    loop {
        let frame = match viewer.next().await {
            Ok(frame) => frame,
            Err(_) => break,
        };
        let now = date(frame.received()).unwrap_or(start_date);
        let mut pieces = Vec::new();
        // Frames were given up before they came here.
        if viewer.skips() != skips {
            skips = viewer.skips();
            pieces = segmenter.end();
        }
        pieces.extend(segmenter.push(&frame));
        if pieces.is_empty() {
            continue;
        }
        let mut window = lock(&window);
        window.targets = segmenter.targets();
        pieces.into_iter().for_each(|piece| window.apply(piece, now));
        publish(&window, &position);
    }
    let pieces = segmenter.end();
    let mut window = lock(&window);
    window.targets = segmenter.targets();
    let now = date(Instant::now()).unwrap_or(start_date);
    pieces.into_iter().for_each(|piece| window.apply(piece, now));
    window.end();
    publish(&window, &position);
}

/// Tells those who wait; nobody is shown a playlist whose promises are not known yet.
fn publish(window: &Window, position: &watch::Sender<Position>) {
    if window.targets.is_none() && !window.ended {
        return;
    }
    let (segment, parts) = window.position();
    position.send_replace(Position { segment, parts, ended: window.ended });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_this_packager() {
        assert_eq!(Name::parse("init-a1-0.mp4", "a1"), Some(Name::Init(0)));
        assert_eq!(Name::parse("seg-a1-12.m4s", "a1"), Some(Name::Segment(12)));
        assert_eq!(Name::parse("part-a1-12-3.m4s", "a1"), Some(Name::Part(12, 3)));
        for name in
            ["seg-a2-12.m4s", "seg-a1-x.m4s", "part-a1-12.m4s", "init-a1-0.m4s", "seg", "", "../x.mp4"]
        {
            assert_eq!(Name::parse(name, "a1"), None, "{name}");
        }
    }
}
