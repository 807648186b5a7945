//! An open connection to a Redis server, and the ways in which it is used.

use std::sync::Arc;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Cmd, ErrorKind, Pipeline, RedisResult, ServerErrorKind, Value, cmd, from_redis_value};
use tokio_util::task::AbortOnDropHandle;

use super::script::Call;

/// What is asked of Redis.
#[derive(Debug)]
pub(crate) enum Request {
    Command(Cmd),
    Script(Call),
}

impl Request {
    /// One of the keys of a script.
    pub(crate) fn first_key(&self) -> Option<&str> {
        match self {
            Self::Command(_) => None,
            Self::Script(call) => call.first_key(),
        }
    }
}

/// A connection; clones share it.
#[derive(Clone)]
pub(crate) struct Connection {
    inner: MultiplexedConnection,
    /// Reads and writes for it; ends with the last clone, be there an answer or not.
    _driver: Arc<AbortOnDropHandle<()>>,
    /// Names this start of the server; empty where nobody asked.
    run_id: Arc<str>,
}

impl Connection {
    pub(super) fn new(inner: MultiplexedConnection, driver: AbortOnDropHandle<()>) -> Self {
        Self { inner, _driver: Arc::new(driver), run_id: "".into() }
    }

    /// Asks the server for its run id, and tells it with calls that want that.
    pub(crate) async fn ask_run_id(mut self) -> RedisResult<Self> {
        let info = self.command(cmd("INFO").arg("server")).await?;
        let info: String = from_redis_value(info)?;
        let run_id = info.lines().find_map(|line| line.strip_prefix("run_id:")).map(str::trim);
        self.run_id = run_id.ok_or((ErrorKind::UnexpectedReturnType, "INFO tells no run_id"))?.into();
        Ok(self)
    }

    /// Makes a request.
    pub(crate) async fn send(&mut self, request: &Request) -> RedisResult<Value> {
        match request {
            Request::Command(command) => self.command(command).await,
            Request::Script(call) => match self.command(&call.by_hash(&self.run_id)).await {
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                    self.command(&call.by_text(&self.run_id)).await
                }
                result => result,
            },
        }
    }

    /// Makes a request of a node of a cluster that is just taking over the slot.
    pub(crate) async fn ask(&mut self, request: &Request) -> RedisResult<Value> {
        let command = match request {
            Request::Command(command) => command.clone(),
            Request::Script(call) => call.by_text(&self.run_id),
        };
        let answers = self.send_all([cmd("ASKING"), command].into_iter()).await?;
        answers.into_iter().last().unwrap_or(Value::Nil).extract_error()
    }

    async fn command(&mut self, command: &Cmd) -> RedisResult<Value> {
        self.inner.req_packed_command(command).await?.extract_error()
    }

    /// Runs scripts in one go, and in a second those that the server did not know.
    pub(crate) async fn run_all(&mut self, calls: &[Call]) -> RedisResult<Vec<Value>> {
        let run_id = self.run_id.clone();
        let mut values = self.send_all(calls.iter().map(|call| call.by_hash(&run_id))).await?;
        let unknown = |value: &Value| matches!(value, Value::ServerError(error) if error.kind() == Some(ServerErrorKind::NoScript));
        if values.iter().any(unknown) {
            let again = calls.iter().zip(&values).filter(|(_, value)| unknown(value));
            let answers = self.send_all(again.map(|(call, _)| call.by_text(&run_id))).await?;
            for (value, answer) in values.iter_mut().filter(|value| unknown(value)).zip(answers) {
                *value = answer;
            }
        }
        values.into_iter().map(Value::extract_error).collect()
    }

    /// Sends commands in one go. Errors that the server answers are among the values.
    async fn send_all(&mut self, commands: impl Iterator<Item = Cmd>) -> RedisResult<Vec<Value>> {
        let mut pipeline = Pipeline::new();
        for command in commands {
            pipeline.add_command(command);
        }
        let count = pipeline.len();
        self.inner.req_packed_commands(&pipeline, 0, count).await
    }
}
