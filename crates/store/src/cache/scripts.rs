//! The scripts of the cache that run in Redis.

use crate::redis::script::scripts;

scripts! {
    Presence:
    HEARD = "heard.lua";
    ENTER = "enter.lua";
    LEAVE = "leave.lua";
    STATES = "states.lua";
    FORGET_COUNTERS = "forget_counters.lua";
    PUT_COUNTERS = "put_counters.lua";
    WATCH_ANCHOR = "watch_anchor.lua";
    BEGIN_WATCH = "begin_watch.lua";
    IS_WATCHED = "is_watched.lua";
    REMOVE_SILENT = "remove_silent.lua";
    ACKNOWLEDGE_REMOVED = "acknowledge_removed.lua";
    SILENT_ANCHORS = "silent_anchors.lua";
    RESTORE = "restore.lua";
    RESTORE_ANCHORS = "restore_anchors.lua";
    UNWATCH_ANCHORS = "unwatch_anchors.lua";
    HEARD_SINCE = "heard_since.lua";
    PRESENT = "present.lua";
    COUNT_SEEN = "count_seen.lua";
}

scripts! {
    Likes:
    LIST_LIKED = "list_liked.lua";
    LIKE = "like.lua";
    SEED_LIKES = "seed_likes.lua";
    SOW_LIKES = "sow_likes.lua";
    LIKED_ROOMS = "liked_rooms.lua";
    UNLIST_LIKED = "unlist_liked.lua";
    UNWRITTEN_LIKES = "unwritten_likes.lua";
    LIKES_WRITTEN = "likes_written.lua";
    KEEP_LIKES = "keep_likes.lua";
    MARK_LIKES = "mark_likes.lua";
}
