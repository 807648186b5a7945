//! A way to a server that can be cut in several manners, and mended.

pub use testbed::{ChaosProxy, Mode};
