//! Who changes the items of a room.

use actix_web::FromRequest;

use crate::auth::{Backend, Client};
use crate::rest::ApiError;

/// One who sells: a user, who then must be the room's anchor, or a business backend, whom that rule
/// does not bind. The routes of both are the same.
pub trait Seller: FromRequest<Error = ApiError> + 'static {
    /// The user who has to be the anchor.
    fn user_id(&self) -> Option<&str>;
}

impl Seller for Client {
    fn user_id(&self) -> Option<&str> {
        Some(Client::user_id(self))
    }
}

impl Seller for Backend {
    fn user_id(&self) -> Option<&str> {
        None
    }
}
