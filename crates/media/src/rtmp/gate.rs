//! Who may publish and play: asked of whoever uses this crate.

use std::future::Future;
use std::net::SocketAddr;

use super::request::StreamRequest;
use crate::hub::StreamName;

/// Why somebody may not publish or play.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// A word for metrics, such as `signature`.
    pub label: &'static str,
    /// What the peer is told.
    pub reason: String,
}

/// Who may publish and play.
pub trait Gate: Send + Sync + 'static {
    /// The stream that the request may publish.
    fn publish(
        &self,
        request: &StreamRequest,
        peer: SocketAddr,
    ) -> impl Future<Output = Result<StreamName, Refusal>> + Send;

    /// The stream that the request may play.
    fn play(
        &self,
        request: &StreamRequest,
        peer: SocketAddr,
    ) -> impl Future<Output = Result<StreamName, Refusal>> + Send;
}
