//! The steps in their order, one file each. A step that was released is never changed.

use crate::step::Step;

mod m20260101_000001_live_entities;
mod m20260101_000002_live_mic_entities;
mod m20260101_000003_live_users;
mod m20260101_000004_live_room_user_entities;
mod m20260101_000005_relay_sessions;
mod m20260101_000006_items;
mod m20260101_000007_item_demonstrate;
mod m20260101_000008_item_demonstrate_log;
mod m20260101_000009_stats_single_live;
mod m20260101_000010_admin_user;
mod m20260101_000011_censor_config;
mod m20260101_000012_operation_log;
mod m20260101_000013_live_censor;
mod m20260101_000014_censor_image;
mod m20260101_000015_live_like;
mod m20260101_000016_live_gift;
mod m20260101_000017_gift_config;
mod m20260101_000018_live_like_flush;
mod m20260101_000019_event_log;
mod m20260101_000020_room_lane;
mod m20260101_000021_node_registry;
mod m20260101_000022_leader_lease;
mod m20260101_000023_id_sequence;
mod m20260101_000024_replica_heartbeat;
mod m20260101_000025_stream_session;
mod m20260101_000026_live_room_user_entities_idx_live_user_id;
mod m20260101_000027_live_room_user_entities_idx_status_heart_beat;
mod m20260101_000028_live_room_user_entities_idx_live_status_updated;
mod m20260101_000029_live_entities_idx_status_updated;
mod m20260101_000080_live_censor_state;
mod m20260101_000081_live_censor_asked_at;
mod m20260101_000082_live_censor_idx_state;
mod m20260101_000083_censor_image_seen_key;
mod m20260101_000084_censor_image_uix_seen_key;
mod m20260101_000085_censor_image_idx_live_review;
mod m20260101_000086_censor_image_idx_created_at;
mod m20260101_000087_live_entities_idx_last_censor_time;

/// All steps, oldest first.
pub(crate) const ALL: [Step; 37] = [
    m20260101_000001_live_entities::STEP,
    m20260101_000002_live_mic_entities::STEP,
    m20260101_000003_live_users::STEP,
    m20260101_000004_live_room_user_entities::STEP,
    m20260101_000005_relay_sessions::STEP,
    m20260101_000006_items::STEP,
    m20260101_000007_item_demonstrate::STEP,
    m20260101_000008_item_demonstrate_log::STEP,
    m20260101_000009_stats_single_live::STEP,
    m20260101_000010_admin_user::STEP,
    m20260101_000011_censor_config::STEP,
    m20260101_000012_operation_log::STEP,
    m20260101_000013_live_censor::STEP,
    m20260101_000014_censor_image::STEP,
    m20260101_000015_live_like::STEP,
    m20260101_000016_live_gift::STEP,
    m20260101_000017_gift_config::STEP,
    m20260101_000018_live_like_flush::STEP,
    m20260101_000019_event_log::STEP,
    m20260101_000020_room_lane::STEP,
    m20260101_000021_node_registry::STEP,
    m20260101_000022_leader_lease::STEP,
    m20260101_000023_id_sequence::STEP,
    m20260101_000024_replica_heartbeat::STEP,
    m20260101_000025_stream_session::STEP,
    m20260101_000026_live_room_user_entities_idx_live_user_id::STEP,
    m20260101_000027_live_room_user_entities_idx_status_heart_beat::STEP,
    m20260101_000028_live_room_user_entities_idx_live_status_updated::STEP,
    m20260101_000029_live_entities_idx_status_updated::STEP,
    m20260101_000080_live_censor_state::STEP,
    m20260101_000081_live_censor_asked_at::STEP,
    m20260101_000082_live_censor_idx_state::STEP,
    m20260101_000083_censor_image_seen_key::STEP,
    m20260101_000084_censor_image_uix_seen_key::STEP,
    m20260101_000085_censor_image_idx_live_review::STEP,
    m20260101_000086_censor_image_idx_created_at::STEP,
    m20260101_000087_live_entities_idx_last_censor_time::STEP,
];
