//! What a process of the generator counts.

use std::collections::BTreeMap;

use anyhow::Result;
use hdrhistogram::Histogram;

use super::order::{Flaws, Order};
use super::push::{Reader, Stamp, Text};
use crate::realtime::wire::{Measured, Settled};

/// The longest latency that is told from longer ones, µs.
const LONGEST: u64 = 120_000_000;
const DIGITS: u8 = 3;

/// Counts over all connections.
#[derive(Debug)]
pub struct Ledger {
    /// Finds what a text is.
    pub reader: Reader,
    /// When the bytes that are being looked at were read.
    pub now: u64,
    /// Connections that are subscribed.
    pub subscribed: usize,
    /// What is counted between `begin` and `end`.
    pub measured: Measured,
    /// Publications that were sent.
    pub sent: u64,
    /// Publications that were answered.
    pub answered: u64,
    /// The sum of the last offsets of all subscribers.
    pub reached: u64,
    /// The last reason for which a connection ended.
    pub last_end: Option<String>,
    begin: u64,
    end: u64,
    near: Histogram<u64>,
    across: Histogram<u64>,
    ended: BTreeMap<String, u64>,
    refused: BTreeMap<String, u64>,
    announced: u64,
}

/// Whose message it is.
#[derive(Debug)]
pub struct Subscriber<'a> {
    /// Its room.
    pub room: usize,
    /// Its node.
    pub node: u8,
    /// Whether its latencies count.
    pub is_timed: bool,
    /// What it has got.
    pub order: &'a mut Order,
}

impl Ledger {
    /// An empty one.
    pub fn new() -> Result<Self> {
        Ok(Self {
            reader: Reader::default(),
            now: 0,
            subscribed: 0,
            measured: Measured::default(),
            sent: 0,
            answered: 0,
            reached: 0,
            last_end: None,
            begin: u64::MAX,
            end: u64::MAX,
            near: Histogram::new_with_bounds(1, LONGEST, DIGITS)?,
            across: Histogram::new_with_bounds(1, LONGEST, DIGITS)?,
            ended: BTreeMap::new(),
            refused: BTreeMap::new(),
            announced: 0,
        })
    }

    /// Forgets the last measurement; the next is from `begin` to `end`.
    pub fn measure(&mut self, begin: u64, end: u64) {
        (self.begin, self.end) = (begin, end);
        self.near.reset();
        self.across.reset();
        let tops = std::mem::take(&mut self.measured.tops);
        self.measured = Measured { tops, ..Measured::default() };
    }

    /// Whether `moment` is part of the measurement.
    pub fn counts(&self, moment: u64) -> bool {
        (self.begin..self.end).contains(&moment)
    }

    /// Bytes were read.
    pub fn read(&mut self, bytes: usize) {
        if self.counts(self.now) {
            self.measured.reads += 1;
            self.measured.bytes += u64::try_from(bytes).unwrap_or_default();
        }
    }

    /// A message was delivered.
    pub fn deliver(&mut self, to: Subscriber<'_>, offset: u64, stamp: Option<Stamp>) {
        let before = to.order.last();
        to.order.take(offset);
        self.reached += to.order.last() - before;
        self.raise(to.room, offset);
        self.measured.deliveries += u64::from(self.counts(self.now));
        let Some(stamp) = stamp.filter(|stamp| to.is_timed && self.counts(stamp.at)) else { return };
        let histogram = if stamp.node == to.node { &mut self.near } else { &mut self.across };
        histogram.saturating_record(self.now.saturating_sub(stamp.at) / 1000);
    }

    /// The room has come to `offset`.
    pub fn raise(&mut self, room: usize, offset: u64) {
        if self.measured.tops.len() <= room {
            self.measured.tops.resize(room + 1, 0);
        }
        if let Some(top) = self.measured.tops.get_mut(room) {
            *top = offset.max(*top);
        }
    }

    /// The last offset of a room, as far as it is known here.
    pub fn top(&self, room: usize) -> u64 {
        self.measured.tops.get(room).copied().unwrap_or_default()
    }

    /// A text that is no message has come.
    pub fn note(&mut self, room: usize, text: Text) {
        match text {
            Text::Accepted { offset } => {
                self.answered += 1;
                self.raise(room, offset);
            }
            Text::Refused { code, message } => {
                self.answered += 1;
                *self.refused.entry(format!("{code} {message}")).or_default() += 1;
            }
            Text::Lost => self.announced += 1,
            Text::Unsubscribed(why) => self.end_of(format!("unsubscribed: {why}")),
            Text::Hello | Text::Unknown | Text::Message { .. } => {}
        }
    }

    /// A connection or subscription has ended.
    pub fn end_of(&mut self, why: String) {
        *self.ended.entry(why.clone()).or_default() += 1;
        self.last_end = Some(why);
    }

    /// The result, with the flaws of all subscribers.
    pub fn settled(&self, flaws: Flaws) -> Settled {
        Settled {
            near: counts(&self.near),
            across: counts(&self.across),
            flaws,
            ended: self.ended.clone(),
            refused: self.refused.clone(),
            unanswered: self.sent.saturating_sub(self.answered),
            announced: self.announced,
        }
    }
}

fn counts(histogram: &Histogram<u64>) -> Vec<(u64, u64)> {
    histogram
        .iter_recorded()
        .map(|step| (step.value_iterated_to(), step.count_since_last_iteration()))
        .collect()
}
