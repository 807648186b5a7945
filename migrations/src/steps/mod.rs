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
mod m20260101_000030_callback_delivery;
mod m20260101_000031_room_lane_callback_done;
mod m20260101_000032_room_lane_callback_due;
mod m20260101_000033_room_lane_callback_owner;
mod m20260101_000034_room_lane_callback_attempts;
mod m20260101_000035_room_lane_reaction_done;
mod m20260101_000036_room_lane_reaction_due;
mod m20260101_000037_room_lane_reaction_owner;
mod m20260101_000038_room_lane_reaction_attempts;
mod m20260101_000039_room_lane_idx_callback_due;
mod m20260101_000039_room_lane_idx_reaction_due;
mod m20260101_000040_live_gift_client_key;
mod m20260101_000041_live_gift_asks;
mod m20260101_000042_live_gift_next_ask_ms;
mod m20260101_000043_live_gift_lease_until_ms;
mod m20260101_000044_live_gift_pay_code;
mod m20260101_000045_live_gift_pay_message;
mod m20260101_000046_live_gift_flag;
mod m20260101_000047_live_gift_uix_client_key;
mod m20260101_000048_live_gift_idx_status_next_ask;
mod m20260101_000049_gift_correction;
mod m20260101_000049_live_gift_idx_anchor_id;
mod m20260101_000049_live_gift_idx_user_id;
mod m20260101_000060_live_room_user_entities_mic_seat;
mod m20260101_000070_item_demonstrate_log_idx_live_item;
mod m20260101_000080_live_censor_state;
mod m20260101_000081_live_censor_asked_at;
mod m20260101_000082_live_censor_idx_state;
mod m20260101_000083_censor_image_seen_key;
mod m20260101_000084_censor_image_uix_seen_key;
mod m20260101_000085_censor_image_idx_live_review;
mod m20260101_000086_censor_image_idx_created_at;
mod m20260101_000087_live_entities_idx_last_censor_time;
mod m20260101_000090_event_log_appended_ms;
mod m20260101_000091_node_registry_has_callbacks;
mod m20260101_000092_live_moderator;
mod m20260101_000093_live_sanction;
mod m20260101_000094_live_chat_setting;
mod m20260101_000095_banned_word;
mod m20260101_000096_user_ban;
mod m20260101_000097_node_registry_report;
mod m20260101_000098_censor_image_idx_is_review;
mod m20260101_000099_live_gift_idx_flag;
mod m20260101_000100_event_log_request_id;
mod m20260101_000101_callback_delivery_request_id;
mod m20260101_000102_event_log_traceparent;
mod m20260101_000110_live_gift_idx_created_at;
mod m20260101_000120_stream_session_others;
mod m20260101_000121_admin_revocation;
mod m20260101_000122_admin_ended_token;
mod m20260101_000130_operation_log_full_ip;

/// All steps, oldest first.
pub(crate) const ALL: [Step; 80] = [
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
    m20260101_000030_callback_delivery::STEP,
    m20260101_000031_room_lane_callback_done::STEP,
    m20260101_000032_room_lane_callback_due::STEP,
    m20260101_000033_room_lane_callback_owner::STEP,
    m20260101_000034_room_lane_callback_attempts::STEP,
    m20260101_000035_room_lane_reaction_done::STEP,
    m20260101_000036_room_lane_reaction_due::STEP,
    m20260101_000037_room_lane_reaction_owner::STEP,
    m20260101_000038_room_lane_reaction_attempts::STEP,
    m20260101_000039_room_lane_idx_callback_due::STEP,
    m20260101_000039_room_lane_idx_reaction_due::STEP,
    m20260101_000040_live_gift_client_key::STEP,
    m20260101_000041_live_gift_asks::STEP,
    m20260101_000042_live_gift_next_ask_ms::STEP,
    m20260101_000043_live_gift_lease_until_ms::STEP,
    m20260101_000044_live_gift_pay_code::STEP,
    m20260101_000045_live_gift_pay_message::STEP,
    m20260101_000046_live_gift_flag::STEP,
    m20260101_000047_live_gift_uix_client_key::STEP,
    m20260101_000048_live_gift_idx_status_next_ask::STEP,
    m20260101_000049_gift_correction::STEP,
    m20260101_000049_live_gift_idx_anchor_id::STEP,
    m20260101_000049_live_gift_idx_user_id::STEP,
    m20260101_000060_live_room_user_entities_mic_seat::STEP,
    m20260101_000070_item_demonstrate_log_idx_live_item::STEP,
    m20260101_000080_live_censor_state::STEP,
    m20260101_000081_live_censor_asked_at::STEP,
    m20260101_000082_live_censor_idx_state::STEP,
    m20260101_000083_censor_image_seen_key::STEP,
    m20260101_000084_censor_image_uix_seen_key::STEP,
    m20260101_000085_censor_image_idx_live_review::STEP,
    m20260101_000086_censor_image_idx_created_at::STEP,
    m20260101_000087_live_entities_idx_last_censor_time::STEP,
    m20260101_000090_event_log_appended_ms::STEP,
    m20260101_000091_node_registry_has_callbacks::STEP,
    m20260101_000092_live_moderator::STEP,
    m20260101_000093_live_sanction::STEP,
    m20260101_000094_live_chat_setting::STEP,
    m20260101_000095_banned_word::STEP,
    m20260101_000096_user_ban::STEP,
    m20260101_000097_node_registry_report::STEP,
    m20260101_000098_censor_image_idx_is_review::STEP,
    m20260101_000099_live_gift_idx_flag::STEP,
    m20260101_000100_event_log_request_id::STEP,
    m20260101_000101_callback_delivery_request_id::STEP,
    m20260101_000102_event_log_traceparent::STEP,
    m20260101_000110_live_gift_idx_created_at::STEP,
    m20260101_000120_stream_session_others::STEP,
    m20260101_000121_admin_revocation::STEP,
    m20260101_000122_admin_ended_token::STEP,
    m20260101_000130_operation_log_full_ip::STEP,
];
