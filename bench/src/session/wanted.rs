//! What of the counted and the timed phase was asked for.

use anyhow::{Result, bail};

use crate::flush;

/// Routes that are no [`crate::routes::Route`]: joining and leaving.
pub const MEMBERSHIP: [&str; 2] = ["join", "leave"];

/// Names that were asked for; none of them is all.
#[derive(Debug)]
pub struct Wanted<'a>(&'a [String]);

impl<'a> Wanted<'a> {
    /// `routes` are the names of all routes.
    pub fn new(only: &'a [String], routes: impl Iterator<Item = &'static str>) -> Result<Self> {
        let known: Vec<&str> = routes.chain(MEMBERSHIP).chain([flush::NAME]).collect();
        match only.iter().find(|name| !known.contains(&name.as_str())) {
            Some(name) => bail!("no route {name}; there are {}", known.join(", ")),
            None => Ok(Self(only)),
        }
    }

    /// Whether `name` was asked for.
    pub fn has(&self, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|wanted| wanted == name)
    }

    /// Whether joining or leaving was asked for.
    pub fn has_membership(&self) -> bool {
        MEMBERSHIP.iter().any(|name| self.has(name))
    }
}
