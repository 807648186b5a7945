//! The built-in provider: this server issues the account and chat ids, and hands messages to its own
//! outlet instead of a cloud.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::{ImError, MAX_ID, Message};
use common::failure::{Failure, Kind};

/// What clients get as `im_app_id`: no cloud knows this app.
const APP_ID: &str = "builtin";

/// Issues numbers that no account and no chat room has, ever.
#[async_trait]
pub trait IdSource: Send + Sync + 'static {
    /// The next number, positive and below 2^53.
    async fn next_id(&self) -> Result<i64, IdError>;
}

/// Why an [`IdSource`] had no number: any [`Failure`], which `?` turns into this.
#[derive(Debug, thiserror::Error)]
#[error("no number could be issued")]
pub struct IdError {
    pub(super) kind: Kind,
    #[source]
    cause: Box<dyn std::error::Error + Send + Sync>,
}

impl<F: Failure> From<F> for IdError {
    fn from(cause: F) -> Self {
        Self { kind: cause.kind(), cause: Box::new(cause) }
    }
}

/// Takes messages to those who are connected.
#[async_trait]
pub trait Outlet: Send + Sync + 'static {
    /// Delivers one message. That nobody is connected is no error.
    async fn deliver(&self, message: Message) -> Result<(), ImError>;

    /// Ends what a user hears of a room. Where nobody is connected there is nothing to do.
    async fn take_out(&self, live_id: &str, user_id: &str) {
        tracing::debug!(live_id, user_id, "nobody is connected who could be taken out");
    }
}

/// The built-in provider. Cheap to clone.
#[derive(Clone)]
pub struct BuiltinIm {
    ids: Arc<dyn IdSource>,
    outlet: Arc<dyn Outlet>,
}

impl BuiltinIm {
    /// A provider with these parts. Accounts and chat rooms share one source of ids.
    #[must_use]
    pub fn new(ids: Arc<dyn IdSource>, outlet: Arc<dyn Outlet>) -> Self {
        Self { ids, outlet }
    }

    pub(super) fn app_id(&self) -> &'static str {
        APP_ID
    }

    /// An id for an account or a chat room. That one exists already is known by its row alone.
    pub(super) async fn new_id(&self) -> Result<i64, ImError> {
        let id = self.ids.next_id().await.map_err(ImError::Ids)?;
        if (1..MAX_ID).contains(&id) { Ok(id) } else { Err(ImError::Garbage("an id is not below 2^53")) }
    }

    pub(super) async fn take_out(&self, live_id: &str, user_id: &str) {
        self.outlet.take_out(live_id, user_id).await;
    }

    pub(super) async fn send(&self, message: Message) -> Result<(), ImError> {
        self.outlet.deliver(message).await
    }
}

impl fmt::Debug for BuiltinIm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BuiltinIm")
    }
}
