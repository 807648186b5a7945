//! Requests as bytes, rendered before the clock starts so that sending one costs no work.

use serde_json::Value;

use crate::sign::sign;

/// One HTTP/1.1 request, ready for the socket.
pub type Request = Vec<u8>;

/// The key pair of the server API.
#[derive(Clone, Debug)]
pub struct Keys {
    /// `auth.server.access_key`.
    pub access_key: String,
    /// `auth.server.secret_key`.
    pub secret_key: String,
}

/// Renders requests for one server.
#[derive(Clone, Debug)]
pub struct Renderer {
    host: String,
    keys: Keys,
}

impl Renderer {
    /// `host` is the value of the Host header, `address:port`.
    pub fn new(host: String, keys: Keys) -> Self {
        Self { host, keys }
    }

    /// A request without credentials.
    pub fn open(&self, method: &str, target: &str) -> Request {
        self.render(method, target, None, None)
    }

    /// A request of a client, under its access token.
    pub fn client(&self, method: &str, target: &str, token: &str, body: Option<&Value>) -> Request {
        self.render(method, target, Some(token), body.map(Value::to_string))
    }

    /// A request of a business backend, signed.
    pub fn server(&self, method: &str, target: &str, body: Option<&Value>) -> Request {
        let body = body.map(Value::to_string);
        let mut data = format!("{method} {target}\nHost: {}\n", self.host);
        if let Some(body) = &body {
            data.push_str("Content-Type: application/json\n\n");
            data.push_str(body);
        } else {
            data.push('\n');
        }
        let signature = sign(&self.keys.secret_key, &data);
        let credentials = format!("Qiniu {}:{signature}", self.keys.access_key);
        self.render(method, target, Some(&credentials), body)
    }

    fn render(&self, method: &str, target: &str, credentials: Option<&str>, body: Option<String>) -> Request {
        let mut text = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n", self.host);
        if let Some(credentials) = credentials {
            text.push_str(&format!("Authorization: {credentials}\r\n"));
        }
        if let Some(body) = body {
            let head = format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
            text.push_str(&head);
            text.push_str(&body);
        } else if method == "GET" {
            text.push_str("\r\n");
        } else {
            text.push_str("Content-Length: 0\r\n\r\n");
        }
        text.into_bytes()
    }
}
