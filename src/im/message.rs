//! What is sent through the IM service.

use serde::Serialize;
use serde_json::value::RawValue;

/// Someone who sends or gets messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The app's id of the user.
    pub user_id: String,
    /// The IM service's.
    pub number: i64,
}

/// Who gets a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// One user.
    User(Account),
    /// All in a room.
    Room {
        /// The room.
        live_id: String,
        /// Its chat room in the IM service.
        chat_id: i64,
    },
}

/// A command message on its way.
#[derive(Clone, Debug)]
pub struct Message {
    /// Who it comes from; `None` for the app itself.
    pub from: Option<Account>,
    /// Who gets it.
    pub to: Target,
    /// What it is about.
    pub action: String,
    /// What there is to know.
    pub data: Box<RawValue>,
}

#[derive(Serialize)]
struct Command<'a> {
    action: &'a str,
    data: &'a RawValue,
}

impl Message {
    /// A message that tells `data`.
    ///
    /// # Errors
    /// When `data` cannot be written as JSON.
    pub fn new(
        from: Option<Account>,
        to: Target,
        action: &str,
        data: impl Serialize,
    ) -> Result<Self, serde_json::Error> {
        let data = serde_json::value::to_raw_value(&data)?;
        Ok(Self { from, to, action: action.to_owned(), data })
    }

    /// The text that the apps' SDKs read: `{"action": …, "data": …}`.
    #[must_use]
    pub fn command(&self) -> String {
        // Text and JSON that was read already: that cannot fail.
        serde_json::to_string(&Command { action: &self.action, data: &self.data }).unwrap_or_default()
    }
}
