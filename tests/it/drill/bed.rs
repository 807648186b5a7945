//! Two nodes over one MariaDB and one Redis, and what stands around them.

use crate::support::callback_receiver::Receiver;
use crate::support::fake_payment::FakePayment;
use crate::support::load::World;
use crate::support::server::{Backend, ServerProcess, Setup};

/// What is killed and what must agree.
pub struct Bed {
    pub nodes: [ServerProcess; 2],
    pub world: World,
}

impl Bed {
    pub async fn new() -> Self {
        let (payer, receiver) = (FakePayment::start().await, Receiver::start().await);
        // What an operator would look at, in the log of a failed run.
        let setup = Setup::new(Backend::Redis).await.with("log: {filter: warn}");
        let setup = setup.with(&World::settings(&payer, &receiver));
        let second = setup.beside(2);
        let nodes = [setup.start().await, second.start().await];
        let entrances = nodes.iter().map(ServerProcess::client).collect();
        let database = nodes[0].setup().database();
        Self { world: World::new(entrances, database, payer, receiver).await, nodes }
    }
}
