//! Verdicts of operators on pictures.

use serde_json::json;

use super::dto::Audit;
use super::error::Error;
use super::image_queries::{self as images, VIOLATION, Verdict};
use super::service::Reviews;
use crate::im::{Message, Target};
use store::db::Tx;

/// What an anchor is told of a violation, unless the operator says something else. The released apps
/// show it as it is.
const WARNING: &str = "您的直播画面涉嫌违规，请及时调整；情节严重时管理员将关闭直播间。";

impl Reviews {
    /// Writes an operator's verdict on pictures of one room, all or none; one that was given before is
    /// replaced. On a violation with `notify` the anchor is told, as far as the IM service works.
    ///
    /// # Errors
    /// [`Error::NoImage`] when one is not a picture of the room, the room's, or the store's.
    pub async fn audit(&self, admin_id: &str, audit: &Audit) -> Result<(), Error> {
        let mut ids = audit.image_list.clone();
        ids.sort_unstable();
        ids.dedup();
        let verdict = Verdict { answer: audit.review_answer, admin_id, at: self.0.clock.now() };
        self.0
            .db
            .transaction(|tx| {
                let (live_id, ids) = (&audit.live_id, &ids);
                Box::pin(async move { self.judge(tx, live_id, ids, verdict).await })
            })
            .await?;
        if audit.notify && audit.review_answer == VIOLATION {
            let text = audit.message.as_deref().unwrap_or(WARNING);
            if let Err(error) = self.warn(&audit.live_id, text).await {
                tracing::warn!(
                    error = format!("{error:#}"),
                    live_id = audit.live_id,
                    "the anchor was not warned"
                );
            }
        }
        Ok(())
    }

    async fn judge(
        &self,
        tx: &Tx<'_>,
        live_id: &str,
        ids: &[u32],
        verdict: Verdict<'_>,
    ) -> Result<(), Error> {
        let (db, lives) = (&self.0.db, &self.0.lives);
        lives.lock_for_review(tx, live_id).await?;
        let found = images::count_of(db, tx, live_id, ids).await?;
        if usize::try_from(found).ok() != Some(ids.len()) {
            return Err(Error::NoImage);
        }
        images::judge(db, tx, live_id, ids, verdict).await?;
        let waiting = images::waiting(db, tx, live_id).await?;
        lives.set_review_count(tx, live_id, waiting, None).await?;
        Ok(())
    }

    /// Sends `censor_notify` to the anchor, from the system.
    async fn warn(&self, live_id: &str, text: &str) -> anyhow::Result<()> {
        let inner = &self.0;
        let room = inner.lives.room(live_id).await?;
        let anchor = inner.users.find(&room.anchor_id).await?;
        let account = anchor.account().ok_or_else(|| anyhow::anyhow!("the anchor has no IM account"))?;
        let data = json!({"live_id": live_id, "message": text});
        let message = Message::new(None, Target::User(account), "censor_notify", data)?;
        Ok(inner.im.send(message).await?)
    }
}
