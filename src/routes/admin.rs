//! What operators call, with an administrator's token.

use actix_web::{Scope, web};

use crate::gift;

/// `/admin`. Fixed paths come before those with an id in the same place.
pub fn scope() -> Scope {
    use gift::handlers as g;
    web::scope("/admin")
        .service(web::resource("/gift/config").get(g::types_for_admin).post(g::save_types_by_admin))
        .service(web::resource("/gift/config/{id}").get(g::types_for_admin).delete(g::delete_type_by_admin))
}
