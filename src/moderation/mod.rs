//! Moderation: who may write and enter where, and what nobody may write.
//!
//! The anchor of a room appoints moderators; they, administrators and backends mute, kick and ban in
//! it. What a message has to pass ([`Moderation::may_publish`]) is answered from memory, and dropped
//! there on all nodes when it changes. What is to happen to connections goes through
//! [`realtime::orders::Orders`], after the commit.

mod actor;
mod dto;
mod error;
pub mod handlers;
pub mod message_handlers;
mod moderators;
mod normalize;
mod queries;
mod refusal;
mod rules;
mod sanction_queries;
mod sanctions;
mod service;
mod settings;
pub mod word_handlers;
mod word_queries;
mod words;

pub use actor::{Actor, Moderator, Role};
pub use dto::{ChangeSettings, ModeratorView, SanctionView, SettingsView, WordView, Words};
pub use error::Error;
pub use normalize::{BOUNDARY, normalize, texts_of};
pub use refusal::Refusal;
pub use rules::{ChatRules, RoomRules};
pub use sanctions::{Kind, NewSanction};
pub use service::{Moderation, Parts, TOPIC};
pub use words::{BannedWords, MAX_WORDS, WORDS_TOPIC};
