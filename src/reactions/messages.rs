//! Tells the users in a room of its events, through the IM provider.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use prometheus::{IntCounterVec, Opts, Registry};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::{Reaction, ReactionError};
use crate::event::{DomainEvent, StoredEvent};
use crate::im::{Account, Im, Message, Target};
use crate::live::Lives;
use crate::user::{self, Users};

/// How long the IM service may take.
const SEND_LIMIT: Duration = Duration::from_secs(1);
/// A message about something that is longer ago would only confuse.
const LATE: Duration = Duration::from_secs(60);
/// Failures in a row after which the IM service is left alone.
const FAILURES: u32 = 3;
/// For how long it is left alone, so that partitions are not held up while it is down.
const PAUSE: Duration = Duration::from_secs(3);

/// Values of the label `action`: what [`notice`] says.
const ACTIONS: [&str; 5] =
    ["gift_notify", "pk_extends_notify", "censor_stop", "live_started", "live_stopped"];
/// Values of the label `result`.
const RESULTS: [&str; 6] = ["sent", "failed", "timed_out", "late", "paused", "nobody"];

/// Who a message comes from.
enum From<'a> {
    /// This user.
    User(&'a str),
    /// The room's anchor.
    Anchor,
}

struct Notice<'a> {
    action: &'static str,
    from: From<'a>,
    data: Value,
}

/// Sends the messages.
pub struct Messages {
    lives: Lives,
    users: Users,
    im: Im,
    sent: IntCounterVec,
    trouble: Mutex<Trouble>,
}

#[derive(Default)]
struct Trouble {
    failures: u32,
    paused_until: Option<Instant>,
}

impl Messages {
    /// Messages through `im`. Registers `liveloom_room_messages_total{action, result}`.
    ///
    /// # Errors
    /// When the metric is registered already.
    pub fn new(lives: Lives, users: Users, im: Im, registry: &Registry) -> prometheus::Result<Self> {
        let sent = Opts::new(
            "liveloom_room_messages_total",
            "Messages to rooms because of events, by action and result: sent, failed, timed_out, late \
             (older than a minute), paused (the IM service had just failed) or nobody (no chat room or \
             no account to send from).",
        );
        let sent = IntCounterVec::new(sent, &["action", "result"])?;
        registry.register(Box::new(sent.clone()))?;
        // A rate of what never happened yet is 0, not unknown.
        for action in ACTIONS {
            for result in RESULTS {
                sent.with_label_values(&[action, result]);
            }
        }
        Ok(Self { lives, users, im, sent, trouble: Mutex::default() })
    }

    async fn send(&self, event: &StoredEvent, notice: &Notice<'_>) -> Result<&'static str, ReactionError> {
        if event.age() > LATE {
            return Ok("late");
        }
        let Some((from, audience)) = self.ends(&event.live_id, &notice.from).await? else {
            return Ok("nobody");
        };
        if self.is_paused() {
            return Ok("paused");
        }
        let message = Message::new(Some(from), audience, notice.action, &notice.data);
        let message = message.map_err(|error| ReactionError::Failed(error.to_string()))?;
        let sent = timeout(SEND_LIMIT, self.im.send(message)).await;
        self.note(matches!(sent, Ok(Ok(()))));
        match sent {
            Ok(Ok(())) => Ok("sent"),
            Ok(Err(error)) => {
                tracing::warn!(%error, event.live_id, notice.action, "a room was not told");
                Ok("failed")
            }
            Err(_) => {
                tracing::warn!(event.live_id, notice.action, "a room was not told in time");
                Ok("timed_out")
            }
        }
    }

    /// Who the message comes from, and who gets it.
    async fn ends(&self, live_id: &str, from: &From<'_>) -> Result<Option<(Account, Target)>, ReactionError> {
        // Those in a room that was deleted learn of its end, too.
        let Some(room) = self.lives.room_even_deleted(live_id).await? else { return Ok(None) };
        let sender = match from {
            From::User(user_id) => user_id,
            From::Anchor => room.anchor_id.as_str(),
        };
        let sender = self.users.known(sender).await.map_err(user::Error::from)?;
        Ok(sender.and_then(|user| user.account()).zip(room.audience()))
    }

    fn is_paused(&self) -> bool {
        self.trouble().paused_until.is_some_and(|until| Instant::now() < until)
    }

    fn note(&self, is_sent: bool) {
        let mut trouble = self.trouble();
        if is_sent {
            *trouble = Trouble::default();
            return;
        }
        trouble.failures = trouble.failures.saturating_add(1);
        if trouble.failures >= FAILURES {
            trouble.paused_until = Some(Instant::now() + PAUSE);
        }
    }

    fn trouble(&self) -> MutexGuard<'_, Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Reaction for Messages {
    fn name(&self) -> &'static str {
        "messages"
    }

    async fn react(&self, event: &StoredEvent) -> Result<(), ReactionError> {
        let Some(notice) = notice(event) else { return Ok(()) };
        let result = self.send(event, &notice).await?;
        self.sent.with_label_values(&[notice.action, result]).inc();
        Ok(())
    }
}

/// What a room is told of its event; the actions and fields that the apps' SDKs know.
fn notice(event: &StoredEvent) -> Option<Notice<'_>> {
    let live_id = &event.live_id;
    let of_anchor = |action, data| Notice { action, from: From::Anchor, data };
    Some(match event.event.as_ref()? {
        DomainEvent::GiftSent { gift } => Notice {
            action: "gift_notify",
            from: From::User(&gift.user_id),
            data: json!({
                "live_id": live_id,
                "user_id": gift.user_id,
                "gift_id": gift.gift_id,
                "amount": gift.amount,
                "biz_id": gift.biz_id,
            }),
        },
        DomainEvent::PkExtendsChanged { sid, init_room_id, recv_room_id, extends } => of_anchor(
            "pk_extends_notify",
            json!({
                "sid": sid,
                "init_room_id": init_room_id,
                "recv_room_id": recv_room_id,
                "extends": extends,
            }),
        ),
        DomainEvent::CensorStopped { message } => {
            of_anchor("censor_stop", json!({ "live_id": live_id, "message": message }))
        }
        DomainEvent::LiveStarted => of_anchor("live_started", json!({ "live_id": live_id })),
        DomainEvent::LiveStopped { reason } => {
            of_anchor("live_stopped", json!({ "live_id": live_id, "reason": reason }))
        }
        _ => return None,
    })
}
