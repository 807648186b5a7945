//! Why a call about gifts failed.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::payment::Refusal;
use super::row::{Gift, GiftStatus};
use crate::live;
use crate::user;
use common::failure::{Failure, Kind};
use common::id::IdError;
use store::db::{RetryableError, StoreError};
use store::fence::LeaseLost;
use store::lookup::SharedError;

/// Why a call about gifts failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no gift with this id.
    #[error("there is no such gift")]
    NoGift,
    /// There is no gift type with this id, or it is deleted.
    #[error("there is no such gift type")]
    NoType,
    /// The stand-in payment service is not in use.
    #[error("this server is not its own payment service")]
    NotInUse,
    /// The amount is not one that the gift type may have.
    #[error("amount: must be {0} or a multiple of it")]
    NotAMultiple(i32),
    /// The id or the key names a gift with other content.
    #[error("{0}: was used for another gift")]
    OtherContent(&'static str),
    /// The caller did not send the gift.
    #[error("only its sender may see the gift")]
    NotSender,
    /// The caller is not the room's anchor.
    #[error("only the anchor of the room may see its gifts")]
    NotAnchor,
    /// The sender is not in the room.
    #[error("the sender is not in the room")]
    NotInRoom,
    /// The gift is not paid, or it is not known yet whether it is.
    #[error("gift {biz_id} is not paid: {}", refusal.message)]
    Unpaid {
        /// `gift.unpaid_status`.
        http_status: u16,
        /// The gift.
        biz_id: String,
        /// Waiting or refused.
        status: GiftStatus,
        /// What the sender is told.
        refusal: Refusal,
    },
    /// An operator's act that the gift's state does not allow; the text says the state.
    #[error("{0}")]
    State(&'static str),
    /// The task that sent the gift ended without an answer.
    #[error("the sending of a gift was interrupted")]
    Interrupted,
    /// No id can be issued now.
    #[error(transparent)]
    Id(#[from] IdError),
    /// The room could not be looked up, or is not live.
    #[error(transparent)]
    Live(#[from] live::Error),
    /// The user could not be looked up.
    #[error(transparent)]
    User(#[from] user::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database failed in a look-up that several callers waited for.
    #[error(transparent)]
    Lookup(#[from] SharedError),
    /// Another node leads now, and does the job.
    #[error(transparent)]
    LeaseLost(#[from] LeaseLost),
}

impl Error {
    /// The answer to the sender of a gift that is not paid.
    pub(super) fn unpaid(gift: Gift, http_status: u16) -> Self {
        Self::Unpaid { http_status, biz_id: gift.sent.biz_id, status: gift.status, refusal: gift.refusal }
    }
}

impl Failure for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::NoGift | Self::NoType | Self::NotInUse => Kind::NotFound,
            Self::NotAMultiple(_) | Self::OtherContent(_) => Kind::Invalid,
            Self::NotSender | Self::NotAnchor | Self::NotInRoom => Kind::Forbidden,
            Self::Unpaid { http_status, refusal, .. } => {
                Kind::Unpaid { status: *http_status, code: refusal.code }
            }
            Self::State(_) => Kind::State,
            Self::Interrupted | Self::LeaseLost(_) => Kind::Internal,
            Self::Id(error) => error.kind(),
            Self::Live(error) => error.kind(),
            Self::User(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Lookup(error) => error.kind(),
        }
    }

    fn message(&self) -> Cow<'static, str> {
        match self {
            Self::Unpaid { refusal, .. } => Cow::Owned(refusal.message.clone()),
            other => Cow::Owned(other.to_string()),
        }
    }

    fn data(&self) -> Option<Value> {
        match self {
            Self::Unpaid { biz_id, status, .. } => {
                Some(json!({ "biz_id": biz_id, "status": status.column() }))
            }
            _ => None,
        }
    }
}

impl RetryableError for Error {
    fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) | Self::LeaseLost(LeaseLost::Store(error)) => error.is_retryable(),
            _ => false,
        }
    }
}
