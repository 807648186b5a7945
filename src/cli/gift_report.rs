//! Gifts on a terminal, as JSON and as CSV.

use std::io::Write;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use crate::gift::{Entry, GiftStatus};

/// A gift as the command line shows it; times are UTC. The names are those of the columns of a CSV.
#[derive(Debug, Serialize)]
pub struct Line {
    /// Row number.
    id: u32,
    /// Id of the payment.
    biz_id: String,
    created_at: String,
    updated_at: String,
    live_id: String,
    user_id: String,
    anchor_id: String,
    gift_id: i32,
    amount: i32,
    /// `waiting`, `paid` or `refused`.
    status: &'static str,
    /// How often the payment service was asked.
    asks: i32,
    /// Of a waiting gift, whether it is asked again without an operator.
    is_asked_again: bool,
    /// Why it was refused.
    refusal: String,
    /// Why somebody should look at it.
    flag: String,
    refunded_at: String,
    refunded_by: String,
    refund_reason: String,
}

impl From<Entry> for Line {
    fn from(entry: Entry) -> Self {
        let Entry { gift, refund } = entry;
        let time = |at: Option<DateTime<Utc>>| {
            at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)).unwrap_or_default()
        };
        let refusal = match gift.status {
            GiftStatus::Refused => format!("{} {}", gift.refusal.code, gift.refusal.message),
            GiftStatus::Waiting | GiftStatus::Paid => String::new(),
        };
        Self {
            id: gift.row_id,
            biz_id: gift.sent.biz_id,
            created_at: time(gift.created_at),
            updated_at: time(gift.updated_at),
            live_id: gift.sent.live_id,
            user_id: gift.sent.user_id,
            anchor_id: gift.sent.anchor_id,
            gift_id: gift.sent.gift_id,
            amount: gift.sent.amount,
            status: gift.status.name(),
            asks: gift.asks,
            is_asked_again: gift.is_scheduled,
            refusal,
            flag: gift.flag.unwrap_or_default(),
            refunded_at: time(refund.as_ref().map(|refund| refund.at)),
            refunded_by: refund.as_ref().map(|refund| refund.operator.clone()).unwrap_or_default(),
            refund_reason: refund.map(|refund| refund.reason).unwrap_or_default(),
        }
    }
}

impl Line {
    /// The line for a CSV, whose readers may calculate what it says.
    fn harmless(self) -> Self {
        Self {
            biz_id: harmless(self.biz_id),
            live_id: harmless(self.live_id),
            user_id: harmless(self.user_id),
            anchor_id: harmless(self.anchor_id),
            refusal: harmless(self.refusal),
            flag: harmless(self.flag),
            refunded_by: harmless(self.refunded_by),
            refund_reason: harmless(self.refund_reason),
            ..self
        }
    }

    /// What an operator should know besides the columns.
    fn remark(&self) -> String {
        let left = (self.status == "waiting" && !self.is_asked_again).then_some("left to an operator");
        let refunded = (!self.refunded_at.is_empty())
            .then(|| format!("refunded by {}: {}", self.refunded_by, self.refund_reason));
        let flag = (!self.flag.is_empty()).then(|| format!("FLAG {}", self.flag));
        let refusal = (!self.refusal.is_empty()).then(|| self.refusal.clone());
        let parts = [left.map(str::to_owned), refusal, flag, refunded];
        parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }
}

/// Writes a table for people.
///
/// # Errors
/// When nothing can be written.
pub fn print_table(out: &mut impl Write, lines: &[Line]) -> std::io::Result<()> {
    let head = ["sent (UTC)", "biz_id", "status", "asks", "amount", "gift", "sender", "anchor", "room"];
    let rows = lines.iter().map(|line| {
        [
            line.created_at.clone(),
            line.biz_id.clone(),
            line.status.to_owned(),
            line.asks.to_string(),
            line.amount.to_string(),
            line.gift_id.to_string(),
            line.user_id.clone(),
            line.anchor_id.clone(),
            line.live_id.clone(),
        ]
    });
    let rows: Vec<[String; 9]> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    let mut widths = [0; 9];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let remarks = std::iter::once("remark".to_owned()).chain(lines.iter().map(Line::remark));
    for (row, remark) in rows.iter().zip(remarks) {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        let cells: Vec<String> = cells.chain([remark]).collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

/// The names of a [`Line`]'s fields, in their order.
const COLUMNS: [&str; 17] = [
    "id",
    "biz_id",
    "created_at",
    "updated_at",
    "live_id",
    "user_id",
    "anchor_id",
    "gift_id",
    "amount",
    "status",
    "asks",
    "is_asked_again",
    "refusal",
    "flag",
    "refunded_at",
    "refunded_by",
    "refund_reason",
];

/// A CSV whose first row names the columns, of an empty one too.
///
/// # Errors
/// When nothing can be written.
pub fn csv_writer<W: Write>(out: W) -> csv::Result<csv::Writer<W>> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(out);
    writer.write_record(COLUMNS)?;
    Ok(writer)
}

/// Writes rows of a CSV.
///
/// # Errors
/// When nothing can be written.
pub fn write_csv<W: Write>(
    writer: &mut csv::Writer<W>,
    lines: impl IntoIterator<Item = Line>,
) -> csv::Result<()> {
    lines.into_iter().try_for_each(|line| writer.serialize(line.harmless()))
}

/// `text` as no spreadsheet takes for a formula: OWASP, "CSV Injection". Users choose their ids, and payment
/// services what they say.
fn harmless(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_are_the_fields() {
        let line = Line::from(Entry { gift: crate::gift::Gift::default(), refund: None });
        let fields = serde_json::to_value(line).unwrap_or_default();
        let names: Vec<&str> =
            fields.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, COLUMNS);
    }

    #[test]
    fn no_cell_of_a_csv_is_a_formula() {
        let attacks = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"];
        for attack in attacks {
            let mut line = Line::from(Entry { gift: crate::gift::Gift::default(), refund: None });
            for cell in [
                &mut line.biz_id,
                &mut line.live_id,
                &mut line.user_id,
                &mut line.anchor_id,
                &mut line.refusal,
                &mut line.flag,
                &mut line.refunded_by,
                &mut line.refund_reason,
            ] {
                attack.clone_into(cell);
            }
            let mut written = Vec::new();
            let mut writer = csv::Writer::from_writer(&mut written);
            assert!(write_csv(&mut writer, [line]).is_ok());
            drop(writer);
            let mut reader = csv::Reader::from_reader(written.as_slice());
            let cells: Vec<String> = reader
                .records()
                .flatten()
                .flat_map(|row| row.iter().map(str::to_owned).collect::<Vec<_>>())
                .collect();
            assert_eq!(cells.len(), COLUMNS.len());
            let quoted = cells.iter().filter(|cell| **cell == format!("'{attack}")).count();
            assert_eq!(quoted, 8, "{attack:?}: {cells:?}");
            assert!(
                cells.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t', '\r'])),
                "{cells:?}"
            );
        }
        assert_eq!(harmless("alice=1".to_owned()), "alice=1");
    }
}
