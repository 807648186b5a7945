//! A mebibyte of nested JSON, from people without credentials.

use std::sync::Arc;

use futures_util::future::join_all;
use tokio::io::AsyncWriteExt;

use super::tally::Tally;
use super::target::Target;

const AT_ONCE: usize = 16;
const MEBIBYTE: usize = 1 << 20;
const PATHS: [&str; 6] = [
    "/client/live/room/instance",
    "/client/stats/singleLive",
    "/server/user/register/batch",
    "/admin/users",
    "/manager/login",
    "/v1/mesh/publish",
];

/// Nobody asked what it says.
pub const EXPECTED: &[&str] = &["ended", "400", "401", "413", "429", "503", "over"];

/// Again and again, over connections of their own.
pub async fn attack(target: &Target) -> Tally {
    let body: Arc<str> = nests().into();
    let flows = (0..AT_ONCE).map(|number| {
        let (target, body) = (target.clone(), Arc::clone(&body));
        tokio::spawn(async move {
            let mut tally = Tally::default();
            for turn in number.. {
                if target.is_over() {
                    break;
                }
                let came = target.unless_over(send(&target, PATHS[turn % PATHS.len()], &body)).await;
                tally.add(came.unwrap_or_else(|| "over".to_owned()));
            }
            tally
        })
    });
    Tally::sum(join_all(flows).await.into_iter().map(Result::unwrap))
}

/// As deep as parsers go, as often as fits.
fn nests() -> String {
    let nest = format!("{}{},", "[".repeat(100), "]".repeat(100));
    let mut text = r#"{"title":["#.to_owned();
    while text.len() + nest.len() + 3 <= MEBIBYTE {
        text.push_str(&nest);
    }
    text + "0]}"
}

/// Sends it whole, whatever is answered meanwhile; what came of it.
async fn send(target: &Target, path: &str, body: &str) -> String {
    let Some(mut stream) = target.connect().await else { return "ended".to_owned() };
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x.y.z\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    // A server that has answered already need not read it.
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(body.as_bytes()).await;
    Target::status(&mut stream).await.map_or_else(|| "ended".to_owned(), |status| status.to_string())
}
