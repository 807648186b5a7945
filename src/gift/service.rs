//! Sending gifts: who may, which row it is, and the call of the payment service.

use std::sync::Arc;

use super::asker::Asker;
use super::catalogue::GiftTypes;
use super::claims::Claim;
use super::dto::{SendGift, SendGiftFor};
use super::error::Error;
use super::ledger::Ledger;
use super::payment::Payment;
use super::queries::{self, Name};
use super::row::{Gift, GiftStatus};
use super::send_key::ClientKey;
use crate::event::GiftRow;
use crate::live::{self, LiveStatus, Lives, Room};
use crate::user::Users;
use common::crash;
use common::id::IdGenerator;
use store::db::{Db, StoreError};
use store::fence::Fence;
use telemetry::context;

/// What gifts are made of.
pub struct Parts {
    /// The database.
    pub db: Db,
    /// Issues the ids of payments.
    pub ids: Arc<IdGenerator>,
    /// The users.
    pub users: Users,
    /// The rooms.
    pub lives: Lives,
    /// The gift types.
    pub types: GiftTypes,
    /// The gifts and their outcomes.
    pub ledger: Ledger,
    /// The payment service.
    pub payment: Payment,
    /// The HTTP status of a gift that is not paid.
    pub unpaid_status: u16,
}

/// The gifts; clones share everything.
#[derive(Clone)]
pub struct Gifts(pub(super) Arc<Parts>);

/// What somebody wants to send.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Order {
    user_id: String,
    live_id: String,
    gift_id: i32,
    amount: i32,
}

impl Order {
    fn is_of(&self, gift: &GiftRow) -> bool {
        self.user_id == gift.user_id
            && self.live_id == gift.live_id
            && self.gift_id == gift.gift_id
            && self.amount == gift.amount
    }
}

/// Where an order stands before the payment service is asked.
enum Placed {
    /// Its row was made now.
    New(Claim),
    /// Its row may have been made.
    Lost(Gift),
    /// It was sent before.
    Former(Gift),
}

impl Gifts {
    /// Gifts made of `parts`.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The gift types.
    #[must_use]
    pub fn types(&self) -> &GiftTypes {
        &self.0.types
    }

    /// The gifts and their outcomes.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }

    /// Sends a gift of `user_id`. With a key that the user has used before, answers the outcome of that
    /// gift. At most five statements beside the look-ups.
    ///
    /// # Errors
    /// [`Error::Unpaid`] when it is not paid, or nobody knows yet; [`Error::OtherContent`] when the key
    /// was used for another gift; why the gift may not be sent; or the store's, and then no gift was
    /// sent: one whose row may have been stored is [`Error::Unpaid`] as well, but for one with a key
    /// that is not found; to send that again is harmless.
    pub async fn send(
        &self,
        user_id: &str,
        gift: SendGift,
        key: Option<ClientKey>,
    ) -> Result<GiftRow, Error> {
        let SendGift { live_id, gift_id, amount, .. } = gift;
        let order = Order { user_id: user_id.to_owned(), live_id, gift_id, amount };
        let issued = self.0.ids.next()?.to_string();
        let name = match key {
            Some(key) => Name::Client(key, issued),
            None => Name::Issued(issued),
        };
        self.finish(order, name, false).await
    }

    /// Sends a gift in a user's name, under the caller's own id. For an id that was used before, answers
    /// the outcome of that gift; with `redo` the payment service is asked again first, if nobody knows it.
    ///
    /// # Errors
    /// As [`Gifts::send`]; `user::Error::NotFound` for an unknown sender.
    pub async fn send_for(&self, live_id: &str, gift_id: i32, gift: SendGiftFor) -> Result<GiftRow, Error> {
        let SendGiftFor { biz_id, user_id, amount, redo, .. } = gift;
        let order = Order { user_id, live_id: live_id.to_owned(), gift_id, amount };
        self.finish(order, Name::BizId(biz_id), redo).await
    }

    /// In a task of its own: a caller who hangs up must not leave a gift behind whose payment was asked
    /// for and whose answer nobody reads.
    async fn finish(&self, order: Order, name: Name, redo: bool) -> Result<GiftRow, Error> {
        let gifts = self.clone();
        let sending = tokio::spawn(context::carry(async move {
            match gifts.place(&order, &name).await? {
                Placed::New(claim) => Ok(gifts.ask(claim, Asker::Send, None).await),
                // Were the caller told that nothing was sent, they would send it again, and pay twice.
                Placed::Lost(gift) => Ok(gift),
                Placed::Former(gift) => gifts.repeat(&order, &name, gift, redo).await,
            }
        }));
        let gift = sending.await.map_err(|_| Error::Interrupted)?;
        self.answer(gift?)
    }

    fn answer(&self, gift: Gift) -> Result<GiftRow, Error> {
        match gift.status {
            GiftStatus::Paid => Ok(gift.sent),
            GiftStatus::Waiting | GiftStatus::Refused => Err(Error::unpaid(gift, self.0.unpaid_status)),
        }
    }

    /// Makes the row of an order that may be sent, or finds that of its name. A repeat is answered even
    /// if it could not be sent any more.
    async fn place(&self, order: &Order, name: &Name) -> Result<Placed, Error> {
        let refused = match self.accept(order).await {
            Ok(room) => match self.0.ledger.open(sent(order, name, &room), name).await {
                Ok(claim) => {
                    crash::point(Asker::Send.steps().claimed);
                    return Ok(Placed::New(claim));
                }
                // The name is taken; should nothing be found under it, then by one that the database
                // cannot tell from it.
                Err(StoreError::Duplicate { .. }) => Error::OtherContent("biz_id"),
                Err(StoreError::Lost { reason }) => {
                    tracing::warn!(biz_id = name.biz_id(), reason, "it is unknown whether a gift was stored");
                    // The gift of a client's key may have been another call's, under another id: the
                    // client is told what is found, or to send again, which is harmless with a key.
                    if !matches!(name, Name::Client(..)) {
                        return Ok(Placed::Lost(self.0.ledger.unseen(sent(order, name, &room))));
                    }
                    StoreError::Lost { reason }.into()
                }
                Err(error) => return Err(error.into()),
            },
            Err(refused) => refused,
        };
        if matches!(name, Name::Issued(_)) {
            return Err(refused);
        }
        let db = &self.0.db;
        let former = queries::find_named(db, db.reader_for(true), &order.user_id, name).await?;
        former.map(Placed::Former).ok_or(refused)
    }

    /// The room of an order that may be sent.
    async fn accept(&self, order: &Order) -> Result<Arc<Room>, Error> {
        let Parts { lives, types, .. } = self.0.as_ref();
        let room = lives.room(&order.live_id).await?;
        let wanted = types.find(order.gift_id).await?;
        if !lives.is_in_room(&order.live_id, &order.user_id).await? {
            // A backend may name anybody; a client is somebody.
            self.0.users.find(&order.user_id).await?;
            return Err(Error::NotInRoom);
        }
        if room.status != LiveStatus::Live {
            return Err(live::Error::NotLive.into());
        }
        let is_multiple = order.amount > 0 && order.amount.checked_rem(wanted.amount) == Some(0);
        if wanted.amount != 0 && !is_multiple {
            return Err(Error::NotAMultiple(wanted.amount));
        }
        Ok(room)
    }

    /// The outcome of a gift that was sent before.
    async fn repeat(&self, order: &Order, name: &Name, gift: Gift, redo: bool) -> Result<Gift, Error> {
        if !order.is_of(&gift.sent) {
            let what = if matches!(name, Name::Client(..)) { "Idempotency-Key or biz_id" } else { "biz_id" };
            return Err(Error::OtherContent(what));
        }
        if !redo || gift.status != GiftStatus::Waiting {
            return Ok(gift);
        }
        match self.0.ledger.claim(gift.clone()).await? {
            Some(claim) => Ok(self.ask(claim, Asker::Redo, None).await),
            None => Ok(gift),
        }
    }

    /// Asks the payment service and writes down what it said. When that fails the gift is as unknown as
    /// without an answer.
    async fn ask(&self, claim: Claim, by: Asker, fence: Option<&dyn Fence>) -> Gift {
        let answer = self.0.payment.ask(&claim.gift.sent).await;
        match self.0.ledger.record(&claim, &answer, by, fence).await {
            Ok(gift) => gift,
            Err(error) => {
                let biz_id = &claim.gift.sent.biz_id;
                tracing::error!(biz_id, %error, ?answer, "the outcome of a gift could not be stored");
                claim.gift
            }
        }
    }

    /// Asks again about a gift that was claimed by the job; its outcome, as far as it is known.
    pub async fn settle(&self, claim: Claim, fence: &dyn Fence) -> GiftStatus {
        self.ask(claim, Asker::Settle, Some(fence)).await.status
    }
}

fn sent(order: &Order, name: &Name, room: &Room) -> GiftRow {
    GiftRow {
        biz_id: name.biz_id().to_owned(),
        user_id: order.user_id.clone(),
        live_id: order.live_id.clone(),
        anchor_id: room.anchor_id.clone(),
        gift_id: order.gift_id,
        amount: order.amount,
        status: GiftStatus::Waiting.column(),
    }
}
