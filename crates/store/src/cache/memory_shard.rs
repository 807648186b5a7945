//! Presence in the rooms of one shard, in memory. Mirrors the scripts that run in Redis.

use std::collections::HashMap;

use super::presence::{
    self, COUNTERS_LIFE_MS, CROWDED_VIEWS, Counters, CountersEntry, Enter, Member, RoomState, TimedOut,
};
use super::sorted_set::SortedSet;

/// The rooms of one shard.
#[derive(Debug, Default)]
pub(super) struct Shard {
    /// Members, by when they were last heard.
    pub(super) seen: SortedSet,
    /// How many of `seen` are in each room; rooms with nobody have no entry.
    online: HashMap<String, u64>,
    /// Members whose removal is not acknowledged, by when they were last heard.
    pub(super) removed: SortedSet,
    /// Live rooms, by when their anchor was last heard.
    pub(super) anchors: SortedSet,
    /// Counters and when they expire.
    counters: HashMap<String, (Counters, i64)>,
    /// The last view of each room, of those viewed lately: its number among all views, and when.
    views: HashMap<String, (i64, i64)>,
    view_number: i64,
    /// Since when missing heartbeats count.
    pub(super) since: Option<i64>,
}

impl Shard {
    pub(super) fn heard(&mut self, live_id: &str, user_id: &str, is_anchor: bool, now: i64) -> bool {
        let present = self.seen.update(&presence::encode(live_id, user_id), now);
        if present && is_anchor {
            self.anchors.update(live_id, now);
        }
        present
    }

    pub(super) fn enter(&mut self, enter: &Enter<'_>, now: i64) -> RoomState {
        let Enter { live_id, user_id, anchor_id, .. } = *enter;
        let member = presence::encode(live_id, user_id);
        if self.seen.put(&member, now) {
            *self.online.entry(live_id.to_owned()).or_default() += 1;
            self.removed.remove(&member);
        }
        if user_id == anchor_id {
            self.anchors.update(live_id, now);
        }
        if enter.count_view {
            self.view(live_id, enter.new_visitor, now);
        }
        self.state(live_id, anchor_id, now)
    }

    fn view(&mut self, live_id: &str, is_new_visitor: bool, now: i64) {
        self.view_number += 1;
        self.views.insert(live_id.to_owned(), (self.view_number, now));
        match self.counters.get_mut(live_id) {
            Some((counters, _)) if counters.pv >= CROWDED_VIEWS => {
                counters.pv = counters.pv.saturating_add(1);
                counters.uv = counters.uv.saturating_add(i64::from(is_new_visitor));
            }
            _ => _ = self.counters.remove(live_id),
        }
    }

    pub(super) fn leave(&mut self, live_id: &str, user_id: &str) -> bool {
        let left = self.seen.remove(&presence::encode(live_id, user_id));
        if left {
            self.one_less(live_id);
        }
        left
    }

    pub(super) fn state(&mut self, live_id: &str, anchor_id: &str, now: i64) -> RoomState {
        if self.counters.get(live_id).is_some_and(|(_, expires)| *expires <= now) {
            self.counters.remove(live_id);
        }
        RoomState {
            online: self.online.get(live_id).copied().unwrap_or_default(),
            anchor_in: self.seen.contains(&presence::encode(live_id, anchor_id)),
            counters: self.counters.get(live_id).map(|(counters, _)| *counters),
            version: self.version(live_id),
        }
    }

    fn version(&self, live_id: &str) -> i64 {
        self.views.get(live_id).map_or(0, |(number, _)| *number)
    }

    pub(super) fn put_counters(&mut self, entry: &CountersEntry<'_>, now: i64) {
        self.counters.retain(|_, (_, expires)| *expires > now);
        self.views.retain(|_, (_, at)| now.saturating_sub(*at) < COUNTERS_LIFE_MS);
        if self.version(entry.live_id) == entry.version {
            let expires = now.saturating_add(COUNTERS_LIFE_MS);
            self.counters.insert(entry.live_id.to_owned(), (entry.counters, expires));
        }
    }

    pub(super) fn forget_counters(&mut self, live_id: &str, now: i64) {
        self.counters.remove(live_id);
        self.view_number += 1;
        self.views.insert(live_id.to_owned(), (self.view_number, now));
    }

    pub(super) fn remove_timed_out(
        &mut self,
        now: i64,
        timeout: i64,
        limit: usize,
        pending_first: bool,
    ) -> TimedOut {
        if self.since.is_some() && pending_first && self.removed.len() > 0 {
            return TimedOut::Found(self.removed.until(i64::MAX, limit).filter_map(Member::decode).collect());
        }
        if let Some(answer) = self.too_early(now, timeout) {
            return answer;
        }
        let gone = self.seen.take_until(now.saturating_sub(timeout), limit);
        for (text, heard) in &gone {
            self.removed.put(text, *heard);
        }
        let gone: Vec<Member> = gone.iter().filter_map(|(text, _)| Member::decode(text)).collect();
        for member in &gone {
            self.one_less(&member.live_id);
        }
        TimedOut::Found(gone)
    }

    pub(super) fn timed_out_anchors(&self, now: i64, timeout: i64, limit: usize) -> TimedOut {
        if let Some(answer) = self.too_early(now, timeout) {
            return answer;
        }
        let silent = self.anchors.until(now.saturating_sub(timeout), limit);
        TimedOut::Found(silent.map(|live_id| Member::new(live_id, "")).collect())
    }

    pub(super) fn restore(&mut self, member: &Member, now: i64) {
        let text = member.to_string();
        let is_missing = !self.seen.contains(&text) && !self.removed.contains(&text);
        if is_missing && self.seen.put(&text, now) {
            *self.online.entry(member.live_id.clone()).or_default() += 1;
        }
    }

    pub(super) fn heard_since(&self, after: i64, now: i64, limit: usize) -> Vec<(Member, i64)> {
        self.seen
            .between(after, now, limit)
            .iter()
            .filter_map(|(text, time)| Some((Member::decode(text)?, *time)))
            .collect()
    }

    fn too_early(&self, now: i64, timeout: i64) -> Option<TimedOut> {
        match self.since {
            None => Some(TimedOut::Lost),
            Some(since) if now.saturating_sub(since) < timeout => Some(TimedOut::Waiting),
            Some(_) => None,
        }
    }

    fn one_less(&mut self, live_id: &str) {
        if let Some(online) = self.online.get_mut(live_id) {
            *online = online.saturating_sub(1);
            if *online == 0 {
                self.online.remove(live_id);
            }
        }
    }
}
