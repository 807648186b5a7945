//! The memory of request bodies under way: how much all of them may have together, those of callers who are not
//! known yet, and those of one sender.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use moka::sync::Cache;
use prometheus::{Opts, Registry};

use super::peer;
use telemetry::observable;

/// Bytes that the body of a batch may have: the least share of anybody.
pub const BATCH: usize = 1 << 20;
/// What the first bytes of a body are put into. They are found room for longest.
pub(super) const FIRST: usize = 4 << 10;

/// Senders are counted in so many maps, each with a lock.
const SHARDS: usize = 16;
/// How long the network of a backend whose signature was good is known.
const KNOWN_FOR: Duration = Duration::from_secs(600);
/// So many networks of backends are known.
const KNOWN: u64 = 1024;

/// There is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// For anybody.
    AtAll,
    /// For more of this sender.
    OfSender,
}

/// The bytes that all bodies under way may have together; clones share them.
#[derive(Clone, Debug)]
pub struct BodyBudget(Arc<Budget>);

#[derive(Debug)]
struct Budget {
    all: Pot,
    /// Of callers who may be backends, until the signature over their body was checked.
    backends: Pot,
    /// Of those who show nothing.
    strangers: Pot,
    senders: [Mutex<HashMap<u64, usize>>; SHARDS],
    hasher: RandomState,
    known: Cache<IpNet, ()>,
}

/// Bytes of several senders.
#[derive(Debug)]
struct Pot {
    limit: usize,
    taken: AtomicUsize,
}

impl Pot {
    fn new(limit: usize) -> Self {
        Self { limit, taken: AtomicUsize::new(0) }
    }

    fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// The last eighth is left to bodies that have just begun.
    fn take(&self, more: usize, is_first: bool) -> Result<(), NoRoom> {
        let limit = if is_first { self.limit } else { self.limit - self.limit / 8 };
        let fits = |taken: usize| taken.checked_add(more).filter(|sum| *sum <= limit);
        let taken = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        taken.map(drop).map_err(|_| NoRoom::AtAll)
    }

    fn give_back(&self, bytes: usize) {
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn is_scarce(&self) -> bool {
        self.taken() > self.limit / 2
    }
}

/// Which pot a sender takes from, beside that of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    Known,
    Backend,
    Stranger,
}

/// Whose memory a body takes.
#[derive(Clone, Copy, Debug)]
pub struct Sender {
    trust: Trust,
    /// A hash: two who share one share their bytes.
    key: u64,
    /// Bytes of theirs.
    limit: usize,
}

impl BodyBudget {
    /// A budget of `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        // Both together leave something to callers who are known.
        let of_unknown = (limit / 4).max(BATCH + BATCH / 2).min(limit);
        Self(Arc::new(Budget {
            all: Pot::new(limit),
            backends: Pot::new(of_unknown),
            strangers: Pot::new(of_unknown),
            senders: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
            known: Cache::builder().max_capacity(KNOWN).time_to_live(KNOWN_FOR).build(),
        }))
    }

    /// Registers `liveloom_http_body_bytes`.
    ///
    /// # Errors
    /// When the registry holds that name already.
    pub fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        let help = "Bytes that request bodies under way take together.";
        let budget = self.clone();
        observable::gauge(registry, Opts::new("http_body_bytes", help).namespace("liveloom"), move || {
            i64::try_from(budget.taken()).unwrap_or(i64::MAX)
        })
    }

    /// A user, by a token.
    #[must_use]
    pub fn user(&self, id: &str) -> Sender {
        self.sender(Trust::Known, ("user", id), 16)
    }

    /// An administrator, by a token.
    #[must_use]
    pub fn administrator(&self, id: &str) -> Sender {
        self.sender(Trust::Known, ("administrator", id), 16)
    }

    /// A service that has shown already who it is.
    #[must_use]
    pub fn service(&self, ip: IpAddr) -> Sender {
        self.sender(Trust::Known, ("service", peer::network(ip)), 4)
    }

    /// A caller who names the key of a backend, and whose signature covers the body: known by others that were
    /// good, of the same network.
    #[must_use]
    pub fn backend(&self, ip: IpAddr) -> Sender {
        let network = peer::network(ip);
        if self.0.known.contains_key(&network) {
            self.sender(Trust::Known, ("backend", network), 4)
        } else {
            self.sender(Trust::Backend, ("backend", network), 32)
        }
    }

    /// Anybody.
    #[must_use]
    pub fn stranger(&self, ip: IpAddr) -> Sender {
        self.sender(Trust::Stranger, ("stranger", peer::network(ip)), 64)
    }

    /// A backend's signature was good.
    pub fn know_backend(&self, ip: IpAddr) {
        self.0.known.insert(peer::network(ip), ());
    }

    fn sender(&self, trust: Trust, who: impl Hash, part: usize) -> Sender {
        Sender { trust, key: self.0.hasher.hash_one(who), limit: (self.0.all.limit / part).max(BATCH) }
    }

    pub(super) fn taken(&self) -> usize {
        self.0.all.taken()
    }

    pub(super) fn share(&self, sender: Sender) -> Share {
        Share { budget: Arc::clone(&self.0), sender, bytes: 0 }
    }
}

impl Budget {
    /// The pot of callers who are not known, if the sender is one.
    fn pot(&self, sender: Sender) -> Option<&Pot> {
        match sender.trust {
            Trust::Known => None,
            Trust::Backend => Some(&self.backends),
            Trust::Stranger => Some(&self.strangers),
        }
    }

    fn count<T>(&self, key: u64, count: impl FnOnce(&mut HashMap<u64, usize>) -> T) -> Option<T> {
        let shard = usize::try_from(key >> 32).ok()? % SHARDS;
        let mut shard = self.senders.get(shard)?.lock().unwrap_or_else(PoisonError::into_inner);
        Some(count(&mut shard))
    }

    fn take_of(&self, sender: Sender, more: usize) -> Result<(), NoRoom> {
        let taken = self.count(sender.key, |senders| {
            let taken = senders.get(&sender.key).copied().unwrap_or_default();
            let sum = taken.checked_add(more).filter(|sum| *sum <= sender.limit);
            sum.map(|sum| _ = senders.insert(sender.key, sum))
        });
        taken.flatten().ok_or(NoRoom::OfSender)
    }

    fn give_back_of(&self, sender: Sender, bytes: usize) {
        self.count(sender.key, |senders| {
            let left = senders.get(&sender.key).map_or(0, |taken| taken.saturating_sub(bytes));
            if left == 0 {
                senders.remove(&sender.key);
            } else {
                senders.insert(sender.key, left);
            }
        });
    }
}

/// What one body takes of the budget, until this is dropped.
#[derive(Debug)]
pub(super) struct Share {
    budget: Arc<Budget>,
    sender: Sender,
    bytes: usize,
}

impl Share {
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether there is little room: then nobody may keep it without need.
    pub(super) fn is_scarce(&self) -> bool {
        self.budget.all.is_scarce() || self.budget.pot(self.sender).is_some_and(Pot::is_scarce)
    }

    pub(super) fn grow_to(&mut self, bytes: usize) -> Result<(), NoRoom> {
        let more = bytes.saturating_sub(self.bytes);
        let is_first = bytes <= FIRST;
        let (budget, sender) = (&self.budget, self.sender);
        budget.all.take(more, is_first)?;
        let pot = budget.pot(sender);
        if let Some(pot) = pot
            && let Err(full) = pot.take(more, is_first)
        {
            budget.all.give_back(more);
            return Err(full);
        }
        if let Err(full) = budget.take_of(sender, more) {
            budget.all.give_back(more);
            pot.iter().for_each(|pot| pot.give_back(more));
            return Err(full);
        }
        self.bytes += more;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let (budget, sender) = (&self.budget, self.sender);
        budget.all.give_back(self.bytes);
        budget.pot(sender).iter().for_each(|pot| pot.give_back(self.bytes));
        if self.bytes > 0 {
            budget.give_back_of(sender, self.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    /// As many batches of the sender as there is room for.
    fn batches(budget: &BodyBudget, sender: Sender) -> Vec<Share> {
        let batch = || {
            let mut share = budget.share(sender);
            share.grow_to(BATCH).ok().map(|()| share)
        };
        (0..100).map_while(|_| batch()).collect()
    }

    #[test]
    fn a_sender_has_a_share_and_others_have_the_rest() {
        let budget = BodyBudget::new(64 * MIB);
        let alice = batches(&budget, budget.user("alice"));
        assert_eq!(alice.len(), 4);
        let mut more = budget.share(budget.user("alice"));
        assert_eq!(more.grow_to(BATCH), Err(NoRoom::OfSender));
        assert_eq!(budget.taken(), 4 * MIB, "what was refused takes nothing");
        assert_eq!(batches(&budget, budget.administrator("alice")).len(), 4, "an administrator is no user");
        assert_eq!(batches(&budget, budget.user("bob")).len(), 4);
        assert_eq!(more.grow_to(FIRST), Err(NoRoom::OfSender), "not even for the beginning of a body");
        drop((alice, more));
        assert_eq!(budget.taken(), 0);
        let is_empty = |shard: &Mutex<HashMap<u64, usize>>| shard.lock().is_ok_and(|map| map.is_empty());
        assert!(budget.0.senders.iter().all(is_empty), "nothing stays of who is gone");
    }

    #[test]
    fn many_bodies_that_have_just_begun_take_no_more_than_their_senders_share() {
        let budget = BodyBudget::new(64 * MIB);
        let begin = |_| {
            let mut share = budget.share(budget.user("alice"));
            share.grow_to(FIRST).ok().map(|()| share)
        };
        let begun: Vec<_> = (0..100_000).map_while(begin).collect();
        assert_eq!(begun.len(), 4 * MIB / FIRST);
        assert_eq!(budget.share(budget.user("bob")).grow_to(FIRST), Ok(()));
    }

    #[test]
    fn strangers_and_backends_do_not_shut_out_each_other_nor_who_is_known() {
        let budget = BodyBudget::new(64 * MIB);
        let of = |sender: fn(&BodyBudget, IpAddr) -> Sender| {
            (0..100).flat_map(|last| batches(&budget, sender(&budget, ip(last)))).collect::<Vec<_>>()
        };
        let strangers = of(BodyBudget::stranger);
        assert_eq!(strangers.len(), 14, "of a quarter, an eighth is for what has just begun");
        assert_eq!(budget.share(budget.stranger(ip(200))).grow_to(FIRST), Ok(()));
        assert_eq!(batches(&budget, budget.backend(ip(1))).len(), 2);
        let backends = of(BodyBudget::backend);
        assert_eq!(backends.len(), 14);
        assert_eq!(batches(&budget, budget.backend(ip(201))).len(), 0);
        budget.know_backend(ip(201));
        assert_eq!(batches(&budget, budget.backend(ip(201))).len(), 16, "whose signature was good");
        assert_eq!(batches(&budget, budget.user("alice")).len(), 4);
    }

    #[test]
    fn the_least_budget_has_room_for_a_batch_of_each_kind() {
        let budget = BodyBudget::new(4 * MIB);
        let held = [budget.stranger(ip(1)), budget.backend(ip(1)), budget.user("u")]
            .map(|sender| batches(&budget, sender));
        assert_eq!(held.each_ref().map(Vec::len), [1, 1, 1]);
        assert!(budget.share(budget.user("v")).is_scarce());
        assert_eq!(budget.share(budget.user("v")).grow_to(BATCH), Err(NoRoom::AtAll));
        assert_eq!(budget.share(budget.user("v")).grow_to(FIRST), Ok(()));
    }
}
