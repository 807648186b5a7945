//! Scripts that run in Redis, and calls of them.

use std::fmt::Display;
use std::io::Write;
use std::sync::LazyLock;

use redis::Cmd;

use super::metrics::Purpose;

/// A script. Redis knows it by its hash once it has run.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) code: &'static str,
    pub(crate) hash: LazyLock<String>,
    pub(crate) purpose: Purpose,
}

/// Declares scripts for a [`Purpose`], whose text is in the folder `scripts` beside the caller.
macro_rules! scripts {
    ($purpose:ident: $($name:ident = $file:literal;)*) => {
        $(pub(super) static $name: $crate::redis::script::Script = $crate::redis::script::Script {
            code: include_str!(concat!("scripts/", $file)),
            hash: std::sync::LazyLock::new(|| {
                redis::Script::new(include_str!(concat!("scripts/", $file))).get_hash().to_owned()
            }),
            purpose: $crate::redis::metrics::Purpose::$purpose,
        };)*
    };
}
pub(crate) use scripts;

/// A call of a script, whose keys all lie in one hash slot.
#[derive(Debug)]
pub(crate) struct Call {
    script: &'static Script,
    keys: Words,
    args: Words,
    tells_run_id: bool,
}

/// Words, one after the other in one buffer.
#[derive(Debug, Default)]
struct Words {
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Words {
    fn push(&mut self, word: &impl Display) {
        // Writing to memory does not fail.
        let _ = write!(self.text, "{word}");
        self.ends.push(self.text.len());
    }

    fn push_bytes(&mut self, word: &[u8]) {
        self.text.extend_from_slice(word);
        self.ends.push(self.text.len());
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| self.text.get(start..*end).unwrap_or_default())
    }
}

impl Call {
    pub(crate) fn new(script: &'static Script) -> Self {
        Self { script, keys: Words::default(), args: Words::default(), tells_run_id: false }
    }

    pub(crate) fn key(mut self, key: impl Display) -> Self {
        self.push_key(key);
        self
    }

    pub(crate) fn arg(mut self, arg: impl Display) -> Self {
        self.push_arg(arg);
        self
    }

    pub(crate) fn bytes(mut self, arg: &[u8]) -> Self {
        self.args.push_bytes(arg);
        self
    }

    /// The last argument is the run id of the server that the call is sent to.
    pub(crate) fn telling_run_id(mut self) -> Self {
        self.tells_run_id = true;
        self
    }

    pub(crate) fn push_key(&mut self, key: impl Display) {
        self.keys.push(&key);
    }

    pub(crate) fn push_arg(&mut self, arg: impl Display) {
        self.args.push(&arg);
    }

    /// What it is about.
    pub(crate) fn purpose(&self) -> Purpose {
        self.script.purpose
    }

    /// One of the keys, all of which lie in the same slot.
    pub(crate) fn first_key(&self) -> Option<&str> {
        self.keys.iter().next().and_then(|key| std::str::from_utf8(key).ok())
    }

    /// The call by hash, which Redis refuses with NOSCRIPT, untried, if it does not know it.
    pub(crate) fn by_hash(&self, run_id: &str) -> Cmd {
        self.command("EVALSHA", &self.script.hash, run_id)
    }

    /// The call with the whole text, after which Redis knows the script.
    pub(crate) fn by_text(&self, run_id: &str) -> Cmd {
        self.command("EVAL", self.script.code, run_id)
    }

    fn command(&self, name: &str, script: &str, run_id: &str) -> Cmd {
        let arguments = 4 + self.keys.ends.len() + self.args.ends.len();
        let size = script.len() + self.keys.text.len() + self.args.text.len() + run_id.len() + 16;
        let mut command = Cmd::with_capacity(arguments, size);
        command.arg(name).arg(script).arg(self.keys.ends.len());
        for word in self.keys.iter().chain(self.args.iter()) {
            command.arg(word);
        }
        if self.tells_run_id {
            command.arg(run_id);
        }
        command
    }
}
