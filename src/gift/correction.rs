//! What an operator does to gifts by hand: end one that nobody knows about, take a paid one back.

use std::num::NonZeroI64;

use super::correction_queries::{self, Act, REFUND};
use super::error::Error;
use super::ledger::{Ledger, count_key};
use super::payment::Refusal;
use super::queries;
use super::row::{Gift, GiftStatus};
use store::db::{StoreError, Tx};
use store::statistics;

/// Characters of a reason that the column holds.
pub const REASON_CHARS: usize = 512;

/// What an operator knows of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The sender was charged.
    Paid,
    /// The sender was not charged.
    Refused,
}

/// Who does something, and why.
#[derive(Clone, Copy, Debug)]
pub struct Corrected<'a> {
    /// The operator, at most 64 characters.
    pub operator: &'a str,
    /// Any text; cut to 512 characters.
    pub reason: &'a str,
}

enum Way {
    Pay,
    Refuse,
    /// It has that status already; the operator has seen to its flag.
    Confirm,
}

impl Ledger {
    /// Ends a waiting gift as the payment service's answer would: paid with one event and one count,
    /// refused without. A flagged gift is confirmed in its status or, when it was refused, paid.
    ///
    /// # Errors
    /// [`Error::NoGift`], [`Error::State`] when it has its outcome and no flag, or the store's.
    pub async fn resolve(
        &self,
        biz_id: &str,
        verdict: Verdict,
        corrected: Corrected<'_>,
    ) -> Result<Gift, Error> {
        let resolved =
            self.db.transaction(|tx| Box::pin(self.resolve_in(tx, biz_id, verdict, corrected))).await?;
        let (status, operator) = (resolved.status.name(), corrected.operator);
        tracing::info!(biz_id, status, operator, "a gift was resolved by an operator");
        Ok(resolved)
    }

    async fn resolve_in(
        &self,
        tx: &Tx<'_>,
        biz_id: &str,
        verdict: Verdict,
        corrected: Corrected<'_>,
    ) -> Result<Gift, Error> {
        let (db, now) = (&self.db, self.clock.now());
        let gift = queries::find_for_update(db, tx, biz_id).await?.ok_or(Error::NoGift)?;
        let way = way(&gift, verdict)?;
        let reason = match &gift.flag {
            Some(flag) => format!("{} (flag: {flag})", corrected.reason),
            None => corrected.reason.to_owned(),
        };
        let kind = match verdict {
            Verdict::Paid => "paid",
            Verdict::Refused => "refused",
        };
        self.note(tx, &gift, kind, Corrected { reason: &reason, ..corrected }).await?;
        let gift = Gift { flag: None, ..gift };
        match way {
            Way::Pay => self.pay(tx, &gift, now).await?.ok_or(Error::NoGift),
            Way::Refuse => {
                let refusal = Refusal::default();
                queries::set_refused(db, tx, gift.row_id, None, &refusal, now).await?;
                Ok(Gift { refusal, ..gift }.with_status(GiftStatus::Refused))
            }
            Way::Confirm => Ok(gift),
        }
    }

    /// Takes a paid gift back, once: records who and why, and takes its amount off the statistics. Its
    /// status stays paid, since it was; the money is given back by whoever took it.
    ///
    /// # Errors
    /// [`Error::NoGift`], [`Error::State`] when it is not paid or was taken back before, or the store's.
    pub async fn refund(&self, biz_id: &str, corrected: Corrected<'_>) -> Result<Gift, Error> {
        let refunded = self.db.transaction(|tx| Box::pin(self.refund_in(tx, biz_id, corrected))).await?;
        let (amount, operator) = (refunded.sent.amount, corrected.operator);
        tracing::info!(biz_id, amount, operator, "a gift was refunded by an operator");
        Ok(refunded)
    }

    async fn refund_in(&self, tx: &Tx<'_>, biz_id: &str, corrected: Corrected<'_>) -> Result<Gift, Error> {
        let (db, now) = (&self.db, self.clock.now());
        let gift = queries::find_for_update(db, tx, biz_id).await?.ok_or(Error::NoGift)?;
        if gift.status != GiftStatus::Paid {
            return Err(Error::State("the gift is not paid"));
        }
        self.note(tx, &gift, REFUND, corrected).await?;
        if let Some(amount) = NonZeroI64::new(-i64::from(gift.sent.amount)) {
            statistics::add(db, tx, &self.known, count_key(&gift.sent), amount, now).await?;
        }
        Ok(Gift { flag: None, ..gift })
    }

    /// Records an act, and takes the flag off that it has dealt with.
    async fn note(
        &self,
        tx: &Tx<'_>,
        gift: &Gift,
        kind: &str,
        corrected: Corrected<'_>,
    ) -> Result<(), Error> {
        let reason: String = corrected.reason.chars().take(REASON_CHARS).collect();
        let act = Act { kind, operator: corrected.operator, reason: &reason };
        let noted = correction_queries::insert(tx, gift, act, self.db.wall(self.clock.now())).await;
        match noted {
            Err(StoreError::Duplicate { .. }) => return Err(Error::State("the gift was refunded before")),
            other => other?,
        }
        if gift.flag.is_some() {
            queries::set_flag(tx, gift.row_id, None).await?;
        }
        Ok(())
    }
}

fn way(gift: &Gift, verdict: Verdict) -> Result<Way, Error> {
    match (gift.status, verdict) {
        (GiftStatus::Waiting, Verdict::Paid) => Ok(Way::Pay),
        (GiftStatus::Waiting, Verdict::Refused) => Ok(Way::Refuse),
        (GiftStatus::Refused, Verdict::Paid) if gift.flag.is_some() => Ok(Way::Pay),
        (GiftStatus::Paid, Verdict::Paid) | (GiftStatus::Refused, Verdict::Refused)
            if gift.flag.is_some() =>
        {
            Ok(Way::Confirm)
        }
        (GiftStatus::Paid, Verdict::Paid) => Err(Error::State("the gift is paid already")),
        (GiftStatus::Paid, Verdict::Refused) => Err(Error::State("the gift is paid; a refund takes it back")),
        (GiftStatus::Refused, _) => Err(Error::State("the gift is refused already, and nobody said paid")),
    }
}
