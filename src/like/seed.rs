//! Reading the likes of a room into a cache that does not know them.

use std::time::Duration;

use moka::future::Cache as Moka;

use super::error::Error;
use super::queries;
use super::service::Likes;
use common::crash;

/// Rows that are read at once.
const PAGE: u64 = 5000;

/// Lets the likes of a room be read by one caller while the others wait. What was read is not read
/// again for a moment: who waited finds it in the cache.
pub(super) fn single_flight() -> Moka<String, ()> {
    Moka::builder().max_capacity(100_000).time_to_live(Duration::from_millis(100)).build()
}

impl Likes {
    /// Makes the cache know the likes of a room.
    pub(super) async fn seed(&self, live_id: &str) -> Result<(), Error> {
        let seeding = &self.0.seeding;
        seeding.try_get_with(live_id.to_owned(), self.read(live_id)).await.map_err(Error::Seed)
    }

    /// What is begun before the table is asked cannot outlive the cache's loss of it: a cache that
    /// is emptied after likes were counted and written does not get the counts from before.
    async fn read(&self, live_id: &str) -> Result<(), Error> {
        let inner = &self.0;
        let seed = inner.cache.begin_seed(live_id).await?;
        crash::point("like.seed_begun");
        let mut after = String::new();
        loop {
            let page = queries::likes_after(inner.db.writer(), live_id, &after, PAGE).await?;
            if !inner.cache.add_to_seed(&seed, &page.users).await? {
                return Err(Error::Unseeded);
            }
            match page.last {
                Some(last) => after = last,
                None => break,
            }
        }
        crash::point("like.seed_read");
        if !inner.cache.sow(seed).await? {
            return Err(Error::Unseeded);
        }
        crash::point("like.seeded");
        Ok(())
    }
}
