//! Requests written byte by byte, for what no HTTP library would send.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::answer::Answer;
use super::client::Api;

impl Api {
    /// Sends `request` over a connection of its own and reads `count` answers. The server may close or
    /// answer before it has read everything.
    pub async fn raw(&self, request: &[u8], count: usize) -> Vec<Answer> {
        let stream = TcpStream::connect(self.target.host()).await.expect("a connection");
        let (mut read, mut write) = stream.into_split();
        let bytes = request.to_vec();
        let writing = tokio::spawn(async move {
            let sent = write.write_all(&bytes).await;
            (write, sent.is_ok())
        });
        let what: String = String::from_utf8_lossy(request).chars().take(120).collect();
        let mut received = Vec::new();
        let mut answers = Vec::new();
        while answers.len() < count {
            match take_answer(&mut received, &what) {
                Some(answer) => answers.push(answer),
                None => {
                    let more =
                        tokio::time::timeout(Duration::from_secs(20), read.read_buf(&mut received)).await;
                    let more = more.unwrap_or_else(|_| panic!("no answer within 20 s to {what:?}"));
                    let more =
                        more.unwrap_or_else(|error| panic!("{error} instead of an answer to {what:?}"));
                    assert!(more > 0, "closed without an answer to {what:?}, after {received:?}");
                }
            }
        }
        writing.abort();
        self.note(request, &answers);
        answers
    }

    /// Sends one request of which `head` are the lines before the empty one, without `Host`.
    pub async fn raw_one(&self, head: &str, body: &[u8]) -> Answer {
        let mut request = head.replace('\n', "\r\n").into_bytes();
        request.extend_from_slice(b"\r\n\r\n");
        request.extend_from_slice(body);
        self.raw(&request, 1).await.remove(0)
    }

    fn note(&self, request: &[u8], answers: &[Answer]) {
        let line = String::from_utf8_lossy(request.split(|byte| *byte == b'\r').next().unwrap_or_default())
            .into_owned();
        let mut words = line.split(' ');
        if let (Some(method), Some(target), Some(answer)) = (words.next(), words.next(), answers.first()) {
            self.ledger.note(method, target, answer.status);
        }
    }
}

/// Takes one whole answer from the front of `received`, if there is one.
fn take_answer(received: &mut Vec<u8>, what: &str) -> Option<Answer> {
    let end = received.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(received.get(..end)?).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name");
        headers.append(name, HeaderValue::from_str(value.trim()).expect("a header value"));
    }
    let length = headers.get("content-length").map_or(0, |value| value.to_str().unwrap().parse().unwrap());
    let start = end + 4;
    let body = received.get(start..start + length)?.to_vec();
    received.drain(..start + length);
    Some(Answer::new(format!("raw {what:?}"), status, headers, body))
}
