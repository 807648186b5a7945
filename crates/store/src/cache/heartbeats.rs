//! Heartbeats, many in one round trip.
//!
//! While one script call with heartbeats is under way, those that arrive meanwhile gather for
//! the next. An idle cache is asked at once; a busy one is asked less often than it is used. A
//! node has one queue, a cluster one for each shard, so that a node that hangs stops only its own.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::CacheError;
use super::scripts;
use crate::redis::client::Client;
use crate::redis::script::Call;
use crate::redis::supervised::DEADLINE;
use common::supervise;

/// How many heartbeats go into one call at most; Redis works on nothing else meanwhile.
const BATCH: usize = 256;

/// One heartbeat, as the script takes it.
#[derive(Debug)]
pub(super) struct Beat {
    /// The keys of the members and of the watched anchors of the shard.
    pub(super) keys: [String; 2],
    /// `live_id:user_id`.
    pub(super) member: String,
    /// The room, if its anchor is who was heard, else empty.
    pub(super) anchored: String,
}

struct Waiting {
    beat: Beat,
    answer: oneshot::Sender<Result<bool, CacheError>>,
}

/// The queues that heartbeats take.
pub(super) struct Heartbeats(Vec<mpsc::UnboundedSender<Waiting>>);

impl Heartbeats {
    /// Starts that many queues over `client`; they end when this is dropped.
    pub(super) fn start(client: &Arc<Client>, queues: u16) -> Self {
        let queue = |_| {
            let (sender, receiver) = mpsc::unbounded_channel();
            supervise::spawn("heartbeats", drive(client.clone(), receiver));
            sender
        };
        Self((0..queues).map(queue).collect())
    }

    /// Records a heartbeat on the queue of its shard; whether the member is in the room.
    pub(super) async fn record(&self, shard: u16, beat: Beat) -> Result<bool, CacheError> {
        let gone = || CacheError::Unreachable("the cache is closed".into());
        let (answer, answered) = oneshot::channel();
        let queue = self.0.get(usize::from(shard) % self.0.len().max(1)).ok_or_else(gone)?;
        queue.send(Waiting { beat, answer }).map_err(|_| gone())?;
        timeout(DEADLINE, answered).await.map_err(|_| CacheError::Deadline)?.map_err(|_| gone())?
    }
}

async fn drive(client: Arc<Client>, mut arriving: mpsc::UnboundedReceiver<Waiting>) {
    let mut batch = Vec::new();
    while arriving.recv_many(&mut batch, BATCH).await > 0 {
        // Whoever has given up waiting while Redis was away is not recorded late.
        batch.retain(|waiting: &Waiting| !waiting.answer.is_closed());
        if batch.is_empty() {
            continue;
        }
        let mut call = Call::new(&scripts::HEARD);
        let mut answers = Vec::with_capacity(batch.len());
        for Waiting { beat, answer } in batch.drain(..) {
            beat.keys.into_iter().for_each(|key| call.push_key(key));
            call.push_arg(beat.member);
            call.push_arg(beat.anchored);
            answers.push(answer);
        }
        tell(answers, client.run(call).await);
    }
}

/// Hands every one their answer. Who does not wait any more is skipped.
fn tell(answers: Vec<oneshot::Sender<Result<bool, CacheError>>>, result: Result<Vec<bool>, CacheError>) {
    match result {
        Ok(present) if present.len() == answers.len() => {
            for (answer, present) in answers.into_iter().zip(present) {
                let _ = answer.send(Ok(present));
            }
        }
        other => {
            let error = other.err().unwrap_or_else(|| CacheError::Unexpected("too few answers".into()));
            for answer in answers {
                let _ = answer.send(Err(error.clone()));
            }
        }
    }
}
