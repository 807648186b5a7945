//! Two nodes over one broker, and what they hear.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Bytes;
use common::clock::SystemClock;
use config::CacheConfig;
use store::broker::{Broker, Epoch, Heard, Keep, LIFE, Pace, Position, Publication, Published};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::cache::backend::Place;

pub const SOON: Duration = Duration::from_secs(10);
pub const KEEP: Keep = Keep { messages: 10_000, time: Duration::from_secs(60), idle: LIFE };

/// What one node hears.
pub struct Ear(pub mpsc::Receiver<Heard>);

impl Ear {
    /// The next thing heard.
    pub async fn next(&mut self) -> Heard {
        timeout(SOON, self.0.recv()).await.expect("something is heard").expect("the broker is there")
    }

    /// The next message, past interruptions.
    pub async fn message(&mut self) -> (String, Epoch, Publication) {
        loop {
            if let Heard::Publication { channel, epoch, publication } = self.next().await {
                return (channel.to_string(), epoch, publication);
            }
        }
    }

    /// Waits until the body is heard.
    pub async fn body(&mut self, body: &str) {
        while self.message().await.2.body != Bytes::copy_from_slice(body.as_bytes()) {}
    }

    /// Waits until the interruption of these is told.
    pub async fn interruption(&mut self, channels: &[&str]) {
        let mut missing: Vec<&str> = channels.to_vec();
        while !missing.is_empty() {
            if let Heard::Interrupted { channels } = self.next().await {
                missing.retain(|channel| !channels.iter().any(|heard| &**heard == *channel));
            }
        }
    }
}

/// Two nodes; in memory they are one.
pub struct Bed {
    pub brokers: [Broker; 2],
    pub ears: Vec<Ear>,
    pub config: CacheConfig,
    _place: Place,
}

impl Bed {
    pub async fn memory() -> Self {
        let (broker, ear) = open(&CacheConfig::Memory).await;
        let brokers = [broker.clone(), broker];
        Self { brokers, ears: vec![ear], config: CacheConfig::Memory, _place: Place::memory() }
    }

    pub async fn node() -> Self {
        Self::over(Place::node()).await
    }

    pub async fn cluster() -> Self {
        Self::over(Place::cluster()).await
    }

    pub async fn over(place: Place) -> Self {
        let config = place.config.clone();
        let ((first, one), (second, other)) = (open(&config).await, open(&config).await);
        let (brokers, ears) = ([first, second], vec![one, other]);
        Self { brokers, ears, config, _place: place }
    }

    /// Both nodes subscribe.
    pub async fn subscribe(&self, channel: &str) {
        for broker in &self.brokers {
            broker.subscribe(channel).await.unwrap();
        }
    }

    /// How many nodes there really are.
    pub fn nodes(&self) -> u32 {
        u32::try_from(self.ears.len()).unwrap()
    }
}

/// Opens a broker.
pub async fn open(config: &CacheConfig) -> (Broker, Ear) {
    let (broker, heard) = Broker::connect(config, Arc::new(SystemClock)).await.unwrap();
    (broker, Ear(heard))
}

/// A message that goes out; its position, and how many nodes heard it.
pub async fn publish(broker: &Broker, channel: &str, body: impl AsRef<[u8]>) -> (Position, u32) {
    match broker.publish(channel, body.as_ref(), KEEP, Pace::default()).await.unwrap() {
        Published::At { position, nodes } => (position, nodes),
        Published::TooFast { .. } => panic!("there is no limit"),
    }
}

/// The text of a body.
pub fn text(publication: &Publication) -> String {
    String::from_utf8(publication.body.to_vec()).unwrap()
}
