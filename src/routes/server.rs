//! What business backends call, with a signature.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{Error, Scope, guard};

use super::intake::{MeshCaller, bodies};
use super::replicas::from_replicas;
use super::{items, moderation};
use crate::auth::{Backend, own_writes};
use crate::edges::mesh;
use crate::{gift, item, live, mic, relay, user};

/// `/server`. Fixed paths come before those with an id in the same place. Routes that read from copies of
/// the database let backends see what they wrote.
pub fn scope() -> Scope<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    >,
> {
    use gift::handlers as g;
    use live::handlers as l;
    use mic::handlers as m;
    use user::handlers as u;
    web::scope("/server")
        .wrap(from_fn(own_writes::mark::<Backend, _>))
        .wrap(from_fn(bodies::<Backend, _>))
        .service(web::resource("/auth/token").get(user::tokens::token))
        .service(web::resource("/auth/admin/token").get(user::tokens::admin_token))
        // A user may be called like one of these routes: with another method they are an id.
        .service(web::resource("/user/register").guard(guard::Post()).post(u::register))
        .service(web::resource("/user/register/batch").post(u::register_batch))
        .service(web::resource("/user/info/{id}").get(u::info))
        .service(from_replicas::<Backend>("/user/infos").guard(guard::Get()).get(u::infos))
        .service(web::resource("/user/profile/{id}").get(u::profile))
        .service(from_replicas::<Backend>("/user/profiles").guard(guard::Get()).get(u::profiles))
        .service(web::resource("/user/{id}").put(u::update))
        .service(web::resource("/live").post(l::create_for))
        .service(web::resource("/live/{live_id}").get(l::info_for_server).delete(l::delete_by_server))
        .service(web::resource("/live/{live_id}/stop").post(l::stop_by_server))
        .service(web::resource("/mic/forbid").post(m::forbid))
        .service(web::resource("/mic/unforbid").post(m::unforbid))
        .service(web::resource("/relay/{id}/extends").post(relay::handlers::set_extends_by_server))
        .configure(items::routes::<Backend>)
        .configure(|config| moderation::of_room::<Backend>(config, "/live/{live_id}"))
        .configure(moderation::of_platform::<Backend>)
        .service(web::resource("/items/{live_id}").get(item::handlers::list::<Backend>))
        .service(from_replicas::<Backend>("/gift/config").get(g::types_for_server).post(g::save_types))
        // The same place is a type to read and an id to delete.
        .service(
            from_replicas::<Backend>("/gift/config/{id}").get(g::types_for_server).delete(g::delete_type),
        )
        .service(from_replicas::<Backend>("/gift/live/{live_id}").get(g::of_room_for_server).put(g::send_for))
        .service(from_replicas::<Backend>("/gift/list/live/{live_id}").get(g::of_room_for_server))
        .service(from_replicas::<Backend>("/gift/list/anchor/{id}").get(g::received_for_server))
        .service(from_replicas::<Backend>("/gift/list/user/{id}").get(g::given_for_server))
        .service(web::resource("/gift/{biz_id}").get(g::find_for_server))
}

/// What backends send to barrage connections, where CONNMIX has it.
pub fn mesh(config: &mut ServiceConfig) {
    let resource = |path: &str| web::resource(path).wrap(from_fn(bodies::<MeshCaller, _>));
    config
        .service(resource("/v1/mesh/publish").post(mesh::http::publish))
        .service(resource("/v1/mesh/send").post(mesh::http::send));
}
