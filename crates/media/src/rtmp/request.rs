//! What a peer wants to publish or play.

/// The names in a connection's `connect` and `publish` or `play`.
///
/// `rtmp://host/live/room?e=1&token=x` is sent by ffmpeg and OBS as app `live` and name
/// `room?e=1&token=x`; with the whole URL as OBS's server it is app `live/room?e=1&token=x` without a name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamRequest {
    /// The application, from `connect`.
    pub app: String,
    /// The URL of the application as the peer sees it; may name another host than it reached.
    pub tc_url: String,
    /// The name, from `publish` or `play`.
    pub name: String,
}

impl StreamRequest {
    /// Application and stream without parameters: `live/room`.
    #[must_use]
    pub fn path(&self) -> String {
        let parts = [&self.app, &self.name].map(|part| split(part).0.trim_matches('/'));
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join("/")
    }

    /// The parameters after `?`, of the name if it has some, else of the application, else of its URL.
    #[must_use]
    pub fn query(&self) -> &str {
        let candidates = [&self.name, &self.app, &self.tc_url].map(|part| split(part).1);
        candidates.into_iter().find(|query| !query.is_empty()).unwrap_or("")
    }

    /// The host that the peer used, without the port.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        let (_, after) = self.tc_url.split_once("://")?;
        let authority = after.split(['/', '?']).next()?;
        let host = match authority.strip_prefix('[') {
            Some(v6) => v6.split(']').next()?,
            None => authority.split(':').next()?,
        };
        (!host.is_empty()).then_some(host)
    }
}

fn split(text: &str) -> (&str, &str) {
    text.split_once('?').unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(app: &str, name: &str) -> StreamRequest {
        StreamRequest {
            app: app.into(),
            tc_url: format!("rtmp://live.example.com:1935/{app}"),
            name: name.into(),
        }
    }

    #[test]
    fn url_and_key_are_one_whole_however_they_are_split() {
        for (app, name) in [
            ("live", "room?e=1&token=a:b"),
            ("live/", "/room?e=1&token=a:b"),
            ("live/room?e=1&token=a:b", ""),
        ] {
            let request = request(app, name);
            assert_eq!((request.path().as_str(), request.query()), ("live/room", "e=1&token=a:b"));
        }
        assert_eq!(request("live", "room").query(), "");
    }

    #[test]
    fn the_host_is_read_from_the_url() {
        assert_eq!(request("live", "x").host(), Some("live.example.com"));
        let v6 = StreamRequest { tc_url: "rtmp://[::1]:1935/live".into(), ..StreamRequest::default() };
        assert_eq!(v6.host(), Some("::1"));
        assert_eq!(StreamRequest::default().host(), None);
    }
}
