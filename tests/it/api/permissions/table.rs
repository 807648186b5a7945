//! The table: every route with credentials, and who may call it.

use super::Caller::{self, Admin, Anchor, Backend, OtherAnchor, Stranger, Viewer};
use super::Row;

pub(super) const USERS: &[Caller] = &[Stranger, Viewer, Anchor, OtherAnchor];
/// Those who are in the room, but not its anchor.
const VIEWER: &[Caller] = &[Viewer];
const IN_ROOM: &[Caller] = &[Viewer, Anchor];
pub(super) const ANCHOR: &[Caller] = &[Anchor];
const BOTH_ANCHORS: &[Caller] = &[Anchor, OtherAnchor];
pub(super) const ADMIN: &[Caller] = &[Admin];
pub(super) const BACKEND: &[Caller] = &[Backend];

pub(super) type Line = (&'static str, &'static str, &'static str, &'static [Caller]);

/// All lines.
pub fn rows() -> impl Iterator<Item = Row> {
    let tables = [
        USER_ROUTES,
        LIVE_ROUTES,
        SEAT_ROUTES,
        PK_ROUTES,
        ITEM_ROUTES,
        GIFT_ROUTES,
        ADMIN_ROUTES,
        BARRAGE_ROUTES,
        super::moderation::ROUTES,
    ];
    tables.into_iter().flatten().map(|&(method, target, body, may)| Row { method, target, body, may })
}

const USER_ROUTES: &[Line] = &[
    ("GET", "/client/app/config", "", USERS),
    ("GET", "/client/user/profile", "", USERS),
    ("PUT", "/client/user/user", r#"{"nick":"n"}"#, USERS),
    ("GET", "/client/user/user/{viewer}", "", USERS),
    ("GET", "/client/user/{viewer}", "", USERS),
    ("GET", "/client/user/users?user_ids={viewer}", "", USERS),
    ("GET", "/client/user/imusers?im_user_ids=1", "", USERS),
    ("GET", "/server/auth/token?app_id=a&user_id={new}", "", BACKEND),
    ("GET", "/server/auth/admin/token?app_id=a&user_id={admin}", "", BACKEND),
    ("POST", "/server/user/register", r#"{"user_id":"{new}"}"#, BACKEND),
    ("POST", "/server/user/register/batch", r#"[{"user_id":"{new}"}]"#, BACKEND),
    ("PUT", "/server/user/{viewer}", r#"{"nick":"n"}"#, BACKEND),
    ("GET", "/server/user/info/{viewer}", "", BACKEND),
    ("GET", "/server/user/infos?user_ids={viewer}", "", BACKEND),
    ("GET", "/server/user/profile/{viewer}", "", BACKEND),
    ("GET", "/server/user/profiles?user_ids={viewer}", "", BACKEND),
];

const LIVE_ROUTES: &[Line] = &[
    ("POST", "/client/live/room/instance", r#"{"title":"t"}"#, USERS),
    ("DELETE", "/client/live/room/instance/{live}", "", ANCHOR),
    ("DELETE", "/live/room/instance/{live}", "", ANCHOR),
    ("PUT", "/client/live/room/{live}", "", ANCHOR),
    ("DELETE", "/client/live/room/{live}", "", ANCHOR),
    ("POST", "/client/live/room/{live}", "", ANCHOR),
    ("PUT", "/client/live/room/extends", r#"{"live_id":"{live}","extends":{"a":"b"}}"#, ANCHOR),
    ("GET", "/client/live/room/info/{live}", "", USERS),
    ("GET", "/client/live/room/list", "", USERS),
    ("GET", "/client/live/room/list/anchor", "", USERS),
    ("GET", "/client/live/room?keyword=a", "", USERS),
    ("GET", "/client/live/room/user_list?live_id={live}", "", USERS),
    ("POST", "/client/live/room/user/{live}", "", USERS),
    ("DELETE", "/client/live/room/user/{live}", "", USERS),
    // One who is not in the room gets a 500 there, for the SDKs' sake.
    ("GET", "/client/live/room/heartbeat/{live}", "", USERS),
    ("PUT", "/client/live/room/{live}/like", r#"{"count":1}"#, VIEWER),
    ("PUT", "/client/live/{live}/like", r#"{"count":1}"#, VIEWER),
    ("POST", "/client/stats/singleLive", r#"{"data":[{"live_id":"{live}","type":3,"count":1}]}"#, USERS),
    ("GET", "/client/stats/singleLive/{live}", "", USERS),
    ("POST", "/server/live", r#"{"anchor_id":"{anchor}","title":"t"}"#, BACKEND),
    ("GET", "/server/live/{live}", "", BACKEND),
    ("DELETE", "/server/live/{live}", "", BACKEND),
    ("POST", "/server/live/{live}/stop", "", BACKEND),
];

const SEAT: &str = r#"{"live_id":"{live}","mic":true,"camera":true}"#;
const VIEWERS_SEAT: &str = r#"{"live_id":"{live}","user_id":"{viewer}","extends":{"a":"b"}}"#;
const SWITCH: &str = r#"{"live_id":"{live}","user_id":"{viewer}","type":"mic","status":false}"#;

const SEAT_ROUTES: &[Line] = &[
    ("POST", "/client/mic", SEAT, IN_ROOM),
    ("POST", "/client/mic/up", SEAT, IN_ROOM),
    ("DELETE", "/client/mic", SEAT, USERS),
    ("POST", "/client/mic/down", SEAT, USERS),
    ("DELETE", "/client/mic/live", VIEWERS_SEAT, ANCHOR),
    ("DELETE", "/mic/live", VIEWERS_SEAT, ANCHOR),
    ("GET", "/client/mic/room/list/{live}", "", USERS),
    ("PUT", "/client/mic/extension", VIEWERS_SEAT, IN_ROOM),
    ("PUT", "/client/mic/room", VIEWERS_SEAT, IN_ROOM),
    ("PUT", "/client/mic/switch", SWITCH, IN_ROOM),
    ("POST", "/server/mic/forbid", VIEWERS_SEAT, BACKEND),
    ("POST", "/server/mic/unforbid", VIEWERS_SEAT, BACKEND),
];

const PK_ROUTES: &[Line] = &[
    (
        "POST",
        "/client/relay/start",
        r#"{"init_room_id":"{live}","recv_room_id":"{other_live}","recv_user_id":"{other_anchor}"}"#,
        ANCHOR,
    ),
    ("GET", "/client/relay/{relay}", "", USERS),
    ("GET", "/client/relay/{relay}/token", "", BOTH_ANCHORS),
    ("POST", "/client/relay/{relay}/started", "", BOTH_ANCHORS),
    ("POST", "/client/relay/{relay}/stop", "", BOTH_ANCHORS),
    ("POST", "/client/relay/{relay}/extends", r#"{"extends":{"a":"b"}}"#, BOTH_ANCHORS),
    ("POST", "/server/relay/{relay}/extends", r#"{"extends":{"a":"b"}}"#, BACKEND),
];

const ONE_ITEM: &str = r#"{"live_id":"{live}","items":["{other_item}"]}"#;
const NEW_ITEM: &str =
    r#"{"live_id":"{live}","items":[{"item_id":"{new}","title":"t","current_price":"1"}]}"#;
const STATUS: &str = r#"{"live_id":"{live}","items":[{"item_id":"{item}","status":1}]}"#;
const ORDER: &str = r#"{"live_id":"{live}","items":[{"item_id":"{item}","order":7}]}"#;
const MOVE: &str = r#"{"live_id":"{live}","item_id":"{item}","from":1,"to":2}"#;
const RECORDS: &str = r#"{"live_id":"{live}","demonstrate_item":[1]}"#;

const ITEM_ROUTES: &[Line] = &[
    ("POST", "/client/item/add", NEW_ITEM, ANCHOR),
    ("PUT", "/client/item/add", NEW_ITEM, ANCHOR),
    ("POST", "/client/item/delete", ONE_ITEM, ANCHOR),
    ("POST", "/client/item/status", STATUS, ANCHOR),
    ("POST", "/client/item/order", ORDER, ANCHOR),
    ("POST", "/client/item/order/single", MOVE, ANCHOR),
    ("PUT", "/client/item/{live}/{item}", r#"{"title":"u"}"#, ANCHOR),
    ("PUT", "/client/item/{live}/{item}/extends", r#"{"a":"b"}"#, ANCHOR),
    ("POST", "/client/item/{live}/{item}/extends", r#"{"key":"a","value":"b"}"#, ANCHOR),
    ("GET", "/client/item/{live}", "", USERS),
    ("POST", "/client/item/demonstrate/{live}/{item}", "", ANCHOR),
    ("POST", "/client/item/demonstrate/start/{live}/{item}", "", ANCHOR),
    ("DELETE", "/client/item/demonstrate/{live}", "", ANCHOR),
    ("DELETE", "/client/item/demonstrate/{live}/{item}", "", ANCHOR),
    ("GET", "/client/item/demonstrate/{live}", "", USERS),
    ("GET", "/client/item/demonstrate/record/{live}", "", USERS),
    ("GET", "/client/item/demonstrate/record/{live}/{item}", "", USERS),
    ("POST", "/client/item/demonstrate/record/delete", RECORDS, ANCHOR),
    ("POST", "/server/item/add", NEW_ITEM, BACKEND),
    ("PUT", "/server/item/add", NEW_ITEM, BACKEND),
    ("POST", "/server/item/delete", ONE_ITEM, BACKEND),
    ("POST", "/server/item/status", STATUS, BACKEND),
    ("POST", "/server/item/order", ORDER, BACKEND),
    ("POST", "/server/item/order/single", MOVE, BACKEND),
    ("PUT", "/server/item/{live}/{item}", r#"{"title":"u"}"#, BACKEND),
    ("PUT", "/server/item/{live}/{item}/extends", r#"{"a":"b"}"#, BACKEND),
    ("POST", "/server/item/{live}/{item}/extends", r#"{"key":"a","value":"b"}"#, BACKEND),
    ("GET", "/server/item/{live}", "", BACKEND),
    ("GET", "/server/items/{live}", "", BACKEND),
    ("POST", "/server/item/demonstrate/{live}/{item}", "", BACKEND),
    ("POST", "/server/item/demonstrate/start/{live}/{item}", "", BACKEND),
    ("DELETE", "/server/item/demonstrate/{live}", "", BACKEND),
    ("DELETE", "/server/item/demonstrate/{live}/{item}", "", BACKEND),
    ("GET", "/server/item/demonstrate/{live}", "", BACKEND),
    ("GET", "/server/item/demonstrate/record/{live}", "", BACKEND),
    ("GET", "/server/item/demonstrate/record/{live}/{item}", "", BACKEND),
    ("POST", "/server/item/demonstrate/record/delete", RECORDS, BACKEND),
];

const GIFT: &str = r#"{"live_id":"{live}","gift_id":{gift_type},"amount":5}"#;
const GIFT_OF_BACKEND: &str = r#"{"biz_id":"{new}","user_id":"{viewer}","gift_id":{gift_type},"amount":5}"#;
const GIFT_TYPE: &str = r#"{"gift_id":{gift_type},"type":1,"name":"tulip","amount":0}"#;

const GIFT_ROUTES: &[Line] = &[
    ("GET", "/client/gift/config", "", USERS),
    ("GET", "/client/gift/config/1", "", USERS),
    ("GET", "/server/gift/config", "", BACKEND),
    ("GET", "/server/gift/config/1", "", BACKEND),
    ("GET", "/admin/gift/config", "", ADMIN),
    ("GET", "/admin/gift/config/1", "", ADMIN),
    ("POST", "/server/gift/config", GIFT_TYPE, BACKEND),
    ("POST", "/admin/gift/config", GIFT_TYPE, ADMIN),
    ("DELETE", "/server/gift/config/{gift_type}", "", BACKEND),
    ("DELETE", "/admin/gift/config/{gift_type}", "", ADMIN),
    ("POST", "/client/gift/send", GIFT, IN_ROOM),
    ("PUT", "/server/gift/live/{live}", GIFT_OF_BACKEND, BACKEND),
    ("GET", "/client/gift/{gift}", "", VIEWER),
    ("GET", "/server/gift/{gift}", "", BACKEND),
    ("GET", "/client/gift/list/live/{live}", "", ANCHOR),
    ("GET", "/client/gift/live/{live}", "", ANCHOR),
    ("GET", "/client/gift/list/anchor", "", USERS),
    ("GET", "/client/gift/list/user", "", USERS),
    ("GET", "/server/gift/list/live/{live}", "", BACKEND),
    ("GET", "/server/gift/live/{live}", "", BACKEND),
    ("GET", "/server/gift/list/anchor/{anchor}", "", BACKEND),
    ("GET", "/server/gift/list/user/{viewer}", "", BACKEND),
];

const ADMIN_ROUTES: &[Line] = &[
    ("GET", "/admin/session", "", ADMIN),
    ("DELETE", "/admin/session", "", ADMIN),
    ("GET", "/admin/censor/config", "", ADMIN),
    ("POST", "/admin/censor/config", r#"{"enable":true,"pulp":true,"interval":20}"#, ADMIN),
    ("POST", "/admin/censor/stoplive/{live}", "", ADMIN),
    ("POST", "/admin/censor/job/start", r#"{"live_id":"{live}"}"#, ADMIN),
    ("POST", "/admin/censor/job/close", r#"{"live_id":"{live}"}"#, ADMIN),
    ("GET", "/admin/censor/job/list", "", ADMIN),
    ("GET", "/admin/censor/job/query", "", ADMIN),
    ("GET", "/admin/censor/live", "", ADMIN),
    ("GET", "/admin/censor/record", "", ADMIN),
    ("POST", "/admin/censor/audit", r#"{"live_id":"{live}","image_list":[1],"review_answer":1}"#, ADMIN),
    ("GET", "/admin/users", "", ADMIN),
    (
        "POST",
        "/admin/users",
        r#"{"user_id":"{new}","user_name":"{new}","password":"a-long-password"}"#,
        ADMIN,
    ),
    ("PUT", "/admin/users/{admin}", r#"{"description":"d"}"#, ADMIN),
    ("DELETE", "/admin/users/{other_admin}", "", ADMIN),
    ("GET", "/admin/operations", "", ADMIN),
    ("GET", "/admin/overview", "", ADMIN),
    ("GET", "/admin/nodes", "", ADMIN),
    ("GET", "/admin/jobs", "", ADMIN),
    ("GET", "/admin/config", "", ADMIN),
    ("GET", "/admin/live/list", "", ADMIN),
    ("GET", "/admin/live/{live}", "", ADMIN),
    ("GET", "/admin/live/{live}/users", "", ADMIN),
    ("GET", "/admin/live/{live}/stats", "", ADMIN),
    ("GET", "/admin/live/{live}/messages", "", ADMIN),
    ("GET", "/admin/user/list", "", ADMIN),
    ("GET", "/admin/user/info/{viewer}", "", ADMIN),
    ("GET", "/admin/gift/list", "", ADMIN),
    ("POST", "/admin/gift/{gift}/resolve", r#"{"verdict":"paid"}"#, ADMIN),
    ("POST", "/admin/gift/{gift}/refund", r#"{"reason":"r"}"#, ADMIN),
    ("GET", "/admin/callback/list", "", ADMIN),
    ("GET", "/admin/callback/waiting", "", ADMIN),
    ("POST", "/admin/callback/retry", r#"{"webhook_id":"{new}"}"#, ADMIN),
];

const BARRAGE_ROUTES: &[Line] = &[
    ("POST", "/v1/mesh/publish", r#"{"c":"video:{new}","d":"x"}"#, BACKEND),
    ("POST", "/v1/mesh/send", r#"{"c":"1","d":"x"}"#, BACKEND),
];
