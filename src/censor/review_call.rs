//! What the review service posts.

use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the review service posts; only what is used of it. Audio results are not asked for.
#[derive(Debug, Default, Serialize, Deserialize, Validate, ToSchema)]
#[serde(default)]
pub struct ReviewCall {
    /// The picture and the verdict on it; checked apart, since one that could not be judged lacks
    /// nearly everything.
    #[garde(skip)]
    pub image: Picture,
    /// Why there is none.
    #[garde(skip)]
    pub error: ServiceError,
}

/// Why the review service has no result.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ServiceError {
    /// Its text.
    pub message: String,
}

/// A picture that the review service has judged.
#[derive(Debug, Default, Serialize, Deserialize, Validate, ToSchema)]
#[serde(default)]
pub struct Picture {
    /// 200 when it could be judged.
    #[garde(skip)]
    pub code: i64,
    /// The service's id of the job.
    #[garde(length(chars, min = 1, max = 255))]
    pub job: String,
    /// `http(s)://…`, or `qiniu:///<bucket>/<path>`.
    #[garde(custom(picture_url))]
    pub url: String,
    /// When it was taken, Unix seconds.
    #[garde(range(min = 1))]
    pub timestamp: i32,
    /// The verdict.
    #[garde(dive)]
    pub result: Verdict,
}

/// The service's verdict on a picture.
#[derive(Debug, Default, Serialize, Deserialize, Validate, ToSchema)]
#[serde(default)]
pub struct Verdict {
    /// `pass`, `review` or `block`.
    #[garde(length(chars, max = 255))]
    pub suggestion: String,
    /// By what was looked for.
    #[garde(dive)]
    pub scenes: Scenes,
}

/// Verdicts by what was looked for; empty for what was not.
#[derive(Debug, Default, Serialize, Deserialize, Validate, ToSchema)]
#[serde(default)]
pub struct Scenes {
    /// Pornography.
    #[garde(dive)]
    pub pulp: Scene,
    /// Violence.
    #[garde(dive)]
    pub terror: Scene,
    /// Politicians.
    #[garde(dive)]
    pub politician: Scene,
    /// Advertisements.
    #[garde(dive)]
    pub ads: Scene,
}

/// One verdict.
#[derive(Debug, Default, Serialize, Deserialize, Validate, ToSchema)]
#[serde(default)]
pub struct Scene {
    /// `pass`, `review` or `block`.
    #[garde(length(chars, max = 255))]
    pub suggestion: String,
}

/// Operators' browsers show it, so that it must be a picture's address and nothing else.
fn picture_url(url: &str, _: &()) -> garde::Result {
    let known = ["http://", "https://", "qiniu:///"];
    if url.chars().count() > 1024 {
        Err(garde::Error::new("has more than 1024 characters"))
    } else if !known.iter().any(|start| url.starts_with(start)) {
        Err(garde::Error::new("must begin with http://, https:// or qiniu:///"))
    } else {
        Ok(())
    }
}
