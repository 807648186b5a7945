//! One channel of the broker in memory: its position, what is kept of it, and its pace.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::LIFE;
use super::types::{Epoch, History, Keep, Pace, Position, Publication};
use common::clock::life_ms;

/// A channel. All times are milliseconds since the Unix epoch.
#[derive(Debug)]
pub(super) struct Log {
    position: Position,
    /// When the last message was published.
    at_ms: i64,
    keep: Keep,
    messages: VecDeque<Publication>,
    /// The second in which messages were counted last, and how many.
    counted: (i64, u32),
    /// Until when users may not publish.
    pauses: HashMap<String, i64>,
    /// When it is forgotten.
    expires_ms: i64,
}

impl Log {
    pub(super) fn new(now: i64) -> Self {
        Self {
            position: Position { epoch: Epoch::fresh(), offset: 0 },
            at_ms: now,
            keep: Keep { messages: 0, time: Duration::ZERO, idle: LIFE },
            messages: VecDeque::new(),
            counted: (0, 0),
            pauses: HashMap::new(),
            expires_ms: now,
        }
    }

    /// The present position.
    pub(super) fn touch(&mut self, now: i64) -> Position {
        self.touch_for(self.keep, now)
    }

    /// The present position, of a channel that will be kept like this.
    pub(super) fn touch_for(&mut self, keep: Keep, now: i64) -> Position {
        let life = if self.position.offset == 0 {
            self.keep.idle = keep.idle;
            keep.idle
        } else {
            LIFE.max(keep.time)
        };
        self.expires_ms = self.expires_ms.max(now.saturating_add(life_ms(life)));
        self.position
    }

    /// Whether the pace allows a message, which is then counted; else how long not.
    pub(super) fn admit(&mut self, pace: Pace<'_>, now: i64) -> Result<(), Duration> {
        let second = now.div_euclid(1000);
        let count = if self.counted.0 == second { self.counted.1 } else { 0 };
        let wait = |ms: i64| Duration::from_millis(u64::try_from(ms).unwrap_or_default());
        if pace.per_second.is_some_and(|limit| count >= limit) {
            return Err(wait((second + 1) * 1000 - now));
        }
        if let Some((user, pause)) = pace.user {
            if let Some(until) = self.pauses.get(user).filter(|until| **until > now) {
                return Err(wait(until - now));
            }
            self.pauses.insert(user.to_owned(), now.saturating_add(life_ms(pause)));
        }
        self.counted = (second, count + 1);
        Ok(())
    }

    pub(super) fn append(&mut self, body: &[u8], keep: Keep, now: i64) -> (Epoch, Publication) {
        self.at_ms = self.at_ms.max(now);
        self.position.offset += 1;
        self.keep = keep;
        let body = body.to_vec().into();
        let publication = Publication { offset: self.position.offset, at_ms: self.at_ms, body };
        if keep.messages > 0 {
            self.messages.push_back(publication.clone());
        }
        while self.messages.len() > usize::try_from(keep.messages).unwrap_or(usize::MAX) {
            self.messages.pop_front();
        }
        self.touch(now);
        (self.position.epoch, publication)
    }

    pub(super) fn history(&mut self, since: Option<Position>, limit: usize, now: i64) -> History {
        self.expire(now);
        let since_here = since.filter(|since| since.epoch == self.position.epoch);
        let publications = match since_here {
            Some(since) => {
                let after = self.messages.iter().filter(|message| message.offset > since.offset);
                after.take(limit).cloned().collect()
            }
            None => {
                let first = self.messages.len().saturating_sub(limit);
                self.messages.iter().skip(first).cloned().collect()
            }
        };
        History::new(since, self.touch(now), publications)
    }

    pub(super) fn replace(&mut self, at: Position, body: &[u8], now: i64) -> bool {
        self.expire(now);
        let found = self.messages.iter_mut().find(|message| message.offset == at.offset);
        let Some(message) = found.filter(|_| at.epoch == self.position.epoch) else { return false };
        message.body = body.to_vec().into();
        true
    }

    /// Drops what has become old; whether the channel is still known.
    pub(super) fn expire(&mut self, now: i64) -> bool {
        let life = life_ms(self.keep.time);
        while self.messages.front().is_some_and(|message| message.at_ms.saturating_add(life) <= now) {
            self.messages.pop_front();
        }
        self.pauses.retain(|_, until| *until > now);
        now < self.expires_ms
    }
}
