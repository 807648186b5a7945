//! What is wrong with a configuration, and where.

use std::fmt;
use std::sync::Arc;

/// Where a value was written: a line of a file, or an environment variable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The file is 0, the one merged over it 1, the environment 2: the order of the report.
    rank: u8,
    /// From 1; none for an environment variable.
    line: Option<usize>,
    name: Arc<str>,
}

impl Origin {
    /// A line (from 1) of the file `name`, which is the `rank`th that was read.
    pub(super) fn file(name: &Arc<str>, rank: u8, line: usize) -> Self {
        Self { rank, line: Some(line), name: Arc::clone(name) }
    }

    /// The environment variable `name`.
    pub(super) fn variable(name: &str) -> Self {
        Self { rank: 2, line: None, name: name.into() }
    }

    /// Whether this is an environment variable.
    pub(super) fn is_variable(&self) -> bool {
        self.line.is_none()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match self.line {
            Some(line) => write!(f, ":{line}"),
            None => Ok(()),
        }
    }
}

/// One remark about a configuration: an error, or a warning. Displays as one line,
/// `config.yaml:12: pili.security_type: …`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    origin: Origin,
    key: String,
    text: String,
    is_weak_secret: bool,
}

impl Problem {
    /// A remark about `key` (dotted; empty: about the whole file), written at `origin`.
    pub(super) fn new(origin: Origin, key: impl Into<String>, text: impl Into<String>) -> Self {
        Self { origin, key: key.into(), text: text.into(), is_weak_secret: false }
    }

    /// The same as a remark about a secret that is known or can be guessed.
    pub(super) fn of_weak_secret(self) -> Self {
        Self { is_weak_secret: true, ..self }
    }

    /// Whether it is about a secret that is known or can be guessed.
    #[must_use]
    pub fn is_weak_secret(&self) -> bool {
        self.is_weak_secret
    }

    /// The dotted key, such as `mysql.databases[0].port`; empty when the whole file is meant.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Where it was written.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = if self.key.is_empty() { String::new() } else { format!("{}: ", self.key) };
        let line = format!("{}: {key}{}", self.origin, self.text);
        // A key may hold any character; a remark stays one line.
        for part in line.chars() {
            if part.is_control() { write!(f, "{}", part.escape_default())? } else { write!(f, "{part}")? }
        }
        Ok(())
    }
}

/// Everything that is wrong with a configuration, one line each, in the order of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Sorts `problems` by file and line.
    pub(super) fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort();
        Self(problems)
    }

    /// The single remarks.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
