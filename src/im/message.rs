//! What is sent through the IM service.

use serde::Serialize;

/// A command message on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The account that it comes from; `None` for the app itself.
    pub from: Option<i64>,
    /// Who gets it.
    pub to: Target,
    /// The text; see [`command`].
    pub content: String,
}

/// Who gets a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// One account.
    User(i64),
    /// All in a chat room.
    Group(i64),
}

#[derive(Serialize)]
struct Command<'a, T: Serialize> {
    action: &'a str,
    data: T,
}

/// The content of a notification: the JSON text of `{"action": …, "data": …}`.
pub fn command(action: &str, data: impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Command { action, data })
}
