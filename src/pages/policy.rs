//! What browsers let the pages do: nothing but what they are made for.

use std::collections::BTreeSet;

use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, InvalidHeaderValue, REFERRER_POLICY,
};
use url::{Origin, Url};

use config::Config;

/// The headers that go with each page.
#[derive(Clone, Debug)]
pub struct Policy {
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Policy {
    /// The policy of a server with this configuration: files, calls and WebSockets of the server itself,
    /// streams of the configured media servers, pictures from the web.
    ///
    /// # Errors
    /// None in practice: an origin is always fit for a header.
    pub fn new(config: &Config) -> Result<Self, InvalidHeaderValue> {
        let pili = &config.pili;
        let media = origins([&pili.hls_play_url, &pili.flv_play_url, &pili.playback_url]);
        let pictures = origins([&pili.media_url, &config.censor.addr]);
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; \
             img-src 'self' data: https:{pictures}; connect-src 'self'{media}; media-src 'self' blob:{media}; \
             worker-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        );
        let headers = vec![
            (CONTENT_SECURITY_POLICY, HeaderValue::try_from(policy)?),
            (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (
                HeaderName::from_static("permissions-policy"),
                HeaderValue::from_static("camera=(), microphone=(), geolocation=()"),
            ),
            (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
        ];
        Ok(Self { headers })
    }

    pub(super) fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }
}

/// The origins of web addresses, each after a space.
fn origins<const N: usize>(addresses: [&String; N]) -> String {
    let origins = addresses.into_iter().filter_map(|address| match Url::parse(address).ok()?.origin() {
        origin @ Origin::Tuple(..) => Some(format!(" {}", origin.ascii_serialization())),
        Origin::Opaque(_) => None,
    });
    origins.collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(config: &Config) -> String {
        Policy::new(config).unwrap().headers()[0].1.to_str().unwrap().to_owned()
    }

    #[test]
    fn only_the_configured_media_servers_are_named() {
        let mut config = Config::default();
        assert!(policy(&config).contains("connect-src 'self'; media-src 'self' blob:; worker-src"));
        config.pili.hls_play_url = "https://play.example.com:8443/hls".to_owned();
        config.pili.flv_play_url = "https://play.example.com:8443".to_owned();
        config.pili.playback_url = "not an address".to_owned();
        config.censor.addr = "http://review.example.com/pictures".to_owned();
        let policy = policy(&config);
        assert!(policy.contains("connect-src 'self' https://play.example.com:8443;"), "{policy}");
        assert!(policy.contains("img-src 'self' data: https: http://review.example.com;"), "{policy}");
    }

    #[test]
    fn scripts_and_styles_are_the_servers_own_files() {
        let policy = policy(&Config::default());
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'; "), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
    }
}
