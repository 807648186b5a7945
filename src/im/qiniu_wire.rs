//! What goes over the wire to Qiniu's IM service and comes back.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ImError, MAX_ID, Message, Target};

/// The code of success.
const SUCCESS: i64 = 200;
/// The code of a name that is taken.
const EXISTS: i64 = 10004;
/// A text of the service is cut to this many characters before it goes to the log.
const SHOWN_TEXT: usize = 200;

/// `type` of a group that is a chat room.
const CHATROOM: u8 = 2;
/// `content_type` of a command message.
const COMMAND: u8 = 6;

/// The envelope of every answer.
#[derive(Deserialize)]
pub(super) struct Answer {
    code: i64,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    data: Value,
}

impl Answer {
    pub(super) fn says_exists(&self) -> bool {
        self.code == EXISTS
    }

    /// Success, or the refusal.
    pub(super) fn success(self) -> Result<Value, ImError> {
        if self.code == SUCCESS {
            return Ok(self.data);
        }
        let message = self.message.unwrap_or_default().chars().take(SHOWN_TEXT).collect();
        Err(ImError::Refused { code: self.code, message })
    }

    /// The id of this name in the data of a success.
    pub(super) fn id(self, name: &str) -> Result<i64, ImError> {
        let id = self.success()?.get(name).and_then(Value::as_i64);
        id.filter(|id| (1..MAX_ID).contains(id)).ok_or(ImError::Garbage("no valid id in the data"))
    }
}

/// `POST /user/register/v2`.
#[derive(Serialize)]
pub(super) struct Register<'a> {
    pub username: &'a str,
    pub password: &'a str,
}

/// `POST /user/change_password_admin`, as the user.
#[derive(Serialize)]
pub(super) struct ChangePassword<'a> {
    pub password: &'a str,
}

/// `POST /group/create`, as the owner.
#[derive(Serialize)]
pub(super) struct CreateGroup<'a> {
    name: &'a str,
    r#type: u8,
}

impl<'a> CreateGroup<'a> {
    pub(super) fn chatroom(name: &'a str) -> Self {
        Self { name, r#type: CHATROOM }
    }
}

/// `POST /message/send`, as the sender when there is one.
#[derive(Serialize)]
pub(super) struct Send {
    r#type: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_user_id: Option<i64>,
    targets: [i64; 1],
    content_type: u8,
    content: String,
    attachment: &'static str,
}

impl From<&Message> for Send {
    fn from(message: &Message) -> Self {
        let (kind, target) = match &message.to {
            Target::User(account) => (1, account.number),
            Target::Room { chat_id, .. } => (2, *chat_id),
        };
        Self {
            r#type: kind,
            from_user_id: message.from.as_ref().map(|from| from.number),
            targets: [target],
            content_type: COMMAND,
            content: message.command(),
            attachment: "",
        }
    }
}
