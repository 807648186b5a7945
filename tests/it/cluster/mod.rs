//! The cluster test bed: three nodes over replicated stores.

mod bed;
