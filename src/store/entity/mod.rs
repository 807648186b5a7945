//! The tables, one file each. Nearly every column of the adopted ones may be NULL.

pub mod admin_user;
pub mod censor_config;
pub mod censor_image;
pub mod event_log;
pub mod gift_config;
pub mod gift_correction;
pub mod id_sequence;
pub mod item_demonstrate;
pub mod item_demonstrate_log;
pub mod items;
pub mod leader_lease;
pub mod live_censor;
pub mod live_entities;
pub mod live_gift;
pub mod live_like;
pub mod live_like_flush;
pub mod live_mic_entities;
pub mod live_room_user_entities;
pub mod live_users;
pub mod node_registry;
pub mod operation_log;
pub mod relay_sessions;
pub mod replica_heartbeat;
pub mod room_lane;
pub mod stats_single_live;
pub mod stream_session;
