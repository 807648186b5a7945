//! A strict player: holds one playlist after the other to RFC 8216bis, and what changes between them.

use std::collections::HashMap;

use chrono::DateTime;
use media::hls::{Packager, PlaylistRequest, Position};

const TAGS: [&str; 13] = [
    "#EXTM3U",
    "#EXT-X-VERSION",
    "#EXT-X-TARGETDURATION",
    "#EXT-X-SERVER-CONTROL",
    "#EXT-X-PART-INF",
    "#EXT-X-MEDIA-SEQUENCE",
    "#EXT-X-DISCONTINUITY-SEQUENCE",
    "#EXT-X-DISCONTINUITY",
    "#EXT-X-MAP",
    "#EXT-X-PROGRAM-DATE-TIME",
    "#EXT-X-PART",
    "#EXTINF",
    "#EXT-X-PRELOAD-HINT",
];

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    pub(crate) uri: String,
    pub(crate) duration_ms: i64,
    /// Address, duration, independent.
    pub(crate) parts: Vec<(String, i64, bool)>,
    /// How many discontinuities came before it, and whether one stands right there.
    pub(crate) discontinuities: u64,
    pub(crate) discontinuity: bool,
    map: String,
    date_ms: i64,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Read {
    /// The lines that must never change.
    promises: Vec<String>,
    pub(crate) target_ms: i64,
    pub(crate) part_target_ms: i64,
    /// The last one has no address while it is open.
    pub(crate) segments: Vec<Segment>,
    hint: Option<String>,
    ended: bool,
}

impl Read {
    pub(crate) fn complete(&self) -> impl DoubleEndedIterator<Item = &Segment> {
        self.segments.iter().filter(|segment| !segment.uri.is_empty())
    }

    fn lasts_ms(&self) -> i64 {
        self.complete().map(|segment| segment.duration_ms).sum()
    }
}

/// What a player has seen.
#[derive(Default)]
pub(crate) struct Player {
    position: Position,
    pub(crate) last: Option<Read>,
    /// All complete segments that were ever listed, and the longest playlist.
    pub(crate) seen: Vec<Segment>,
    longest_ms: i64,
    /// A stream that stood still for less than a segment has a part that is longer than promised.
    pub(crate) forgives_long_parts: bool,
}

impl Player {
    /// Reads the playlist if there is news, and fetches what it names.
    pub(crate) async fn follow(&mut self, packager: &Packager) {
        if packager.position() == self.position {
            return;
        }
        self.position = packager.position();
        let text = packager.playlist(&PlaylistRequest::default()).await.unwrap().text;
        let read = read(&text);
        self.check(&read, &text);
        self.fetch(&read, packager).await;
        for segment in read.complete() {
            if self.seen.last().is_none_or(|last| last.number < segment.number) {
                self.seen.push(segment.clone());
            }
        }
        self.longest_ms = self.longest_ms.max(read.lasts_ms());
        self.last = Some(read);
    }

    fn check(&self, read: &Read, text: &str) {
        assert!(read.target_ms > 0 && read.part_target_ms > 0, "{text}");
        for (index, segment) in read.segments.iter().enumerate() {
            assert!(!segment.map.is_empty(), "4.4.4.5: initialised: {text}");
            let seconds = (segment.duration_ms + 500) / 1000;
            assert!(
                seconds * 1000 <= read.target_ms,
                "4.4.3.1: no segment is longer than the target: {text}"
            );
            let sum: i64 = segment.parts.iter().map(|(_, duration, _)| duration).sum();
            assert!(segment.uri.is_empty() || segment.parts.is_empty() || sum == segment.duration_ms);
            let open = segment.uri.is_empty();
            assert!(!open || index + 1 == read.segments.len() && !read.ended, "{text}");
            for (number, (_, duration, independent)) in segment.parts.iter().enumerate() {
                let last = !open && number + 1 == segment.parts.len();
                assert!(
                    *duration <= read.part_target_ms || self.forgives_long_parts,
                    "4.4.4.9: no part is longer than the target: {text}"
                );
                let steady = *duration * 100 >= read.part_target_ms * 85;
                assert!(steady || last || *independent, "4.4.4.9: parts are 85 % of the target: {text}");
            }
        }
        for pair in read.segments.windows(2) {
            let expected = pair[0].date_ms + pair[0].duration_ms;
            let drift = (pair[1].date_ms - expected).abs();
            assert!(pair[1].discontinuity || drift <= 500, "dates go with durations: {drift} {text}");
        }
        let mut left_ms = read.lasts_ms();
        for segment in read.complete() {
            left_ms -= segment.duration_ms;
            assert!(segment.parts.is_empty() || left_ms < 3 * read.target_ms, "6.2.2: no old parts: {text}");
        }
        if read.segments.first().is_some_and(|first| first.number > 0) {
            assert!(read.lasts_ms() >= 3 * read.target_ms, "6.2.2: three target durations: {text}");
        }
        assert_eq!(read.hint.is_none(), read.ended, "{text}");
        if let Some(last) = &self.last {
            check_change(last, read, text);
        }
    }

    /// All that is named is there, and what was taken off the playlist lately.
    async fn fetch(&self, read: &Read, packager: &Packager) {
        for segment in &read.segments {
            let mut whole = Vec::new();
            for (uri, ..) in &segment.parts {
                whole.extend(packager.resource(uri).await.unwrap().pieces.concat());
            }
            assert!(packager.resource(&segment.map).await.is_ok());
            if !segment.uri.is_empty() {
                let bytes = packager.resource(&segment.uri).await.unwrap().pieces.concat();
                assert!(segment.parts.is_empty() || bytes == whole, "a segment is its parts");
            }
        }
        let Some(first) = read.segments.first() else { return };
        let total_ms: i64 = self.seen.iter().map(|segment| segment.duration_ms).sum();
        let mut end_ms = 0;
        for segment in &self.seen {
            end_ms += segment.duration_ms;
            // It left the playlist when what follows it lasted as long as a playlist does.
            let removed_for_ms = total_ms - end_ms - read.lasts_ms();
            if segment.number < first.number && removed_for_ms < segment.duration_ms {
                assert!(packager.resource(&segment.uri).await.is_ok(), "6.2.2: kept for a while");
            }
        }
    }
}

/// 6.2.1: what a server may change.
fn check_change(before: &Read, after: &Read, text: &str) {
    assert_eq!(before.promises, after.promises, "{text}");
    assert!(!before.ended, "nothing follows the end: {text}");
    let known: HashMap<u64, &Segment> =
        before.segments.iter().map(|segment| (segment.number, segment)).collect();
    let first = |read: &Read| read.segments.first().map_or(0, |segment| segment.number);
    assert!(first(before) <= first(after), "{text}");
    let last = before.segments.last().map_or(0, |segment| segment.number);
    assert!(after.segments.last().map_or(last, |segment| segment.number) >= last, "only appended: {text}");
    for segment in &after.segments {
        let Some(known) = known.get(&segment.number) else { continue };
        assert_eq!(
            (known.discontinuities, known.discontinuity, &known.map, known.date_ms),
            (segment.discontinuities, segment.discontinuity, &segment.map, segment.date_ms),
            "{text}"
        );
        if known.uri.is_empty() {
            assert!(segment.parts.is_empty() || segment.parts.starts_with(&known.parts), "{text}");
        } else {
            assert_eq!((&known.uri, known.duration_ms), (&segment.uri, segment.duration_ms), "{text}");
        }
    }
    // The part that was hinted at came, unless its segment was complete already.
    let hint = before.hint.as_ref().unwrap();
    let named = after.segments.iter().flat_map(|segment| &segment.parts).any(|(uri, ..)| uri == hint);
    let open = before.segments.last().filter(|segment| segment.uri.is_empty());
    let closed = open.is_none_or(|open| {
        after.segments.iter().any(|segment| segment.number == open.number && !segment.uri.is_empty())
    });
    assert!(named || closed || after.hint.as_ref() == Some(hint), "{hint}: {text}");
}

/// Parses a playlist, and checks its syntax.
fn read(text: &str) -> Read {
    assert!(text.starts_with("#EXTM3U\n") && text.ends_with('\n') && !text.contains(['\r', '\t']));
    let mut read = Read::default();
    let (mut number, mut discontinuities) = (None, None);
    let mut open = Segment::default();
    let mut map = String::new();
    for line in text.lines() {
        assert!(!read.ended && !line.is_empty(), "{text}");
        let (tag, value) = line.split_once(':').unwrap_or((line, ""));
        assert!(!line.starts_with('#') || TAGS.contains(&tag) || line == "#EXT-X-ENDLIST", "{line}");
        match tag {
            "#EXTM3U" => {}
            "#EXT-X-VERSION" | "#EXT-X-TARGETDURATION" | "#EXT-X-SERVER-CONTROL" | "#EXT-X-PART-INF" => {
                assert!(
                    read.segments.is_empty() && !read.promises.iter().any(|known| known.starts_with(tag))
                );
                read.promises.push(line.to_owned());
                match tag {
                    "#EXT-X-VERSION" => assert!(value.parse::<u32>().unwrap() >= 9),
                    "#EXT-X-TARGETDURATION" => read.target_ms = value.parse::<i64>().unwrap() * 1000,
                    "#EXT-X-PART-INF" => read.part_target_ms = milliseconds(attribute(value, "PART-TARGET")),
                    _ => assert_eq!(attribute(value, "CAN-BLOCK-RELOAD"), "YES"),
                }
            }
            "#EXT-X-MEDIA-SEQUENCE" => {
                assert!(read.segments.is_empty() && number.is_none());
                number = Some(value.parse::<u64>().unwrap());
            }
            "#EXT-X-DISCONTINUITY-SEQUENCE" => {
                assert!(read.segments.is_empty() && discontinuities.is_none());
                discontinuities = Some(value.parse::<u64>().unwrap());
            }
            "#EXT-X-DISCONTINUITY" => {
                assert!(open.parts.is_empty() && !open.discontinuity);
                open.discontinuity = true;
                *discontinuities.as_mut().unwrap() += 1;
            }
            "#EXT-X-MAP" => attribute(value, "URI").trim_matches('"').clone_into(&mut map),
            "#EXT-X-PROGRAM-DATE-TIME" => {
                open.date_ms = DateTime::parse_from_rfc3339(value).unwrap().timestamp_millis();
            }
            "#EXT-X-PART" => {
                let uri = attribute(value, "URI").trim_matches('"').to_owned();
                let duration = milliseconds(attribute(value, "DURATION"));
                open.parts.push((uri, duration, value.contains("INDEPENDENT=YES")));
            }
            "#EXTINF" => open.duration_ms = milliseconds(value.strip_suffix(',').unwrap()),
            "#EXT-X-PRELOAD-HINT" => {
                assert_eq!(attribute(value, "TYPE"), "PART");
                read.hint = Some(attribute(value, "URI").trim_matches('"').to_owned());
            }
            "#EXT-X-ENDLIST" => read.ended = true,
            uri => {
                assert!(open.duration_ms > 0, "4.4.4.1: {text}");
                uri.clone_into(&mut open.uri);
                close(&mut open, &mut read, number, discontinuities, &map);
            }
        }
    }
    if !open.parts.is_empty() {
        close(&mut open, &mut read, number, discontinuities, &map);
    }
    let control = read.promises.iter().find(|line| line.contains("SERVER-CONTROL")).unwrap();
    let hold_back = milliseconds(attribute(control, "PART-HOLD-BACK"));
    assert!(hold_back >= 3 * read.part_target_ms, "4.4.3.8: {text}");
    assert_eq!(read.promises.len(), 4);
    read
}

fn close(open: &mut Segment, read: &mut Read, first: Option<u64>, before: Option<u64>, map: &str) {
    let mut segment = std::mem::take(open);
    segment.number = first.unwrap() + read.segments.len() as u64;
    segment.discontinuities = before.unwrap();
    map.clone_into(&mut segment.map);
    read.segments.push(segment);
}

fn attribute<'a>(list: &'a str, name: &str) -> &'a str {
    let found = list.split([',', ':']).find_map(|entry| entry.strip_prefix(name)?.strip_prefix('='));
    found.unwrap_or_else(|| panic!("{name} in {list}"))
}

fn milliseconds(seconds: &str) -> i64 {
    (seconds.parse::<f64>().unwrap() * 1000.0).round() as i64
}
