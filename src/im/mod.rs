//! Instant messaging behind one interface: Qiniu's IM cloud, or the accounts and chat ids of this
//! server.
//!
//! Every user owns an IM account and every live room a chat room. What the server tells clients
//! (see [`message`]) goes through here.

pub mod builtin;
pub mod message;
mod outlet;
pub mod qiniu;
mod qiniu_wire;

use std::borrow::Cow;
use std::sync::Arc;

use common::failure::{Failure, Kind};
use config::ImConfig;
use realtime::HubError;

pub use builtin::{BuiltinIm, IdError, IdSource, Outlet};
pub use message::{Account, Message, Target};
pub use outlet::HubOutlet;
pub use qiniu::QiniuIm;

/// Numeric ids are below this, so that JavaScript reads them exactly.
pub const MAX_ID: i64 = 1 << 53;

/// The configured provider. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Im {
    /// Qiniu's IM cloud.
    Qiniu(QiniuIm),
    /// This server alone.
    Builtin(BuiltinIm),
}

impl Im {
    /// The provider that `im.provider` names. `ids` and `outlet` serve the built-in one.
    pub fn new(config: &ImConfig, ids: Arc<dyn IdSource>, outlet: Arc<dyn Outlet>) -> Result<Self, ImError> {
        Ok(match config {
            ImConfig::Qiniu { app_id, endpoint, token } => {
                Self::Qiniu(QiniuIm::new(app_id, endpoint, token)?)
            }
            ImConfig::Builtin => Self::Builtin(BuiltinIm::new(ids, outlet)),
        })
    }

    /// What clients get as `im_app_id`.
    #[must_use]
    pub fn app_id(&self) -> &str {
        match self {
            Self::Qiniu(im) => im.app_id(),
            Self::Builtin(im) => im.app_id(),
        }
    }

    /// Whether clients find their messages at this server.
    #[must_use]
    pub fn is_builtin(&self) -> bool {
        matches!(self, Self::Builtin(_))
    }

    /// Creates an account, or gives an existing one this password → its id.
    pub async fn register(&self, username: &str, password: &str) -> Result<i64, ImError> {
        match self {
            Self::Qiniu(im) => im.register(username, password).await,
            Self::Builtin(im) => im.new_id().await,
        }
    }

    /// Creates a chat room that belongs to the account `owner` → its id.
    pub async fn create_chatroom(&self, owner: i64, name: &str) -> Result<i64, ImError> {
        match self {
            Self::Qiniu(im) => im.create_chatroom(owner, name).await,
            Self::Builtin(im) => im.new_id().await,
        }
    }

    /// Takes a user out of a room's chat, on all of their devices; the SDKs of a cloud do that
    /// themselves.
    pub async fn take_out(&self, live_id: &str, user_id: &str) {
        if let Self::Builtin(im) = self {
            im.take_out(live_id, user_id).await;
        }
    }

    /// Sends a command message.
    pub async fn send(&self, message: Message) -> Result<(), ImError> {
        tracing::debug!(action = message.action, to = ?message.to, "a message is sent");
        match self {
            Self::Qiniu(im) => im.send(&message).await,
            Self::Builtin(im) => im.send(message).await,
        }
    }
}

/// Why the IM service did not do what was asked.
///
/// All of a provider's failures are [`Kind::Unavailable`]: whatever the reason, the account or the
/// chat room is not there now and may be later. No variant holds the token or a password.
#[derive(Debug, thiserror::Error)]
pub enum ImError {
    /// No connection, or the endpoint is not a URL.
    #[error("the IM service cannot be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No answer in time.
    #[error("the IM service did not answer in time")]
    TimedOut,
    /// An HTTP status other than 2xx; redirects are not followed.
    #[error("the IM service answered with HTTP status {0}")]
    Status(u16),
    /// An answer that is too long, is not JSON, or lacks a valid id.
    #[error("the answer of the IM service cannot be read: {0}")]
    Garbage(&'static str),
    /// The service said no.
    #[error("the IM service refused with code {code}: {message}")]
    Refused {
        /// The service's own code.
        code: i64,
        /// The service's own text, shortened.
        message: String,
    },
    /// The built-in provider could not publish.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// The built-in provider got no id.
    #[error("no id for the built-in IM")]
    Ids(#[from] IdError),
    /// The HTTP client could not be made, or a configured value does not fit into a header.
    #[error("the IM client cannot be set up")]
    Setup(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Failure for ImError {
    fn kind(&self) -> Kind {
        match self {
            Self::Ids(error) => error.kind,
            Self::Hub(error) => error.kind(),
            Self::Setup(_) => Kind::Internal,
            _ => Kind::Unavailable,
        }
    }

    fn message(&self) -> Cow<'static, str> {
        Cow::Owned(self.to_string())
    }
}
