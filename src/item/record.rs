//! Recordings of explanations. The rows say what is to be saved before Pili is asked to, so that a
//! crash in between loses none: it waits, and the next call in the room saves it.

use std::collections::HashSet;

use futures_util::future::join_all;

use super::demonstration_queries as demonstrations;
use super::dto::{DeletedRecords, RecordId};
use super::error::Error;
use super::queries;
use super::service::{Items, Parts};
use super::view::{Record, RecordStatus, RecordView};
use crate::media::{SaveAsError, Span};
use common::crash;

impl Items {
    /// All recordings of a room, in the order in which they were made.
    ///
    /// # Errors
    /// Those of [`crate::live::Lives::room`], or the store's.
    pub async fn records(&self, live_id: &str) -> Result<Vec<RecordView>, Error> {
        let Parts { db, lives, .. } = &*self.0;
        lives.room(live_id).await?;
        let records = demonstrations::list(db, db.reader_for(true), live_id).await?;
        Ok(records.into_iter().map(|record| self.record_view(record)).collect())
    }

    /// The newest recording of an item that can be played.
    ///
    /// # Errors
    /// [`Error::NotFound`], those of [`crate::live::Lives::room`], or the store's.
    pub async fn newest_record(&self, live_id: &str, item_id: &str) -> Result<RecordView, Error> {
        let Parts { db, lives, .. } = &*self.0;
        lives.room(live_id).await?;
        let found = demonstrations::newest_done(db, db.reader_for(true), live_id, item_id).await?;
        found.map(|record| self.record_view(record)).ok_or(Error::NotFound)
    }

    /// Deletes recordings of a room; answers those that it does not have, or that go on.
    ///
    /// # Errors
    /// Those of [`crate::live::Lives::lock_for`], or the store's.
    pub async fn delete_records(
        &self,
        live_id: &str,
        seller: Option<&str>,
        ids: &[RecordId],
    ) -> Result<DeletedRecords, Error> {
        let Parts { db, lives, .. } = &*self.0;
        // No row has an id that its column cannot hold.
        let known: Vec<u32> = ids.iter().filter_map(|id| u32::try_from(id.0).ok()).collect();
        let known = &known;
        let deleted = db
            .transaction(|tx| {
                Box::pin(async move {
                    lives.lock_for(tx, live_id, seller).await?;
                    let deletable = demonstrations::deletable(tx, live_id, known).await?;
                    if !deletable.is_empty() {
                        queries::forget_records(tx, live_id, &deletable).await?;
                        demonstrations::delete(tx, &deletable).await?;
                    }
                    Ok::<_, Error>(deletable)
                })
            })
            .await?;
        let mut told: HashSet<u64> = deleted.into_iter().map(u64::from).collect();
        let failure_demon_items = ids.iter().map(|id| id.0).filter(|id| told.insert(*id)).collect();
        Ok(DeletedRecords { live_id: live_id.to_owned(), failure_demon_items })
    }

    /// Saves those of a room's recordings that wait for it; the newest of these and of `ended`, which
    /// another call may have saved meanwhile.
    pub(super) async fn save_recordings(
        &self,
        live_id: &str,
        ended: &[u32],
    ) -> Result<Option<RecordView>, Error> {
        let db = &self.0.db;
        if !ended.is_empty() {
            crash::point("item.recording_ended");
        }
        let records = demonstrations::ended(db, db.writer(), live_id, ended).await?;
        let waiting = records.iter().filter(|record| record.status == RecordStatus::Waiting);
        for saved in join_all(waiting.map(|record| self.save(record))).await {
            saved?;
        }
        let Some(newest) = records.first() else { return Ok(None) };
        let newest = demonstrations::find(db, db.writer(), newest.id).await?;
        Ok(newest.map(|record| self.record_view(record)))
    }

    /// Saves one recording, outside of any transaction. Saving it twice is harmless: it is the same span
    /// under the same name.
    async fn save(&self, record: &Record) -> Result<(), Error> {
        let Parts { db, pili, save_as, .. } = &*self.0;
        let seconds = |at: Option<chrono::DateTime<chrono::Utc>>| at.map_or(0, |at| at.timestamp());
        let fname = fname(record);
        let span = Span { fname: &fname, start: seconds(record.start), end: seconds(record.end) };
        let outcome = save_as.save(&pili.stream_name(&record.live_id), span).await;
        crash::point("item.recording_saved");
        match outcome {
            Ok(saved) => demonstrations::set_saved(db.writer(), record.id, &saved).await?,
            Err(error) => {
                tell(record, &error);
                demonstrations::set_failed(db.writer(), record.id).await?;
            }
        }
        Ok(())
    }

    fn record_view(&self, record: Record) -> RecordView {
        RecordView::new(record, |fname| self.0.pili.playback_url(fname))
    }
}

fn tell(record: &Record, error: &SaveAsError) {
    let error = error as &dyn std::error::Error;
    tracing::warn!(error, live_id = record.live_id, id = record.id, "a recording was not saved");
}

/// The name of a recording's file: its own, and the same however often it is saved. An item's id is no
/// part of it, since it may hold what does not fit in a URL.
fn fname(record: &Record) -> String {
    format!("{}-{}.m3u8", record.live_id, record.id)
}
