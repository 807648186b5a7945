//! Numbers that are never given twice, reserved in blocks: ids of IM accounts and chat rooms.

use std::ops::Range;

use sea_orm::{ConnectionTrait, DbErr, EntityTrait, Set, Statement};
use tokio::sync::Mutex;

use super::db::{Db, StoreError};
use super::entity::id_sequence::{ActiveModel, Entity};
use super::raise::Raise;

/// How many numbers one statement reserves. A node that stops loses what is left of its block.
const BLOCK: i64 = 1000;
/// The first number on an empty database.
const FIRST: i64 = 100_001;
/// Numbers stay below 2^53, so that a JSON reader that holds numbers as doubles sees them exactly.
const END: i64 = 1 << 53;
/// Stored ids from here on do not move the start: they are another service's, and nothing given here
/// will come near them.
const FOREIGN: i64 = 1 << 52;

/// One counter of the table `id_sequence`. Nodes share it and each takes blocks of 1000.
#[derive(Debug)]
pub struct Sequence {
    db: Db,
    name: &'static str,
    reserved: Mutex<Range<i64>>,
}

impl Sequence {
    /// The counter `name`. It comes into being with the first number.
    #[must_use]
    pub fn new(db: Db, name: &'static str) -> Self {
        Self { db, name, reserved: Mutex::new(0..0) }
    }

    /// The next number: at least 100,001, below 2^53, and above all IM ids that the tables held when
    /// the counter came into being.
    ///
    /// Not to be called inside a transaction: an embedded database has one writing connection.
    ///
    /// # Errors
    /// When a block has to be reserved and the database cannot be reached.
    pub async fn next(&self) -> Result<i64, StoreError> {
        let mut reserved = self.reserved.lock().await;
        if let Some(number) = reserved.next() {
            return Ok(number);
        }
        let mut block = self.reserve().await?;
        let number = block.next().ok_or_else(|| StoreError::Setup("an empty block of numbers".to_owned()))?;
        *reserved = block;
        Ok(number)
    }

    async fn reserve(&self) -> Result<Range<i64>, StoreError> {
        let end = match self.raise().await? {
            Some(end) => Some(end),
            None => {
                self.create().await?;
                self.raise().await?
            }
        };
        let end = end.ok_or_else(|| DbErr::RecordNotFound(format!("id_sequence {}", self.name)))?;
        if end > END {
            return Err(StoreError::Setup(format!("the numbers of id_sequence {} are used up", self.name)));
        }
        Ok(end - BLOCK..end)
    }

    /// The end of a block that is now ours; None when there is no such counter.
    async fn raise(&self) -> Result<Option<i64>, StoreError> {
        let conn = self.db.writer();
        let raise = Raise::new(conn, "next_id");
        let next = raise.value(&format!("next_id + {BLOCK}"));
        let sql = format!("UPDATE id_sequence SET next_id = {next} WHERE name = ?");
        raise.run(conn, sql, vec![self.name.into()]).await
    }

    /// Starts the counter above the ids that an adopted database holds.
    async fn create(&self) -> Result<(), StoreError> {
        let next_id = (self.highest_im_id().await? + 1).max(FIRST);
        let row = ActiveModel { name: Set(self.name.to_owned()), next_id: Set(next_id) };
        match Entity::insert(row).exec_without_returning(self.db.writer()).await.map_err(StoreError::from) {
            // Another node was first; its start is as good.
            Ok(_) | Err(StoreError::Duplicate { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn highest_im_id(&self) -> Result<i64, StoreError> {
        let highest = |column, table| {
            format!("(SELECT COALESCE(MAX({column}), 0) FROM {table} WHERE {column} < {FOREIGN})")
        };
        let users = highest("im_userid", "live_users");
        let chats = highest("chat_id", "live_entities");
        let sql = format!("SELECT {users} AS users, {chats} AS chats");
        let statement = Statement::from_string(self.db.dialect().backend(), sql);
        let row = self.db.writer().query_one_raw(statement).await?;
        let row = row.ok_or_else(|| DbErr::RecordNotFound("the highest IM id".to_owned()))?;
        let (users, chats): (i64, i64) = (row.try_get("", "users")?, row.try_get("", "chats")?);
        Ok(users.max(chats))
    }
}
