//! What every request passes, outermost first: [`observe`], which also normalises the path, then
//! [`buffer_body`].

mod buffer;
mod normalize;
mod observe;

pub use buffer::buffer_body;
pub use normalize::OriginalPath;
pub use observe::{HttpMetrics, observe};
