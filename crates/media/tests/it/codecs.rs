//! HEVC, AV1 and Opus by Enhanced RTMP, packed by these tests out of what ffmpeg encoded.

use std::sync::Arc;

use media::codec::{AudioCodec, VideoCodec};
use media::flv::{Demuxer, TagKind};
use media::hls::Packager;
use media::hub::{Hub, HubLimits, Protocol, Silent, StreamInfo};
use tempfile::tempdir;

use crate::support::*;

/// Encodes two seconds, publishes them, and gives back what is known of the stream and what ffprobe finds in
/// the segments of HLS.
async fn carry(encoding: &str) -> (StreamInfo, Option<Probe>, Option<Probe>) {
    let folder = tempdir().unwrap();
    let file = folder.path().join("made.mp4");
    let tracks = if encoding.contains("-c:a") { format!("-f lavfi -i {TONE}") } else { String::new() };
    ffmpeg_done(ffmpeg(&format!(
        "-f lavfi -i {PICTURE} {tracks} -t 2 {encoding} -movflags frag_keyframe+empty_moov+default_base_moof {}",
        file.display()
    )))
    .await;
    let tags = mp4::tags(&std::fs::read(&file).unwrap());
    let hub = Hub::new(HubLimits::default(), Arc::new(Silent));
    let mut publisher = hub.publish(&"live/a".into(), ENCODER).unwrap();
    let count = tags.len();
    let mut packager = None;
    let mut flv = None;
    for tag in tags {
        publisher.push(tag).unwrap();
        if packager.is_none() && hub.info("live/a").unwrap().up {
            let viewer = hub.follow("live/a", Protocol::Hls).unwrap();
            packager = Some(Packager::spawn(viewer, hub.memory(), "x".to_owned()));
            flv = Some(tokio::spawn(flv_bytes(watch(&hub, "live/a"))));
        }
    }
    let info = hub.info("live/a").unwrap();
    hub.end("live/a", "over");
    let packager = packager.unwrap();
    wait("the playlist ends", || packager.position().ended).await;
    // The same bodies go on over FLV, unread.
    let mut demuxer = Demuxer::new();
    demuxer.push(&flv.unwrap().await.unwrap());
    let passed = std::iter::from_fn(|| demuxer.next_tag().unwrap());
    // Sound before the first keyframe is not for somebody who begins there.
    assert!(passed.filter(|tag| tag.kind != TagKind::Script).count() >= count - 2);
    let playlist = dump_hls(&packager, folder.path()).await;
    (info, probe(&playlist, "v:0").await, probe(&playlist, "a:0").await)
}

#[tokio::test(flavor = "multi_thread")]
async fn hevc_with_b_frames_is_carried() {
    let (info, video, audio) =
        carry("-c:v libx265 -preset ultrafast -x265-params log-level=error:keyint=30:bframes=2 -tag:v hvc1")
            .await;
    let known = info.video.unwrap();
    assert_eq!((known.codec, known.width, known.height), (VideoCodec::Hevc, 320, 240));
    assert!(known.codec_string.unwrap().starts_with("hvc1.1.6.L"));
    let video = video.unwrap();
    assert_eq!((video.codec.as_str(), video.frames, audio), ("hevc", 60, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn av1_with_opus_is_carried() {
    let (info, video, audio) = carry("-c:v libsvtav1 -preset 12 -g 30 -c:a libopus").await;
    let known = info.video.unwrap();
    assert_eq!((known.codec, known.width, known.height), (VideoCodec::Av1, 320, 240));
    assert!(known.codec_string.unwrap().starts_with("av01.0."));
    assert_eq!(info.audio.unwrap().codec, AudioCodec::Opus);
    let video = video.unwrap();
    assert_eq!((video.codec.as_str(), video.frames), ("av1", 60));
    let audio = audio.unwrap();
    assert_eq!((audio.codec.as_str(), audio.rate), ("opus", 48_000));
    assert!(audio.frames >= 95, "{audio:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn h264_with_opus_as_browsers_send_it_is_carried() {
    let (info, video, audio) =
        carry("-c:v libx264 -preset ultrafast -g 30 -pix_fmt yuv420p -c:a libopus").await;
    assert_eq!(info.video.unwrap().codec, VideoCodec::Avc);
    assert_eq!(video.unwrap().frames, 60);
    assert_eq!(audio.unwrap().codec, "opus");
}
