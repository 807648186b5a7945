//! Publishers and viewers of a hub, on a clock that stands still.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{advance, sleep};

use super::*;
use crate::flv::{Tag, TagKind};
use crate::lock::lock;

/// What an observer was told.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Notes {
    fn note(&self, what: String) {
        lock(&self.0).push(what);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.0))
    }
}

impl Observer for Notes {
    fn up(&self, stream: &StreamInfo) {
        self.note(format!("up {}", stream.name));
    }
    fn replaced(&self, stream: &StreamName, _: &Source) {
        self.note(format!("replaced {stream}"));
    }
    fn changed(&self, stream: &StreamInfo) {
        self.note(format!("changed {}", stream.name));
    }
    fn down(&self, stream: &StreamName, reason: &DownReason) {
        self.note(format!("down {stream} {}", reason.label()));
    }
    fn ended(&self, stream: &StreamName) {
        self.note(format!("ended {stream}"));
    }
}

const ENCODER: Source = Source { protocol: Protocol::Rtmp, peer: None };
const VIEWER: Audience = Audience { protocol: Protocol::HttpFlv, address: None };

fn hub(limits: HubLimits) -> (Hub, Arc<Notes>) {
    let notes = Arc::new(Notes::default());
    (Hub::new(limits, Arc::clone(&notes) as Arc<dyn Observer>), notes)
}

fn video(keyframe: bool, timestamp: u32, size: usize) -> Tag {
    let head = [if keyframe { 0x17 } else { 0x27 }, 1, 0, 0, 0];
    let body = Bytes::from([&head[..], &vec![timestamp.to_be_bytes()[3]; size]].concat());
    Tag { kind: TagKind::Video, timestamp, body }
}

fn video_config(level: u8) -> Tag {
    let body = Bytes::from(vec![0x17, 0, 0, 0, 0, 1, 0x64, 0, level, 0xff, 0xe0]);
    Tag { kind: TagKind::Video, timestamp: 0, body }
}

fn audio(timestamp: u32) -> Tag {
    Tag { kind: TagKind::Audio, timestamp, body: Bytes::from_static(&[0xaf, 1, 1, 2, 3]) }
}

/// Kinds and times of what a viewer can take now, without metadata.
fn taken(viewer: &mut Viewer) -> Vec<(FrameKind, i64)> {
    let mut frames = Vec::new();
    while let Taken::Frame(frame) = viewer.try_next() {
        if frame.kind() != FrameKind::Metadata {
            frames.push((frame.kind(), frame.time_ms()));
        }
    }
    frames
}

const KEY: FrameKind = FrameKind::Video { keyframe: true };
const DELTA: FrameKind = FrameKind::Video { keyframe: false };

#[tokio::test(start_paused = true)]
async fn a_viewer_gets_configuration_keyframe_and_all_since() {
    let (hub, notes) = hub(HubLimits::default());
    let name = StreamName::from("live/a");
    assert_eq!(hub.watch("live/a", VIEWER).unwrap_err(), WatchError::NotUp);
    let mut publisher = hub.publish(&name, ENCODER).unwrap();
    publisher.push(video_config(30)).unwrap();
    // A picture before the first keyframe is of no use.
    publisher.push(video(false, 500, 10)).unwrap();
    assert_eq!(hub.watch("live/a", VIEWER).unwrap_err(), WatchError::NotUp);
    publisher.push(video(true, 1000, 10)).unwrap();
    publisher.push(audio(1010)).unwrap();
    publisher.push(video(false, 1040, 10)).unwrap();
    let mut viewer = hub.watch("live/a", VIEWER).unwrap();
    assert!(viewer.has_video() && viewer.has_audio());
    let expected = [(FrameKind::VideoConfig, 0), (KEY, 0), (FrameKind::Audio, 10), (DELTA, 40)];
    assert_eq!(taken(&mut viewer), expected);
    publisher.push(video(true, 1080, 10)).unwrap();
    assert_eq!(taken(&mut viewer), [(KEY, 80)]);
    // The tag itself is shared and carries the stream's time.
    let mut second = hub.watch("live/a", VIEWER).unwrap();
    assert_eq!(taken(&mut second), [(FrameKind::VideoConfig, 80), (KEY, 80)]);
    assert_eq!(notes.take(), ["up live/a", "changed live/a"], "sound came second");
    assert_eq!(hub.stats().viewers[1], 2);
    drop((viewer, second));
    assert_eq!(hub.stats().viewers[1], 0);
    assert_eq!(hub.stats().dropped_tags, 1);
}

#[tokio::test(start_paused = true)]
async fn a_tag_is_held_once_for_all_viewers() {
    let (hub, _) = hub(HubLimits::default());
    let mut publisher = hub.publish(&"live/a".into(), ENCODER).unwrap();
    publisher.push(video(true, 0, 1000)).unwrap();
    let mut viewers: Vec<Viewer> = (0..10).map(|_| hub.watch("live/a", VIEWER).unwrap()).collect();
    let mut pointers = viewers.iter_mut().map(|viewer| {
        loop {
            let Taken::Frame(frame) = viewer.try_next() else { panic!("no keyframe") };
            if frame.is_keyframe() {
                return frame.tag().as_ptr();
            }
        }
    });
    let first = pointers.next().unwrap();
    assert!(pointers.all(|pointer| pointer == first));
}

#[tokio::test(start_paused = true)]
async fn a_new_publisher_takes_over_and_viewers_go_on() {
    let (hub, notes) = hub(HubLimits { max_publishers: 1, ..HubLimits::default() });
    let name = StreamName::from("live/a");
    let mut first = hub.publish(&name, ENCODER).unwrap();
    first.push(video_config(30)).unwrap();
    first.push(video(true, 7_000, 10)).unwrap();
    let mut viewer = hub.watch("live/a", VIEWER).unwrap();
    taken(&mut viewer);
    advance(Duration::from_millis(500)).await;
    let mut second = hub.publish(&name, ENCODER).unwrap();
    assert_eq!(first.closed().await, DownReason::Replaced);
    assert_eq!(first.push(audio(7_010)), Err(PushError(DownReason::Replaced)));
    drop(first);
    // The timeline goes on although the new encoder's clock begins anew.
    second.push(video_config(31)).unwrap();
    second.push(video(true, 0, 10)).unwrap();
    let expected = [(FrameKind::Discontinuity, 500), (FrameKind::VideoConfig, 500), (KEY, 500)];
    assert_eq!(taken(&mut viewer), expected);
    assert_eq!(notes.take(), ["up live/a", "replaced live/a", "changed live/a"]);
    assert_eq!(hub.stats().takeovers, 1);
    assert_eq!(hub.publish(&"live/b".into(), ENCODER).unwrap_err(), PublishError::TooMany);
    assert_eq!(hub.list().len(), 1);
    drop(second);
    hub.publish(&"live/b".into(), ENCODER).unwrap();
}

#[tokio::test(start_paused = true)]
async fn viewers_wait_for_a_publisher_that_comes_back() {
    let (hub, notes) = hub(HubLimits::default());
    let name = StreamName::from("live/a");
    let mut publisher = hub.publish(&name, ENCODER).unwrap();
    publisher.push(audio(0)).unwrap();
    let mut viewer = hub.watch("live/a", VIEWER).unwrap();
    taken(&mut viewer);
    publisher.finish(DownReason::Silent);
    assert_eq!(hub.watch("live/a", VIEWER).unwrap_err(), WatchError::NotUp);
    sleep(Duration::from_secs(29)).await;
    assert!(matches!(viewer.try_next(), Taken::Pending));
    let mut publisher = hub.publish(&name, ENCODER).unwrap();
    publisher.push(audio(123)).unwrap();
    assert_eq!(taken(&mut viewer), [(FrameKind::Discontinuity, 29_000), (FrameKind::Audio, 29_000)]);
    // The timer of the first loss does not end the second publisher's stream.
    sleep(Duration::from_secs(60)).await;
    assert!(hub.info("live/a").unwrap().up);
    drop(publisher);
    assert_eq!(viewer.next().await.unwrap_err(), ViewerEnd::Over);
    assert!(hub.info("live/a").is_none());
    let expected =
        ["up live/a", "down live/a silent", "up live/a", "down live/a disconnected", "ended live/a"];
    assert_eq!(notes.take(), expected);
    drop(viewer);
    assert_eq!(hub.stats().memory, 0, "nothing is left");
}

#[tokio::test(start_paused = true)]
async fn an_end_from_this_side_reaches_everybody_at_once() {
    let (hub, notes) = hub(HubLimits::default());
    let mut publisher = hub.publish(&"live/a".into(), ENCODER).unwrap();
    publisher.push(audio(0)).unwrap();
    let mut viewer = hub.watch("live/a", VIEWER).unwrap();
    taken(&mut viewer);
    assert!(hub.end("live/a", "the live is over"));
    assert!(!hub.end("live/a", "again"));
    assert_eq!(publisher.closed().await, DownReason::Cut("the live is over".into()));
    assert_eq!(viewer.next().await.unwrap_err(), ViewerEnd::Over);
    drop(publisher);
    assert_eq!(notes.take(), ["up live/a", "down live/a cut", "ended live/a"]);
    // The same name is another stream from now on.
    hub.publish(&"live/a".into(), ENCODER).unwrap().push(audio(0)).unwrap();
    assert_eq!(hub.stats().publishers, 0);
}

#[tokio::test(start_paused = true)]
async fn a_slow_viewer_skips_to_the_newest_keyframe_and_then_is_closed() {
    let (hub, _) = hub(HubLimits::default());
    let mut publisher = hub.publish(&"live/a".into(), ENCODER).unwrap();
    publisher.push(video(true, 0, 10)).unwrap();
    let (mut slow, mut quick) = (hub.watch("live/a", VIEWER).unwrap(), hub.watch("live/a", VIEWER).unwrap());
    let mut quick_frames = taken(&mut quick).len();
    taken(&mut slow);
    for frame in 1..=50u32 {
        advance(Duration::from_millis(100)).await;
        publisher.push(video(frame % 10 == 0, frame * 100, 10)).unwrap();
        quick_frames += taken(&mut quick).len();
        if frame == 15 {
            // 1.5 s behind: nothing is left out.
            assert_eq!(taken(&mut slow).len(), 15);
        }
    }
    // 3.5 s behind: on with the newest keyframe.
    assert_eq!(taken(&mut slow), [(KEY, 5_000)]);
    assert_eq!((slow.skips(), quick_frames, quick.skips()), (1, 51, 0));
    for frame in 51..=140u32 {
        advance(Duration::from_millis(100)).await;
        publisher.push(video(false, frame * 100, 10)).unwrap();
        taken(&mut quick);
    }
    assert!(matches!(slow.try_next(), Taken::Ended(ViewerEnd::TooSlow)));
    assert!(matches!(quick.try_next(), Taken::Pending));
    assert_eq!(hub.stats().slow_viewers, 1);
}

#[tokio::test(start_paused = true)]
async fn a_long_group_does_not_make_a_newcomer_slow() {
    let (hub, _) = hub(HubLimits::default());
    let mut publisher = hub.publish(&"live/a".into(), ENCODER).unwrap();
    for frame in 0..600u32 {
        publisher.push(video(frame == 0, frame * 100, 10)).unwrap();
        advance(Duration::from_millis(100)).await;
    }
    let mut viewer = hub.watch("live/a", VIEWER).unwrap();
    assert_eq!(taken(&mut viewer).len(), 600);
    assert_eq!(hub.info("live/a").unwrap().keyframe_interval_ms, Some(59_900));
}

#[tokio::test(start_paused = true)]
async fn the_largest_window_gives_way_when_memory_is_short() {
    let (hub, _) = hub(HubLimits { max_memory: 300_000, ..HubLimits::default() });
    let mut large = hub.publish(&"live/large".into(), ENCODER).unwrap();
    let mut small = hub.publish(&"live/small".into(), ENCODER).unwrap();
    small.push(video(true, 0, 10_000)).unwrap();
    small.push(video(false, 40, 10_000)).unwrap();
    large.push(video(true, 0, 50_000)).unwrap();
    for frame in 1..100u32 {
        large.push(video(false, frame * 40, 20_000)).unwrap();
        assert!(hub.stats().memory <= 300_000 + 21_000);
    }
    assert!(hub.stats().trimmed_windows >= 5);
    // The small one kept its frames, the large one its keyframe.
    let mut viewer = hub.watch("live/small", VIEWER).unwrap();
    assert_eq!(taken(&mut viewer), [(KEY, 0), (DELTA, 40)]);
    let mut viewer = hub.watch("live/large", VIEWER).unwrap();
    assert_eq!(taken(&mut viewer), [(KEY, 0)]);
    large.push(video(false, 4_000, 10)).unwrap();
    assert!(taken(&mut viewer).is_empty(), "a picture that refers to what was given up is left out");
    large.push(audio(4_010)).unwrap();
    large.push(video(true, 4_040, 10)).unwrap();
    assert_eq!(taken(&mut viewer), [(FrameKind::Audio, 4_010), (KEY, 4_040)]);
}

#[tokio::test(start_paused = true)]
async fn a_bitrate_above_the_limit_ends_the_publisher() {
    let (hub, _) = hub(HubLimits { max_bitrate_kbps: 1_000, ..HubLimits::default() });
    let mut publisher = hub.publish(&"live/a".into(), ENCODER).unwrap();
    // 800 kbit/s for a minute, then three times as much.
    for second in 0..60u32 {
        publisher.push(video(true, second * 1_000, 100_000)).unwrap();
        advance(Duration::from_secs(1)).await;
    }
    let mut pushed = 0;
    let error = loop {
        match publisher.push(video(true, 60_000, 300_000)) {
            Ok(()) => pushed += 1,
            Err(error) => break error,
        }
        advance(Duration::from_secs(1)).await;
    };
    assert_eq!(error, PushError(DownReason::TooFast));
    assert!((1..10).contains(&pushed), "{pushed}");
}

#[tokio::test(start_paused = true)]
async fn what_is_known_of_a_stream_is_told() {
    let (hub, _) = hub(HubLimits::default());
    let mut publisher = hub.publish(&"live/a".into(), ENCODER).unwrap();
    let config = Bytes::from_static(&[0xaf, 0, 0x11, 0x90]);
    publisher.push(Tag { kind: TagKind::Audio, timestamp: 0, body: config }).unwrap();
    for frame in 0..200u32 {
        publisher.push(video(frame % 50 == 0, frame * 40, 4_995)).unwrap();
        advance(Duration::from_millis(40)).await;
    }
    let info = hub.info("live/a").unwrap();
    assert_eq!((info.fps, info.keyframe_interval_ms), (Some(25.0), Some(2_000)));
    assert_eq!(info.audio.unwrap().rate, 48_000);
    assert!((995..=1_005).contains(&info.bitrate_kbps), "{}", info.bitrate_kbps);
    assert_eq!(info.source, ENCODER);
}

#[tokio::test(start_paused = true)]
async fn a_repeated_configuration_is_not_passed_on() {
    let (hub, notes) = hub(HubLimits::default());
    let mut publisher = hub.publish(&"live/a".into(), ENCODER).unwrap();
    publisher.push(video_config(30)).unwrap();
    publisher.push(video(true, 0, 10)).unwrap();
    let mut viewer = hub.watch("live/a", VIEWER).unwrap();
    taken(&mut viewer);
    publisher.push(video_config(30)).unwrap();
    assert!(taken(&mut viewer).is_empty());
    publisher.push(video_config(31)).unwrap();
    assert_eq!(taken(&mut viewer), [(FrameKind::VideoConfig, 0)]);
    assert_eq!(notes.take(), ["up live/a"], "what cannot be read has no size to change");
}

#[tokio::test(start_paused = true)]
async fn sound_wakes_viewers_together_with_a_picture_unless_there_is_none() {
    let (hub, _) = hub(HubLimits::default());
    let mut publisher = hub.publish(&"live/a".into(), ENCODER).unwrap();
    publisher.push(video(true, 0, 10)).unwrap();
    let mut viewer = hub.watch("live/a", VIEWER).unwrap();
    assert_eq!(taken(&mut viewer), [(KEY, 0)]);
    let waits = Duration::from_millis(1);
    {
        // Nobody is woken by sound close to a picture; the next picture brings it along.
        let mut next = std::pin::pin!(viewer.next());
        assert!(tokio::time::timeout(waits, &mut next).await.is_err());
        publisher.push(audio(10)).unwrap();
        assert!(tokio::time::timeout(waits, &mut next).await.is_err());
        publisher.push(video(false, 33, 10)).unwrap();
        assert_eq!(tokio::time::timeout(waits, &mut next).await.unwrap().unwrap().kind(), FrameKind::Audio);
    }
    assert_eq!(taken(&mut viewer), [(DELTA, 33)]);
    // Pictures that stop do not hold it up.
    let mut next = std::pin::pin!(viewer.next());
    assert!(tokio::time::timeout(waits, &mut next).await.is_err());
    advance(Duration::from_millis(50)).await;
    publisher.push(audio(83)).unwrap();
    assert!(tokio::time::timeout(waits, &mut next).await.is_ok());
}
