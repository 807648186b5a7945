//! Routes without credentials of the common kinds: the managers' login, the media servers' hooks,
//! and the document of the API.

use actix_web::HttpResponse;
use actix_web::http::header::{LOCATION, UPGRADE};
use actix_web::web::{self, ServiceConfig};
use utoipa_swagger_ui::SwaggerUi;

use super::openapi;
use crate::{censor, gift, live, user};

/// The routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource("/manager/login").post(user::tokens::login).get(user::tokens::login))
        .service(web::resource("/manager/gift/test").post(gift::handlers::test_payment))
        .service(web::resource("/manager/censor/callback").post(censor::handlers::callback))
        .service(web::resource("/hooks/publish").post(live::stream::publish))
        .service(web::resource("/hooks/publish_done").post(live::stream::publish_done))
        .service(web::resource(["/realtime", "/barrage-videos", "/ws/v1"]).get(upgrade_required))
        .service(web::resource("/docs").get(docs))
        .service(SwaggerUi::new("/docs/{_:.*}").url("/openapi.json", openapi::document()));
}

/// WebSocket handshakes go another way; what asks for something else comes here (RFC 9110 section 15.5.22).
async fn upgrade_required() -> HttpResponse {
    HttpResponse::UpgradeRequired().insert_header((UPGRADE, "websocket")).finish()
}

/// Trailing slashes are taken off before routing, so the page has to be named.
async fn docs() -> HttpResponse {
    HttpResponse::Found().insert_header((LOCATION, "/docs/index.html")).finish()
}
