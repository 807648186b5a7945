//! The banned words: a list for the whole platform, and the automaton that looks for all of them at
//! once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aho_corasick::AhoCorasick;

use super::dto::WordView;
use super::error::Error;
use super::normalize::normalize;
use super::word_queries as queries;
use common::clock::SharedClock;
use common::page::{Page, Paging};
use store::cache::Cache;
use store::db::{Db, StoreError};
use store::lookup::{Lookup, SharedError};
use telemetry::sampled;

/// The topic under which changes of the list are announced to all nodes.
pub const WORDS_TOPIC: &str = "banned_words";
/// As many words as there may be.
pub const MAX_WORDS: u64 = 10_000;

/// How long the list may be taken from memory; changes drop it on every node at once.
const LOOKUP_TTL: Duration = Duration::from_secs(30);
/// The one key of the look-up.
const ALL: &str = "all";

/// The banned words; clones share everything.
#[derive(Clone)]
pub struct BannedWords {
    db: Db,
    cache: Cache,
    clock: SharedClock,
    current: Lookup<Matcher>,
    /// The automaton that was built last: the list is read again far more often than it changes.
    built: Arc<Mutex<Option<Matcher>>>,
}

/// Looks for the words that it was made of.
#[derive(Clone)]
struct Matcher {
    /// As they are stored.
    words: Arc<[String]>,
    automaton: Arc<AhoCorasick>,
}

impl BannedWords {
    /// The words in `db`.
    #[must_use]
    pub fn new(db: Db, cache: Cache, clock: SharedClock) -> Self {
        Self { db, cache, clock, current: Lookup::new(1, LOOKUP_TTL), built: Arc::default() }
    }

    /// Whether `text` has a banned word, however it is spelled.
    ///
    /// # Errors
    /// The store's, when the list is not in memory.
    pub async fn are_in(&self, text: &str) -> Result<bool, SharedError> {
        let matcher = self.current.get(ALL, self.load()).await?;
        Ok(matcher.is_some_and(|matcher| matcher.finds(text)))
    }

    async fn load(&self) -> Result<Option<Matcher>, StoreError> {
        let words = queries::all(self.db.primary()).await?;
        let built = self.built.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(built) = built.filter(|built| *built.words == *words) {
            return Ok(Some(built));
        }
        // It takes a while for many words.
        let build = tokio::task::spawn_blocking(move || Matcher::build(words)).await;
        let matcher = build.map_err(|error| StoreError::Setup(error.to_string()))??;
        *self.built.lock().unwrap_or_else(PoisonError::into_inner) = Some(matcher.clone());
        Ok(Some(matcher))
    }

    /// Adds words; those that are there stay. Answers how many are new.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a word of which nothing is left to look for, [`Error::Full`], or the
    /// store's; then none is added.
    pub async fn add(&self, words: &[String], by_user: &str) -> Result<u64, Error> {
        if let Some(at) = words.iter().position(|word| normalize(word).is_empty()) {
            return Err(Error::Invalid(format!("words[{at}]: has nothing but spaces and separators")));
        }
        let now = self.db.wall(self.clock.now());
        let added = self
            .db
            .transaction(|tx| {
                Box::pin(async move {
                    queries::lock(tx).await?;
                    let added = queries::insert_missing(tx, words, by_user, now).await?;
                    if added > 0 && queries::count(tx).await? > MAX_WORDS {
                        return Err(Error::Full("10,000 banned words"));
                    }
                    Ok(added)
                })
            })
            .await?;
        self.changed().await;
        Ok(added)
    }

    /// Takes words out of the list; those that are not in it are passed over. Answers how many went.
    ///
    /// # Errors
    /// The store's.
    pub async fn delete(&self, words: &[String]) -> Result<u64, Error> {
        let gone = queries::delete(self.db.writer(), words).await?;
        self.changed().await;
        Ok(gone)
    }

    /// A page of the words, the latest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn list(&self, paging: Paging) -> Result<Page<WordView>, Error> {
        let (total, rows) = queries::page(self.db.primary(), paging).await?;
        let view = |row| WordView::of_row(row, |wall| self.db.instant(wall).timestamp());
        Ok(Page::new(paging, total, rows.into_iter().map(view).collect()))
    }

    async fn changed(&self) {
        self.forget();
        if let Err(error) = self.cache.announce(WORDS_TOPIC, ALL).await {
            sampled!(warn, %error, "other nodes may know the banned words as before for {} s", LOOKUP_TTL.as_secs());
        }
    }

    /// Drops the list from memory.
    pub fn forget(&self) {
        self.current.forget_all();
    }
}

impl Matcher {
    fn build(words: Vec<String>) -> Result<Self, StoreError> {
        let automaton =
            AhoCorasick::new(words.iter().map(|word| normalize(word)).filter(|word| !word.is_empty()))
                .map_err(|error| StoreError::Setup(format!("the banned words: {error}")))?;
        Ok(Self { words: words.into(), automaton: Arc::new(automaton) })
    }

    fn finds(&self, text: &str) -> bool {
        !self.words.is_empty() && self.automaton.is_match(&normalize(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matcher(words: &[&str]) -> Matcher {
        Matcher::build(words.iter().map(|word| (*word).to_owned()).collect()).expect("an automaton")
    }

    #[test]
    fn words_are_found_however_they_are_spelled() {
        let matcher = matcher(&["Bad Word", "敏感词", "c++"]);
        for text in
            ["such a bádword".replace('á', "a"), "B.A.D-W.O.R.D!".into(), "敏 感 词".into(), "C++".into()]
        {
            assert!(matcher.finds(&text), "{text}");
        }
        for text in ["bad", "word", "敏感", "c", ""] {
            assert!(!matcher.finds(text), "{text}");
        }
    }

    #[test]
    fn no_words_are_in_nothing() {
        assert!(!matcher(&[]).finds("anything"));
    }
}
