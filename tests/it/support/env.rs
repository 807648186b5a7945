//! The servers that `tests/run` starts for the tests.

use std::env;
use std::path::PathBuf;

/// `host:port` of the Redis.
pub fn redis() -> String {
    variable("LIVELOOM_TEST_REDIS")
}

/// `host:port` of each node of the Redis Cluster.
pub fn redis_cluster() -> Vec<String> {
    variable("LIVELOOM_TEST_REDIS_CLUSTER").split(',').map(str::to_owned).collect()
}

/// The folder of the checkers of `tests/deployment/requirements.txt`, a virtual environment of Python.
pub fn deployment_tools() -> PathBuf {
    variable("LIVELOOM_TEST_DEPLOYMENT_TOOLS").into()
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run the tests through `make test`"))
}
