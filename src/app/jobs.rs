//! What the leader does by the clock.

use std::sync::Arc;
use std::time::Duration;

use super::services::{AppContext, Services};
use crate::callback::Deliveries;
use crate::jobs::anchors::TimedOutAnchors;
use crate::jobs::expiry::Expiry;
use crate::jobs::lease::LeaderLease;
use crate::jobs::likes::{FlushLikes, KeepLikes};
use crate::jobs::metrics_collector::{self, MetricsCollector};
use crate::jobs::presence::{RestorePresence, Watch, WriteHeard};
use crate::jobs::review_jobs::ReviewJobs;
use crate::jobs::schedule::Schedule;
use crate::jobs::settle_gifts::SettleGifts;
use crate::jobs::viewers::TimedOutViewers;

/// Starts all jobs.
pub(super) fn start(
    schedule: &Schedule,
    context: &AppContext,
    services: &Services,
    lease: &Arc<LeaderLease>,
) -> anyhow::Result<()> {
    start_presence(schedule, context, services, lease);
    let AppContext { config, db, clock, registry, .. } = context;
    let likes = services.likes.as_ref();
    schedule.start(FlushLikes::new(likes.clone(), Arc::clone(lease)));
    schedule.start(KeepLikes { likes: likes.clone(), lease: Arc::clone(lease) });
    let settle_every = Duration::from_secs(config.gift.settle_every_s);
    let gifts = services.gifts.as_ref().clone();
    schedule.start(SettleGifts::new(gifts, Arc::clone(lease), settle_every, registry)?);
    schedule.start(ReviewJobs { reviews: services.reviews.as_ref().clone(), lease: Arc::clone(lease) });
    let census = metrics_collector::Parts {
        db: db.clone(),
        clock: Arc::clone(clock),
        lives: services.lives.as_ref().clone(),
        lease: Arc::clone(lease),
    };
    schedule.start(MetricsCollector::new(census, registry)?);
    schedule.start(Expiry {
        db: db.clone(),
        clock: Arc::clone(clock),
        deliveries: Deliveries::new(db.clone(), Arc::clone(clock)),
        lease: Arc::clone(lease),
        keep: Duration::from_secs(config.events.keep_hours * 3600),
    });
    Ok(())
}

/// The jobs that know who is in a room.
fn start_presence(schedule: &Schedule, context: &AppContext, services: &Services, lease: &Arc<LeaderLease>) {
    let AppContext { config, db, cache, .. } = context;
    let lives = services.lives.as_ref();
    let watch = Arc::new(Watch::new(cache.clone(), db.clone(), lives.clone(), Arc::clone(lease)));
    schedule.start(TimedOutViewers {
        lives: lives.clone(),
        lease: Arc::clone(lease),
        watch: Arc::clone(&watch),
        timeout: Duration::from_secs(config.live.viewer_timeout_s),
    });
    schedule.start(TimedOutAnchors {
        lives: lives.clone(),
        lease: Arc::clone(lease),
        watch,
        timeout: Duration::from_secs(config.live.anchor_timeout_s),
    });
    schedule.start(WriteHeard::new(lives.clone(), Arc::clone(lease), cache.shards()));
    schedule.start(RestorePresence { lives: lives.clone() });
}
