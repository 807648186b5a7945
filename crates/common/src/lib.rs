//! What every layer of liveloom shares and what knows nothing of the product: [`clock`], [`id`]s, the kinds of
//! [`failure`]s, [`page`]s of lists, the grammar of [`text`]s, [`supervise`] for background tasks, [`crash`] points for tests, and small parts of protocols
//! ([`json`], [`listen`]).
//!
//! It depends on no other crate of the workspace; all others may depend on it.

pub mod clock;
pub mod crash;
pub mod failure;
pub mod id;
pub mod json;
pub mod listen;
pub mod page;
pub mod request_id;
pub mod supervise;
pub mod text;
