//! An encoder over a clock of the tests.

use std::time::Duration;

use bytes::Bytes;
use media::flv::{Tag, TagKind};
use media::hub::{Hub, Publisher};
use tokio::time::{advance, sleep};

use super::ENCODER;

/// An AudioSpecificConfig of 48 kHz, and an AVC configuration of 1280x720 with a PPS.
pub(crate) const AAC: &[u8] = &[0xaf, 0, 0x11, 0x90];
const SPS: &[u8] = &[
    0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10,
    0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x19, 0x60,
];

pub(crate) fn avc() -> Bytes {
    let length = (SPS.len() as u16).to_be_bytes();
    let head = [0x17, 0, 0, 0, 0, 1, 0x64, 0, 0x1f, 0xff, 0xe1];
    Bytes::from([&head[..], &length, SPS, &[1, 0, 4, 0x68, 0xeb, 0xe3, 0xcb]].concat())
}

/// An encoder of H.264 and AAC whose pictures are made up.
pub(crate) struct Encoder {
    pub(crate) publisher: Publisher,
    frame: u32,
}

impl Encoder {
    pub(crate) fn new(hub: &Hub) -> Self {
        let mut publisher = hub.publish(&"live/a".into(), ENCODER).unwrap();
        publisher.push(Tag { kind: TagKind::Video, timestamp: 0, body: avc() }).unwrap();
        publisher.push(Tag { kind: TagKind::Audio, timestamp: 0, body: Bytes::from_static(AAC) }).unwrap();
        Self { publisher, frame: 0 }
    }

    /// So many frames of 40 ms, a keyframe every `gop`, with sound.
    pub(crate) async fn encode(&mut self, frames: u32, gop: u32) {
        for _ in 0..frames {
            let timestamp = self.frame * 40;
            let first = if self.frame.is_multiple_of(gop) { 0x17 } else { 0x27 };
            let body = Bytes::from([&[first, 1, 0, 0, 0, 0, 0, 0, 2, 9, 9][..], &[0; 100]].concat());
            self.publisher.push(Tag { kind: TagKind::Video, timestamp, body }).unwrap();
            let body = Bytes::from_static(&[0xaf, 1, 0x21, 0x10, 0x04]);
            self.publisher.push(Tag { kind: TagKind::Audio, timestamp, body }).unwrap();
            self.frame += 1;
            advance(Duration::from_millis(40)).await;
            // Lets the packager follow.
            sleep(Duration::ZERO).await;
        }
    }
}
