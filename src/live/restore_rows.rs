//! Rows that say `in`, read in the order of when their users' heartbeats were written: by the index
//! `(status, heart_beat_at)`.

use sea_orm::{ConnectionTrait, QueryResult, Statement, Value};

use store::cache::Member;
use store::db::{Db, StoreError, WallTime};

/// Which rows, and from where on.
#[derive(Clone, Copy, Debug)]
pub enum Wanted {
    /// Without a time, and with an id above this one.
    Never {
        /// The id of a row.
        after: u32,
    },
    /// With a time, in the order of time and id.
    Written {
        /// The place before the first; None for the beginning.
        after: Option<(WallTime, u32)>,
        /// The time of the first that is not wanted; None for the end.
        until: Option<WallTime>,
    },
}

impl Wanted {
    /// All rows.
    pub fn all() -> [Self; 2] {
        [Self::Never { after: 0 }, Self::Written { after: None, until: None }]
    }

    /// Rows that were not written since `old`, and those of a clock that is ahead of `future`.
    pub fn unwritten(old: WallTime, future: WallTime) -> [Self; 3] {
        [
            Self::Never { after: 0 },
            Self::Written { after: None, until: Some(old) },
            Self::Written { after: Some((future, u32::MAX)), until: None },
        ]
    }

    /// A page, and where to go on when there may be more.
    pub async fn page(
        self,
        db: &Db,
        conn: &impl ConnectionTrait,
        limit: usize,
    ) -> Result<(Option<Self>, Vec<Member>), StoreError> {
        let (filter, values) = self.filter();
        // Named apart, since MariaDB would sort rows whose time is NULL.
        let order = if matches!(self, Self::Never { .. }) { "id" } else { "heart_beat_at, id" };
        let sql = format!(
            "SELECT id, live_id, user_id, heart_beat_at FROM live_room_user_entities \
             WHERE status = 1 AND {filter} ORDER BY {order} LIMIT {limit}"
        );
        let statement = Statement::from_sql_and_values(db.dialect().backend(), sql, values);
        let rows = conn.query_all_raw(statement).await?;
        let last = rows.last().filter(|_| rows.len() == limit);
        let next = last.map(|last| self.behind(last)).transpose()?;
        let mut members = Vec::with_capacity(rows.len());
        for row in &rows {
            let live_id: Option<String> = row.try_get("", "live_id")?;
            let user_id: Option<String> = row.try_get("", "user_id")?;
            if let (Some(live_id), Some(user_id)) = (live_id.filter(|id| !id.is_empty()), user_id) {
                members.push(Member { live_id, user_id });
            }
        }
        Ok((next, members))
    }

    fn filter(self) -> (String, Vec<Value>) {
        let (after, until) = match self {
            Self::Never { after } => {
                return ("heart_beat_at IS NULL AND id > ?".to_owned(), vec![after.into()]);
            }
            Self::Written { after, until } => (after, until),
        };
        let (mut filter, mut values) = ("heart_beat_at IS NOT NULL".to_owned(), Vec::new());
        if let Some((time, row_id)) = after {
            // The first comparison is for SQLite; of the others MySQL makes two ranges.
            filter = "heart_beat_at >= ? AND (heart_beat_at = ? AND id > ? OR heart_beat_at > ?)".to_owned();
            values.extend([Value::from(time), time.into(), row_id.into(), time.into()]);
        }
        if let Some(until) = until {
            filter.push_str(" AND heart_beat_at < ?");
            values.push(until.into());
        }
        (filter, values)
    }

    /// The rows after `last`.
    fn behind(self, last: &QueryResult) -> Result<Self, StoreError> {
        let row_id: u32 = last.try_get("", "id")?;
        Ok(match self {
            Self::Never { .. } => Self::Never { after: row_id },
            Self::Written { until, .. } => {
                Self::Written { after: Some((last.try_get("", "heart_beat_at")?, row_id)), until }
            }
        })
    }
}
