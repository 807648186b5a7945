//! What a person can type.

use anyhow::{Context, Result, bail};
use testbed::{Mode, Store};

/// What there is to type.
pub const HELP: &str = "\
status                       what runs, and which links are cut
cut NODE STORE [MANNER]      cuts the way from a node (1, 2, 3) to primary, replica or redis, or `cut replication`
                             MANNER: refuse (default), reset, blackhole (silence, late), swallow (silence, lost)
mend                         mends all that is cut
kill WHAT                    SIGKILL; WHAT is a node (1), redis-4, primary, replica, nginx, prometheus, pushgateway
stop WHAT                    SIGTERM, and waits until it has ended
freeze WHAT, thaw WHAT       SIGSTOP, SIGCONT
start WHAT, restart WHAT     starts what has ended; stops and starts
reload NODE                  SIGHUP: reads the configuration again
lag SECONDS                  lets the replica be late; 0 ends that
quit                         ends everything, as Ctrl-C does";

/// A line that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Help,
    Status,
    /// Node, store and manner.
    Cut(u16, Store, Mode),
    CutReplication(Mode),
    Mend,
    /// What to do with which process.
    To(Action, String),
    Lag(u32),
    Quit,
}

/// What is done with a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Kill,
    Stop,
    Freeze,
    Thaw,
    Start,
    Restart,
    Reload,
}

impl Command {
    /// Reads a line; none when it is empty.
    pub fn parse(line: &str) -> Result<Option<Self>> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some((verb, arguments)) = words.split_first() else { return Ok(None) };
        let command = match (*verb, arguments) {
            ("help", _) => Self::Help,
            ("status", _) => Self::Status,
            ("mend", _) => Self::Mend,
            ("quit" | "exit", _) => Self::Quit,
            ("cut", ["replication", manner @ ..]) => Self::CutReplication(mode(manner)?),
            ("cut", [node, store, manner @ ..]) => {
                let node = node.parse().with_context(|| format!("{node} is no node"))?;
                Self::Cut(node, store_of(store)?, mode(manner)?)
            }
            ("lag", [seconds]) => {
                Self::Lag(seconds.parse().with_context(|| format!("{seconds} are no seconds"))?)
            }
            (verb, [what]) => Self::To(action(verb)?, name(what)),
            _ => bail!("{line}: not understood, see help"),
        };
        Ok(Some(command))
    }
}

fn action(verb: &str) -> Result<Action> {
    Ok(match verb {
        "kill" => Action::Kill,
        "stop" | "terminate" => Action::Stop,
        "freeze" => Action::Freeze,
        "thaw" => Action::Thaw,
        "start" => Action::Start,
        "restart" => Action::Restart,
        "reload" => Action::Reload,
        _ => bail!("{verb}: not understood, see help"),
    })
}

/// A number is a node.
fn name(what: &str) -> String {
    if what.parse::<u16>().is_ok() { format!("node-{what}") } else { what.to_owned() }
}

fn store_of(name: &str) -> Result<Store> {
    let store = Store::ALL.into_iter().find(|store| store.name() == name);
    store.with_context(|| format!("{name} is no store: primary, replica or redis"))
}

fn mode(words: &[&str]) -> Result<Mode> {
    Ok(match words {
        [] | ["refuse"] => Mode::Refuse,
        ["reset"] => Mode::Reset,
        ["blackhole"] => Mode::BlackHole,
        ["swallow"] => Mode::Swallow,
        _ => bail!("{}: no manner of cutting, see help", words.join(" ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Command {
        Command::parse(line).unwrap().unwrap()
    }

    #[test]
    fn lines_are_commands() {
        assert_eq!(Command::parse("  ").unwrap(), None);
        assert_eq!(parsed("cut 2 redis"), Command::Cut(2, Store::Redis, Mode::Refuse));
        assert_eq!(parsed("cut 1 primary blackhole"), Command::Cut(1, Store::Primary, Mode::BlackHole));
        assert_eq!(parsed("cut replication"), Command::CutReplication(Mode::Refuse));
        assert_eq!(parsed(" kill  3 "), Command::To(Action::Kill, "node-3".to_owned()));
        assert_eq!(parsed("restart primary"), Command::To(Action::Restart, "primary".to_owned()));
        assert_eq!(parsed("lag 5"), Command::Lag(5));
    }

    #[test]
    fn nonsense_is_refused() {
        for line in [
            "cut",
            "cut 2",
            "cut x redis",
            "cut 2 mysql",
            "cut 2 redis softly",
            "lag",
            "lag x",
            "dance 1",
            "kill",
        ] {
            assert!(Command::parse(line).is_err(), "{line}");
        }
    }
}
