//! The client of the payment service (docs/gifts.md is written for its author).

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Client, StatusCode, Url};
use serde::Serialize;
use serde_json::Value;

use crate::auth::WebhookSigner;
use crate::event::GiftRow;
use crate::http_client;
use common::clock::SharedClock;
use common::json;
use common::request_id::{HEADER, RequestId};
use config::{Current, GiftConfig};
use telemetry::context;

/// The code of a failure that has none of the payment service's own.
pub const UNPAID_CODE: i64 = 20002;
/// The text of a failure that has none of the payment service's own.
pub const UNPAID_MESSAGE: &str = "PayGift Failure";

/// A longer answer is not read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// Characters of a refusal's text that the column holds.
const MESSAGE_CHARS: usize = 255;
/// `data.status` of a gift that was refused.
const STATUS_REFUSED: i64 = 2;
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What the payment service says of a gift.
#[derive(Debug)]
pub enum Answer {
    /// It is paid.
    Paid,
    /// It is not, and will not be.
    Refused(Refusal),
    /// Nobody can tell; to be asked again under the same id.
    Unknown(Unknown),
}

/// What a sender is told of a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The service's code; never 0.
    pub code: i64,
    /// The service's text, at most 255 characters.
    pub message: String,
}

impl Default for Refusal {
    fn default() -> Self {
        Self { code: UNPAID_CODE, message: UNPAID_MESSAGE.to_owned() }
    }
}

/// Why it is not known whether a gift is paid.
#[derive(Debug, thiserror::Error)]
pub enum Unknown {
    /// `gift.gift_addr` is empty or not a URL.
    #[error("gift.gift_addr is not a URL")]
    NoAddress,
    /// No connection, no answer in time, or one that was cut off.
    #[error("the payment service cannot be reached")]
    Unreachable(#[from] reqwest::Error),
    /// Another HTTP status than 200; redirects are not followed.
    #[error("the payment service answered with HTTP status {0}")]
    Status(u16),
    /// More than 64 KiB.
    #[error("the answer of the payment service is too long")]
    TooLong,
    /// Not a JSON object with an integer `code`.
    #[error("the answer of the payment service has no code")]
    NoCode,
}

/// What the service is asked.
#[derive(Serialize)]
struct Request<'a> {
    biz_id: &'a str,
    user_id: &'a str,
    live_id: &'a str,
    anchor_id: &'a str,
    gift_id: i32,
    amount: i32,
}

/// The payment service.
pub struct Payment {
    client: Client,
    address: Option<Url>,
    signer: Current<WebhookSigner>,
    clock: SharedClock,
}

impl Payment {
    /// A client of the service that `config` names, whose calls are signed by `signer`. An address that is
    /// not a URL, or none, fails at each use: nothing is free.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(
        config: &GiftConfig,
        signer: Current<WebhookSigner>,
        clock: SharedClock,
    ) -> reqwest::Result<Self> {
        let timeout = Duration::from_secs(config.timeout_s);
        let client = http_client::builder().timeout(timeout).build()?;
        let address = Url::parse(&config.gift_addr).ok().filter(Url::has_host);
        Ok(Self { client, address, signer, clock })
    }

    /// Asks the service to pay `gift`, or what became of it.
    pub async fn ask(&self, gift: &GiftRow) -> Answer {
        self.exchange(gift).await.unwrap_or_else(Answer::Unknown)
    }

    async fn exchange(&self, gift: &GiftRow) -> Result<Answer, Unknown> {
        let address = self.address.clone().ok_or(Unknown::NoAddress)?;
        let body = body(gift);
        let now = self.clock.now().timestamp();
        let signature = self.signer.get().sign(&gift.biz_id, now, &body);
        let id = context::request_id().unwrap_or_else(|| RequestId::generate().shared());
        let mut request = self.client.post(address).header(CONTENT_TYPE, JSON).header(HEADER, &*id);
        if let Some(signature) = signature {
            request = request
                .header("webhook-id", &gift.biz_id)
                .header("webhook-timestamp", now)
                .header("webhook-signature", signature);
        }
        let sent = http_client::send(request.body(body), "payment").await;
        // The URL may hold a password.
        let response = sent.map_err(reqwest::Error::without_url)?;
        if response.status() != StatusCode::OK {
            return Err(Unknown::Status(response.status().as_u16()));
        }
        let body = http_client::bounded_body(response, MAX_ANSWER_BYTES).await?.ok_or(Unknown::TooLong)?;
        classify(&body).ok_or(Unknown::NoCode)
    }
}

fn body(gift: &GiftRow) -> Vec<u8> {
    let GiftRow { biz_id, user_id, live_id, anchor_id, gift_id, amount, .. } = gift;
    let request = Request { biz_id, user_id, live_id, anchor_id, gift_id: *gift_id, amount: *amount };
    serde_json::to_vec(&request).unwrap_or_default()
}

/// Reads the body of a 200; None when it has no integer `code`.
fn classify(body: &[u8]) -> Option<Answer> {
    let answer: Value = serde_json::from_slice(&json::readable(body)).ok()?;
    let code = answer.get("code")?.as_number().filter(|code| code.is_i64() || code.is_u64())?;
    let status = match answer.get("data").and_then(|data| data.get("status")) {
        None | Some(Value::Null) => None,
        // A status that cannot be read may be a refusal.
        Some(status) => Some(status.as_i64()?),
    };
    if code.as_i64() == Some(0) && status != Some(STATUS_REFUSED) {
        return Some(Answer::Paid);
    }
    // A refusal under code 0 would look like a success in the envelope.
    let code = code.as_i64().filter(|&code| code != 0).unwrap_or(UNPAID_CODE);
    let text = answer.get("message").and_then(Value::as_str).filter(|text| !text.is_empty());
    let message = text.unwrap_or(UNPAID_MESSAGE).chars().take(MESSAGE_CHARS).collect();
    Some(Answer::Refused(Refusal { code, message }))
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    fn refused(body: &str) -> (i64, String) {
        match classify(body.as_bytes()) {
            Some(Answer::Refused(Refusal { code, message })) => (code, message),
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn paid_is_code_zero_without_status_2() {
        let paid = [
            r#"{"code":0}"#,
            r#"{"code":0,"data":null}"#,
            r#"{"code":0,"data":{"status":1},"message":"ok"}"#,
            r#"{"code":0,"data":{"status":0}}"#,
            r#"{"code":0,"data":[2],"status":2}"#,
            "\u{feff}{\"code\":0}",
            r#"{"code":0,"message":"cut \ud83d"}"#,
        ];
        for body in paid {
            assert!(matches!(classify(body.as_bytes()), Some(Answer::Paid)), "{body}");
        }
    }

    #[test]
    fn refused_is_another_code_or_status_2() {
        assert_eq!(refused(r#"{"code":7,"message":"no money"}"#), (7, "no money".to_owned()));
        assert_eq!(refused(r#"{"code":-1}"#), (-1, UNPAID_MESSAGE.to_owned()));
        assert_eq!(refused(r#"{"code":0,"data":{"status":2}}"#), (UNPAID_CODE, UNPAID_MESSAGE.to_owned()));
        assert_eq!(refused(r#"{"code":9,"data":{"status":1},"message":3}"#), (9, UNPAID_MESSAGE.to_owned()));
        assert_eq!(refused(r#"{"code":18446744073709551615,"message":"x"}"#), (UNPAID_CODE, "x".to_owned()));
        let long = format!(r#"{{"code":7,"message":"{}"}}"#, "é".repeat(300));
        assert_eq!(refused(&long).1.chars().count(), 255);
    }

    #[test]
    fn everything_else_says_nothing() {
        let bodies = [
            "",
            "paid",
            r#"{"code":0,"data":{"status":"2"}}"#,
            r#"{"code":0,"data":{"status":2.0}}"#,
            "[]",
            "0",
            "null",
            "{}",
            r#"{"code":null}"#,
            r#"{"code":"0"}"#,
            r#"{"code":0.0}"#,
        ];
        for body in bodies {
            assert!(classify(body.as_bytes()).is_none(), "{body}");
        }
    }
}
