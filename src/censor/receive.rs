//! Results of the review service: pictures that an operator shall look at.

use garde::Validate;
use sha2::{Digest, Sha256};

use super::error::Error;
use super::image_queries as images;
use super::job_queries::{self as jobs, Change};
use super::review_call::{Picture, ReviewCall};
use super::service::Reviews;
use config::CensorConfig;
use store::db::Tx;
use store::entity::censor_image::Model;

/// The code of a picture that was judged.
const JUDGED: i64 = 200;
/// Characters that the column of the address holds.
const MAX_URL: usize = 255;

impl Reviews {
    /// Whether the caller was given the address of this room's callback.
    ///
    /// # Errors
    /// [`Error::NotSigned`].
    pub fn check_signed(&self, live_id: &str, sign: &str) -> Result<(), Error> {
        if self.0.hooks.get().verify(live_id, sign) { Ok(()) } else { Err(Error::NotSigned) }
    }

    /// Stores the picture of a result, once for each (job, address, time); also of a room that is over.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it holds no picture that was judged, [`Error::NoJob`] when the room has
    /// no such job, the room's, or the store's.
    pub async fn receive(&self, live_id: &str, call: &ReviewCall) -> Result<(), Error> {
        let picture = &call.image;
        if picture.code != JUDGED {
            let (code, told) = (picture.code, &call.error.message);
            tracing::warn!(live_id, code, told, "the review service could not judge a picture");
            return Err(Error::Invalid(format!("image.code: is {code}, must be {JUDGED}")));
        }
        picture.validate().map_err(|report| invalid(&report))?;
        let new = self.row(live_id, picture)?;
        self.0
            .db
            .transaction(|tx| {
                let new = &new;
                Box::pin(async move { self.store(tx, live_id, new).await })
            })
            .await
    }

    fn row(&self, live_id: &str, picture: &Picture) -> Result<Model, Error> {
        let url = public_url(&self.0.config, &picture.url);
        if url.chars().count() > MAX_URL {
            return Err(Error::Invalid(format!("image.url: has more than {MAX_URL} characters")));
        }
        let scenes = &picture.result.scenes;
        let verdict = |text: &str| Some(text.to_owned());
        Ok(Model {
            id: 0,
            url,
            job_id: picture.job.clone(),
            created_at: Some(picture.timestamp),
            suggestion: verdict(&picture.result.suggestion),
            pulp: verdict(&scenes.pulp.suggestion),
            terror: verdict(&scenes.terror.suggestion),
            politician: verdict(&scenes.politician.suggestion),
            ads: verdict(&scenes.ads.suggestion),
            live_id: Some(live_id.to_owned()),
            is_review: Some(0),
            review_answer: None,
            review_user_id: None,
            review_time: None,
            seen_key: Some(seen_key(picture)),
        })
    }

    /// The room is locked, so that its results come one at a time and the count stays right.
    async fn store(&self, tx: &Tx<'_>, live_id: &str, new: &Model) -> Result<(), Error> {
        let inner = &self.0;
        inner.lives.lock_for_review(tx, live_id).await?;
        self.check_job(tx, live_id, &new.job_id).await?;
        if images::is_seen(tx, new.seen_key.as_deref().unwrap_or_default()).await? {
            return Ok(());
        }
        images::insert(tx, new.clone()).await?;
        let waiting = images::waiting(&inner.db, tx, live_id).await?;
        inner.lives.set_review_count(tx, live_id, waiting, new.created_at).await?;
        Ok(())
    }

    /// The job must be one of the room's. One whose id was not learnt, since its start had no answer,
    /// tells it now: only the review service knows the room's signature.
    async fn check_job(&self, tx: &Tx<'_>, live_id: &str, job_id: &str) -> Result<(), Error> {
        let rows = jobs::of_room(tx, live_id).await?;
        if rows.iter().any(|row| row.job_id.as_deref() == Some(job_id)) {
            return Ok(());
        }
        let mut open = rows.iter().filter_map(|row| jobs::open(&self.0.db, row));
        let lost = open.rfind(|job| job.job_id.is_empty()).ok_or(Error::NoJob)?;
        jobs::change(&self.0.db, tx, lost.row_id, &Change::Started(job_id)).await?;
        Ok(())
    }
}

fn invalid(report: &garde::Report) -> Error {
    let lines = report.iter().map(|(path, error)| format!("image.{path}: {error}"));
    Error::Invalid(lines.collect::<Vec<_>>().join("; "))
}

/// What is the same for two deliveries of one result.
fn seen_key(picture: &Picture) -> String {
    let mut hash = Sha256::new();
    for part in [picture.job.as_str(), picture.url.as_str(), &picture.timestamp.to_string()] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    base16ct::lower::encode_string(&hash.finalize())
}

/// `qiniu:///<bucket>/<path>` of the configured bucket at its public address; others as they are.
fn public_url(config: &CensorConfig, url: &str) -> String {
    let stored = url.strip_prefix("qiniu:///").and_then(|rest| rest.split_once('/'));
    match stored {
        Some((bucket, path)) if !config.addr.is_empty() && bucket == config.bucket => {
            format!("{}/{path}", config.addr)
        }
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(job: &str, url: &str, timestamp: i32) -> Picture {
        Picture { job: job.to_owned(), url: url.to_owned(), timestamp, ..Picture::default() }
    }

    #[test]
    fn a_result_is_the_same_by_job_address_and_time_alone() {
        let key = seen_key(&picture("j", "u", 1));
        assert_eq!(key.len(), 64);
        assert_eq!(key, seen_key(&Picture { code: 7, ..picture("j", "u", 1) }));
        for other in [picture("k", "u", 1), picture("j", "v", 1), picture("j", "u", 2), picture("ju", "", 1)]
        {
            assert_ne!(key, seen_key(&other));
        }
    }

    #[test]
    fn addresses_in_the_bucket_become_public_ones() {
        let config = CensorConfig {
            bucket: "b".to_owned(),
            addr: "https://img".to_owned(),
            ..CensorConfig::default()
        };
        assert_eq!(public_url(&config, "qiniu:///b/x/y.jpg"), "https://img/x/y.jpg");
        assert_eq!(public_url(&config, "qiniu:///b/b/y.jpg"), "https://img/b/y.jpg");
        for kept in ["qiniu:///other/y.jpg", "qiniu:///b", "http://b/y.jpg"] {
            assert_eq!(public_url(&config, kept), kept);
        }
        assert_eq!(public_url(&CensorConfig::default(), "qiniu:///b/y.jpg"), "qiniu:///b/y.jpg");
    }
}
