//! The rules of statistics.

use std::collections::{BTreeMap, BTreeSet};

use super::dto::{Figure, Report, ReportedCount, RoomStatistics};
use super::error::Error;
use super::queries;
use crate::live::Lives;
use common::clock::SharedClock;
use store::db::{Db, Tx};
use store::statistics::{self, CountKey, CountRow, KnownRows, Merge, Statistic};

/// The types in their order, as the reference calls them.
const TYPES: [(Statistic, &str); 7] = [
    (Statistic::Live, "Live"),
    (Statistic::Item, "Item"),
    (Statistic::Comment, "Comment"),
    (Statistic::Relay, "Relay"),
    (Statistic::Mic, "Mic"),
    (Statistic::Like, "Like"),
    (Statistic::Gift, "Gift"),
];

/// The statistics; clones share everything.
#[derive(Clone)]
pub struct Stats {
    db: Db,
    lives: Lives,
    clock: SharedClock,
    known: KnownRows,
    /// Rows that one user's reports may make in one room; 0 is no limit.
    rows_per_room: u32,
}

impl Stats {
    /// Statistics of the rooms `lives`, in each of which the reports of one user make up to `rows_per_room`
    /// rows; 0 is no limit.
    #[must_use]
    pub fn new(db: Db, lives: Lives, clock: SharedClock, rows_per_room: u32) -> Self {
        Self { db, lives, clock, known: KnownRows::default(), rows_per_room }
    }

    /// Adds what a user reports, in one statement, and another one where that makes new rows. Types that the
    /// server counts by itself and rooms that do not exist are passed over; the user need not be in a room
    /// any more.
    ///
    /// # Errors
    /// [`Error::TooManyRows`], and then nothing is added; or the store's.
    pub async fn report(&self, user_id: &str, report: &Report) -> Result<(), Error> {
        let sums = sums(&report.data);
        let rooms: BTreeSet<&str> = sums.keys().map(|(_, live_id, _)| *live_id).collect();
        let rooms = self.lives.existing(&rooms).await?;
        let counted = sums.into_iter().filter(|((_, live_id, _), _)| rooms.contains(live_id));
        let rows: Vec<CountRow<'_>> = counted
            .map(|((_, live_id, biz_id), (statistic, count))| CountRow {
                key: CountKey { statistic, live_id, user_id, biz_id },
                count,
            })
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        let are_all_known = rows.iter().all(|row| self.known.knows(row.key));
        let added = self
            .db
            .transaction(|tx| {
                let rows = &rows;
                Box::pin(async move {
                    statistics::put_all(&self.db, tx, &self.known, Merge::Add, rows, now).await?;
                    if !are_all_known {
                        self.check_rows(tx, user_id, rows).await?;
                    }
                    Ok(())
                })
            })
            .await;
        if matches!(added, Err(Error::TooManyRows(_))) {
            // None of them was made.
            rows.iter().for_each(|row| self.known.forget(row.key));
        }
        added
    }

    /// Whether a user's rows in the rooms of `rows` are within the limit, those that were just made included.
    async fn check_rows(&self, tx: &Tx<'_>, user_id: &str, rows: &[CountRow<'_>]) -> Result<(), Error> {
        if self.rows_per_room == 0 {
            return Ok(());
        }
        let rooms: BTreeSet<&str> = rows.iter().map(|row| row.key.live_id).collect();
        match queries::room_beyond(&self.db, tx, user_id, &rooms, self.rows_per_room).await? {
            Some(live_id) => Err(Error::TooManyRows(live_id)),
            None => Ok(()),
        }
    }

    /// What was counted in a room, in one statement.
    ///
    /// # Errors
    /// [`crate::live::Error::NotFound`], or the store's.
    pub async fn of_room(&self, live_id: &str) -> Result<RoomStatistics, Error> {
        self.lives.room(live_id).await?;
        let figures = queries::figures(&self.db, self.db.reader(), live_id).await?;
        let info = TYPES.map(|(statistic, type_description)| {
            let (page_view, unique_visitor) = figures.get(&statistic.column()).copied().unwrap_or_default();
            Figure { statistic, type_description, page_view, unique_visitor }
        });
        Ok(RoomStatistics { flow: String::new(), info: info.into() })
    }
}

/// By type, room and business id: what is there twice is added up.
fn sums(counts: &[ReportedCount]) -> BTreeMap<(i32, &str, &str), (Statistic, i64)> {
    let mut sums = BTreeMap::new();
    for count in counts {
        let Some(statistic) = count.statistic() else { continue };
        let key = (statistic.column(), count.live_id.as_str(), count.biz_id.as_deref().unwrap_or_default());
        let (_, sum) = sums.entry(key).or_insert((statistic, 0_i64));
        *sum = sum.saturating_add(count.count);
    }
    sums
}
