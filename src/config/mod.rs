//! The configuration: one YAML file, a second one over it, then the environment.

mod secret;
mod sections;

pub use secret::Secret;
pub use sections::*;
