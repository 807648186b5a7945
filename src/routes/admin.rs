//! What operators call, with an administrator's token.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{Error, Scope};

use super::intake::bodies;
use super::moderation;
use crate::auth::{Admin, own_writes};
use crate::{callback, censor, gift, live, moderation as messages, overview, stats, user};

/// `/admin`. Fixed paths come before those with an id in the same place. What is not a GET is noted in
/// the operation log.
pub fn scope() -> Scope<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    >,
> {
    web::scope("/admin")
        .wrap(from_fn(own_writes::mark::<Admin, _>))
        .wrap(from_fn(own_writes::see::<Admin, _>))
        .wrap(from_fn(user::operations::note))
        .wrap(from_fn(bodies::<Admin, _>))
        .configure(overview_routes)
        .configure(live_routes)
        .configure(callback_routes)
        .configure(censor_routes)
        .configure(gift_routes)
        .configure(user_routes)
        .configure(|config| moderation::of_room::<Admin>(config, "/live/{live_id}"))
        .configure(moderation::of_platform::<Admin>)
}

fn overview_routes(config: &mut ServiceConfig) {
    use overview::handlers as h;
    config
        .service(web::resource("/overview").get(h::summary))
        .service(web::resource("/nodes").get(h::nodes))
        .service(web::resource("/jobs").get(h::jobs))
        .service(web::resource("/config").get(h::config));
}

fn live_routes(config: &mut ServiceConfig) {
    use live::admin_handlers as h;
    config
        .service(web::resource("/live/list").get(h::list))
        .service(web::resource("/live/{live_id}").get(h::info))
        .service(web::resource("/live/{live_id}/users").get(h::users))
        .service(web::resource("/live/{live_id}/stats").get(stats::handlers::of_room_for_admin))
        .service(web::resource("/live/{live_id}/messages").get(messages::message_handlers::list));
}

fn callback_routes(config: &mut ServiceConfig) {
    use callback::admin_handlers as h;
    config
        .service(web::resource("/callback/list").get(h::list))
        .service(web::resource("/callback/waiting").get(h::waiting))
        .service(web::resource("/callback/retry").post(h::retry));
}

fn censor_routes(config: &mut ServiceConfig) {
    use censor::handlers as h;
    config
        .service(web::resource("/censor/config").get(h::settings).post(h::set_settings))
        .service(web::resource("/censor/stoplive/{live_id}").post(h::stop_live))
        .service(web::resource("/censor/job/start").post(h::start_job))
        .service(web::resource("/censor/job/close").post(h::close_job))
        .service(web::resource("/censor/job/list").get(h::list_jobs))
        .service(web::resource("/censor/job/query").get(h::query_job))
        .service(web::resource("/censor/live").get(h::rooms))
        .service(web::resource("/censor/record").get(h::pictures))
        .service(web::resource("/censor/audit").post(h::audit));
}

fn gift_routes(config: &mut ServiceConfig) {
    use gift::{admin_handlers as ledger, handlers as h};
    config
        .service(web::resource("/gift/config").get(h::types_for_admin).post(h::save_types_by_admin))
        // The same place is a type to read and an id to delete.
        .service(web::resource("/gift/config/{id}").get(h::types_for_admin).delete(h::delete_type_by_admin))
        .service(web::resource("/gift/list").get(ledger::list))
        .service(web::resource("/gift/{biz_id}/resolve").post(ledger::resolve))
        .service(web::resource("/gift/{biz_id}/refund").post(ledger::refund));
}

fn user_routes(config: &mut ServiceConfig) {
    use user::admin::handlers as h;
    config
        .service(web::resource("/session").get(user::sessions::show).delete(user::sessions::end))
        .service(web::resource("/users").get(h::list).post(h::create))
        .service(web::resource("/users/{user_id}").put(h::change).delete(h::delete))
        .service(web::resource("/operations").get(user::operations::list))
        .service(web::resource("/user/list").get(user::directory_handlers::list))
        .service(web::resource("/user/info/{user_id}").get(live::admin_handlers::user));
}
