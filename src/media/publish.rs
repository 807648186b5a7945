//! Whether a stream that an RTMP server asks about was given out by this server.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use subtle::ConstantTimeEq;

use super::pili::{Pili, TOKEN, UrlSecurity};
use super::sign_url::Query;
use common::failure::{Failure, Kind};

/// What nginx-rtmp (`on_publish`, `on_publish_done`) puts in its form before the arguments of the
/// stream's URL, which follow unchanged.
const NGINX_FIELDS: [&str; 10] =
    ["app", "flashver", "swfurl", "tcurl", "pageurl", "addr", "clientid", "call", "name", "type"];

/// A publish as the RTMP server tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishCall {
    /// The RTMP application; the hub.
    pub app: String,
    /// The name of the stream, without arguments.
    pub stream: String,
    /// The RTMP server's name for the connection (nginx-rtmp `clientid`, SRS `client_id`), which tells
    /// the end of this publish from that of another one of the same stream.
    pub client: Option<String>,
    query: Query,
}

/// Why a publish is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishRefusal {
    /// The hook's call lacks the application or the stream, or names a field of its own twice.
    #[error("app, name: must be present, and no field of the hook twice")]
    Incomplete,
    /// Another hub than ours.
    #[error("app: not the hub of this server")]
    OtherHub,
    /// A name that `pili.stream_pattern` does not make.
    #[error("stream: the name is not one of this server's")]
    OtherPattern,
    /// Publish URLs are not signed here, and `hooks.allow_unsigned` is not set.
    #[error("publish URLs are not signed (pili.security_type is none)")]
    Unsigned,
    /// The token or the expiry is absent, stands there twice, or is not a number.
    #[error("the publish URL lacks its token or expiry")]
    Unreadable,
    /// The token is not ours.
    #[error("the token of the publish URL is wrong")]
    Forged,
    /// The token is ours, and too old.
    #[error("the publish URL is expired")]
    Expired,
}

impl Failure for PublishRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::Incomplete => Kind::Invalid,
            _ => Kind::Forbidden,
        }
    }

    fn message(&self) -> Cow<'static, str> {
        Cow::Owned(self.to_string())
    }
}

impl PublishCall {
    /// A publish of `app`/`stream` with the raw arguments of its URL, with or without `?`.
    #[must_use]
    pub fn new(app: impl Into<String>, stream: impl Into<String>, query: &str) -> Self {
        Self { app: app.into(), stream: stream.into(), client: None, query: Query::parse(query) }
    }

    /// A publish as SRS tells it in `app`, `stream` and `param`. A WHIP address holds `app`, `stream` and `vhost`
    /// in its query, as one of RTMP may hold `vhost`: none of them takes part in the signature, as long as they
    /// name the stream that is published.
    #[must_use]
    pub fn from_srs(app: impl Into<String>, stream: impl Into<String>, param: &str) -> Self {
        let mut call = Self::new(app, stream, param);
        for (name, own) in [("app", &call.app), ("stream", &call.stream)] {
            if call.query.single(name) == Some(own) {
                call.query.remove(name);
            }
        }
        call.query.remove("vhost");
        call
    }

    /// With the RTMP server's name for the connection.
    #[must_use]
    pub fn of_client(mut self, client: impl Into<String>) -> Self {
        self.client = Some(client.into());
        self
    }

    /// A publish as nginx-rtmp posts it: a form that ends with the arguments of the URL.
    ///
    /// What is not one of nginx's own fields belongs to the URL, whatever its order, and takes part in
    /// the signature. A field that stands there twice is refused: a publisher whose arguments hold a
    /// second `name` could else show the token of one stream and publish another.
    pub fn from_nginx(form: &str) -> Result<Self, PublishRefusal> {
        let mut query = Query::parse(form);
        let [app, _, _, _, _, _, client, _, name, _type] =
            NGINX_FIELDS.map(|field| query.remove_first(field));
        if NGINX_FIELDS.iter().any(|field| query.contains(field)) {
            return Err(PublishRefusal::Incomplete);
        }
        match (app, name) {
            (Some(app), Some(stream)) if !app.is_empty() && !stream.is_empty() => {
                Ok(Self { app, stream, client, query })
            }
            _ => Err(PublishRefusal::Incomplete),
        }
    }
}

impl Pili {
    /// The room whose signed publish URL this is.
    ///
    /// Whether the room may go live is not known here. The signature is compared before the expiry,
    /// so that `Expired` is said only of a URL that this server gave out.
    pub fn verify_publish(&self, call: &PublishCall, now: DateTime<Utc>) -> Result<String, PublishRefusal> {
        if !self.is_our_app(&call.app) {
            return Err(PublishRefusal::OtherHub);
        }
        let live_id = self.live_id(&call.stream).ok_or(PublishRefusal::OtherPattern)?;
        let Some(parameter) = self.security.expiry_parameter() else {
            return if self.allow_unsigned { Ok(live_id.to_owned()) } else { Err(PublishRefusal::Unsigned) };
        };
        self.check_token(call, parameter, now)?;
        Ok(live_id.to_owned())
    }

    fn check_token(
        &self,
        call: &PublishCall,
        parameter: &str,
        now: DateTime<Utc>,
    ) -> Result<(), PublishRefusal> {
        let given = call.query.single(TOKEN).ok_or(PublishRefusal::Unreadable)?;
        let expire = call.query.single(parameter).and_then(|text| text.parse::<i64>().ok());
        let expire = expire.ok_or(PublishRefusal::Unreadable)?;
        let mut signed = call.query.clone();
        signed.remove(TOKEN);
        let expected = UrlSecurity::token(&self.security, &self.publish_path(&call.stream), &signed.encode());
        if !bool::from(expected.as_bytes().ct_eq(given.as_bytes())) {
            return Err(PublishRefusal::Forged);
        }
        if expire < now.timestamp() { Err(PublishRefusal::Expired) } else { Ok(()) }
    }
}
