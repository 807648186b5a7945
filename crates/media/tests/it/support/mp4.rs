//! Reads the samples of a fragmented MP4 that ffmpeg wrote, to pack them as Enhanced RTMP, which Debian's ffmpeg
//! cannot send.

use std::io::Cursor;

use bytes::Bytes;
use media::flv::{Tag, TagKind};
use mp4_atom::{Any, Atom, Codec, DecodeMaybe, Encode, Moof, Moov};

/// Tags of all samples in order of time, configurations first.
pub(crate) fn tags(file: &[u8]) -> Vec<Tag> {
    let mut cursor = Cursor::new(file);
    let (mut moov, mut moof): (Option<Moov>, Option<(Moof, u64)>) = (None, None);
    let mut tags = Vec::new();
    let mut samples = Vec::new();
    loop {
        let start = cursor.position();
        let Some(atom) = Any::decode_maybe(&mut cursor).unwrap() else { break };
        match atom {
            Any::Moov(found) => {
                tags = configurations(&found);
                moov = Some(found);
            }
            Any::Moof(found) => moof = Some((found, start)),
            Any::Mdat(_) => {
                if let (Some((moof, start)), Some(moov)) = (moof.take(), &moov) {
                    read_fragment(moov, &moof, &file[start as usize..], &mut samples);
                }
            }
            _ => {}
        }
    }
    samples.sort_by_key(|tag: &Tag| tag.timestamp);
    tags.extend(samples);
    tags
}

fn configurations(moov: &Moov) -> Vec<Tag> {
    let tag = |kind, first: u8, fourcc: &[u8; 4], config: Vec<u8>| Tag {
        kind,
        timestamp: 0,
        body: Bytes::from([&[first], &fourcc[..], &config].concat()),
    };
    let codecs = moov.trak.iter().map(|trak| &trak.mdia.minf.stbl.stsd.codecs[0]);
    codecs
        .map(|codec| match codec {
            Codec::Hvc1(entry) => tag(TagKind::Video, 0x90, b"hvc1", body(&entry.hvcc)),
            Codec::Av01(entry) => tag(TagKind::Video, 0x90, b"av01", body(&entry.av1c)),
            Codec::Avc1(entry) => tag(TagKind::Video, 0x90, b"avc1", body(&entry.avcc)),
            Codec::Opus(entry) => {
                let dops = &entry.dops;
                let mut head = b"OpusHead\x01".to_vec();
                head.push(dops.output_channel_count);
                head.extend(dops.pre_skip.to_le_bytes());
                head.extend(dops.input_sample_rate.to_le_bytes());
                head.extend([0, 0, 0]);
                tag(TagKind::Audio, 0x90, b"Opus", head)
            }
            Codec::Mp4a(entry) => {
                let raw = entry.esds.es_desc.dec_config.dec_specific.as_ref().unwrap().raw.clone();
                tag(TagKind::Audio, 0x90, b"mp4a", raw)
            }
            other => panic!("{other:?}"),
        })
        .collect()
}

fn body(atom: &impl Atom) -> Vec<u8> {
    let mut out = Vec::new();
    atom.encode(&mut out).unwrap();
    out.split_off(8)
}

fn read_fragment(moov: &Moov, moof: &Moof, bytes: &[u8], tags: &mut Vec<Tag>) {
    for traf in &moof.traf {
        let trak = moov.trak.iter().find(|trak| trak.tkhd.track_id == traf.tfhd.track_id).unwrap();
        let rate = u64::from(trak.mdia.mdhd.timescale);
        let codec = &trak.mdia.minf.stbl.stsd.codecs[0];
        let mut time = traf.tfdt.as_ref().unwrap().base_media_decode_time;
        for run in &traf.trun {
            let mut offset = run.data_offset.unwrap() as usize;
            for (index, sample) in run.samples.iter().enumerate() {
                let size = sample.size.or(traf.tfhd.default_sample_size).unwrap() as usize;
                let duration = sample.duration.or(traf.tfhd.default_sample_duration).unwrap();
                let data = &bytes[offset..offset + size];
                let composition = sample.cts.unwrap_or(0) * 1000 / rate as i64;
                // Each fragment of the file begins with a keyframe.
                let timestamp = (time * 1000 / rate) as u32;
                tags.push(pack(codec, index == 0, timestamp, composition as i32, data));
                offset += size;
                time += u64::from(duration);
            }
        }
    }
}

fn pack(codec: &Codec, keyframe: bool, timestamp: u32, composition: i32, data: &[u8]) -> Tag {
    let first = if keyframe { 0x91 } else { 0xa1 };
    let signed = &composition.to_be_bytes()[1..];
    let (kind, body) = match codec {
        Codec::Hvc1(_) => (TagKind::Video, [&[first], &b"hvc1"[..], signed, data].concat()),
        Codec::Avc1(_) => (TagKind::Video, [&[first], &b"avc1"[..], signed, data].concat()),
        Codec::Av01(_) => (TagKind::Video, [&[first], &b"av01"[..], data].concat()),
        Codec::Opus(_) => (TagKind::Audio, [&[0x91], &b"Opus"[..], data].concat()),
        Codec::Mp4a(_) => (TagKind::Audio, [&[0x91], &b"mp4a"[..], data].concat()),
        other => panic!("{other:?}"),
    };
    Tag { kind, timestamp, body: body.into() }
}
