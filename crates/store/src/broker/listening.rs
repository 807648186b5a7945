//! The conversation with one server about channels: what is asked, confirmed, and heard.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, cmd};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::ear::{Common, News, Order};
use super::stored;
use super::types::Heard;
use crate::redis::wire::{Reply, Wire};

/// After how long a silence the server is asked for an answer.
const CHECK_AFTER: Duration = Duration::from_millis(800);
/// How long that answer, or taking in a command, may take.
const CHECK_LIMIT: Duration = Duration::from_millis(500);

/// A command that waits for its replies, of which Redis sends one for each channel.
enum Asked {
    /// Those that are not confirmed yet.
    Subscribe(VecDeque<(String, Arc<str>)>),
    /// Those that have not ended yet.
    Unsubscribe(Vec<String>),
    Ping,
}

/// One connection, from its beginning to its end.
pub(super) struct Listening<'a, T> {
    common: &'a Common,
    wire: Wire,
    talk: Talk<T>,
}

/// What is known of the conversation.
struct Talk<T> {
    tell: T,
    /// Channels by their names in Redis.
    channels: HashMap<Box<[u8]>, Arc<str>>,
    asked: VecDeque<Asked>,
}

impl<'a, T: Fn(News)> Listening<'a, T> {
    pub(super) fn new(common: &'a Common, wire: Wire, tell: T) -> Self {
        let talk = Talk { tell, channels: HashMap::new(), asked: VecDeque::new() };
        Self { common, wire, talk }
    }

    /// Listens and obeys until the connection is of no use any more; `Ok` when nobody needs it.
    pub(super) async fn listen(&mut self, orders: &mut mpsc::UnboundedReceiver<Order>) -> io::Result<()> {
        let (mut check_at, mut is_checking) = (Instant::now() + CHECK_AFTER, false);
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.obey(order).await?,
                    None => return Ok(()),
                },
                read = self.wire.read() => {
                    read?;
                    if !self.take_in().await? {
                        return Ok(());
                    }
                    (check_at, is_checking) = (Instant::now() + CHECK_AFTER, false);
                }
                () = sleep_until(check_at) => {
                    if is_checking {
                        return Err(io::Error::new(io::ErrorKind::TimedOut, "it does not answer"));
                    }
                    (check_at, is_checking) = (Instant::now() + CHECK_LIMIT, true);
                    self.ask(&cmd("PING"), Asked::Ping).await?;
                }
            }
        }
    }

    async fn obey(&mut self, order: Order) -> io::Result<()> {
        let name_of = |channel: &Arc<str>| self.common.keys.channel(channel).to_string();
        let is_sharded = self.common.is_sharded;
        match order {
            Order::Subscribe(channels) => {
                let named = channels.into_iter().map(|channel| (name_of(&channel), channel));
                let named: VecDeque<_> = named.collect();
                let mut command = cmd(if is_sharded { "SSUBSCRIBE" } else { "SUBSCRIBE" });
                for (name, channel) in &named {
                    command.arg(name);
                    self.talk.channels.insert(name.as_bytes().into(), channel.clone());
                }
                self.ask(&command, Asked::Subscribe(named)).await
            }
            Order::Unsubscribe(channels) => {
                let names: Vec<String> = channels.iter().map(name_of).collect();
                let mut command = cmd(if is_sharded { "SUNSUBSCRIBE" } else { "UNSUBSCRIBE" });
                for name in &names {
                    command.arg(name);
                    self.talk.channels.remove(name.as_bytes());
                }
                self.ask(&command, Asked::Unsubscribe(names)).await
            }
        }
    }

    async fn ask(&mut self, command: &Cmd, asked: Asked) -> io::Result<()> {
        self.talk.asked.push_back(asked);
        timeout(CHECK_LIMIT, self.wire.send(command)).await.map_err(|_| io::ErrorKind::TimedOut)?
    }

    /// Takes in what was read; false when nobody listens any more.
    async fn take_in(&mut self) -> io::Result<bool> {
        while let Some(reply) = self.wire.take()? {
            match reply {
                Reply::List([b"message" | b"smessage", name, stored]) => {
                    let Some(channel) = self.talk.channels.get(name) else { continue };
                    let Some((epoch, publication)) = stored::read(stored) else { continue };
                    self.common.metrics.heard.inc();
                    let heard = Heard::Publication { channel: channel.clone(), epoch, publication };
                    if self.common.heard.send(heard).await.is_err() {
                        return Ok(false);
                    }
                }
                Reply::List([b"subscribe" | b"ssubscribe", name, _]) => self.talk.confirmed(name)?,
                Reply::List([b"unsubscribe" | b"sunsubscribe", name, _]) => self.talk.ended(name),
                Reply::List(_) | Reply::Status(_) => self.talk.answered(),
                Reply::Error(error) => self.talk.refused(error)?,
            }
        }
        Ok(true)
    }
}

impl<T: Fn(News)> Talk<T> {
    /// Redis confirms in the order of what was asked.
    fn confirmed(&mut self, name: &[u8]) -> io::Result<()> {
        let Some(Asked::Subscribe(named)) = self.asked.front_mut() else { return Err(out_of_step()) };
        let next = named.pop_front().filter(|(asked, _)| asked.as_bytes() == name);
        let (_, channel) = next.ok_or_else(out_of_step)?;
        if named.is_empty() {
            self.asked.pop_front();
        }
        (self.tell)(News::Confirmed(channel));
        Ok(())
    }

    /// A subscription has ended: by a command, or because the channel's slot has moved away.
    fn ended(&mut self, name: &[u8]) {
        if let Some(Asked::Unsubscribe(names)) = self.asked.front_mut() {
            let asked = names.iter().position(|asked| asked.as_bytes() == name);
            if let Some(place) = asked {
                names.swap_remove(place);
                if names.is_empty() {
                    self.asked.pop_front();
                }
                return;
            }
        }
        if let Some(channel) = self.channels.remove(name) {
            (self.tell)(News::Gone(channel));
        }
    }

    fn answered(&mut self) {
        if let Some(Asked::Ping) = self.asked.front() {
            self.asked.pop_front();
        }
    }

    /// A command was refused as a whole.
    fn refused(&mut self, error: &str) -> io::Result<()> {
        match self.asked.pop_front() {
            Some(Asked::Subscribe(named)) => {
                tracing::debug!(error, channels = named.len(), "a subscription was refused");
                for (name, _) in &named {
                    self.channels.remove(name.as_bytes());
                }
                (self.tell)(News::Refused(named.into_iter().map(|(_, channel)| channel).collect()));
                Ok(())
            }
            Some(_) => Ok(()),
            None => Err(io::Error::other(error.to_owned())),
        }
    }
}

fn out_of_step() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it confirms what was not asked")
}
