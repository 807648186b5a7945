//! Playlists against RFC 8216bis, over all that an encoder may do, on a clock of the tests.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use media::flv::{Demuxer, Tag, TagKind};
use media::hls::Packager;
use media::hub::{DownReason, Hub, HubLimits, Protocol, Publisher, Silent};
use tempfile::tempdir;
use tokio::time::{advance, sleep};

use crate::support::encoder::{AAC, avc};
use crate::support::player::Player;
use crate::support::{ENCODER, PICTURE, TONE, dump_hls, probe};

/// An encoder, the packager behind it, and a player that reads each playlist.
struct Stage {
    hub: Hub,
    publisher: Option<Publisher>,
    packager: Option<Packager>,
    player: Player,
    /// Of the encoder's clock.
    now_ms: u32,
}

impl Stage {
    fn new() -> Self {
        let hub = Hub::new(HubLimits::default(), Arc::new(Silent));
        Self { hub, publisher: None, packager: None, player: Player::default(), now_ms: 0 }
    }

    fn push(&mut self, kind: TagKind, timestamp: u32, body: Bytes) {
        let publisher =
            self.publisher.get_or_insert_with(|| self.hub.publish(&"live/a".into(), ENCODER).unwrap());
        publisher.push(Tag { kind, timestamp, body }).unwrap();
    }

    fn picture(&mut self, keyframe: bool) {
        let first = if keyframe { 0x17 } else { 0x27 };
        let body = [&[first, 1, 0, 0, 0, 0, 0, 0, 2, 9, 9][..], &[0; 100]].concat();
        self.push(TagKind::Video, self.now_ms, body.into());
    }

    fn sound(&mut self) {
        self.push(TagKind::Audio, self.now_ms, Bytes::from_static(&[0xaf, 1, 0x21, 0x10, 0x04]));
    }

    fn configure(&mut self, picture: bool, sound: bool) {
        if picture {
            self.push(TagKind::Video, self.now_ms, avc());
        }
        if sound {
            self.push(TagKind::Audio, self.now_ms, Bytes::from_static(AAC));
        }
    }

    /// Lets time pass, and the player read what is new.
    async fn pass(&mut self, ms: u32) {
        self.now_ms += ms;
        advance(Duration::from_millis(ms.into())).await;
        sleep(Duration::ZERO).await;
        if self.packager.is_none()
            && let Some(viewer) = self.hub.follow("live/a", Protocol::Hls)
        {
            self.packager = Some(Packager::spawn(viewer, self.hub.memory(), "x".to_owned()));
            sleep(Duration::from_millis(1)).await;
        }
        if let Some(packager) = &self.packager {
            self.player.follow(packager).await;
        }
    }

    /// So long, pictures every `frame` ms of which those are keyframes that `keyframe` says (by number and time
    /// in ms), and sound.
    async fn run(&mut self, ms: u32, frame: u32, sound: bool, keyframe: impl Fn(u32, u32) -> bool) {
        for number in 0..ms / frame {
            self.picture(keyframe(number, number * frame));
            // Sound comes in frames of 20 ms or longer.
            for _ in 0..(frame / 20).max(1) {
                if sound {
                    self.sound();
                }
                self.pass(frame / (frame / 20).max(1)).await;
            }
        }
    }

    async fn end(mut self) -> Player {
        self.hub.end("live/a", "over");
        self.pass(1).await;
        let packager = self.packager.take().unwrap();
        assert!(packager.position().ended);
        drop((packager, self.publisher.take()));
        sleep(Duration::from_millis(1)).await;
        assert_eq!(self.hub.stats().memory, 0);
        self.player
    }
}

#[tokio::test(start_paused = true)]
async fn the_target_duration_fits_the_keyframes() {
    // Keyframes every so many milliseconds, and the target duration that fits.
    for (interval, target_ms) in
        [(1_000, 2_000), (1_400, 2_000), (2_000, 2_000), (3_000, 3_000), (8_000, 10_000)]
    {
        let mut stage = Stage::new();
        stage.configure(true, true);
        stage.run(60_000, 40, true, |_, time| time.is_multiple_of(interval)).await;
        let player = stage.end().await;
        assert_eq!(player.last.unwrap().target_ms, target_ms);
        // All but the last begin at keyframes.
        let whole = |segment: &&_| segment_is(segment, interval);
        assert!(player.seen.iter().filter(whole).count() + 1 >= player.seen.len(), "{interval}");
    }
}

fn segment_is(segment: &crate::support::player::Segment, interval: u32) -> bool {
    segment.duration_ms % i64::from(interval) == 0
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_known_fits_at_once() {
    let mut stage = Stage::new();
    let keyframes = |_, time: u32| time.is_multiple_of(4_000);
    stage.configure(true, true);
    stage.packager = None;
    let hub = stage.hub.clone();
    stage.run(40, 40, true, keyframes).await;
    stage.packager.take();
    stage.player = Player::default();
    for frame in 1..250u32 {
        stage.picture(frame.is_multiple_of(100));
        stage.now_ms += 40;
        advance(Duration::from_millis(40)).await;
    }
    let packager =
        Packager::spawn(hub.follow("live/a", Protocol::Hls).unwrap(), hub.memory(), "y".to_owned());
    sleep(Duration::from_millis(1)).await;
    stage.player.follow(&packager).await;
    assert_eq!(stage.player.last.unwrap().target_ms, 4_000);
}

#[tokio::test(start_paused = true)]
async fn irregular_keyframes_and_frame_rates_keep_the_promises() {
    // 30, 25, 12, 8, 5 and 1 frames per second; keyframes by a generator, at most 2.3 s apart.
    for frame in [33, 40, 83, 125, 200, 1000] {
        let mut stage = Stage::new();
        stage.configure(true, true);
        stage.run(2_000, frame, true, |number, _| number == 0).await;
        let mut seed = frame;
        let mut left = 0;
        for _ in 0..40_000 / frame {
            if left == 0 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                left = 1 + (seed >> 16) % (2_300 / frame).max(1);
                stage.run(frame, frame, true, |_, _| true).await;
            } else {
                stage.run(frame, frame, true, |_, _| false).await;
            }
            left -= 1;
        }
        stage.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn no_keyframe_for_a_minute_keeps_the_promises() {
    let mut stage = Stage::new();
    stage.configure(true, true);
    stage.run(20_000, 40, true, |_, time| time.is_multiple_of(2_000)).await;
    stage.run(60_000, 40, true, |_, _| false).await;
    stage.run(20_000, 40, true, |_, time| time.is_multiple_of(2_000)).await;
    let player = stage.end().await;
    assert!(player.seen.iter().all(|segment| !segment.discontinuity));
    let total: i64 = player.seen.iter().map(|segment| segment.duration_ms).sum();
    assert!((99_900..=100_000).contains(&total), "{total}");
}

#[tokio::test(start_paused = true)]
async fn another_configuration_and_a_publishers_return_are_discontinuities() {
    let mut stage = Stage::new();
    stage.configure(true, true);
    let keyframes = |_, time: u32| time.is_multiple_of(1_000);
    stage.run(10_000, 40, true, keyframes).await;
    // Another level in avcC, as when the size changes.
    let mut other = avc().to_vec();
    other[8] ^= 1;
    stage.push(TagKind::Video, stage.now_ms, other.into());
    stage.run(10_000, 40, true, keyframes).await;
    stage.publisher.take().unwrap().finish(DownReason::Disconnected);
    for _ in 0..10 {
        stage.pass(1_000).await;
    }
    stage.configure(true, true);
    stage.run(60_000, 40, true, keyframes).await;
    let player = stage.end().await;
    let marked: Vec<u64> =
        player.seen.iter().filter(|segment| segment.discontinuity).map(|segment| segment.number).collect();
    assert_eq!(marked, [5, 10]);
    assert!(player.seen.iter().all(|segment| segment.duration_ms <= 2_000));
    // They are counted on after their segments have left the playlist.
    assert_eq!(player.seen.last().unwrap().discontinuities, 2);
}

#[tokio::test(start_paused = true)]
async fn pictures_that_stop_leave_the_sound() {
    let mut stage = Stage::new();
    stage.configure(true, true);
    let keyframes = |_, time: u32| time.is_multiple_of(2_000);
    stage.run(10_000, 40, true, keyframes).await;
    // Three seconds are a hole, which sound fills; thirty are another stream.
    for (hole, discontinuities) in [(3_000, 0), (30_000, 2)] {
        let before = stage.player.seen.last().unwrap().discontinuities;
        for _ in 0..hole / 20 {
            stage.sound();
            stage.pass(20).await;
        }
        stage.run(20_000, 40, true, keyframes).await;
        let after = stage.player.seen.last().unwrap().discontinuities;
        assert_eq!(after - before, discontinuities, "after a hole of {hole} ms");
    }
    let player = stage.end().await;
    let total: i64 = player.seen.iter().map(|segment| segment.duration_ms).sum();
    assert!((82_500..=83_000).contains(&total), "nothing is lost: {total}");
}

#[tokio::test(start_paused = true)]
async fn sound_that_stops_leaves_the_pictures() {
    let mut stage = Stage::new();
    stage.configure(true, true);
    let keyframes = |_, time: u32| time.is_multiple_of(2_000);
    stage.run(10_000, 40, true, keyframes).await;
    stage.run(20_000, 40, false, keyframes).await;
    stage.run(20_000, 40, true, keyframes).await;
    assert_eq!(stage.end().await.seen.last().unwrap().discontinuities, 2);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_stands_still_goes_on_behind_a_discontinuity() {
    for (pictures, sound) in [(true, true), (true, false), (false, true)] {
        let mut stage = Stage::new();
        // Where nothing comes, there is nothing to make parts of.
        stage.player.forgives_long_parts = true;
        stage.configure(pictures, sound);
        for pause in [20_000, 1_500, 0] {
            for frame in 0..250u32 {
                if pictures {
                    stage.picture(frame.is_multiple_of(50));
                }
                if sound {
                    stage.sound();
                }
                stage.pass(40).await;
            }
            stage.pass(pause).await;
        }
        let player = stage.end().await;
        assert_eq!(player.seen.last().unwrap().discontinuities, 1, "{pictures} {sound}");
    }
}

#[tokio::test(start_paused = true)]
async fn timestamps_that_never_move_are_bounded() {
    let mut stage = Stage::new();
    stage.configure(true, true);
    stage.picture(true);
    stage.pass(40).await;
    for number in 0..20_000u32 {
        let first = if number.is_multiple_of(500) { 0x17 } else { 0x27 };
        let body = [&[first, 1, 0, 0, 0][..], &[0; 5_000]].concat();
        stage.push(TagKind::Video, 40, body.into());
        if number.is_multiple_of(20) {
            advance(Duration::from_millis(50)).await;
            sleep(Duration::ZERO).await;
        }
        let held = stage.hub.stats().memory;
        assert!(held <= (64 << 20) + (16 << 20) + (1 << 20), "{held}");
    }
}

#[tokio::test(start_paused = true)]
async fn codecs_that_change_in_mid_stream_are_initialised_anew() {
    let mut stage = Stage::new();
    stage.configure(true, true);
    let keyframes = |_, time: u32| time.is_multiple_of(1_000);
    stage.run(6_000, 40, true, keyframes).await;
    // Enhanced RTMP: HEVC and Opus by the same connection.
    let hevc = [
        &[0x90][..],
        b"hvc1",
        &[1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 93, 0xf0, 0, 0xfc, 0xfd, 0xf8, 0xf8, 0, 0, 0x0f, 1],
        &[0x21, 0, 1, 0, 40],
        &[
            0x42, 1, 1, 1, 0x60, 0, 0, 3, 0, 0x90, 0, 0, 3, 0, 0, 3, 0, 93, 0xa0, 2, 0x80, 0x80, 0x2d, 0x16,
            0x59,
        ],
        &[0x59, 0xa4, 0x93, 0x2b, 0xc0, 0x5a, 0x80, 0x80, 0x80, 0x82, 0, 0, 3, 0, 2],
    ];
    stage.push(TagKind::Video, stage.now_ms, hevc.concat().into());
    let opus = [&b"\x90OpusOpusHead\x01\x02"[..], &[0x38, 1, 0x80, 0xbb, 0, 0, 0, 0, 0]];
    stage.push(TagKind::Audio, stage.now_ms, opus.concat().into());
    for frame in 0..200u32 {
        let first: &[u8] = if frame.is_multiple_of(25) { b"\x91hvc1" } else { b"\xa1hvc1" };
        stage.push(TagKind::Video, stage.now_ms, [first, &[0, 0, 0, 0, 0, 0, 2, 9, 9]].concat().into());
        for _ in 0..2 {
            stage.push(TagKind::Audio, stage.now_ms, Bytes::from_static(b"\x91Opus\xfc\x01"));
            stage.pass(20).await;
        }
    }
    let init = |number: u32| format!("init-x-{number}.mp4");
    let packager = stage.packager.as_ref().unwrap();
    let (first, second) =
        (packager.resource(&init(0)).await.unwrap(), packager.resource(&init(1)).await.unwrap());
    let has = |bytes: &[u8], name: &[u8]| bytes.windows(4).any(|window| window == name);
    let (first, second) = (first.pieces.concat(), second.pieces.concat());
    assert!(has(&first, b"avc1") && has(&first, b"mp4a") && !has(&first, b"hvc1"));
    assert!(has(&second, b"hvc1") && has(&second, b"Opus") && !has(&second, b"avc1"));
    assert_eq!(stage.end().await.seen.last().unwrap().discontinuities, 1);
}

#[tokio::test(start_paused = true)]
async fn clocks_that_wrap_and_jump_make_no_gap() {
    let mut stage = Stage::new();
    stage.now_ms = u32::MAX - 5_000;
    stage.configure(true, true);
    for jump in [0u32, 3_600_000, 3_600_000u32.wrapping_neg(), 1 << 31] {
        stage.now_ms = stage.now_ms.wrapping_add(jump);
        for frame in 0..500u32 {
            stage.picture(frame.is_multiple_of(50));
            stage.sound();
            stage.now_ms = stage.now_ms.wrapping_add(40);
            let encoders_clock = std::mem::take(&mut stage.now_ms);
            stage.pass(40).await;
            stage.now_ms = encoders_clock;
        }
    }
    let player = stage.end().await;
    assert!(player.seen.iter().all(|segment| !segment.discontinuity));
    let total: i64 = player.seen.iter().map(|segment| segment.duration_ms).sum();
    assert!((79_900..=80_100).contains(&total), "{total}");
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_configurations_is_bounded() {
    let mut stage = Stage::new();
    stage.configure(true, true);
    stage.picture(true);
    stage.pass(40).await;
    let configuration = avc();
    for number in 0..1_500u32 {
        // Each has another PPS, of 60,000 bytes.
        let before = &configuration[..configuration.len() - 7];
        let more = [before, &[1, 0xea, 0x60], &number.to_be_bytes(), &[0; 59_996]].concat();
        stage.push(TagKind::Video, 40, more.into());
        stage.push(TagKind::Video, 40, Bytes::from_static(&[0x17, 1, 0, 0, 0, 0, 0, 0, 2, 9, 9]));
        advance(Duration::from_millis(40)).await;
        sleep(Duration::ZERO).await;
        let held = stage.hub.stats().memory;
        assert!(held <= (64 << 20) + (16 << 20) + (1 << 20), "{held}");
    }
    assert!(stage.packager.as_ref().unwrap().position().segment > 1_400);
}

/// Real frames with what x264 does by itself: keyframes at cuts of the scene, B-frames.
#[tokio::test(start_paused = true)]
async fn what_ffmpeg_encodes_keeps_the_promises_and_decodes() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("encoded.flv");
    let scenes = format!("{PICTURE},select='lt(mod(n,97),60)+gt(random(7),0.3)',hue=h=90*floor(n/97)");
    let done = Command::new("ffmpeg")
        .args([
            "-loglevel",
            "error",
            "-y",
            "-f",
            "lavfi",
            "-i",
            &scenes,
            "-f",
            "lavfi",
            "-i",
            TONE,
            "-t",
            "40",
        ])
        .args(["-fps_mode", "vfr", "-c:v", "libx264", "-preset", "veryfast", "-g", "60", "-bf", "2"])
        .args(["-pix_fmt", "yuv420p", "-c:a", "aac", "-f", "flv"])
        .arg(&file)
        .status();
    assert!(done.unwrap().success());
    let mut demuxer = Demuxer::new();
    demuxer.push(&std::fs::read(&file).unwrap());
    let mut stage = Stage::new();
    let mut pictures = 0;
    while let Some(tag) = demuxer.next_tag().unwrap() {
        let ahead = tag.timestamp.saturating_sub(stage.now_ms);
        if ahead > 0 {
            stage.pass(ahead).await;
        }
        pictures += u32::from(tag.kind == TagKind::Video && tag.body[1] == 1);
        stage.push(tag.kind, tag.timestamp, tag.body);
    }
    stage.hub.end("live/a", "over");
    stage.pass(1).await;
    let packager = stage.packager.as_ref().unwrap();
    let playlist = dump_hls(packager, folder.path()).await;
    let listed: i64 = stage.player.last.as_ref().unwrap().complete().map(|segment| segment.duration_ms).sum();
    assert!(pictures > 600 && (12_000..=18_000).contains(&listed), "{pictures} {listed}");
    tokio::time::resume();
    let video = probe(&playlist, "v:0").await.unwrap();
    assert!(video.codec == "h264" && video.frames >= 200, "{video:?}");
    assert!(probe(&playlist, "a:0").await.unwrap().frames >= 500);
}
