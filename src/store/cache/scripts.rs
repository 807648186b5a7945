//! The scripts that run in Redis: their text, and calls of them.

use std::sync::LazyLock;

use redis::Cmd;

/// A script. Redis knows it by its hash once it has run.
#[derive(Debug)]
pub(super) struct Script {
    code: &'static str,
    hash: LazyLock<String>,
}

macro_rules! scripts {
    ($($name:ident = $file:literal;)*) => {
        $(pub(super) static $name: Script = Script {
            code: include_str!(concat!("scripts/", $file)),
            hash: LazyLock::new(|| redis::Script::new(include_str!(concat!("scripts/", $file))).get_hash().to_owned()),
        };)*
    };
}

scripts! {
    HEARD = "heard.lua";
    ENTER = "enter.lua";
    LEAVE = "leave.lua";
    STATES = "states.lua";
    FORGET_COUNTERS = "forget_counters.lua";
    PUT_COUNTERS = "put_counters.lua";
    WATCH_ANCHOR = "watch_anchor.lua";
    BEGIN_WATCH = "begin_watch.lua";
    REMOVE_SILENT = "remove_silent.lua";
    RESTORE = "restore.lua";
    RESTORE_ANCHORS = "restore_anchors.lua";
    UNWATCH_ANCHORS = "unwatch_anchors.lua";
    HEARD_SINCE = "heard_since.lua";
    PRESENT = "present.lua";
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

/// A call of a script, whose keys all lie in one hash slot.
#[derive(Debug)]
pub(super) struct Call {
    script: &'static Script,
    keys: Vec<String>,
    args: Vec<String>,
}

impl Call {
    pub(super) fn new(script: &'static Script) -> Self {
        Self { script, keys: Vec::new(), args: Vec::new() }
    }

    pub(super) fn key(mut self, key: impl Into<String>) -> Self {
        self.push_key(key);
        self
    }

    pub(super) fn arg(mut self, arg: impl ToString) -> Self {
        self.push_arg(arg);
        self
    }

    pub(super) fn push_key(&mut self, key: impl Into<String>) {
        self.keys.push(key.into());
    }

    pub(super) fn push_arg(&mut self, arg: impl ToString) {
        self.args.push(arg.to_string());
    }

    /// One of the keys, all of which lie in the same slot.
    pub(super) fn first_key(&self) -> Option<String> {
        self.keys.first().cloned()
    }

    /// The call by hash, which Redis refuses with NOSCRIPT, untried, if it does not know it.
    pub(super) fn by_hash(&self) -> Cmd {
        self.command("EVALSHA", &self.script.hash)
    }

    /// The call with the whole text, after which Redis knows the script.
    pub(super) fn by_text(&self) -> Cmd {
        self.command("EVAL", self.script.code)
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let mut command = redis::cmd(name);
        command.arg(script).arg(self.keys.len()).arg(&self.keys).arg(&self.args);
        command
    }
}
