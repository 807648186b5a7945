//! `realtime`: rooms and chat over WebSocket.

use serde::Serialize;

use super::section::Section;

/// `realtime` (new in this project)
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RealtimeConfig {
    /// Whether the mesh calls of the barrage protocol need the server credentials.
    pub mesh_auth: bool,
    /// Messages of a room that are kept for those who were away.
    pub history_messages: u32,
    /// Seconds that they are kept.
    pub history_s: u64,
    /// Channels that a connection may follow.
    pub max_channels: usize,
    /// Connections to `/realtime` and `/ws/v1` that one client address may have at a node; 0 is no limit.
    pub connections_per_address: u32,
    /// Connections to `/realtime` that one user may have at a node; 0 is no limit.
    pub connections_per_user: u32,
    /// WebSocket handshakes a second of one client address at a node, with a burst of twice that; 0 is no limit.
    pub handshakes_per_address_s: u32,
    /// Barrage connections that one client address may have at a node; 0 is no limit.
    pub barrage_per_address: u32,
    /// Messages a second that a user may send to one channel, with a burst of twice that; 0 is no limit.
    pub publish_per_user_s: u32,
    /// Messages a second that all users may send to one room, over all nodes; 0 is no limit.
    pub publish_per_room_s: u32,
    /// Seconds for which a server that is told to stop sends its callers elsewhere before it stops to listen.
    pub drain_s: u64,
}

impl Default for RealtimeConfig {
    fn default() -> Self {
        Self {
            mesh_auth: true,
            history_messages: 1000,
            history_s: 300,
            max_channels: 100,
            connections_per_address: 1000,
            connections_per_user: 100,
            handshakes_per_address_s: 200,
            barrage_per_address: 1000,
            publish_per_user_s: 5,
            publish_per_room_s: 100,
            drain_s: 5,
        }
    }
}

impl RealtimeConfig {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let default = Self::default();
        Self {
            mesh_auth: section.flag("mesh_auth", default.mesh_auth),
            history_messages: section.number("history_messages", default.history_messages, 1..=10_000),
            history_s: section.number("history_s", default.history_s, 1..=86_400),
            max_channels: section.number("max_channels", default.max_channels, 1..=10_000),
            connections_per_address: section.number(
                "connections_per_address",
                default.connections_per_address,
                0..=1_000_000,
            ),
            connections_per_user: section.number(
                "connections_per_user",
                default.connections_per_user,
                0..=1_000_000,
            ),
            handshakes_per_address_s: section.number(
                "handshakes_per_address_s",
                default.handshakes_per_address_s,
                0..=1_000_000,
            ),
            barrage_per_address: section.number(
                "barrage_per_address",
                default.barrage_per_address,
                0..=1_000_000,
            ),
            publish_per_user_s: section.number("publish_per_user_s", default.publish_per_user_s, 0..=100_000),
            publish_per_room_s: section.number(
                "publish_per_room_s",
                default.publish_per_room_s,
                0..=1_000_000,
            ),
            drain_s: section.number("drain_s", default.drain_s, 0..=60),
        }
    }
}
