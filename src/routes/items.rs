//! The routes of items, the same under `/client` for anchors and under `/server` for backends.

use actix_web::web::{self, ServiceConfig};

use crate::item::{Seller, demonstration_handlers as d, handlers as h};

/// The routes for callers of one kind. Fixed paths come before those with an id in the same place.
pub fn routes<S: Seller>(config: &mut ServiceConfig) {
    config
        .service(web::resource("/item/add").post(h::add::<S>).put(h::add::<S>))
        .service(web::resource("/item/delete").post(h::delete::<S>))
        .service(web::resource("/item/status").post(h::set_statuses::<S>))
        .service(web::resource("/item/order").post(h::set_orders::<S>))
        .service(web::resource("/item/order/single").post(h::move_item::<S>))
        .service(web::resource("/item/demonstrate/record/delete").post(d::delete_records::<S>))
        .service(web::resource("/item/demonstrate/record/{live_id}").get(d::records::<S>))
        .service(web::resource("/item/demonstrate/record/{live_id}/{item_id}").get(d::newest_record::<S>))
        .service(web::resource("/item/demonstrate/start/{live_id}/{item_id}").post(d::record::<S>))
        .service(web::resource("/item/demonstrate/{live_id}").get(d::demonstrated::<S>).delete(d::end::<S>))
        .service(
            web::resource("/item/demonstrate/{live_id}/{item_id}")
                .post(d::demonstrate::<S>)
                .delete(d::end_of_item::<S>),
        )
        .service(web::resource("/item/{live_id}").get(h::list::<S>))
        .service(web::resource("/item/{live_id}/{item_id}").put(h::update::<S>))
        .service(
            web::resource("/item/{live_id}/{item_id}/extends")
                .put(h::merge_extends::<S>)
                .post(h::set_extend::<S>),
        );
}
