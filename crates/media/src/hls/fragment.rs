//! Frames to fMP4: the initialisation segment, and a fragment per part.

use bytes::{BufMut, Bytes, BytesMut};
use mp4_atom::{
    Codec, Dinf, Dref, DrefEntry, Encode, Ftyp, Hdlr, Mdhd, Mdia, Mfhd, Minf, Moof, Moov, Mvex, Mvhd, Stbl,
    Stsd, Tfdt, Tfhd, Tkhd, Traf, Trak, Trex, Trun, TrunEntry, Url,
};

use super::entry::{AudioTrack, VideoTrack};

const VIDEO_TRACK: u32 = 1;
const AUDIO_TRACK: u32 = 2;
/// Pictures are timed in 1/90000 s.
const VIDEO_RATE: u32 = 90_000;
const TICKS_PER_MS: i64 = 90;
/// Flags of samples: one that depends on none, and one that depends on others and is no sync sample.
const INDEPENDENT: u32 = 0x0200_0000;
const DEPENDENT: u32 = 0x0101_0000;
/// The longest a picture can stand in a fragment.
const MAX_PICTURE_MS: i64 = 30_000;
/// Sound is timed by its samples; only when it is off by more frames than this was there a gap.
const AUDIO_TOLERANCE_FRAMES: i64 = 4;
/// More than this is not held for one fragment.
const MAX_SAMPLES: usize = 2_048;
const MAX_BYTES: usize = 16 << 20;

/// Collects samples of one configuration and makes fragments of them.
#[derive(Debug)]
pub(super) struct Muxer {
    video: Option<VideoTrack>,
    audio: Option<AudioTrack>,
    pictures: Vec<Sample>,
    /// The newest picture, whose duration only the next one tells.
    held: Option<Sample>,
    sounds: Vec<Sample>,
    next_sound: Option<i64>,
    /// Of all samples that wait to be taken.
    bytes: usize,
    sequence: u32,
}

#[derive(Debug, Clone)]
struct Sample {
    decode_time: i64,
    composition: i64,
    duration: u32,
    independent: bool,
    data: Bytes,
}

/// A `moof` with its `mdat`.
#[derive(Debug, Clone)]
pub(super) struct Fragment {
    pub(super) bytes: Bytes,
    /// Decoding may begin somewhere in it.
    pub(super) independent: bool,
}

impl Muxer {
    /// A muxer for the tracks that are there.
    pub(super) fn new(video: Option<VideoTrack>, audio: Option<AudioTrack>) -> Self {
        Self {
            video,
            audio,
            pictures: Vec::new(),
            held: None,
            sounds: Vec::new(),
            next_sound: None,
            bytes: 0,
            sequence: 0,
        }
    }

    pub(super) fn has_video(&self) -> bool {
        self.video.is_some()
    }

    pub(super) fn has_audio(&self) -> bool {
        self.audio.is_some()
    }

    /// More waits to be taken than any real stream brings in the time of a part.
    pub(super) fn is_overfull(&self) -> bool {
        self.pictures.len() + self.sounds.len() > MAX_SAMPLES || self.bytes > MAX_BYTES
    }

    /// Where the newest sound that waits to be taken begins.
    pub(super) fn newest_sound_ms(&self) -> Option<i64> {
        let rate = i64::from(self.audio.as_ref()?.rate.max(1));
        self.sounds.last().map(|sound| sound.decode_time.saturating_mul(1000) / rate)
    }

    /// The initialisation segment.
    pub(super) fn init(&self) -> mp4_atom::Result<Bytes> {
        let video = self.video.as_ref().map(video_trak);
        let audio = self.audio.as_ref().map(audio_trak);
        let trak: Vec<Trak> = video.into_iter().chain(audio).collect();
        let trex = trak.iter().map(|trak| Trex {
            track_id: trak.tkhd.track_id,
            default_sample_description_index: 1,
            ..Trex::default()
        });
        let mvex = Some(Mvex { mehd: None, trex: trex.collect() });
        let mvhd =
            Mvhd { timescale: 1000, rate: 1.into(), volume: 1.into(), next_track_id: 3, ..Mvhd::default() };
        let compatible_brands = vec![b"iso6".into(), b"cmfc".into(), b"mp41".into()];
        let mut out = BytesMut::new();
        Ftyp { major_brand: b"iso6".into(), minor_version: 512, compatible_brands }.encode(&mut out)?;
        Moov { mvhd, trak, mvex, ..Moov::default() }.encode(&mut out)?;
        Ok(out.freeze())
    }

    /// Adds a picture. The one before lasts until it.
    pub(super) fn picture(&mut self, time_ms: i64, composition_ms: i32, keyframe: bool, data: Bytes) {
        self.settle(time_ms);
        self.bytes += data.len();
        self.held = Some(Sample {
            decode_time: time_ms.max(0) * TICKS_PER_MS,
            composition: i64::from(composition_ms) * TICKS_PER_MS,
            duration: VIDEO_RATE / 30,
            independent: keyframe,
            data,
        });
    }

    /// Ends the newest picture at `time_ms`, so that the next fragment has it.
    pub(super) fn settle(&mut self, time_ms: i64) {
        if let Some(mut held) = self.held.take() {
            let lasted = time_ms.max(0) * TICKS_PER_MS - held.decode_time;
            let lasted = lasted.clamp(TICKS_PER_MS, MAX_PICTURE_MS * TICKS_PER_MS);
            held.duration = u32::try_from(lasted).unwrap_or(held.duration);
            self.pictures.push(held);
        }
    }

    /// Adds sound.
    pub(super) fn sound(&mut self, time_ms: i64, data: Bytes) {
        let Some(track) = &self.audio else { return };
        let duration = track.samples(&data);
        let stamped = time_ms.max(0) * i64::from(track.rate) / 1000;
        let counted = self.next_sound.unwrap_or(stamped);
        let gap = (stamped - counted).abs() > i64::from(duration) * AUDIO_TOLERANCE_FRAMES;
        let decode_time = if gap { stamped.max(counted) } else { counted };
        if let Some(last) = self.sounds.last_mut()
            && let Ok(silence) = u32::try_from(decode_time - counted)
        {
            last.duration = last.duration.saturating_add(silence);
        }
        self.next_sound = Some(decode_time + i64::from(duration));
        self.bytes += data.len();
        self.sounds.push(Sample { decode_time, composition: 0, duration, independent: true, data });
    }

    /// A fragment of the samples before `until_ms`, if there are some. The newest picture is settled first.
    pub(super) fn take(&mut self, until_ms: i64) -> mp4_atom::Result<Option<Fragment>> {
        let pictures = take_before(&mut self.pictures, until_ms.saturating_mul(TICKS_PER_MS));
        let rate = self.audio.as_ref().map_or(1000, |audio| i64::from(audio.rate));
        let sounds = take_before(&mut self.sounds, until_ms.saturating_mul(rate) / 1000);
        if pictures.is_empty() && sounds.is_empty() {
            return Ok(None);
        }
        self.sequence = self.sequence.wrapping_add(1);
        let length: usize = pictures.iter().chain(&sounds).map(|sample| sample.data.len()).sum();
        self.bytes -= length;
        let independent = !self.has_video() || pictures.iter().any(|sample| sample.independent);
        let runs = [(VIDEO_TRACK, pictures.as_slice()), (AUDIO_TRACK, sounds.as_slice())];
        // The offsets in the header depend on its length, which does not depend on them.
        let header = moof(self.sequence, runs, 0)?.len();
        let mut out = moof(self.sequence, runs, header + MDAT_HEADER)?;
        out.reserve(MDAT_HEADER + length);
        out.put_u32(u32::try_from(MDAT_HEADER + length).unwrap_or(0));
        out.put_slice(b"mdat");
        pictures.iter().chain(&sounds).for_each(|sample| out.put_slice(&sample.data));
        Ok(Some(Fragment { bytes: out.freeze(), independent }))
    }
}

/// Takes the samples that begin before a time; they are in order.
fn take_before(samples: &mut Vec<Sample>, time: i64) -> Vec<Sample> {
    let count = samples.partition_point(|sample| sample.decode_time < time);
    let later = samples.split_off(count);
    std::mem::replace(samples, later)
}

/// Size and type of the box before the samples.
const MDAT_HEADER: usize = 8;

/// The header of a fragment whose first sample stands `start` bytes after its own beginning.
fn moof(sequence_number: u32, runs: [(u32, &[Sample]); 2], start: usize) -> mp4_atom::Result<BytesMut> {
    let mut offset = start;
    let mut traf = Vec::new();
    for (track_id, samples) in runs {
        let Some(first) = samples.first() else { continue };
        let entries: Vec<TrunEntry> = samples.iter().map(trun_entry).collect();
        let data_offset = Some(i32::try_from(offset).unwrap_or(0));
        traf.push(Traf {
            tfhd: Tfhd { track_id, default_base_is_moof: true, ..Tfhd::default() },
            tfdt: Some(Tfdt { base_media_decode_time: u64::try_from(first.decode_time).unwrap_or(0) }),
            trun: vec![Trun { data_offset, samples: entries.into() }],
            ..Traf::default()
        });
        offset += samples.iter().map(|sample| sample.data.len()).sum::<usize>();
    }
    let mut out = BytesMut::new();
    Moof { mfhd: Mfhd { sequence_number }, traf }.encode(&mut out)?;
    Ok(out)
}

fn trun_entry(sample: &Sample) -> TrunEntry {
    TrunEntry {
        duration: Some(sample.duration),
        size: Some(u32::try_from(sample.data.len()).unwrap_or(0)),
        flags: Some(if sample.independent { INDEPENDENT } else { DEPENDENT }),
        cts: Some(sample.composition),
    }
}

fn video_trak(track: &VideoTrack) -> Trak {
    let tkhd = Tkhd {
        track_id: VIDEO_TRACK,
        enabled: true,
        in_movie: true,
        width: track.width.into(),
        height: track.height.into(),
        ..Tkhd::default()
    };
    let minf =
        Minf { vmhd: Some(Default::default()), dinf: dinf(), stbl: stbl(&track.entry), ..Minf::default() };
    trak(tkhd, VIDEO_RATE, b"vide", minf)
}

fn audio_trak(track: &AudioTrack) -> Trak {
    let tkhd =
        Tkhd { track_id: AUDIO_TRACK, enabled: true, in_movie: true, volume: 1.into(), ..Tkhd::default() };
    let minf =
        Minf { smhd: Some(Default::default()), dinf: dinf(), stbl: stbl(&track.entry), ..Minf::default() };
    trak(tkhd, track.rate, b"soun", minf)
}

fn trak(tkhd: Tkhd, timescale: u32, handler: &[u8; 4], minf: Minf) -> Trak {
    let mdhd = Mdhd { timescale, language: "und".into(), ..Mdhd::default() };
    let hdlr = Hdlr { handler: handler.into(), name: "liveloom".to_owned() };
    Trak { tkhd, mdia: Mdia { mdhd, hdlr, minf }, ..Trak::default() }
}

/// All data is in the same file.
fn dinf() -> Dinf {
    Dinf { dref: Dref { entries: vec![DrefEntry::Url(Url { location: String::new() })] } }
}

/// The tables are empty: samples are in the fragments.
fn stbl(entry: &Codec) -> Stbl {
    Stbl { stsd: Stsd { codecs: vec![entry.clone()] }, stco: Some(Default::default()), ..Stbl::default() }
}
