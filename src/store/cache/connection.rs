//! An open connection to a Redis node or cluster, and the ways in which it is used.

use futures_util::future::join_all;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster_async::ClusterConnection;
use redis::{Cmd, ErrorKind, Pipeline, RedisResult, ServerErrorKind, Value};

use super::scripts::Call;

/// A connection; clones share it.
#[derive(Clone)]
pub(super) enum Connection {
    /// To a single server.
    Node(MultiplexedConnection),
    /// To all nodes of a cluster.
    Cluster(ClusterConnection),
}

impl Connection {
    /// Runs a command.
    pub(super) async fn command(&mut self, command: &Cmd) -> RedisResult<Value> {
        match self {
            Self::Node(node) => node.req_packed_command(command).await,
            Self::Cluster(cluster) => cluster.req_packed_command(command).await,
        }?
        .extract_error()
    }

    /// Runs a script.
    pub(super) async fn run(mut self, call: &Call) -> RedisResult<Value> {
        match self.command(&call.by_hash()).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.command(&call.by_text()).await
            }
            result => result,
        }
    }

    /// Runs scripts: on a node in one go, on a cluster each on its node at the same time.
    pub(super) async fn run_all(self, calls: &[Call]) -> RedisResult<Vec<Value>> {
        match self {
            Self::Node(node) => run_pipeline(node, calls).await,
            Self::Cluster(_) => {
                let runs = calls.iter().map(|call| self.clone().run(call));
                join_all(runs).await.into_iter().collect()
            }
        }
    }
}

/// Runs scripts in one go, and in a second those that the server did not know.
async fn run_pipeline(mut node: MultiplexedConnection, calls: &[Call]) -> RedisResult<Vec<Value>> {
    let mut values = send_all(&mut node, calls.iter().map(Call::by_hash)).await?;
    let unknown = |value: &Value| matches!(value, Value::ServerError(error) if error.kind() == Some(ServerErrorKind::NoScript));
    if values.iter().any(unknown) {
        let again =
            calls.iter().zip(&values).filter(|(_, value)| unknown(value)).map(|(call, _)| call.by_text());
        let answers = send_all(&mut node, again).await?;
        for (value, answer) in values.iter_mut().filter(|value| unknown(value)).zip(answers) {
            *value = answer;
        }
    }
    values.into_iter().map(Value::extract_error).collect()
}

/// Sends commands in one go. Errors that the server answers are among the values.
async fn send_all(
    node: &mut MultiplexedConnection,
    commands: impl Iterator<Item = Cmd>,
) -> RedisResult<Vec<Value>> {
    let mut pipeline = Pipeline::new();
    for command in commands {
        pipeline.add_command(command);
    }
    let count = pipeline.len();
    node.req_packed_commands(&pipeline, 0, count).await
}
