//! ffmpeg publishes; ffprobe decodes what viewers get over HTTP-FLV, RTMP and HLS.

use media::hls::{Service, ServiceSettings};
use media::hub::DownReason;
use tempfile::tempdir;

use crate::support::*;

const X264: &str = "-c:v libx264 -preset ultrafast -tune zerolatency -pix_fmt yuv420p -g 30";

#[tokio::test(flavor = "multi_thread")]
async fn sound_and_picture_reach_all_three_kinds_of_viewers() {
    let (node, folder) = (Node::start().await, tempdir().unwrap());
    let encoder = ffmpeg(&format!(
        "-re -f lavfi -i {PICTURE} -re -f lavfi -i {TONE} -t 6 {X264} -c:a aac -f flv {}",
        node.url("live/room?e=1&token=a:b")
    ));
    node.up("live/room").await;
    let service = Service::new(node.hub.clone(), ServiceSettings::default());
    let packager = service.get("live/room").unwrap();
    let flv = tokio::spawn(flv_bytes(node.watch("live/room")));
    let played = folder.path().join("played.mkv");
    let player = ffmpeg(&format!("-i {} -c copy -t 3 {}", node.url("live/room"), played.display()));
    wait("the size is known", || node.hub.info("live/room").is_some_and(|info| info.fps.is_some())).await;
    let info = node.hub.info("live/room").unwrap();
    let video = info.video.unwrap();
    assert_eq!((video.width, video.height, video.fps), (320, 240, Some(30.0)));
    assert_eq!(info.audio.unwrap().codec_string, "mp4a.40.2");
    ffmpeg_done(player).await;
    ffmpeg_done(encoder).await;
    // The encoder is done; its viewers wait in vain.
    node.hub.end("live/room", "over");

    let file = folder.path().join("viewer.flv");
    std::fs::write(&file, flv.await.unwrap()).unwrap();
    let video = probe(&file, "v:0").await.unwrap();
    assert_eq!((video.codec.as_str(), video.width), ("h264", 320));
    assert!((150..=180).contains(&video.frames), "{video:?}");
    let audio = probe(&file, "a:0").await.unwrap();
    assert_eq!((audio.codec.as_str(), audio.rate), ("aac", 48_000));
    assert!(audio.frames >= 240, "{audio:?}");

    let video = probe(&played, "v:0").await.unwrap();
    assert!(video.codec == "h264" && video.frames >= 60, "{video:?}");
    assert!(probe(&played, "a:0").await.unwrap().frames >= 90);

    wait("the playlist ends", || packager.position().ended).await;
    let playlist = dump_hls(&packager, folder.path()).await;
    let video = probe(&playlist, "v:0").await.unwrap();
    assert_eq!((video.codec.as_str(), video.width), ("h264", 320));
    assert!((150..=180).contains(&video.frames), "{video:?}");
    assert!(probe(&playlist, "a:0").await.unwrap().frames >= 240);
    let text = std::fs::read_to_string(playlist).unwrap();
    assert!(text.contains("INDEPENDENT=YES") && text.ends_with("#EXT-X-ENDLIST\n"), "{text}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_alone_is_a_stream() {
    let (node, folder) = (Node::start().await, tempdir().unwrap());
    let encoder = ffmpeg(&format!("-re -f lavfi -i {TONE} -t 5 -c:a aac -f flv {}", node.url("live/radio")));
    node.up("live/radio").await;
    let packager = Service::new(node.hub.clone(), ServiceSettings::default()).get("live/radio").unwrap();
    let flv = tokio::spawn(flv_bytes(node.watch("live/radio")));
    ffmpeg_done(encoder).await;
    node.hub.end("live/radio", "over");
    let bytes = flv.await.unwrap();
    assert_eq!(bytes[4], 4, "the header says sound only");
    let file = folder.path().join("radio.flv");
    std::fs::write(&file, bytes).unwrap();
    assert!(probe(&file, "a:0").await.unwrap().frames >= 200);
    wait("the playlist ends", || packager.position().ended).await;
    let playlist = dump_hls(&packager, folder.path()).await;
    assert!(probe(&playlist, "a:0").await.unwrap().frames >= 200);
    assert_eq!(probe(&playlist, "v:0").await, None);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_alone_with_b_frames_are_a_stream() {
    let (node, folder) = (Node::start().await, tempdir().unwrap());
    let encoder = ffmpeg(&format!(
        "-re -f lavfi -i {PICTURE} -t 5 -c:v libx264 -preset veryfast -bf 2 -g 30 -pix_fmt yuv420p -f flv {}",
        node.url("live/silent")
    ));
    node.up("live/silent").await;
    let packager = Service::new(node.hub.clone(), ServiceSettings::default()).get("live/silent").unwrap();
    let flv = tokio::spawn(flv_bytes(node.watch("live/silent")));
    ffmpeg_done(encoder).await;
    node.hub.end("live/silent", "over");
    let bytes = flv.await.unwrap();
    assert_eq!(bytes[4], 1, "the header says pictures only");
    let file = folder.path().join("silent.flv");
    std::fs::write(&file, bytes).unwrap();
    let frames = probe(&file, "v:0").await.unwrap().frames;
    assert!((120..=150).contains(&frames), "{frames}");
    wait("the playlist ends", || packager.position().ended).await;
    let playlist = dump_hls(&packager, folder.path()).await;
    assert_eq!(probe(&playlist, "v:0").await.unwrap().frames, frames);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_encoder_and_player_are_told_why() {
    let node = Node::start().await;
    let url = node.url("live/forbidden");
    for arguments in
        [format!("-f lavfi -i {TONE} -t 1 -c:a aac -f flv {url}"), format!("-i {url} -t 1 -f null -")]
    {
        let output = ffmpeg(&arguments).wait_with_output().await.unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        assert!(complaint.contains("the signature is wrong"), "{complaint}");
    }
    assert_eq!(node.server.stats().refusals["signature"], 2);
    let output = ffmpeg(&format!("-i {} -t 1 -f null -", node.url("live/nobody"))).wait_with_output().await;
    assert!(String::from_utf8_lossy(&output.unwrap().stderr).contains("the stream is not up"));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_encoder_takes_over_and_viewers_see_on() {
    let (node, folder) = (Node::start().await, tempdir().unwrap());
    let encode = |seconds: u32, size: &str| {
        ffmpeg(&format!(
            "-re -f lavfi -i testsrc2=size={size}:rate=30 -t {seconds} {X264} -f flv {}",
            node.url("live/room")
        ))
    };
    let first = encode(60, "320x240");
    node.up("live/room").await;
    let packager = Service::new(node.hub.clone(), ServiceSettings::default()).get("live/room").unwrap();
    let mut viewer = node.watch("live/room");
    let second = encode(3, "160x120");
    // The first one is closed, and says so by its end.
    let output = tokio::time::timeout(PATIENCE, first.wait_with_output()).await.unwrap().unwrap();
    assert!(!output.status.success());
    ffmpeg_done(second).await;
    let seen = tokio::spawn(async move {
        let mut times = Vec::new();
        while let Ok(frame) = viewer.next().await {
            times.push(frame.time_ms());
        }
        times
    });
    node.hub.end("live/room", "over");
    let times = seen.await.unwrap();
    assert!(times.windows(2).all(|pair| pair[0] <= pair[1]), "time goes on: {times:?}");
    assert_eq!(node.hub.stats().takeovers, 1);
    wait("the playlist ends", || packager.position().ended).await;
    let playlist = dump_hls(&packager, folder.path()).await;
    let text = std::fs::read_to_string(&playlist).unwrap();
    assert_eq!(text.matches("#EXT-X-DISCONTINUITY\n").count(), 1, "{text}");
    assert_eq!(text.matches("#EXT-X-MAP").count(), 2, "{text}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_ends_the_encoder_at_once() {
    let node = Node::start().await;
    let encoder = ffmpeg(&format!("-re -f lavfi -i {TONE} -t 60 -c:a aac -f flv {}", node.url("live/room")));
    node.up("live/room").await;
    assert!(node.hub.end("live/room", "the live is over"));
    let output = tokio::time::timeout(PATIENCE, encoder.wait_with_output()).await.unwrap().unwrap();
    assert!(!output.status.success());
    assert_eq!(DownReason::Cut(String::new()).label(), "cut");
    assert!(node.hub.list().is_empty());
    node.stop().await;
}
