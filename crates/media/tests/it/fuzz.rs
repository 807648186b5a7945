//! Random bytes and mutated sessions: nothing panics, and nothing holds more than it is allowed to.
//!
//! The seeds are fixed, so that a run is the same each time. `MEDIA_FUZZ_CASES` sets how many cases each
//! property tries (default 256), and more than that draws other ones.

use bytes::BytesMut;
use media::amf;
use media::codec::{AudioCodec, AudioInfo, VideoCodec, VideoInfo, opus_packet_samples};
use media::flv::{
    AudioBody, Demuxer, MAX_TAG, TagKind, VideoBody, encode_tag, file_header, rewrite_metadata,
};
use media::rtmp::{ChunkReader, Event, MAX_MESSAGE_ACCEPTED, MAX_MESSAGE_STRANGER, Session};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};

use crate::support::client::{COMMAND, message, requests};

const SEED: u64 = 0x6c69_7665_6c6f_6f6d;

/// Tries a property on values of a strategy.
fn check<S: Strategy>(strategy: S, property: impl Fn(S::Value)) {
    let cases = std::env::var("MEDIA_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(256);
    let config =
        Config { cases, rng_seed: RngSeed::Fixed(SEED), failure_persistence: None, ..Config::default() };
    let tried = TestRunner::new(config).run(&strategy, |value| {
        property(value);
        Ok(())
    });
    tried.unwrap();
}

/// A change of bytes: where, and what.
#[derive(Debug, Clone)]
enum Change {
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
    Double(prop::sample::Index, usize),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let index = any::<prop::sample::Index>;
    let change = prop_oneof![
        (index(), any::<u8>()).prop_map(|(at, byte)| Change::Flip(at, byte)),
        (index(), 1..64usize).prop_map(|(at, count)| Change::Cut(at, count)),
        (index(), vec(any::<u8>(), 1..64)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (index(), 1..512usize).prop_map(|(at, count)| Change::Double(at, count)),
    ];
    vec(change, 0..6)
}

fn mutate(bytes: &mut Vec<u8>, changes: Vec<Change>) {
    for change in changes {
        if bytes.is_empty() {
            return;
        }
        match change {
            Change::Flip(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] ^= byte;
            }
            Change::Cut(at, count) => {
                let at = at.index(bytes.len());
                bytes.drain(at..bytes.len().min(at + count));
            }
            Change::Insert(at, more) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, more);
            }
            Change::Double(at, count) => {
                let at = at.index(bytes.len());
                let piece = bytes[at..bytes.len().min(at + count)].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
}

/// A whole session of an encoder after the handshake: commands, then tags of all kinds.
fn session() -> Vec<u8> {
    let mut bytes = BytesMut::new();
    for values in requests("publish", "live", "room?e=1&token=a:b") {
        bytes.extend_from_slice(&message(COMMAND, 0, &amf::encode_all(&values)));
    }
    let metadata =
        amf::encode_all(&["@setDataFrame".into(), "onMetaData".into(), amf::Value::EcmaArray(vec![])]);
    bytes.extend_from_slice(&message(18, 0, &metadata));
    bytes.extend_from_slice(&message(5, 0, &5_000u32.to_be_bytes()));
    for frame in 0..20u32 {
        bytes.extend_from_slice(&message(9, frame * 40, &[0x27; 700]));
        bytes.extend_from_slice(&message(8, 0xff_fff0 + frame * 21, &[0xaf; 150]));
    }
    let aggregate =
        [encode_tag(TagKind::Video, 0, &[7; 50]), encode_tag(TagKind::Audio, 9, &[7; 50])].concat();
    bytes.extend_from_slice(&message(22, 900, &aggregate));
    bytes.to_vec()
}

/// Feeds a session as a driver does, and accepts what it asks.
fn feed(session: &mut Session, bytes: &[u8], piece: usize) {
    let mut accepted = false;
    for piece in bytes.chunks(piece) {
        session.input().extend_from_slice(piece);
        loop {
            match session.poll() {
                Ok(Some(Event::Publish(_) | Event::Play(_))) => {
                    accepted = true;
                    session.accept();
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => return,
            }
        }
        session.take_output();
        let limit = if accepted { MAX_MESSAGE_ACCEPTED } else { MAX_MESSAGE_STRANGER };
        assert!(session.held() <= 2 * limit);
        // After its end a session reads nothing more; its driver is gone then.
        assert!(session.input().len() <= piece.len() + 4 * 1536 || accepted);
    }
}

#[test]
fn sessions_survive_random_bytes() {
    check((vec(any::<u8>(), 0..4096), 1..700usize), |(bytes, piece)| {
        feed(&mut Session::new(), &bytes, piece);
        let shaken = [&[3; 1 + 2 * 1536][..], &bytes].concat();
        feed(&mut Session::new(), &shaken, piece);
    });
}

#[test]
fn sessions_survive_mutated_encoders() {
    let whole = session();
    check((changes(), 1..2000usize), |(changes, piece)| {
        let mut bytes = whole.clone();
        mutate(&mut bytes, changes);
        feed(&mut Session::new(), &[&[3; 1 + 2 * 1536][..], &bytes].concat(), piece);
    });
}

#[test]
fn chunk_readers_survive_random_bytes_and_give_the_same_however_they_are_cut() {
    let whole = session();
    check((changes(), 1..500usize), |(changes, piece)| {
        let mut bytes = whole.clone();
        mutate(&mut bytes, changes);
        let read = |piece: usize| {
            let (mut reader, mut input) = (ChunkReader::new(MAX_MESSAGE_STRANGER), BytesMut::new());
            let mut messages = Vec::new();
            for piece in bytes.chunks(piece) {
                input.extend_from_slice(piece);
                loop {
                    match reader.next_message(&mut input) {
                        Ok(Some(message)) => messages.push(message),
                        Ok(None) => break,
                        Err(_) => return messages,
                    }
                    assert!(reader.unfinished() <= 2 * MAX_MESSAGE_STRANGER);
                }
            }
            messages
        };
        assert_eq!(read(piece), read(bytes.len().max(1)));
    });
}

#[test]
fn amf_survives_random_bytes_and_comes_back() {
    let marker = prop_oneof![0u8..13, any::<u8>()];
    check(vec(prop_oneof![marker, Just(0), Just(1)], 0..2048), |bytes| {
        if let Ok(values) = amf::decode(&bytes) {
            let again = amf::decode(&amf::encode_all(&values)).unwrap();
            assert_eq!(format!("{again:?}"), format!("{values:?}"));
        }
        let _ = rewrite_metadata(&bytes);
    });
}

#[test]
fn demuxers_survive_mutated_files() {
    let mut whole = file_header(true, true).to_vec();
    for frame in 0..30u32 {
        whole.extend(encode_tag(TagKind::Video, frame * 40, &[0x27; 300]));
        whole.extend(encode_tag(TagKind::Audio, frame * 21, &[0xaf; 60]));
    }
    check((changes(), 1..900usize), |(changes, piece)| {
        let mut bytes = whole.clone();
        mutate(&mut bytes, changes);
        let read = |piece: usize| {
            let mut demuxer = Demuxer::new();
            let mut tags = Vec::new();
            for piece in bytes.chunks(piece) {
                demuxer.push(piece);
                loop {
                    match demuxer.next_tag() {
                        Ok(Some(tag)) => tags.push(tag),
                        Ok(None) => break,
                        Err(_) => return tags,
                    }
                }
            }
            tags
        };
        let tags = read(piece);
        assert!(tags.iter().all(|tag| tag.body.len() <= MAX_TAG));
        assert_eq!(tags, read(bytes.len().max(1)));
    });
}

#[test]
fn bodies_and_configurations_survive_random_bytes() {
    check(vec(any::<u8>(), 0..300), |bytes| {
        let _ = (VideoBody::read(&bytes), AudioBody::read(&bytes), opus_packet_samples(&bytes));
        for codec in [VideoCodec::Avc, VideoCodec::Hevc, VideoCodec::Av1, VideoCodec::Vp9] {
            let info = VideoInfo::read(codec, &bytes);
            assert!(info.width <= 16_384 && info.height <= 16_384);
        }
        for codec in [AudioCodec::Aac, AudioCodec::Opus, AudioCodec::Mp3] {
            let _ = AudioInfo::read(codec, &bytes);
        }
    });
}

#[test]
fn configurations_survive_mutations_of_real_ones() {
    let avc: &[u8] = &[
        1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 26, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05, 0xbb,
        0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x19, 0x60, 1, 0,
        4, 0x68, 0xeb, 0xe3,
    ];
    let hevc = [
        &[
            1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 93, 0xf0, 0, 0xfc, 0xfd, 0xf8, 0xf8, 0, 0, 0x0f, 1,
            0x21, 0, 1, 0, 40,
        ][..],
        &[
            0x42, 1, 1, 1, 0x60, 0, 0, 3, 0, 0x90, 0, 0, 3, 0, 0, 3, 0, 93, 0xa0, 2, 0x80, 0x80, 0x2d, 0x16,
            0x59, 0x59,
        ],
        &[0xa4, 0x93, 0x2b, 0xc0, 0x5a, 0x80, 0x80, 0x80, 0x82, 0, 0, 3, 0, 2],
    ]
    .concat();
    let av1: &[u8] = &[0x81, 0, 0x0c, 0, 0x0a, 0x0b, 0, 0, 0, 4, 0x3c, 0xff, 0xbc, 0xff, 0xe0, 8, 0x40];
    let real = [(VideoCodec::Avc, avc), (VideoCodec::Hevc, &hevc), (VideoCodec::Av1, av1)];
    check((0..3usize, changes()), |(which, changes)| {
        let (codec, config) = real[which];
        let mut bytes = config.to_vec();
        mutate(&mut bytes, changes);
        let info = VideoInfo::read(codec, &bytes);
        assert!(info.width <= 16_384 && info.height <= 16_384);
    });
}

#[test]
fn what_once_broke_stays_mended() {
    // A strict array of 2^32-1 values, an object that nests without end, a chunk of 2^31-1 bytes: each of them
    // ended a process that trusted the numbers.
    let handshake = [3; 1 + 2 * 1536];
    let array = amf::encode_all(&["connect".into(), 1.0.into()]).to_vec();
    let nested = [3, 0, 1, b'a'].repeat(20_000);
    for body in [[&array[..], &[10, 0xff, 0xff, 0xff, 0xff]].concat(), [&array[..], &nested].concat()] {
        let bytes = [&handshake[..], &message(COMMAND, 0, &body[..body.len().min(60_000)])].concat();
        let mut session = Session::new();
        session.input().extend_from_slice(&bytes);
        while let Ok(Some(_)) = session.poll() {}
        assert!(session.poll().is_err() || session.input().is_empty());
    }
    let chunk = [
        &handshake[..],
        &message(1, 0, &[0x7f, 0xff, 0xff, 0xff]),
        &[4, 0, 0, 0, 0xff, 0xff, 0xff, 9, 1, 0, 0, 0],
    ];
    let mut session = Session::new();
    session.input().extend_from_slice(&chunk.concat());
    assert!(session.poll().is_err());
}
