//! What is wrong with a configuration, and where.

use std::fmt;
use std::sync::Arc;

/// The rank of environment variables.
const VARIABLE: u8 = 2;

/// What the defaults of embedded mode are called.
pub(super) const EMBEDDED: &str = "embedded mode";

/// Where a value was written: a line of a file, or an environment variable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The file is 0, the one merged over it 1, the environment 2: the order of the report.
    rank: u8,
    /// From 1; none for an environment variable, and for a file as a whole.
    line: Option<usize>,
    name: Arc<str>,
}

impl Origin {
    /// A line (from 1) of the file `name`, which is the `rank`th that was read.
    pub(super) fn file(name: &Arc<str>, rank: u8, line: usize) -> Self {
        Self { rank, line: Some(line), name: Arc::clone(name) }
    }

    /// All of such a file.
    pub(super) fn whole_file(name: &Arc<str>, rank: u8) -> Self {
        Self { rank, line: None, name: Arc::clone(name) }
    }

    /// The environment variable `name`.
    pub(super) fn variable(name: &str) -> Self {
        Self { rank: VARIABLE, line: None, name: name.into() }
    }

    /// Whether this is an environment variable.
    pub(super) fn is_variable(&self) -> bool {
        self.rank == VARIABLE
    }

    /// Whether this is a default of embedded mode.
    pub(super) fn is_built_in(&self) -> bool {
        &*self.name == EMBEDDED
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

    /// Whether `other` says the same, if of another place.
    pub(super) fn says_as(&self, other: &Self) -> bool {
        self.key == other.key && self.text == other.text
    }

    /// The same of the file as a whole.
    pub(super) fn without_line(&self) -> Self {
        Self { origin: Origin { line: None, ..self.origin.clone() }, ..self.clone() }
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
pub struct Problems {
    mistakes: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Problems {
    /// Sorts `problems` by file and line.
    pub(super) fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort();
        Self { mistakes: problems, warnings: Vec::new() }
    }

    /// With what was also found, and would not have stopped anybody.
    pub(super) fn beside(self, warnings: Vec<Problem>) -> Self {
        Self { warnings, ..self }
    }

    /// The single mistakes.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.mistakes.iter()
    }

    /// What would be told of a configuration without these mistakes.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.mistakes.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
