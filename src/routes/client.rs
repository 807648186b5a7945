//! What mobile and web SDKs call, with a user's token.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{Error, Scope, guard};

use super::intake::bodies;
use super::replicas::from_replicas;
use super::{items, moderation};
use crate::auth::{Client, own_writes};
use crate::{gift, like, live, mic, relay, stats, user};

/// `/client`. Fixed paths come before those with an id in the same place; the heartbeat, which is
/// most of the traffic, comes first. Routes that read from copies of the database let their callers see
/// what they wrote.
pub fn scope() -> Scope<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    >,
> {
    web::scope("/client")
        .wrap(from_fn(own_writes::mark::<Client, _>))
        .wrap(from_fn(bodies::<Client, _>))
        .configure(live_routes)
        .configure(|config| moderation::of_room::<Client>(config, "/live/room/{live_id}"))
        .configure(mic_routes)
        .configure(relay_routes)
        .configure(user_routes)
        .configure(items::routes::<Client>)
        .configure(gift_routes)
        .configure(stats_routes)
        .service(web::resource("/app/config").get(user::tokens::app_config))
}

fn live_routes(config: &mut ServiceConfig) {
    use live::handlers as h;
    config
        .service(web::resource("/live/room/heartbeat/{live_id}").get(h::heartbeat))
        .service(web::resource("/live/room/info/{live_id}").get(h::info))
        .service(web::resource("/live/room/user/{live_id}").post(h::join).delete(h::leave))
        .service(from_replicas::<Client>("/live/room/list").get(h::list))
        .service(from_replicas::<Client>("/live/room/list/anchor").get(h::list_own))
        .service(from_replicas::<Client>("/live/room/user_list").get(h::users))
        .service(web::resource("/live/room/extends").put(h::set_extends))
        .service(web::resource("/live/room/instance").post(h::create))
        .service(web::resource("/live/room/instance/{live_id}").delete(h::delete))
        .service(from_replicas::<Client>("/live/room").get(h::search))
        // The documents say POST, the SDKs send DELETE.
        .service(web::resource("/live/room/{live_id}").put(h::start).delete(h::stop).post(h::stop))
        .service(web::resource("/live/room/{live_id}/like").put(like::handlers::give))
        .service(web::resource("/live/{live_id}/like").put(like::handlers::give));
}

fn stats_routes(config: &mut ServiceConfig) {
    use stats::handlers as h;
    config
        .service(web::resource("/stats/singleLive").post(h::report))
        .service(from_replicas::<Client>("/stats/singleLive/{live_id}").get(h::of_room));
}

fn mic_routes(config: &mut ServiceConfig) {
    use mic::handlers as h;
    config
        .service(web::resource("/mic").post(h::up).delete(h::down))
        .service(web::resource("/mic/up").post(h::up))
        .service(web::resource("/mic/down").post(h::down))
        .service(web::resource("/mic/live").delete(h::take_off))
        .service(web::resource("/mic/room/list/{live_id}").get(h::list))
        .service(web::resource("/mic/room").put(h::set_extends))
        .service(web::resource("/mic/extension").put(h::set_extends))
        .service(web::resource("/mic/switch").put(h::switch));
}

fn relay_routes(config: &mut ServiceConfig) {
    use relay::handlers as h;
    config
        .service(web::resource("/relay/start").post(h::start))
        .service(web::resource("/relay/{id}").get(h::info))
        .service(web::resource("/relay/{id}/token").get(h::token))
        .service(web::resource("/relay/{id}/started").post(h::started))
        .service(web::resource("/relay/{id}/stop").post(h::stop))
        .service(web::resource("/relay/{id}/extends").post(h::set_extends));
}

fn user_routes(config: &mut ServiceConfig) {
    use user::handlers as h;
    config
        .service(web::resource("/user/profile").get(h::own_profile))
        // With GET it is the user called `user`.
        .service(web::resource("/user/user").guard(guard::Put()).put(h::update_own))
        .service(web::resource("/user/user/{id}").get(h::info_for_client))
        .service(from_replicas::<Client>("/user/users").get(h::infos_for_client))
        .service(from_replicas::<Client>("/user/imusers").get(h::im_users))
        .service(web::resource("/user/{id}").get(h::info_for_client));
}

fn gift_routes(config: &mut ServiceConfig) {
    use gift::handlers as h;
    config
        .service(web::resource("/gift/send").guard(guard::Post()).post(h::send))
        .service(from_replicas::<Client>("/gift/config").get(h::types))
        .service(from_replicas::<Client>("/gift/config/{type}").get(h::types))
        .service(from_replicas::<Client>("/gift/list/live/{live_id}").get(h::of_room))
        .service(from_replicas::<Client>("/gift/live/{live_id}").get(h::of_room))
        .service(from_replicas::<Client>("/gift/list/anchor").get(h::received))
        .service(from_replicas::<Client>("/gift/list/user").get(h::given))
        .service(web::resource("/gift/{biz_id}").get(h::find));
}

/// Client routes that released SDKs call without the prefix.
pub fn aliases(config: &mut ServiceConfig) {
    let resource = |path: &str| web::resource(path).wrap(from_fn(bodies::<Client, _>));
    config
        .service(resource("/live/room/instance/{live_id}").delete(live::handlers::delete))
        .service(resource("/mic/live").delete(mic::handlers::take_off));
}
