//! The scripts of the broker that run in Redis.

use crate::redis::script::scripts;

scripts! {
    Messages:
    PUBLISH = "publish.lua";
    POSITIONS = "positions.lua";
    HISTORY = "history.lua";
    REPLACE = "replace.lua";
}
