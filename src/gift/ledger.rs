//! The one place that ends gifts: what the payment service said, written down once.

use chrono::{DateTime, TimeDelta, Utc};

use super::asker::Asker;
use super::claims::{self, Claim};
use super::error::Error;
use super::metrics::Metrics;
use super::pace::Pace;
use super::payment::{Answer, Refusal};
use super::queries::{self, Name};
use super::row::{Gift, GiftStatus};
use crate::event::{self, DomainEvent, GiftRow};
use common::clock::{SharedClock, millis};
use common::crash;
use store::db::{Db, StoreError, Tx};
use store::fence::Fence;
use store::statistics::{self, CountKey, KnownRows, Statistic};

/// Gifts whose outcome is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// Those that the payment service is asked about again, be it for the last time.
    pub scheduled: i64,
    /// Those of them whose time is not over.
    pub waiting: i64,
    /// All others, which are for an operator: their time is over, whether or not the last ask could be
    /// made by then, or they never had any.
    pub given_up: i64,
}

/// The gifts and their outcomes; clones share everything.
#[derive(Clone)]
pub struct Ledger {
    pub(super) db: Db,
    pub(super) clock: SharedClock,
    pub(super) metrics: Metrics,
    /// Counts of gifts that are in the table.
    pub(super) known: KnownRows,
    pace: Pace,
}

/// What became of an attempt to end a gift.
struct Ended {
    gift: Gift,
    is_ended: bool,
    is_flagged: bool,
}

#[derive(Clone, Copy)]
enum Said<'a> {
    Paid,
    Refused(&'a Refusal),
}

impl Said<'_> {
    fn name(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Refused(_) => "refused",
        }
    }
}

impl Ledger {
    /// The gifts in `db`.
    #[must_use]
    pub fn new(db: Db, clock: SharedClock, pace: Pace, metrics: Metrics) -> Self {
        Self { db, clock, metrics, known: KnownRows::default(), pace }
    }

    /// Stores a waiting gift, with the right to ask about it. One statement.
    pub(super) async fn open(&self, sent: GiftRow, name: &Name) -> Result<Claim, StoreError> {
        let (db, now) = (&self.db, self.clock.now());
        let row_id = queries::insert(db, db.writer(), &sent, name, millis(self.pace.lease), now).await?;
        let gift = Gift { row_id, ..self.unseen(sent) };
        Ok(Claim { gift, ask: 1 })
    }

    /// A gift that waits, whose row nobody has seen yet.
    pub(super) fn unseen(&self, sent: GiftRow) -> Gift {
        let now = self.clock.now();
        Gift {
            row_id: 0,
            sent,
            status: GiftStatus::Waiting,
            asks: 1,
            is_scheduled: true,
            refusal: Refusal::default(),
            flag: None,
            created_at: Some(now),
            updated_at: Some(now),
        }
    }

    /// The right to ask again about a waiting gift; None while somebody else asks.
    pub(super) async fn claim(&self, gift: Gift) -> Result<Option<Claim>, StoreError> {
        claims::claim(&self.db, self.db.writer(), gift, millis(self.pace.lease)).await
    }

    /// The right to ask about up to `limit` gifts whose time has come.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] when another node leads, or the store's.
    pub async fn claim_due(&self, fence: &dyn Fence, limit: u64) -> Result<Vec<Claim>, Error> {
        let claimed = self
            .db
            .transaction(|tx| {
                Box::pin(async move {
                    fence.check(tx).await?;
                    Ok::<_, Error>(claims::claim_due(&self.db, tx, limit, millis(self.pace.lease)).await?)
                })
            })
            .await?;
        if !claimed.is_empty() {
            crash::point(Asker::Settle.steps().claimed);
        }
        Ok(claimed)
    }

    /// Writes down what the payment service said, and answers the gift as it is then. Paid comes with
    /// its event and its statistics, once, whoever hears it; an answer against one that was written
    /// down before flags the gift.
    ///
    /// A paid gift is paid whoever holds the right to ask, since the service will say nothing else
    /// later. A refusal is written only by the last who asked.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] when `fence` says so, or the store's; the gift then stays as it was, and is
    /// asked about again.
    pub async fn record(
        &self,
        claim: &Claim,
        answer: &Answer,
        by: Asker,
        fence: Option<&dyn Fence>,
    ) -> Result<Gift, Error> {
        crash::point(by.steps().answered);
        let said = match answer {
            Answer::Paid => Said::Paid,
            Answer::Refused(refusal) => Said::Refused(refusal),
            Answer::Unknown(why) => {
                self.metrics.asked(by.name(), "unknown");
                let biz_id = &claim.gift.sent.biz_id;
                tracing::warn!(biz_id, error = %why, cause = ?std::error::Error::source(why), ask = claim.ask,
                    "it is unknown whether a gift is paid");
                self.postpone(claim).await?;
                return Ok(claim.gift.clone());
            }
        };
        self.metrics.asked(by.name(), said.name());
        let Ended { gift, is_ended, is_flagged } = self.end(claim, said, by, fence).await?;
        crash::point(by.steps().ended);
        if is_ended {
            self.metrics.ended(said.name());
        }
        if is_flagged {
            self.metrics.flagged(said.name());
            let (biz_id, status) = (&gift.sent.biz_id, gift.status.name());
            tracing::error!(
                biz_id,
                status,
                said = said.name(),
                flag = gift.flag.as_deref(),
                "a gift is flagged"
            );
        }
        Ok(gift)
    }

    async fn end(
        &self,
        claim: &Claim,
        said: Said<'_>,
        by: Asker,
        fence: Option<&dyn Fence>,
    ) -> Result<Ended, Error> {
        let now = self.clock.now();
        self.db
            .transaction(|tx| {
                Box::pin(async move {
                    if let Some(fence) = fence {
                        fence.check(tx).await?;
                    }
                    let ended = match said {
                        Said::Paid => self.pay(tx, &claim.gift, now).await?,
                        Said::Refused(refusal) => self.refuse(tx, claim, refusal, now).await?,
                    };
                    let ended = match ended {
                        Some(gift) => Ended { gift, is_ended: true, is_flagged: false },
                        None => self.compare(tx, claim, said, now).await?,
                    };
                    crash::point(by.steps().ending);
                    Ok(ended)
                })
            })
            .await
    }

    /// Ends a gift, found in that status, as paid, with all that belongs to it; None when it has
    /// another status by now. Four statements; the event comes last.
    pub(super) async fn pay(
        &self,
        tx: &Tx<'_>,
        gift: &Gift,
        now: DateTime<Utc>,
    ) -> Result<Option<Gift>, Error> {
        if !queries::set_paid(&self.db, tx, gift.row_id, gift.status, now).await? {
            return Ok(None);
        }
        let paid = gift.clone().with_status(GiftStatus::Paid);
        let sent = &paid.sent;
        if let Some(amount) = std::num::NonZeroI64::new(sent.amount.into()) {
            statistics::add(&self.db, tx, &self.known, count_key(sent), amount, now).await?;
        }
        let event = DomainEvent::GiftSent { gift: Box::new(sent.clone()) };
        event::append(tx, &self.db, &sent.live_id, &event, now).await?;
        Ok(Some(paid))
    }

    async fn refuse(
        &self,
        tx: &Tx<'_>,
        claim: &Claim,
        refusal: &Refusal,
        now: DateTime<Utc>,
    ) -> Result<Option<Gift>, Error> {
        let gift = &claim.gift;
        let is_ended = queries::set_refused(&self.db, tx, gift.row_id, Some(claim.ask), refusal, now).await?;
        let refused = || Gift { refusal: refusal.clone(), ..gift.clone() }.with_status(GiftStatus::Refused);
        Ok(is_ended.then(refused))
    }

    /// An answer that could not be written down: repeats what is written, comes too late to count, or
    /// contradicts it.
    async fn compare(
        &self,
        tx: &Tx<'_>,
        claim: &Claim,
        said: Said<'_>,
        now: DateTime<Utc>,
    ) -> Result<Ended, Error> {
        let mut gift = queries::find_row(&self.db, tx, claim.gift.row_id).await?.ok_or(Error::NoGift)?;
        let flag = match (gift.status, said) {
            (GiftStatus::Refused, Said::Paid) => {
                Some("the payment service said paid after the refusal".to_owned())
            }
            (GiftStatus::Paid, Said::Refused(refusal)) => {
                Some(format!("the payment service refused with code {} after it was paid", refusal.code))
            }
            _ => None,
        };
        let mut is_flagged = false;
        if let Some(flag) = flag {
            let flag = format!("{flag}, {}", now.format("%Y-%m-%dT%H:%M:%SZ"));
            is_flagged = queries::set_flag(tx, gift.row_id, Some(&flag)).await?;
            gift.flag.get_or_insert(flag);
        }
        Ok(Ended { gift, is_ended: false, is_flagged })
    }

    /// Sees to it that the gift is asked about later, or is given up.
    async fn postpone(&self, claim: &Claim) -> Result<(), StoreError> {
        let age = claim.gift.created_at.map_or(TimeDelta::zero(), |at| self.clock.now() - at);
        let pause = self.pace.pause(claim.ask, age.to_std().unwrap_or_default());
        if pause.is_none() {
            let biz_id = &claim.gift.sent.biz_id;
            tracing::error!(
                biz_id,
                asks = claim.ask,
                "a gift is left to an operator: liveloom gifts resolve"
            );
        }
        claims::give_back(&self.db, self.db.writer(), claim, pause).await
    }

    /// How many gifts have no outcome. One statement.
    ///
    /// # Errors
    /// The store's.
    pub async fn count_open(&self) -> Result<Open, Error> {
        let overdue = self.clock.now() - self.pace.give_up;
        let (all, scheduled, waiting) =
            claims::count_open(&self.db, self.db.reader_for(true), overdue).await?;
        Ok(Open { scheduled, waiting, given_up: all - waiting })
    }
}

/// What a paid gift counts for.
pub(super) fn count_key(sent: &GiftRow) -> CountKey<'_> {
    CountKey {
        statistic: Statistic::Gift,
        live_id: &sent.live_id,
        user_id: &sent.user_id,
        biz_id: &sent.anchor_id,
    }
}
