//! Calls that prepare a measurement: many at a time, each answer checked.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::http::Connection;
use crate::request::Request;

const CONNECTIONS: usize = 32;

/// Sends `requests` over several connections; the `data` of their answers in the order of the requests.
pub async fn call_all(address: SocketAddr, requests: Vec<Request>) -> Result<Vec<Value>> {
    let requests: Arc<[Request]> = requests.into();
    let mut workers = JoinSet::new();
    for worker in 0..CONNECTIONS.min(requests.len()) {
        let requests = requests.clone();
        workers.spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut answers = Vec::new();
            for (number, request) in requests.iter().enumerate().skip(worker).step_by(CONNECTIONS) {
                answers.push((number, call(&mut connection, request).await?));
            }
            anyhow::Ok(answers)
        });
    }
    let mut answers = Vec::with_capacity(requests.len());
    while let Some(done) = workers.join_next().await {
        answers.extend(done??);
    }
    answers.sort_by_key(|(number, _)| *number);
    Ok(answers.into_iter().map(|(_, data)| data).collect())
}

/// Sends one request; the `data` of its answer.
pub async fn call(connection: &mut Connection, request: &[u8]) -> Result<Value> {
    let answer = connection.exchange(request).await.with_context(|| first_line(request))?;
    if answer.status != 200 {
        let body = String::from_utf8_lossy(answer.body).into_owned();
        bail!("{}: {} {body}", first_line(request), answer.status);
    }
    let mut body: Value = serde_json::from_slice(answer.body).with_context(|| first_line(request))?;
    match body.get("code").and_then(Value::as_i64) {
        Some(0) => Ok(body.get_mut("data").map(Value::take).unwrap_or_default()),
        _ => bail!("{}: {body}", first_line(request)),
    }
}

/// The request line, for messages.
pub fn first_line(request: &[u8]) -> String {
    let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
    String::from_utf8_lossy(line).into_owned()
}
