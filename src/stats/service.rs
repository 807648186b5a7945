//! The rules of statistics.

use std::collections::{BTreeMap, BTreeSet};

use super::dto::{Figure, Report, ReportedCount, RoomStatistics};
use super::error::Error;
use super::queries;
use crate::clock::SharedClock;
use crate::live::Lives;
use crate::store::db::Db;
use crate::store::statistics::{self, CountKey, CountRow, KnownRows, Merge, Statistic};

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
}

impl Stats {
    /// Statistics of the rooms `lives`.
    #[must_use]
    pub fn new(db: Db, lives: Lives, clock: SharedClock) -> Self {
        Self { db, lives, clock, known: KnownRows::default() }
    }

    /// Adds what a user reports, in one statement. Types that the server counts by itself and rooms
    /// that do not exist are passed over; the user need not be in a room any more.
    ///
    /// # Errors
    /// The store's.
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
        self.db
            .transaction(|tx| {
                let rows = &rows;
                Box::pin(async move {
                    statistics::put_all(&self.db, tx, &self.known, Merge::Add, rows, now).await?;
                    Ok::<_, Error>(())
                })
            })
            .await
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
