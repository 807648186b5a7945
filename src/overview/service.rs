//! Putting the overview together.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache as Moka;
use prometheus::Registry;

use super::dto::{Callbacks, ConfigView, GiftsToSee, Job, Leader, Node, Review, Summary};
use super::error::Error;
use crate::callback::Deliveries;
use crate::censor::Reviews;
use crate::gift::Ledger;
use crate::jobs::lease;
use crate::live::Lives;
use common::clock::SharedClock;
use config::{Config, Current, Problem};
use store::db::Db;
use store::registry::alive_nodes;
use telemetry::report::NodeReport;

/// For how long a summary is given again: many consoles cost one.
const KEPT: Duration = Duration::from_secs(1);

/// What the overview is made of.
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: SharedClock,
    /// What this node counts.
    pub registry: Registry,
    /// As this node started with it.
    pub config: Config,
    /// As people may see what it runs with now.
    pub shown: Current<ConfigView>,
    /// What is odd about it.
    pub warnings: Current<Vec<Problem>>,
    /// The rooms.
    pub lives: Lives,
    /// The gifts.
    pub ledger: Ledger,
    /// The callbacks.
    pub deliveries: Deliveries,
    /// The content review.
    pub reviews: Reviews,
}

/// The overview; clones share everything.
#[derive(Clone)]
pub struct Overview(Arc<Inner>);

struct Inner {
    parts: Parts,
    summary: Moka<(), Arc<Summary>>,
}

/// The nodes, and what they count.
struct Nodes {
    nodes: Vec<Node>,
    leader: Option<i32>,
    jobs: Vec<Job>,
}

impl Overview {
    /// An overview made of `parts`.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let summary = Moka::builder().max_capacity(1).time_to_live(KEPT).build();
        Self(Arc::new(Inner { parts, summary }))
    }

    /// What the installation is doing, counted at most a second ago. One caller counts for all who ask
    /// meanwhile.
    ///
    /// # Errors
    /// The store's.
    pub async fn summary(&self) -> Result<Arc<Summary>, Error> {
        let count = async { self.0.count().await.map(Arc::new) };
        self.0.summary.try_get_with((), count).await.map_err(Error::Shared)
    }

    /// The nodes that are alive, by their ids. Two statements.
    ///
    /// # Errors
    /// The store's.
    pub async fn nodes(&self) -> Result<Vec<Node>, Error> {
        Ok(self.0.nodes().await?.nodes)
    }

    /// The jobs, as the leader tells of them, by name; none while there is no leader. Two statements.
    ///
    /// # Errors
    /// The store's.
    pub async fn jobs(&self) -> Result<Vec<Job>, Error> {
        Ok(self.0.nodes().await?.jobs)
    }

    /// The configuration of this node.
    #[must_use]
    pub fn config(&self) -> ConfigView {
        let (warnings, _) = self.0.warnings();
        ConfigView { warnings, ..(**self.0.parts.shown.get()).clone() }
    }
}

impl Inner {
    async fn count(&self) -> Result<Summary, Error> {
        let Parts { lives, ledger, deliveries, reviews, clock, config, .. } = &self.parts;
        let Nodes { nodes, leader, jobs } = self.nodes().await?;
        let (pending, oldest) = deliveries.backlog().await?;
        let (waiting, flagged) = ledger.count_to_see().await?;
        let sum = |counter: fn(&Node) -> u64| nodes.iter().map(counter).sum();
        let (warnings, weak_secrets) = self.warnings();
        Ok(Summary {
            at_ms: clock.now_ms(),
            rooms_live: lives.count_live().await?,
            users_online: lives.count_online().await?,
            messages_total: sum(|node| node.messages_total),
            gifts_total: sum(|node| node.gifts_total),
            likes_total: sum(|node| node.likes_total),
            requests_total: sum(|node| node.requests_total),
            callbacks: Callbacks {
                pending,
                failed: deliveries.failed().await?,
                oldest_s: oldest.num_seconds(),
            },
            gifts: GiftsToSee { waiting, flagged },
            review: Review { waiting: reviews.count_waiting().await? },
            leader: leader
                .map(|node_id| Leader { node_id, preferred_node_id: config.cron.single_task_node.into() }),
            nodes,
            jobs,
            warnings,
            weak_secrets,
        })
    }

    /// What is odd about the configuration, and the keys of secrets that protect nothing.
    fn warnings(&self) -> (Vec<String>, Vec<String>) {
        let warnings = self.parts.warnings.get();
        let weak = warnings.iter().filter(|warning| warning.is_weak_secret());
        let mut weak: Vec<_> = weak.map(|warning| warning.key().to_owned()).collect();
        // Several of one list.
        weak.dedup();
        (warnings.iter().map(ToString::to_string).collect(), weak)
    }

    async fn nodes(&self) -> Result<Nodes, Error> {
        let Parts { db, registry, config, .. } = &self.parts;
        let own = i32::from(config.node.node_id);
        let leader = lease::leader(db).await?;
        let (mut nodes, mut jobs) = (Vec::new(), Vec::new());
        for alive in alive_nodes(db).await? {
            let is_answering = alive.node_id == own;
            // What this node counts need not be read from its row, which may be seconds old.
            let report = if is_answering {
                NodeReport::gather(registry)
            } else {
                NodeReport::parse(alive.report.as_deref())
            };
            let is_leader = leader == Some(alive.node_id);
            if is_leader {
                jobs = report.jobs.iter().map(|job| Job::new(alive.node_id, job)).collect();
            }
            nodes.push(Node { is_leader, is_answering, ..Node::new(&alive, &report) });
        }
        Ok(Nodes { nodes, leader, jobs })
    }
}
