//! What every request passes, outermost first: [`observe`], which also makes it what the routes know,
//! [`cors`], and [`refuse_unreadable`].

mod cors;
mod normalize;
mod observe;
mod readable;

pub use cors::{RefusedOrigins, cors};
pub use normalize::{OriginalPath, sent_method};
pub use observe::{HttpMetrics, observe};
pub use readable::refuse_unreadable;
