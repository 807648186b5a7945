//! What every request passes, outermost first: [`observe`], path normalisation, [`buffer_body`].

mod buffer;
mod observe;

pub use buffer::buffer_body;
pub use observe::{HttpMetrics, OriginalPath, observe};
