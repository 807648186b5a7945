//! How many files the process may have open: each connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit to the hard one, which only the administrator of the machine can raise; says which it
/// is. Systems start services with a soft limit of 1,024.
pub fn raise_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return tracing::info!(limit = shown(current), "open files");
    }
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => tracing::info!(limit = shown(maximum), before = shown(current), "open files"),
        Err(error) => {
            tracing::warn!(%error, limit = shown(current), "the limit of open files could not be raised");
        }
    }
}

/// How many files the process may have open; None: any number.
#[must_use]
pub fn limit() -> Option<usize> {
    getrlimit(Resource::Nofile).current.and_then(|limit| usize::try_from(limit).ok())
}

fn shown(limit: Option<u64>) -> String {
    limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string())
}
