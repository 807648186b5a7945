//! What connections have to learn from moderation, on every node.

use async_trait::async_trait;
use serde_json::Value;
use serde_json::value::RawValue;

use common::failure::{Failure, Kind};

/// Controls the connections of all nodes.
///
/// Calls follow a commit, so that none of them can fail what was done. A node that one does not reach makes up for
/// it within seconds: each node compares the users who are connected to it with the tables.
#[async_trait]
pub trait ConnectionControl: Send + Sync + 'static {
    /// Ends the subscriptions of a user to a room, with a code of the HTTP API and a reason.
    async fn kick(&self, live_id: &str, user_id: &str, code: u16, why: &str);

    /// Closes all connections of a user for good.
    async fn disconnect(&self, user_id: &str, why: &str);

    /// Publishes a message to a room, from a user or, with an empty text, from the system.
    async fn tell_room(&self, live_id: &str, from: &str, action: &str, data: Value);

    /// Deletes a kept message of a room: it is shown as deleted from then on. False when it is not kept.
    ///
    /// # Errors
    /// When it is not known whether it was deleted.
    async fn delete_message(&self, live_id: &str, epoch: u64, offset: u64) -> Result<bool, ControlError>;

    /// The newest kept messages of a room, the newest first, at most `limit`.
    ///
    /// # Errors
    /// When they cannot be read.
    async fn kept_messages(&self, live_id: &str, limit: usize) -> Result<Vec<KeptMessage>, ControlError>;
}

/// A message that is kept for those who come back.
#[derive(Clone, Debug)]
pub struct KeptMessage {
    /// Of which run of offsets.
    pub epoch: u64,
    /// Its place among them.
    pub offset: u64,
    /// When it was published, Unix milliseconds by the broker's clock.
    pub at_ms: i64,
    /// What subscribers get, as JSON.
    pub body: Box<RawValue>,
}

/// Why a call was not carried out: any [`Failure`], which `?` turns into this.
#[derive(Debug, thiserror::Error)]
#[error("the connections could not be reached")]
pub struct ControlError {
    kind: Kind,
    #[source]
    cause: Box<dyn std::error::Error + Send + Sync>,
}

impl ControlError {
    /// What the failure means.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

impl<F: Failure> From<F> for ControlError {
    fn from(cause: F) -> Self {
        Self { kind: cause.kind(), cause: Box::new(cause) }
    }
}
