//! Keeps consumers of events from working while requests are counted that append events.
//!
//! A lane of `room_lane` is looked at when its `due` has come (`src/event/lanes.rs`), and an append leaves a `due`
//! alone that is there: one in the far future holds the lane. Consumers go on looking for work, and find none; what
//! they do not do meanwhile they do afterwards.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use sqlx::mysql::MySqlConnection;
use sqlx::{Executor as _, Row as _};
use tokio::time::sleep;

const POLL: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(20);
const BUSY: &str =
    "SELECT COUNT(*) FROM room_lane WHERE callback_due IS NOT NULL OR reaction_due IS NOT NULL";
const HOLD: &str = "UPDATE room_lane SET callback_due = 9000000000000000, reaction_due = 9000000000000000";
const RELEASE: &str = "UPDATE room_lane SET callback_due = 0, reaction_due = 0";

/// Waits until consumers have nothing to do, and holds all lanes.
pub async fn hold(database: &mut MySqlConnection) -> Result<()> {
    let begin = Instant::now();
    while database.fetch_one(sqlx::raw_sql(BUSY)).await?.try_get::<i64, _>(0)? > 0 {
        if begin.elapsed() > PATIENCE {
            bail!("consumers of events have not done their work after {} s", PATIENCE.as_secs());
        }
        sleep(POLL).await;
    }
    database.execute(sqlx::raw_sql(HOLD)).await?;
    Ok(())
}

/// Lets consumers go on.
pub async fn release(database: &mut MySqlConnection) -> Result<()> {
    database.execute(sqlx::raw_sql(RELEASE)).await?;
    Ok(())
}
