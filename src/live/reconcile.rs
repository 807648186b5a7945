//! Rows and presence meet again: what the cache lost comes back from the rows, and who was heard is written
//! to them.

use std::time::Duration;

use super::error::Error;
use super::restore_rows::Wanted;
use super::service::Lives;
use super::silence::BATCH;
use super::{presence_rows, queries};
use store::cache::Member;
use store::fence::Fence;

impl Lives {
    /// Puts members and watched anchors that the tables know and the cache does not into the
    /// cache, as heard now; with `silent_for`, only members whose row was not written for so long.
    ///
    /// # Errors
    /// The cache's or the store's.
    pub async fn restore_presence(&self, silent_for: Option<Duration>) -> Result<u64, Error> {
        let (db, now) = (&self.0.db, self.0.clock.now());
        let mut restored = 0;
        match silent_for {
            None => {
                for wanted in Wanted::all() {
                    restored += self.restore_members(wanted).await?;
                }
            }
            Some(age) => {
                for wanted in Wanted::unwritten(db.wall(now - age), db.wall(now + age)) {
                    restored += self.restore_members(wanted).await?;
                }
            }
        }
        self.restore_anchors().await?;
        Ok(restored)
    }

    async fn restore_members(&self, wanted: Wanted) -> Result<u64, Error> {
        let (db, cache) = (&self.0.db, &self.0.cache);
        let (mut restored, mut next) = (0, Some(wanted));
        while let Some(wanted) = next {
            let (after, members) = wanted.page(db, db.reader_for(true), BATCH).await?;
            let present = cache.present(&members).await?;
            let missing = members.into_iter().zip(present).filter(|(_, is_present)| !is_present);
            let missing: Vec<Member> = missing.map(|(member, _)| member).collect();
            cache.restore(&missing, &[]).await?;
            restored += u64::try_from(missing.len()).unwrap_or_default();
            next = after;
        }
        Ok(restored)
    }

    async fn restore_anchors(&self) -> Result<(), Error> {
        let mut after = Some(0);
        while let Some(row_id) = after {
            let (last, anchors) = queries::live_after(self.0.db.reader_for(true), row_id, BATCH).await?;
            self.0.cache.restore(&[], &anchors).await?;
            after = last;
        }
        Ok(())
    }

    /// Writes to the rows who was heard after `after_ms`, of one shard; answers where to go on.
    ///
    /// # Errors
    /// The cache's or the store's.
    pub async fn write_heard(&self, fence: &dyn Fence, shard: u16, after_ms: i64) -> Result<i64, Error> {
        let mut after_ms = after_ms;
        loop {
            let heard = self.0.cache.heard_since(shard, after_ms, BATCH).await?;
            let Some((_, last_ms)) = heard.last() else { return Ok(after_ms) };
            let (last_ms, is_last) = (*last_ms, heard.len() < BATCH);
            let members: Vec<Member> = heard.into_iter().map(|(member, _)| member).collect();
            self.write_members(fence, &members).await?;
            after_ms = last_ms;
            if is_last {
                return Ok(after_ms);
            }
        }
    }

    async fn write_members(&self, fence: &dyn Fence, heard: &[Member]) -> Result<(), Error> {
        let (db, now) = (&self.0.db, self.0.clock.now());
        let rows = presence_rows::find_in(db, db.writer(), heard).await?;
        let members = || rows.iter().map(|row| row.row_id);
        let rooms = || rows.iter().filter_map(|row| row.anchored);
        if members().next().is_some() {
            db.transaction(|tx| {
                let members = members();
                Box::pin(async move {
                    fence.check(tx).await?;
                    Ok::<_, Error>(presence_rows::set_heard(db, tx, members, now).await?)
                })
            })
            .await?;
        }
        if rooms().next().is_some() {
            db.transaction(|tx| {
                let rooms = rooms();
                Box::pin(async move {
                    fence.check(tx).await?;
                    Ok::<_, Error>(presence_rows::set_anchors_heard(db, tx, rooms, now).await?)
                })
            })
            .await?;
        }
        Ok(())
    }
}
