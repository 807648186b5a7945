//! An open connection to a Redis server, and the ways in which it is used.

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Cmd, ErrorKind, Pipeline, RedisResult, ServerErrorKind, Value, cmd};

use super::scripts::Call;

/// What is asked of Redis.
#[derive(Debug)]
pub(super) enum Request {
    Command(Cmd),
    Script(Call),
}

/// A connection; clones share it.
#[derive(Clone)]
pub(super) struct Connection(MultiplexedConnection);

impl Connection {
    pub(super) fn new(inner: MultiplexedConnection) -> Self {
        Self(inner)
    }

    /// Makes a request.
    pub(super) async fn send(&mut self, request: &Request) -> RedisResult<Value> {
        match request {
            Request::Command(command) => self.command(command).await,
            Request::Script(call) => match self.command(&call.by_hash()).await {
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                    self.command(&call.by_text()).await
                }
                result => result,
            },
        }
    }

    /// Makes a request of a node of a cluster that is just taking over the slot.
    pub(super) async fn ask(&mut self, request: &Request) -> RedisResult<Value> {
        let command = match request {
            Request::Command(command) => command.clone(),
            Request::Script(call) => call.by_text(),
        };
        let answers = self.send_all([cmd("ASKING"), command].into_iter()).await?;
        answers.into_iter().last().unwrap_or(Value::Nil).extract_error()
    }

    async fn command(&mut self, command: &Cmd) -> RedisResult<Value> {
        self.0.req_packed_command(command).await?.extract_error()
    }

    /// Runs scripts in one go, and in a second those that the server did not know.
    pub(super) async fn run_all(&mut self, calls: &[Call]) -> RedisResult<Vec<Value>> {
        let mut values = self.send_all(calls.iter().map(Call::by_hash)).await?;
        let unknown = |value: &Value| matches!(value, Value::ServerError(error) if error.kind() == Some(ServerErrorKind::NoScript));
        if values.iter().any(unknown) {
            let again = calls.iter().zip(&values).filter(|(_, value)| unknown(value));
            let answers = self.send_all(again.map(|(call, _)| call.by_text())).await?;
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
        self.0.req_packed_commands(&pipeline, 0, count).await
    }
}
