//! The servers that `tests/run` starts for the tests.

use std::env;

/// `host:port` of the Redis.
pub fn redis() -> String {
    variable("LIVELOOM_TEST_REDIS")
}

/// `host:port` of each node of the Redis Cluster.
pub fn redis_cluster() -> Vec<String> {
    variable("LIVELOOM_TEST_REDIS_CLUSTER").split(',').map(str::to_owned).collect()
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run the tests through `make test`"))
}
