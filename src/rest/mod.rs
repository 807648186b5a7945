//! The HTTP conventions that every route shares: envelope, errors, bodies, paging, middleware.

pub mod body;
mod body_budget;
pub mod client_stream;
pub mod connections;
mod declined_upgrade;
pub mod draining;
pub mod envelope;
pub mod error;
pub mod incoming;
pub mod middleware;
pub mod paging;
pub mod params;
pub mod path;
pub mod peer;
pub mod rate_limit;
pub mod request_id;
pub mod user_limit;

pub use body::Body;
pub use draining::Draining;
pub use envelope::Reply;
pub use error::{ApiError, Invalid};
pub use paging::paging;
pub use params::Params;
pub use path::{PathId, PathIds};
