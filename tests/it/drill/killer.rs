//! Kills nodes with SIGKILL, and starts them again.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;
use tokio::sync::watch;

use super::bed::Bed;

/// How long the load may stand still while a node is up.
const STANDSTILL: Duration = Duration::from_secs(180);

/// Draws whom to kill and when.
pub struct Killer {
    draws: StdRng,
    gifts: watch::Receiver<usize>,
}

impl Killer {
    /// Counts moments by `gifts` that senders heard of.
    pub fn new(draws: StdRng, gifts: watch::Receiver<usize>) -> Self {
        Self { draws, gifts }
    }

    /// Kills one of the nodes, or both, at a random moment, and has both ready again.
    pub async fn strike(&mut self, bed: &mut Bed) {
        self.gifts_pass(1..=12).await;
        let victim = self.draws.random_range(0..bed.nodes.len());
        bed.nodes[victim].kill();
        match self.draws.random_range(0..8) {
            0 => {
                bed.nodes[1 - victim].kill();
                let [one, other] = &mut bed.nodes;
                tokio::join!(one.start(), other.start());
                return;
            }
            // The other one works alone for a while.
            1..4 => self.gifts_pass(1..=8).await,
            // And in the midst of its start once more.
            4 => {
                bed.nodes[victim].spawn();
                self.gifts_pass(1..=4).await;
                bed.nodes[victim].kill();
            }
            _ => {}
        }
        bed.nodes[victim].start().await;
    }

    /// Waits until senders have heard of so many more gifts.
    async fn gifts_pass(&mut self, count: std::ops::RangeInclusive<usize>) {
        let aim = *self.gifts.borrow() + self.draws.random_range(count);
        let passing = self.gifts.wait_for(|gifts| *gifts >= aim);
        let passed = tokio::time::timeout(STANDSTILL, passing).await;
        passed.expect("the load goes on while a node is up").expect("the load lives");
    }
}
