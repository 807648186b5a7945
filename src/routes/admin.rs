//! What operators call, with an administrator's token.

use actix_web::{Scope, web};

/// `/admin`. Fixed paths come before those with an id in the same place.
pub fn scope() -> Scope {
    web::scope("/admin")
}
