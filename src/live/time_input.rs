//! Times as callers spell them: what QNLiveKit_Server's reader (Go's `dateparse`, in UTC+8) takes of a
//! caller who means an instant.

use std::fmt;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

/// An instant as callers spell it, cut to whole seconds; `0` and an empty text are no instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeInput(pub Option<DateTime<Utc>>);

/// The zone of a time without one: the service's home, whatever the server's zone.
const HOME_OFFSET_S: i32 = 8 * 3600;

/// The last second of the year 9999, the largest that a DATETIME column holds.
const LAST_SECOND: i64 = 253_402_300_799;

/// Numbers of 13 digits count milliseconds.
const MILLIS: std::ops::Range<i64> = 1_000_000_000_000..10_000_000_000_000;

/// How a time of day may be written.
const TIMES: [&str; 4] = ["%H:%M:%S%.f", "%H:%M", "%I:%M:%S %p", "%I:%M %p"];

impl TimeInput {
    fn from_number(number: i64) -> Option<Self> {
        Self::from_seconds(match number {
            number if MILLIS.contains(&number) => number / 1000,
            seconds => seconds,
        })
    }

    fn from_seconds(seconds: i64) -> Option<Self> {
        match seconds {
            0 => Some(Self(None)),
            1..=LAST_SECOND => DateTime::from_timestamp(seconds, 0).map(|at| Self(Some(at))),
            _ => None,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return Some(Self(None));
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return compact(text).map_or_else(|| Self::from_number(text.parse().ok()?), Self::from_wall);
        }
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Self::from_seconds(at.timestamp());
        }
        let (date, rest) = text.split_once([' ', 'T']).unwrap_or((text, ""));
        let date = read_date(date)?;
        let rest = rest.trim();
        if rest.is_empty() {
            return Self::from_wall(date.and_time(NaiveTime::MIN));
        }
        if let Some(time) = read_time(rest) {
            return Self::from_wall(date.and_time(time));
        }
        let (time, offset) = split_offset(rest)?;
        let wall = date.and_time(read_time(time)?);
        Self::from_seconds(offset.from_local_datetime(&wall).single()?.timestamp())
    }

    fn from_wall(wall: NaiveDateTime) -> Option<Self> {
        let home = FixedOffset::east_opt(HOME_OFFSET_S)?;
        Self::from_seconds(home.from_local_datetime(&wall).single()?.timestamp())
    }
}

/// `20301202` and `20301202111100`, as long as they are dates.
fn compact(digits: &str) -> Option<NaiveDateTime> {
    match digits.len() {
        8 => NaiveDate::parse_from_str(digits, "%Y%m%d").ok().map(|date| date.and_time(NaiveTime::MIN)),
        14 => NaiveDateTime::parse_from_str(digits, "%Y%m%d%H%M%S").ok(),
        _ => None,
    }
}

/// A date with one separator, the year first or last and always of four digits.
fn read_date(text: &str) -> Option<NaiveDate> {
    let separator = text.chars().find(|letter| matches!(letter, '-' | '/' | '.'))?;
    let parts: Vec<&str> = text.split(separator).collect();
    let digits = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    let year_first = matches!(parts.as_slice(), [year, month, day]
        if year.len() == 4 && month.len() <= 2 && day.len() <= 2);
    let year_last = matches!(parts.as_slice(), [month, day, year]
        if year.len() == 4 && month.len() <= 2 && day.len() <= 2);
    if !parts.iter().all(digits) || !(year_first || year_last) {
        return None;
    }
    let plain = parts.join("-");
    NaiveDate::parse_from_str(&plain, if year_first { "%Y-%m-%d" } else { "%m-%d-%Y" }).ok()
}

fn read_time(text: &str) -> Option<NaiveTime> {
    TIMES.iter().find_map(|format| NaiveTime::parse_from_str(text, format).ok())
}

/// A time and the offset behind it: `Z`, `+0800` or `+08:00`, with or without a space before it.
fn split_offset(text: &str) -> Option<(&str, FixedOffset)> {
    if let Some(time) = text.strip_suffix(['Z', 'z']) {
        return Some((time.trim_end(), FixedOffset::east_opt(0)?));
    }
    let at = text.rfind(['+', '-'])?;
    let (time, offset) = text.split_at_checked(at)?;
    Some((time.trim_end(), offset.parse().ok()?))
}

impl<'de> Deserialize<'de> for TimeInput {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TimeVisitor;

        impl Visitor<'_> for TimeVisitor {
            type Value = TimeInput;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time as Unix seconds, as milliseconds or as `2021-12-02 11:11:11`")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<TimeInput, E> {
                // As the reference does, which reads the digits.
                let read = compact(&number.to_string())
                    .map_or_else(|| TimeInput::from_number(number), TimeInput::from_wall);
                read.ok_or_else(|| E::invalid_value(de::Unexpected::Signed(number), &self))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<TimeInput, E> {
                self.visit_i64(i64::try_from(number).unwrap_or(i64::MAX))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<TimeInput, E> {
                TimeInput::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_any(TimeVisitor)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<String> {
        let time: TimeInput = serde_json::from_str(json).ok()?;
        Some(time.0.map_or_else(|| "none".to_owned(), |at| at.to_rfc3339()))
    }

    #[test]
    fn one_instant_in_all_its_spellings() {
        for json in [
            "1922411460",
            "\"1922411460\"",
            "1922411460000",
            "\"1922411460999\"",
            "\"2030-12-02 11:11\"",
            "\"2030-12-02 11:11:00\"",
            "\"2030-12-02 11:11:00.999\"",
            "\"2030-12-2 11:11\"",
            "\"2030/12/02 11:11:00\"",
            "\"2030/12/2 11:11\"",
            "\"2030.12.02 11:11\"",
            "\"12/02/2030 11:11\"",
            "\"12/2/2030 11:11:00 AM\"",
            "\"2030-12-02T11:11:00\"",
            "\"2030-12-02T03:11:00Z\"",
            "\"2030-12-02 03:11:00 +0000\"",
            "\"2030-12-02 12:11:00+09:00\"",
            "\"20301202111100\"",
            "20301202111100",
            "\" 2030-12-02 11:11 \"",
        ] {
            assert_eq!(read(json).as_deref(), Some("2030-12-02T03:11:00+00:00"), "{json}");
        }
        for json in ["\"2030-12-02\"", "\"2030/12/02\"", "\"2030/12/2\"", "\"20301202\"", "20301202"] {
            assert_eq!(read(json).as_deref(), Some("2030-12-01T16:00:00+00:00"), "a day begins: {json}");
        }
    }

    #[test]
    fn nothing_is_no_instant_and_nonsense_is_refused() {
        for json in ["0", "\"0\"", "\"\"", "\" \""] {
            assert_eq!(read(json).as_deref(), Some("none"), "{json}");
        }
        for json in [
            "-1",
            "true",
            "\"soon\"",
            "\"2030-13-02 11:11\"",
            "\"2030-12-02 25:11\"",
            "\"2030-12-02 11:11 or so\"",
            "\"30-12-02\"",
            "\"2030-12\"",
            "\"2030-12/02\"",
            "\"+2030-12-02\"",
            "\"2030-12-02 11:11:00 +9900\"",
            "\"99999999999999999999\"",
            "999999999999",
            "9223372036854775807",
        ] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
