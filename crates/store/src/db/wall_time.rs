//! The one place where an instant meets the wall-clock time of a DATETIME column.

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use sea_orm::sea_query::{ArrayType, ColumnType, Nullable, Value, ValueType, ValueTypeErr};
use sea_orm::{ColIdx, QueryResult, TryGetError, TryGetable};

/// Wall-clock time in the zone of the database (`databases[].loc`), in whole seconds: what a
/// DATETIME column holds. Code works with instants; [`super::Db::wall`] and
/// [`super::Db::instant`] convert.
///
/// Fractions are cut off here, because MySQL would round them and MariaDB would cut them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallTime(NaiveDateTime);

impl WallTime {
    /// The wall-clock time in `zone` at `instant`.
    #[must_use]
    pub fn at(instant: DateTime<Utc>, zone: Tz) -> Self {
        Self(cut(instant.with_timezone(&zone).naive_local()))
    }

    /// A wall-clock time as it is written; for tests and for data from elsewhere.
    #[must_use]
    pub fn from_naive(naive: NaiveDateTime) -> Self {
        Self(cut(naive))
    }

    /// As it is written, without its zone.
    #[must_use]
    pub fn naive(self) -> NaiveDateTime {
        self.0
    }

    /// The instant at which clocks in `zone` show this time. Where they show it twice (the hour
    /// after daylight saving ends) it is the first one; where they never show it (the hour
    /// skipped when it starts) it is as long after the jump as the time is after the gap began.
    #[must_use]
    pub fn instant(self, zone: Tz) -> DateTime<Utc> {
        match zone.from_local_datetime(&self.0) {
            MappedLocalTime::Single(one) | MappedLocalTime::Ambiguous(one, _) => one.with_timezone(&Utc),
            MappedLocalTime::None => skipped(self.0, zone),
        }
    }
}

impl From<WallTime> for Value {
    fn from(wall: WallTime) -> Self {
        wall.0.into()
    }
}

impl TryGetable for WallTime {
    fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        match NaiveDateTime::try_get_by(row, index) {
            Err(TryGetError::DbErr(refused)) => {
                // The one TIMESTAMP column: the server shows it as wall-clock time too, and the
                // driver, which would have it in UTC, only labels it so.
                let labelled = DateTime::<Utc>::try_get_by(row, index);
                labelled.map(|at| Self(at.naive_utc())).map_err(|_| TryGetError::DbErr(refused))
            }
            read => read.map(Self),
        }
    }
}

impl ValueType for WallTime {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        <NaiveDateTime as ValueType>::try_from(value).map(Self)
    }

    fn type_name() -> String {
        "WallTime".to_owned()
    }

    fn array_type() -> ArrayType {
        NaiveDateTime::array_type()
    }

    fn column_type() -> ColumnType {
        NaiveDateTime::column_type()
    }
}

impl Nullable for WallTime {
    fn null() -> Value {
        NaiveDateTime::null()
    }
}

/// Reads a time inside a gap with the offset in force before the gap.
fn skipped(naive: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    // No gap of the tz database is longer than a day (Samoa skipped one day in 2011).
    let before = naive - TimeDelta::hours(25);
    let shown = zone.from_local_datetime(&before).earliest().map(|at| at.with_timezone(&Utc));
    shown.unwrap_or_else(|| before.and_utc()) + TimeDelta::hours(25)
}

fn cut(naive: NaiveDateTime) -> NaiveDateTime {
    naive.with_nanosecond(0).unwrap_or(naive)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use chrono_tz::{America::New_York, Asia::Shanghai};

    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn shown(instant: &str, zone: Tz) -> String {
        WallTime::at(utc(instant), zone).naive().to_string()
    }

    #[test]
    fn fractions_are_cut_not_rounded() {
        assert_eq!(shown("2026-01-02T03:04:05.999999Z", Shanghai), "2026-01-02 11:04:05");
        let wall = WallTime::at(utc("2026-01-02T03:04:05.999Z"), Shanghai);
        assert_eq!(wall.instant(Shanghai), utc("2026-01-02T03:04:05Z"));
    }

    #[test]
    fn the_hour_shown_twice_reads_as_its_first_occurrence() {
        // New York set its clocks back from 02:00 to 01:00 on 1 November 2026, at 06:00 UTC.
        assert_eq!(shown("2026-11-01T05:30:00Z", New_York), "2026-11-01 01:30:00");
        assert_eq!(shown("2026-11-01T06:30:00Z", New_York), "2026-11-01 01:30:00");
        let wall = WallTime::at(utc("2026-11-01T06:30:00Z"), New_York);
        assert_eq!(wall.instant(New_York), utc("2026-11-01T05:30:00Z"));
    }

    #[test]
    fn the_hour_never_shown_is_read_past_the_jump() {
        // 02:30 did not exist on 8 March 2026 in New York; 30 minutes after the jump is 07:30 UTC.
        let naive = "2026-03-08T02:30:00".parse().unwrap();
        assert_eq!(WallTime::from_naive(naive).instant(New_York), utc("2026-03-08T07:30:00Z"));
    }
}
